"""An index that is open: vectors of clips, whose they are, and a search among them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from praxino.catalogs.base import Video
from praxino.errors import UserError, nearest
from praxino.printable import printable
from praxino.search.arrays import OWNERS, SECONDS, VECTORS, mapped
from praxino.search.exact import best_rows
from praxino.search.folder import Header, damaged, read_header
from praxino.search.hits import Hits
from praxino.search.lengths import of_length_1
from praxino.search.manifest import DONE, GONE, Record, record_of
from praxino.search.moments import By, Moment, moments
from praxino.search.store import MANIFEST, whole_files

if TYPE_CHECKING:
    from praxino.search.graph import Graph

LOOKS = 3  # at an index that is replaced while it is opened
FIRST_LOOK = 8  # clips for each hit that is wanted, before more are looked for
FEW = 4  # what part of all clips is wanted from which on looking at all of them is quicker than a graph


def open_index(folder: str | Path) -> Index:
    """Opens an index. Nothing is read but its header; vectors are read as they are searched.

    Args:
        folder: what `praxino embed RUN --videos DIR --out FOLDER/` has made.

    Raises:
        UserError: if there is none, it is not finished, of another version, or damaged.
    """
    folder = Path(folder)
    for _ in range(LOOKS):
        header = read_header(folder)
        if header.data is None:
            raise UserError(f"the index {folder} is not finished: the 'praxino embed' that began it goes on with it")
        missing = whole_files(folder / header.data, header.files)
        if missing is None:
            try:
                return Index(folder, header)
            except FileNotFoundError:  # another index has come meanwhile
                missing = VECTORS
            except (OSError, ValueError) as error:
                raise damaged(folder, f"{header.data}: {printable(error)}") from None
    raise damaged(folder, f"{header.data}/{missing} is not what it was")


class Index:
    """Vectors of the clips of videos.

    >>> index = open_index("vectors/")  # doctest: +SKIP
    >>> hits = index.search(encoder.embed("query.mp4"), k=20)  # doctest: +SKIP

    Args:
        folder: of the index.
        header: its own.

    Attributes:
        vectors: float32 [clips, d], of length 1, as they lie on the disk.
        seconds: float64 [clips, 2], the times of each clip's first and last frame.
        owners: int64 [clips], each clip's video: a line of the manifest.
    """

    def __init__(self, folder: Path, header: Header) -> None:
        self.folder, self.header = folder, header
        data = folder / str(header.data)
        live = slice(0, header.clips)  # behind these are clips of videos that are gone
        arrays = [mapped(data / name) for name in (VECTORS, SECONDS, OWNERS)]
        shapes = [(len(arrays[0]), header.dim), (len(arrays[0]), 2), (len(arrays[0]),)]
        if [one.shape for one in arrays] != shapes or len(arrays[0]) < header.clips:
            raise ValueError("its arrays do not fit each other")
        self.vectors, self.seconds, self.owners = (one[live] for one in arrays)
        self._lines = (data / MANIFEST).read_bytes().split(b"\n")[:-1]
        if len(self._lines) != header.videos:
            raise ValueError("its manifest has other lines than videos")
        self._graph: Graph | None = None

    def __len__(self) -> int:
        """How many clips there are."""
        return len(self.vectors)

    def __repr__(self) -> str:
        clips = "by the sampler" if self.header.every is None else f"every {self.header.every:g} s"
        return (
            f"Index({str(self.folder)!r}): {len(self)} clips {clips} of {self.header.videos} videos, "
            f"{self.header.dim} numbers each, view {self.header.view!r}"
        )

    def record(self, number: int) -> Record:
        """What is known of a video.

        Args:
            number: its line of the manifest.

        Raises:
            UserError: if the line is damaged.
        """
        try:
            if not 0 <= number < len(self._lines):
                raise ValueError("there is none")
            record = record_of(self._lines[number])
            if record.status == DONE and record.rows().stop > len(self):
                raise ValueError("it has other clips than there are")
        except ValueError as error:
            raise damaged(self.folder, f"line {number + 1} of {MANIFEST}: {printable(error)}") from None
        return record

    @cached_property
    def records(self) -> list[Record]:
        """All videos, those that cannot be read and those that are gone, too."""
        return [self.record(number) for number in range(len(self._lines))]

    def video(self, number: int, root: str | None = None) -> Video:
        """A video with its files.

        Args:
            number: its line of the manifest.
            root: the folder of the videos, if it was moved.
        """
        return self.record(number).video(self.header.root if root is None else root)

    def rows_of(self, id: str, start: float | None = None, end: float | None = None) -> NDArray[np.int64]:
        """The rows of a video's clips that lie between two times.

        Args:
            id: of the video.
            start, end: seconds; None: from its beginning, to its end.

        Raises:
            UserError: if there is no such video, it has no clips, or none lies there.
        """
        found = next((one for one in self.records if one.id == id), None)
        if found is None:
            raise UserError(f"the index has no video '{id}'.{nearest(id, [one.id for one in self.records])}")
        if found.status == GONE:
            raise UserError(f"{id} is gone from the videos of the index, and is not searched: give its file")
        if not found.clips:
            raise UserError(f"{id} has no clips in the index: {found.reason}")
        rows = np.arange(found.first, found.first + found.clips)
        times = self.seconds[rows]
        inside = (times[:, 0] <= (np.inf if end is None else end)) & (times[:, 1] >= (0 if start is None else start))
        if not inside.any():
            first, last = times[:, 0].min(), times[:, 1].max()
            raise UserError(f"{id} has no clip there: those of the index lie between {first:.2f} and {last:.2f} s")
        return rows[inside]

    def graph(self, progress: Callable[[int, int], None] | None = None) -> Graph:
        """The graph of an approximate search, which the first call reads, or makes and writes into the folder.

        Args:
            progress: called with (clips that are in it, all of them) while it is made.

        Raises:
            UserError: if usearch is not installed, or the graph is damaged or cannot be written.
        """
        from praxino.search.graph import graph_of

        if self._graph is None:
            self._graph = graph_of(self.folder, str(self.header.data), self.vectors, progress)
        return self._graph

    def search(
        self,
        vectors: NDArray[np.floating],
        k: int = 20,
        by: By = "moment",
        without: NDArray[np.int64] | None = None,
        approximate: bool = False,
    ) -> Hits:
        """What is most like a query, by cosine similarity.

        Args:
            vectors: [clips, d] of the query, or [d] of one clip, as `Encoder.embed` gives them. Each clip is searched:
                the similarity of a clip of the index is the highest of those with them.
            k: how many.
            by: moment: clips of one video that overlap are one hit; clip: each is one; video: one hit for each.
            without: rows that are passed over.
            approximate: walks the graph instead of looking at all clips: some hits may be missing. Similarities are
                exact. Where a large part of all clips is wanted they are looked at all the same.

        Raises:
            UserError: if the vectors are no query for this index, or the index is damaged or has no clips; as of
                `graph`, too, where that is walked.
        """
        return self.search_many([vectors], k, by, None if without is None else [without], approximate)[0]

    def search_many(
        self,
        queries: Sequence[NDArray[np.floating]],
        k: int = 20,
        by: By = "moment",
        without: Sequence[NDArray[np.int64]] | None = None,
        approximate: bool = False,
    ) -> list[Hits]:
        """What is most like each of several queries, in one pass over the index.

        Args:
            queries: each as of `search`.
            k, by, approximate: as of `search`.
            without: for each query rows that are passed over.

        Raises:
            UserError: as of `search`.
        """
        if k < 1:
            raise UserError(f"-k must be 1 or more, not {k}")
        if by not in ("moment", "clip", "video"):
            raise UserError(f"--by: there is no '{by}'.{nearest(str(by), ('moment', 'clip', 'video'))}")
        if not len(self):
            raise UserError(f"the index {self.folder} has no clips: none of its videos could be read, or all are gone")
        asked = [self._asked(one) for one in queries]
        passed = [np.unique(one) for one in without] if without is not None else [np.zeros(0, np.int64)] * len(asked)
        found: list[list[Moment]] = [[] for _ in asked]
        if by == "video":
            k = min(k, 1 + int(np.count_nonzero(np.diff(self.owners))))
        left, most = list(range(len(asked))), k if by == "clip" else FIRST_LOOK * k
        while left:
            walks = approximate and FEW * most < len(self)
            look = self.graph().best_rows if walks else self._exact
            best = look([asked[at] for at in left], most, [passed[at] for at in left])
            again = []
            for at, (rows, similarities) in zip(left, best, strict=True):
                found[at], beyond = moments(rows, similarities, self.owners, self.seconds, k, by)
                # A graph does not lead to all rows where very many are equal.
                if not beyond and (len(rows) == most or walks):
                    again.append(at)
            left, most = again, 4 * most
        return [self.hits_of(one) for one in found]

    def vectors_of(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """The vectors of some rows, of length 1: float32 [rows, d].

        Args:
            rows: int64 [rows].

        Raises:
            UserError: if they are damaged.
        """
        vectors = np.array(self.vectors[rows])
        if not (np.abs(vectors) < 1 + 1e-3).all():
            raise damaged(self.folder, f"{VECTORS}: some of rows {rows.min()} to {rows.max()} are no vectors")
        return vectors

    def hits_of(self, found: Sequence[Moment]) -> Hits:
        """Moments of its videos as hits, in their order.

        Raises:
            UserError: if the index is damaged, so that one is not of its video, or at no time.
        """
        try:
            return Hits.of(found, [self.record(moment.video) for moment in found])
        except ValueError as error:
            raise damaged(self.folder, str(error)) from None

    def _exact(
        self, asked: list[NDArray[np.float32]], most: int, passed: list[NDArray[np.int64]]
    ) -> list[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        try:
            return best_rows(self.vectors, asked, most, passed)
        except ValueError as error:
            raise damaged(self.folder, f"{VECTORS}: {error}") from None

    def _asked(self, vectors: NDArray[np.floating]) -> NDArray[np.float32]:
        given = np.atleast_2d(np.asarray(vectors))
        if given.ndim != 2 or given.shape[1] != self.header.dim or not len(given) or given.dtype.kind != "f":
            raise UserError(
                f"a query is an array of floating-point numbers [clips, {self.header.dim}] for this index, and this is "
                f"{given.dtype} {list(given.shape)}: embed it by the encoder of the index, in its view"
            )
        if not np.isfinite(given).all():
            raise UserError("the vectors of the query are no finite numbers")
        return of_length_1(given)
