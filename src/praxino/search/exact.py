"""The rows that are most like a query: all of them are looked at, a block after the other."""

from __future__ import annotations

import mmap
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

BLOCK_BYTES = 32 << 20  # of vectors, and of similarities, that are held at once
# A sum in single precision depends on where in a block a row stands. What is this near counts as equal until the few
# best rows are computed anew; below the last place of a similarity that is shown.
ROUNDING = 1e-5
SPARE = 1024  # rows that near the last place may be held beyond those that are wanted


def best_rows(
    vectors: Vectors, queries: Sequence[Vectors], most: int, without: Sequence[NDArray[np.int64]] | None = None
) -> list[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """For each query the rows with the highest similarity, in one pass over all vectors.

    A query is one or several clips; a row's similarity is the highest of its dot products with them.

    Args:
        vectors: [rows, d], of length 1; as they lie on the disk, or in memory.
        queries: [clips, d] each, of length 1, with one clip or more.
        most: how many rows.
        without: for each query rows, ascending, that are passed over.

    Returns:
        For each query int64 [n] rows and float32 [n] similarities, n at most `most`: the highest first, equal ones in
        the order of their rows.

    Raises:
        ValueError: if there are vectors that are no numbers, or not of length 1.
    """
    asked = np.concatenate(queries).astype(np.float32)
    starts = np.cumsum([0, *(len(query) for query in queries[:-1])])
    passed = [np.zeros(0, np.int64)] * len(queries) if without is None else without
    found = [Best(most) for _ in queries]
    step = max(1, BLOCK_BYTES // (4 * max(vectors.shape[1], len(asked), 1)))
    for first in range(0, len(vectors), step):
        block = vectors[first : first + step]
        with np.errstate(invalid="ignore", over="ignore"):  # of what is damaged, which is told below
            scores = asked @ block.T
        if len(asked) > len(queries):
            scores = np.maximum.reduceat(scores, starts, axis=0)
        highest = scores.max(axis=1)
        if not (np.maximum(highest, -scores.min(axis=1)) < 1 + 1e-3).all():
            raise ValueError(f"rows {first} to {first + len(block) - 1} hold vectors that are none")
        for number, best in enumerate(found):
            if highest[number] >= best.floor:
                best.add(first, scores[number], passed[number])
        forget(vectors, first, first + len(block))
    return [best.exact(vectors, query) for best, query in zip(found, queries, strict=True)]


class Best:
    """The best rows so far, and those that may yet turn out to be.

    Args:
        most: how many are wanted.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.floor = -np.inf
        self.rows = np.zeros(0, np.int64)
        self.scores = np.zeros(0, np.float32)

    def add(self, first: int, scores: NDArray[np.float32], without: NDArray[np.int64]) -> None:
        """Takes the rows of a block.

        Args:
            first: row of the block.
            scores: [n], of the rows from there on.
            without: rows that are passed over, ascending.
        """
        at = np.flatnonzero(scores >= self.floor)
        if len(without):
            at = at[~np.isin(first + at, without, assume_unique=True)]
        self.rows = np.concatenate([self.rows, first + at])
        self.scores = np.concatenate([self.scores, scores[at]])
        if len(self.rows) > self.most:
            self._prune()

    def _prune(self) -> None:
        bound = np.partition(self.scores, -self.most)[-self.most]
        keep = self.scores >= bound - ROUNDING
        level = np.flatnonzero(keep & (self.scores <= bound + ROUNDING))
        keep[level[self.most + SPARE :]] = False  # as many equal ones as that: the first rows among them
        self.rows, self.scores, self.floor = self.rows[keep], self.scores[keep], bound - ROUNDING

    def exact(self, vectors: Vectors, query: Vectors) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The rows in their order, by similarities that are computed anew, in double precision."""
        own, wide = np.asarray(vectors[self.rows], np.float64), query.astype(np.float64).T
        forget(vectors, 0, len(vectors))  # with a row the system maps what lies around it
        scores: NDArray[np.float32] = (own @ wide).max(axis=1, initial=-np.inf).astype(np.float32)
        order = np.lexsort((self.rows, -scores))[: self.most]
        return self.rows[order], scores[order]


def forget(vectors: Vectors, first: int, last: int) -> None:
    """Lets the system take back the memory of rows that were read, so that a large file does not fill it.

    Args:
        vectors: an array in memory stays as it is.
        first, last: rows, the last one not among them.
    """
    mapping = getattr(vectors, "_mmap", None)
    if mapping is None or not hasattr(mmap, "MADV_DONTNEED"):
        return
    begin = vectors.offset % mmap.ALLOCATIONGRANULARITY + first * vectors.strides[0]  # type: ignore[attr-defined]
    end = begin + (last - first) * vectors.strides[0]
    begin -= begin % mmap.PAGESIZE
    mapping.madvise(mmap.MADV_DONTNEED, begin, min(end, len(mapping)) - begin)
