"""The very footage of a query: where in a video all of its clips follow each other as they do in the query."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from praxino.errors import UserError, nearest
from praxino.search.embedding import Clips, of_length_1
from praxino.search.hits import Hits
from praxino.search.index import Index
from praxino.search.moments import By, Moment

CANDIDATES = 400  # clips of the index at which a sequence is looked for: those most like any clip of the query
TRIES = 3  # clips of the query that each of them may be
SAME = 0.5  # of the shorter of two moments that overlap so far: they are one


def search_sequence(
    index: Index, query: Clips, k: int = 20, by: By = "moment", without: NDArray[np.int64] | None = None
) -> Hits:
    """Where the footage of a query is, encoded anew or cut out of a longer file.

    The clips of the query are laid over a video at one time shift; each clip of the index there is compared with the
    clip of the query that lies nearest to it, and the mean of these similarities decides, times the part of the query
    (or of the video, if that is shorter) that lies within the video. The shifts that are tried are those at which one
    of the query's clips is very like one of the index.

    Args:
        index: that is searched.
        query: vectors and seconds of its clips, as `queries.clips_of_file` gives them, a few each second.
        k: how many hits.
        by: moment or video: one hit for each.
        without: rows that are passed over.

    Raises:
        UserError: as of `Index.search`, or if clips are asked for.
    """
    if by not in ("moment", "video"):
        raise UserError(f"--by: a sequence is found as moment or video, not '{by}'.{nearest(by, ('moment', 'video'))}")
    if k < 1:
        raise UserError(f"-k must be 1 or more, not {k}")
    if query.seconds.shape != (len(query.vectors), 2) or not np.isfinite(query.seconds).all():
        raise UserError(f"a sequence needs the seconds of its {len(query.vectors)} clips, from and to of each")
    query = _in_order(query)
    candidates = index.search(query.vectors, CANDIDATES, "clip", without).row
    laid = _Laid(index, query, candidates, np.zeros(0, np.int64) if without is None else without)
    found: list[Moment] = []
    for one in sorted(laid.moments(), key=lambda moment: (-moment.similarity, moment.row)):
        if not any(_same(one, other, by) for other in found):
            found.append(one)
        if len(found) == k:
            break
    return index.hits_of(found)


def _in_order(query: Clips) -> Clips:
    """The clips as they follow each other, wherever a sampler has put them."""
    order = np.argsort(query.seconds[:, 0], kind="stable")
    return Clips(query.vectors[order], query.seconds[order])


class _Shift(NamedTuple):
    """The query laid over a video: the candidate, the video, its rows there, the query's clip at each, seconds."""

    candidate: int
    video: int
    rows: NDArray[np.int64]
    clips: NDArray[np.int64]
    start: float
    end: float
    part: float


class _Laid:
    """A query laid over videos.

    Args:
        index: of the videos.
        query: its clips.
        candidates: rows.
        without: rows that are passed over.
    """

    def __init__(self, index: Index, query: Clips, candidates: NDArray[np.int64], without: NDArray[np.int64]) -> None:
        self.index, self.candidates, self.without = index, candidates, without
        self.begins, self.span = query.seconds[:, 0] - query.seconds[0, 0], float(np.ptp(query.seconds))
        self.known: dict[int, tuple[int, NDArray[np.float64]]] = {}
        self.query = of_length_1(query.vectors)
        self.reach = (float(np.median(np.diff(self.begins))) if len(self.begins) > 1 else 0.0) / 2 + 1e-3

    def moments(self) -> list[Moment]:
        """What each candidate and shift would be."""
        own = self.index.vectors[self.candidates] @ self.query.T
        shifts = []
        for candidate, row in zip(self.candidates.tolist(), own, strict=True):
            begin = float(self.index.seconds[candidate, 0])
            for clip in np.argsort(-row, kind="stable")[:TRIES]:
                shifts.append(self._shift(candidate, begin - float(self.begins[clip])))
        return [Moment(one.video, one.start, one.end, one.part * self._alike(one), one.candidate) for one in shifts]

    def _alike(self, shift: _Shift) -> float:
        """The mean similarity of the clips that lie over each other."""
        # Of no others: those of a long query with long videos would not fit into memory.
        return float(np.einsum("rd,rd->r", self.index.vectors[shift.rows], self.query[shift.clips]).mean())

    def _shift(self, candidate: int, shift: float) -> _Shift:
        """The query from these seconds on in the candidate's video."""
        video = int(self.index.owners[candidate])
        first, times = self._clips(video)
        there = (times[:, 0] >= shift - self.reach) & (times[:, 0] <= shift + self.begins[-1] + self.reach)
        rows = first + np.flatnonzero(there)
        rows = rows[~np.isin(rows, self.without)]
        clips = self._nearest(times[rows - first, 0] - shift)
        start, end = max(shift, float(times[:, 0].min())), min(shift + self.span, float(times[:, 1].max()))
        whole = min(self.span, float(times[:, 1].max() - times[:, 0].min()))
        part = min(1.0, max(0.0, end - start) / whole) if whole > 0 else 1.0
        return _Shift(candidate, video, rows, clips, start, max(start, end), part)

    def _nearest(self, seconds: NDArray[np.float64]) -> NDArray[np.int64]:
        """The clip of the query that begins nearest to each of these seconds."""
        later = np.searchsorted(self.begins, seconds).clip(0, len(self.begins) - 1)
        earlier = (later - 1).clip(0)
        is_earlier = np.abs(self.begins[earlier] - seconds) <= np.abs(self.begins[later] - seconds)
        return np.where(is_earlier, earlier, later)

    def _clips(self, video: int) -> tuple[int, NDArray[np.float64]]:
        """The first row of a video, and the seconds of its clips."""
        if video not in self.known:
            record = self.index.record(video)
            self.known[video] = record.first, np.array(self.index.seconds[record.rows()])
        return self.known[video]


def _same(one: Moment, other: Moment, by: By) -> bool:
    if one.video != other.video or by == "video":
        return one.video == other.video
    common = min(one.end, other.end) - max(one.start, other.start)
    return common >= SAME * min(one.end - one.start, other.end - other.start)
