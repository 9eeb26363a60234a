"""What is shown for frames that are missing."""

from __future__ import annotations

from collections.abc import Container, Sequence

import numpy as np
from numpy.typing import NDArray

NOTHING = -1


def sources_as_cocon(present: Sequence[bool] | NDArray[np.bool_]) -> NDArray[np.int64]:
    """Which entry of a clip each one shows, by CoCon's rule (Rai et al., CVPR workshops 2021).

    Two passes, in each of which an absent entry takes what the one before it had before that pass, the first one what
    the last one had. So a gap is filled for two entries, and the rest of a longer one stays empty.

    Args:
        present: [n], of the frames of one clip in their order.

    Returns:
        int64 [n], numbers of entries that are present; -1 where nothing is shown.
    """
    shown = np.where(present, np.arange(len(present)), NOTHING)
    for _ in range(2):
        shown = np.where(shown == NOTHING, np.roll(shown, 1), shown)
    return shown.astype(np.int64)


def filled_in_clips(
    pixels: NDArray[np.uint8], present: NDArray[np.bool_], where: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.int64]]:
    """Clips with their gaps filled as of `sources_as_cocon`, each for itself, zeros where nothing is shown.

    Zeros of a flow are no blank: they are its greatest motion to the left and up.

    Args:
        pixels: uint8 [F, H, W, C], frames.
        present: bool [F].
        where: int64 [N, T], which of them the clips show.

    Returns:
        The three again. What fills a gap is a row of its own behind the others, and still not present.
    """
    gaps = ~present[where]
    if not gaps.any():
        return pixels, present, where
    more = []
    for clip in np.flatnonzero(gaps.any(1)):
        sources = sources_as_cocon(~gaps[clip])
        for source in sources[gaps[clip]]:
            more.append(np.zeros_like(pixels[0]) if source == NOTHING else pixels[where[clip, source]])
    where = where.copy()
    where[gaps] = len(pixels) + np.arange(len(more))
    return np.concatenate([pixels, np.stack(more)]), np.append(present, np.zeros(len(more), np.bool_)), where


def numbers_shown(number: int, there: Container[int], ends: tuple[int, int] | None) -> tuple[int, ...]:
    """The files whose mean is the map of a number.

    Args:
        number: of a frame.
        there: the numbers that there are.
        ends: the lowest and the highest of them, where only every other one is there; None: each frame has its own.
    """
    if number in there or ends is None or (number - ends[0]) % 2 == 0:
        return (number,)
    return tuple(k for k in (number - 1, number + 1) if ends[0] <= k <= ends[1]) or (number,)


def numbers_as_cocon(number: int, there: Container[int]) -> tuple[int, ...]:
    """The files whose mean is the map of a number in CoCon's code; those that are missing are 0 in it.

    Args:
        number: of a frame, counted from 0.
        there: the numbers that there are.
    """
    if number in there:
        return (number,)
    middle = max(3, number)
    return (middle - 1, middle + 1) if middle + 1 in there else (middle - 1,)
