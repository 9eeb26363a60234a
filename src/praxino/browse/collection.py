"""An index as a page shows it: a map, groups, labels, and the neighbours of each clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from praxino.browse.groups import Groups, groups_of
from praxino.browse.points import How, points_of
from praxino.built_in import BUILT_IN, FILE
from praxino.catalogs.base import Video
from praxino.errors import UserError
from praxino.printable import printable
from praxino.search.arrays import SECONDS
from praxino.search.folder import damaged
from praxino.search.hits import Hits
from praxino.search.index import Index
from praxino.search.manifest import FAILED
from praxino.search.moments import Moment, moments
from praxino.search.store import VECTORS

LISTED = 100  # videos that cannot be read and are named
NEIGHBOURS = 12  # of a clip, in other videos
OWN = 6  # in its own video
NO_FOLDER = "(no folder)"


@dataclass(frozen=True)
class Collection:
    """What a page shows of an index. Videos count from 0, only those that have clips, in the order of the index.

    Attributes:
        index: that is shown.
        root: the folder of the videos, where it was moved.
        how: the map was made.
        points: float32 [clips, 2], from -1 to 1.
        groups: of the clips.
        lines: int64 [videos], each video's line of the manifest.
    """

    index: Index
    root: str | None
    how: How
    points: NDArray[np.float32]
    groups: Groups
    lines: NDArray[np.int64]

    @classmethod
    def of(cls, index: Index, root: str | None = None, groups: int | None = None, how: How = "pca") -> Collection:
        """Makes map and groups of an index.

        Args:
            index: with clips.
            root: the folder of the videos, where it was moved.
            groups: how many; None: chosen, as `praxino.browse.groups.groups_of` says.
            how: the map is made: pca or umap.

        Raises:
            UserError: if the index has no clips or is damaged, a package is missing, or there are no so many groups.
        """
        if not len(index):
            raise UserError(f"the index {index.folder} has no clips: none of its videos could be read, or all are gone")
        lines = np.unique(np.asarray(index.owners))
        if not np.isfinite(index.seconds).all():
            raise damaged(index.folder, f"{SECONDS}: there are clips at no time")
        try:
            made = groups_of(index.vectors, index.owners, groups)
            return cls(index, root, how, points_of(index.vectors, how), made, lines)
        except ValueError as error:
            raise damaged(index.folder, f"{VECTORS}: {error}") from None

    def __len__(self) -> int:
        """How many clips there are."""
        return len(self.index)

    @cached_property
    def owners(self) -> NDArray[np.int32]:
        """int32 [clips], each clip's video."""
        return np.searchsorted(self.lines, np.asarray(self.index.owners)).astype(np.int32)

    @cached_property
    def ids(self) -> list[str]:
        """The ids of the videos, as they may be shown."""
        return [printable(self.index.record(int(line)).id) for line in self.lines]

    @cached_property
    def labels(self) -> tuple[list[str], list[int]]:
        """Names of the first folders in which ids differ, and each video's; none where not all have one, or two."""
        return labels_of(self.ids)

    def about(self) -> dict[str, Any]:
        """What a page needs to know at once, as JSON has it; names are printable."""
        names, labels = self.labels
        failed = [(printable(one.id), printable(one.reason)) for one in self.index.records if one.status == FAILED]
        header = self.index.header
        return {
            "name": printable(self.index.folder.resolve().name),
            "clips": len(self),
            "videos": [{"id": id, "label": label} for id, label in zip(self.ids, labels, strict=True)],
            "failed": [list(one) for one in failed[:LISTED]],
            "failed_count": len(failed),
            "view": printable(header.view),
            "encoder": printable(_short(header.place) if header.place else header.encoder[:12]),
            "map": self.how.upper(),
            "labels": names,
            "groups": [
                {"clips": int(size), "nearest": rows}
                for size, rows in zip(self.groups.sizes, self.groups.nearest, strict=True)
            ],
        }

    def arrays(self) -> dict[str, bytes]:
        """Arrays of all clips as bytes, little-endian: points float32 [clips, 2], seconds float32 [clips, 2], owners
        int32 [clips] (places in the videos of `about`), groups int32 [clips]."""
        return {
            "points": self.points.astype("<f4").tobytes(),
            "seconds": np.asarray(self.index.seconds).astype("<f4").tobytes(),
            "owners": self.owners.astype("<i4").tobytes(),
            "groups": self.groups.of.astype("<i4").tobytes(),
        }

    def neighbours(self, row: int, k: int = NEIGHBOURS, own: int = OWN) -> list[dict[str, Any]]:
        """The moments that are most like a clip: first those of other videos, then those of its own.

        Apart, since in short videos a clip is most like the rest of its own, and nothing else would be seen.

        Args:
            row: of the clip.
            k: how many of other videos.
            own: how many of its own, without the clips that overlap it.

        Returns:
            As of `hits`.

        Raises:
            IndexError: if there is no such clip.
            UserError: if the index is damaged.
        """
        return self.neighbours_of([row], k, own)[0]

    def neighbours_of(self, rows: Sequence[int], k: int = NEIGHBOURS, own: int = OWN) -> list[list[dict[str, Any]]]:
        """The neighbours of several clips, in one pass over the index: each as of `neighbours`."""
        if any(not 0 <= row < len(self) for row in rows):
            raise IndexError(f"the index has {len(self)} clips")
        queries = [np.array(self.index.vectors[row]) for row in rows]
        whole = [self._whole(row) for row in rows]
        others = self.index.search_many(queries, k, without=whole)
        return [
            self.hits(found) + self.hits(self.index.hits_of(self._own(row, all_of_it, own)))
            for row, all_of_it, found in zip(rows, whole, others, strict=True)
        ]

    def _whole(self, row: int) -> NDArray[np.int64]:
        """All rows of a clip's video."""
        record = self.index.record(int(self.index.owners[row]))
        return np.arange(record.first, record.first + record.clips)

    def _own(self, row: int, rows: NDArray[np.int64], k: int) -> list[Moment]:
        """The moments of a clip's own video that are most like it, without the clips that have a time in common."""
        start, end = self.index.seconds[row]
        times = self.index.seconds[rows]
        rows = rows[(times[:, 0] > end) | (times[:, 1] < start)]
        alike = self.index.vectors[rows] @ self.index.vectors[row]
        order = np.argsort(-alike, kind="stable")
        return moments(rows[order], alike[order], self.index.owners, self.index.seconds, k, "moment")[0]

    def hits(self, hits: Hits) -> list[dict[str, Any]]:
        """What a search has found, as JSON has it: row, video, start, end (seconds) and similarity of each."""
        return [
            {
                "row": hit.row,
                "video": int(self.owners[hit.row]),
                "start": hit.start,
                "end": hit.end,
                "similarity": hit.similarity,
            }
            for hit in hits
        ]

    def video(self, number: int) -> Video:
        """A video with its files.

        Args:
            number: among the videos of `about`.

        Raises:
            IndexError: if there is no such video.
        """
        if not 0 <= number < len(self.lines):
            raise IndexError(f"the index has {len(self.lines)} videos with clips")
        return self.index.video(int(self.lines[number]), self.root)

    def moment(self, row: int) -> tuple[int, float, float]:
        """A clip's video, and the seconds of its first and last frame.

        Args:
            row: of the clip.

        Raises:
            IndexError: if there is no such clip.
        """
        if not 0 <= row < len(self):
            raise IndexError(f"the index has {len(self)} clips")
        start, end = self.index.seconds[row]
        return int(self.owners[row]), float(start), float(end)


def _short(place: str) -> str:
    """Where an encoder was, without the folders above that of its run: a site may be shown to others."""
    return BUILT_IN if Path(place).name == FILE.name else "/".join(Path(place).parts[-2:])


def labels_of(ids: Sequence[str]) -> tuple[list[str], list[int]]:
    """Labels of videos, which are the first folders of their ids; folders that all of them share are passed over.

    Returns:
        Names of the labels, sorted, and last `NO_FOLDER` where some videos lie in none; and each video's, by number. No
        names, and -1 for each, where there are no two folders.
    """
    folders = [id.split("/")[:-1] for id in ids]
    shared = 0
    while folders and all(len(one) > shared for one in folders) and len({one[shared] for one in folders}) == 1:
        shared += 1
    firsts = [one[shared] if len(one) > shared else None for one in folders]
    names = sorted({one for one in firsts if one is not None})
    if len(names) < 2:
        return [], [-1] * len(ids)
    place: dict[str | None, int] = {name: number for number, name in enumerate(names)}
    place[None] = len(names)
    return names + [NO_FOLDER] * (None in firsts), [place[one] for one in firsts]
