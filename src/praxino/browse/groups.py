"""Groups of the clips of an index, by k-means, and the clips that are nearest to the middle of each."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from praxino.browse.points import Vectors, blocks
from praxino.errors import UserError

SEED = 0
FITTED = 20_000  # clips whose middles are looked for; all others go to the nearest
JUDGED = 2_000  # clips by which the number of groups is chosen
NUMBERS = (2, 3, 4, 5, 6, 8, 10, 12, 15, 20)  # that are tried
# Clips of one video are alike: the best groups of few short videos are the videos themselves, which says nothing.
SEVERAL, OF_A_GROUP = 8, 4  # videos, from which on a chosen number leaves each group so many of them
SHOWN = 8  # clips that stand for a group


@dataclass(frozen=True)
class Groups:
    """Which clip is in which group, the largest group first.

    Attributes:
        of: int32 [clips], each clip's group.
        sizes: int64 [groups], clips of each.
        nearest: for each group at most 8 rows, the nearest to its middle first, of different videos where it has them.
    """

    of: NDArray[np.int32]
    sizes: NDArray[np.int64]
    nearest: list[list[int]]

    def __len__(self) -> int:
        """How many groups there are."""
        return len(self.sizes)


def groups_of(vectors: Vectors, owners: NDArray[np.integer], number: int | None = None) -> Groups:
    """Groups of clips that are alike, by k-means on their vectors of length 1. The same vectors give the same groups.

    The middles are found among at most 20,000 clips, drawn with a fixed seed; then each clip goes to the nearest. Where
    no number is given, 2, 3, 4, 5, 6, 8, 10, 12, 15 and 20 are tried on at most 2,000 clips, and the one with the
    highest mean silhouette (by cosine distance) is taken; of equal ones the lowest. Of eight videos and more none is
    tried that would leave a group fewer than four of them.

    Args:
        vectors: [clips, d], of length 1, as they lie on the disk, or in memory.
        owners: [clips], the video of each.
        number: of groups; None: chosen. Where fewer clips differ there are fewer.

    Raises:
        UserError: if scikit-learn is not installed, or the number is none of these clips.
        ValueError: if there are vectors that are no finite numbers.
    """
    if number is not None and not 1 <= number <= len(vectors):
        raise UserError(f"--groups must be from 1 to {len(vectors)}, the clips of the index, not {number}")
    some = drawn(vectors, FITTED)
    if not np.isfinite(some).all():
        raise ValueError("there are vectors that are no finite numbers")
    if number is None:
        videos = len(np.unique(owners))
        number = chosen_number(some, videos // OF_A_GROUP if videos >= SEVERAL else NUMBERS[-1])
    middles = fitted(some, number)[1]
    of, nearness = assigned(vectors, middles)
    sizes = np.bincount(of, minlength=len(middles))
    order = np.lexsort((np.arange(len(sizes)), -sizes))[: np.count_nonzero(sizes)]
    place = np.zeros(len(sizes), np.int32)
    place[order] = np.arange(len(order))
    of = place[of]
    return Groups(of, sizes[order], _nearest(of, nearness, np.asarray(owners), len(order)))


def drawn(vectors: Vectors, most: int) -> Vectors:
    """At most so many rows, in their order, the same ones each time."""
    if len(vectors) <= most:
        return np.array(vectors)
    rows = np.random.default_rng(SEED).choice(len(vectors), most, replace=False)
    return np.array(vectors[np.sort(rows)])


def chosen_number(vectors: Vectors, most: int = NUMBERS[-1]) -> int:
    """The number of groups, of `most` at most, that suits the vectors best, as `groups_of` says; 1 if all are alike.

    Raises:
        UserError: if scikit-learn is not installed.
    """
    with _scikit_learn():
        from sklearn.metrics import silhouette_score

    some = drawn(vectors, JUDGED)
    different = len(np.unique(some, axis=0))
    best, found = -np.inf, 1
    apart = np.clip(1 - some @ some.T, 0, None)
    np.fill_diagonal(apart, 0)
    for number in NUMBERS:
        if number >= different or number > most:
            break
        labels = fitted(some, number)[0]
        if len(np.unique(labels)) < 2:
            break
        score = float(silhouette_score(apart, labels, metric="precomputed"))
        if score > best:
            best, found = score, number
    return found


def fitted(vectors: Vectors, number: int) -> tuple[NDArray[np.int32], Vectors]:
    """K-means by scikit-learn: which group each vector is in, and the middles [groups, d].

    Raises:
        UserError: if scikit-learn is not installed.
    """
    with _scikit_learn():
        from sklearn.cluster import KMeans
        from threadpoolctl import threadpool_limits

    means: Any = KMeans(number, n_init=4, random_state=SEED)
    # Sums of several threads come in any order, and with them the last digits.
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.filterwarnings("ignore", message="Number of distinct clusters")
        means.fit(vectors)
    return means.labels_, np.asarray(means.cluster_centers_, np.float32)


@contextmanager
def _scikit_learn() -> Iterator[None]:
    """Imports of scikit-learn's."""
    try:
        yield
    except ImportError:
        raise UserError("groups need scikit-learn: pip install 'praxino[browse]'") from None


def assigned(vectors: Vectors, middles: Vectors) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The nearest middle of each vector; and how near: the dot product with it, which for one group ranks as distance.

    Raises:
        ValueError: if there are vectors that are no finite numbers.
    """
    of, nearness = np.zeros(len(vectors), np.int32), np.zeros(len(vectors), np.float32)
    away = (middles.astype(np.float64) ** 2).sum(1).astype(np.float32) / 2
    for first, block in blocks(vectors):
        dots = block @ middles.T
        if not np.isfinite(dots).all():
            raise ValueError("there are vectors that are no finite numbers")
        own = (dots - away).argmax(1)
        rows = slice(first, first + len(block))
        of[rows], nearness[rows] = own, dots[np.arange(len(own)), own]
    return of, nearness


def _nearest(
    of: NDArray[np.int32], nearness: NDArray[np.float32], owners: NDArray[np.integer], number: int
) -> list[list[int]]:
    """The rows that stand for each group: the nearest of each video first, then others, all by nearness."""
    found = []
    for group in range(number):
        rows = np.flatnonzero(of == group)
        rows = rows[np.lexsort((rows, -nearness[rows]))]
        firsts = np.sort(np.unique(owners[rows], return_index=True)[1])[:SHOWN]
        others = np.setdiff1d(np.arange(len(rows))[: 2 * SHOWN], firsts)[: SHOWN - len(firsts)]
        found.append([int(row) for row in rows[np.sort(np.concatenate([firsts, others]))]])
    return found
