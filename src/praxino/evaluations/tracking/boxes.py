"""What is a box, and what marks nothing of a frame: one rule for trackers, videos and sequences."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FURTHEST = 2**24  # pixels that float32, in which trackers count, tells apart
MOST_WRITTEN = 8  # numbers of what was given as a box


def fault_of(box: ArrayLike, height: int, width: int) -> str:
    """What is wrong with a box in a frame, as words behind "the box 1,2,0,5"; "" where it marks something.

    It may reach beyond the frame.

    Args:
        box: x, y, width, height in pixels, the corner counted from 0.
        height, width: of the frame, in pixels.
    """
    numbers = _numbers(box)
    if numbers is None or numbers.shape != (4,) or not np.isfinite(numbers).all():
        return "is no box: it takes four finite numbers, x, y, width and height in pixels"
    if np.abs(numbers).max() > FURTHEST:
        return f"reaches further than {FURTHEST} pixels, and no frame does"
    x, y, wide, high = numbers
    if wide <= 0 or high <= 0:
        return "has no area: its width and height must be above 0"
    if x >= width or y >= height or x + wide <= 0 or y + high <= 0:
        return f"lies outside of the frame, which is {width} pixels wide and {height} high"
    return ""


def written(box: ArrayLike) -> str:
    """A box as it is typed: 120,80,60,90; what is made of no numbers as Python writes it, cut where it is long."""
    numbers = _numbers(box)
    if numbers is None or numbers.size > MOST_WRITTEN:
        return f"{box!r:.60}"
    return ",".join(f"{number:g}" for number in numbers.ravel().tolist())


def _numbers(box: ArrayLike) -> NDArray[np.float64] | None:
    """An array of any shape; None of what is made of no numbers."""
    try:
        return np.asarray(box, np.float64)
    except (TypeError, ValueError):
        return None
