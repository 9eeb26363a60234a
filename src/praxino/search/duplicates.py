"""The same footage in several videos of an index: candidates by their vectors, decided by their frames."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from praxino.catalogs.base import Catalog, Video
from praxino.catalogs.rendered import rendering_of
from praxino.errors import UnreadableVideo, UserError, check_numbers, check_within
from praxino.search.alignment import agreement
from praxino.search.hashes import BITS, PER_SECOND, Hashes, hashes_of
from praxino.search.index import Index
from praxino.search.listed import Listed
from praxino.search.manifest import DONE, FAILED, GONE
from praxino.search.pairs import Duplicates, Footage, Pair
from praxino.search.there import refuse_nothing_there
from praxino.streams.choose import picture_name
from praxino.streams.stretch import whole

QUERIES = 256  # clips that are searched in one pass over the index, or those of one video
LEAST_SECONDS = 1.0  # that agree


def find_duplicates(
    index: Index,
    nearest: int = 10,
    distance: int = 16,
    share: float = 0.4,
    catalog: Catalog | None = None,
    root: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Duplicates:
    """Pairs of videos that show the same footage: encoded anew, scaled, cropped, mirrored, or cut out of a longer file.

    Each video is compared with those that are nearest to it by the vectors of its clips. What decides is frames: eight
    a second are reduced to 63 bits, and the time shift is looked for at which most of them agree. Frames that are flat,
    as black ones are, say nothing and do not count. Stretches of one file are not compared with each other.

    Args:
        index: of the videos, which have to be where it says.
        nearest: videos that each one is compared with; more find copies among many that look alike, and take longer.
        distance: bits, of 63, below which two frames agree.
        share: of the shorter video's frames that agree, from 0 to 1; and at least a second of them.
        catalog: says which videos are for training and which for testing: pairs that cross come first.
        root: the folder of the videos, where it was moved.
        progress: called with (candidates compared, candidates).

    Returns:
        The pairs, and what was left out: videos that are gone or cannot be read.

    Raises:
        UserError: if a number is out of range, none of the videos is where the index says, the catalog has no lists or
            lists none of them, or the index is damaged.
    """
    check_numbers(nearest=nearest, share=share)
    check_within(0, 1, share=share)
    check_within(1, BITS // 2, distance=distance)
    videos = [index.video(number, root) for number in range(len(index.records))]
    live = [number for number, record in enumerate(index.records) if record.status == DONE and record.clips]
    refuse_nothing_there(index, [videos[number] for number in live], root)
    listed = Listed(catalog, [videos[number] for number in live]) if catalog is not None and live else None
    pairs, reader = [], _Reader(videos)
    candidates = sorted(set(_candidates(index, live, videos, nearest)))
    for done, (one, other) in enumerate(candidates, 1):
        if found := _pair(reader, one, other, distance, share, listed):
            pairs.append(found)
        if progress is not None:
            progress(done, len(candidates))
    pairs.sort(key=lambda pair: (not pair.crosses, -pair.share, pair.distance))
    gone = [record.id for record in index.records if record.status == GONE] + reader.gone
    failed = [(record.id, record.reason) for record in index.records if record.status == FAILED]
    return Duplicates(tuple(pairs), len(candidates), tuple(gone), (*failed, *reader.left_out))


def _candidates(index: Index, live: Sequence[int], videos: Sequence[Video], nearest: int) -> Iterator[tuple[int, int]]:
    """Each video with those that are nearest to it, by their lines of the manifest, the lower first."""
    rows = {number: np.arange(*index.records[number].rows().indices(len(index))) for number in live}
    batch: list[int] = []
    for place, number in enumerate(live):
        batch.append(number)
        if place + 1 < len(live) and sum(len(rows[one]) for one in batch) < QUERIES:
            continue
        own = [rows[one] for one in batch]
        found = index.search_many([index.vectors_of(one) for one in own], nearest, "video", own)
        for one, hits in zip(batch, found, strict=True):
            others = index.owners[hits.row].tolist()
            yield from ((min(one, it), max(one, it)) for it in others if not _of_one_file(videos[one], videos[it]))
        batch = []


def _of_one_file(one: Video, other: Video) -> bool:
    """Whether two videos are stretches of the same file."""
    mine, its = ([whole(files) for files in video.files.values()] for video in (one, other))
    return any(files in its for files in mine)


class _Reader:
    """Hashes of videos, each read once; what cannot be read is noted.

    Args:
        videos: by their lines of the manifest.
    """

    def __init__(self, videos: Sequence[Video]) -> None:
        self.videos = videos
        self.known: dict[int, Hashes | None] = {}
        self.gone: list[str] = []
        self.left_out: list[tuple[str, str]] = []

    def of(self, number: int) -> Hashes | None:
        """The hashes of a video; None where it cannot be read."""
        if number not in self.known:
            self.known[number] = self._read(self.videos[number])
        return self.known[number]

    def _read(self, video: Video) -> Hashes | None:
        files = whole(video.files.get(picture_name(video), ()))
        paths = [files] if isinstance(files, str) else files[:1]
        if rendering_of(files) is None and not all(os.path.exists(path) for path in paths):
            self.gone.append(video.id)
            return None
        try:
            return hashes_of(video)
        except (UnreadableVideo, UserError) as error:
            self.left_out.append((video.id, error.reason if isinstance(error, UnreadableVideo) else str(error)))
            return None


def _pair(reader: _Reader, one: int, other: int, distance: int, share: float, listed: Listed | None) -> Pair | None:
    mine, its = reader.of(one), reader.of(other)
    if mine is None or its is None:
        return None
    found = agreement(mine, its, distance)
    if found is None or found.share < share or found.steps < LEAST_SECONDS * PER_SECOND:
        return None
    ids = [reader.videos[number].id for number in (one, other)]
    parts = ["", ""] if listed is None else [listed.part_of(reader.videos[number]) for number in (one, other)]
    return Pair(
        Footage(ids[0], one, found.start, found.end, parts[0]),
        Footage(ids[1], other, found.other_start, found.other_end, parts[1]),
        found.share, found.distance, found.mirrored,
    )  # fmt: skip
