"""The part of two videos that agrees best: a time shift, and from when to when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from praxino.search.hashes import BITS, MIRRORED, Hashes, signs_of

ROWS = 32  # of one video that are compared with all of the other at once
WAYS = 6  # of comparing: as they are, without a tenth at each side of the one or of the other; each in a mirror, too


class Run(NamedTuple):
    """Steps of two videos that follow each other in both: what they add up to, which way, the first ones, how many."""

    sum: float
    way: int
    first: int
    other: int
    length: int


class Agreement(NamedTuple):
    """Where two videos agree.

    Attributes:
        start, end: seconds of the first and the last frame in the one.
        other_start, other_end: in the other.
        share: of the shorter one's frames, those that agree; flat frames do not count.
        distance: bits of 63 in which the frames of this part differ, on average.
        mirrored: the one is the other in a mirror.
        steps: frames that agree.
    """

    start: float
    end: float
    other_start: float
    other_end: float
    share: float
    distance: float
    mirrored: bool
    steps: int


def best_run(rows: Iterable[NDArray[np.float32]]) -> Run:
    """The run along one diagonal of one of several matrices with the highest sum; of equal ones that which ends first.

    Args:
        rows: [ways, n] each, a row of every matrix; a number above 0 speaks for these two steps, one below against.

    Returns:
        The run; of length 0 where no number is above 0.
    """
    best = Run(0.0, 0, 0, 0, 0)
    sums: NDArray[np.float32] = np.zeros((0, 0), np.float32)
    begun: NDArray[np.int64] = np.zeros((0, 0), np.int64)
    for number, row in enumerate(rows):
        before, since = np.zeros_like(row), np.full(row.shape, number, np.int64)
        if number:
            before[:, 1:] = sums[:, :-1]
            np.copyto(since[:, 1:], begun[:, :-1], where=sums[:, :-1] > 0)
        sums, begun = np.maximum(before + row, 0), since
        way, at = divmod(int(sums.argmax()), row.shape[1])
        if sums[way, at] > best.sum:
            length = number - int(since[way, at]) + 1
            best = Run(float(sums[way, at]), way, int(since[way, at]), at - length + 1, length)
    return best


def agreement(one: Hashes, other: Hashes, distance: int) -> Agreement | None:
    """Where two videos agree best: as they are, one of them without a tenth at each side, or in a mirror.

    The best part is that with the highest sum of (`distance` less the bits in which two frames differ), so it goes over
    a few frames that do not agree where enough follow that do.

    Args:
        one, other: the hashes of each.
        distance: bits, of 63; frames that differ in fewer agree.

    Returns:
        None where no frames agree.
    """
    run = best_run(_scores(_differing(one, other), one.said, other.said, distance))
    if not run.length:
        return None
    here, there = (slice(begin, begin + run.length) for begin in (run.first, run.other))
    rows = _differing(one.part(here), other.part(there))
    bits = np.array([row[run.way, k] for k, row in enumerate(rows)])[one.said[here] & other.said[there]]
    steps = int((bits < distance).sum())
    shorter = one if len(one.times) <= len(other.times) else other
    share = min(1.0, steps / max(1, int(shorter.said.sum())))
    (start, end), (other_start, other_end) = one.times[here][[0, -1]], other.times[there][[0, -1]]
    return Agreement(
        float(start),
        float(end),
        float(other_start),
        float(other_end),
        share,
        float(bits.mean()),
        run.way >= WAYS // 2,
        steps,
    )


def _differing(one: Hashes, other: Hashes) -> Iterator[NDArray[np.float32]]:
    """For each frame of one video the bits [ways, n] in which it differs from each of the other, each way."""
    mine = [signs_of(bits) for bits in (one.whole, one.inner, one.whole)]
    its = [signs_of(bits) for bits in (other.whole, other.whole, other.inner)]
    theirs = np.stack([*its, *(signs * MIRRORED for signs in its)]).transpose(0, 2, 1)
    for first in range(0, len(one.times), ROWS):
        some = np.stack([signs[first : first + ROWS] for signs in (*mine, *mine)])
        yield from ((BITS - some @ theirs) / 2).transpose(1, 0, 2)


def _scores(
    differing: Iterable[NDArray[np.float32]], said: NDArray[np.bool_], others: NDArray[np.bool_], distance: int
) -> Iterator[NDArray[np.float32]]:
    """What each two frames speak for; two flat ones nothing, and a flat one beside another speaks against it."""
    against = np.float32(distance - BITS / 2)
    for bits, own in zip(differing, said, strict=True):
        if own:
            yield np.where(others, distance - bits, against)
        else:
            yield np.broadcast_to(np.where(others, against, np.float32(0)), bits.shape)
