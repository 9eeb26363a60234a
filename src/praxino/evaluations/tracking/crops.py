"""Square pieces of a frame around an object, as the networks of a tracker see it.

A box is float64 [4]: x, y, width, height in pixels, its left upper corner counted from 0. What is cut out is a square
with some of the surroundings, its side that of the spec of SiamFC: sqrt((h + c) (w + c)), c = context (h + w).
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from praxino.errors import UserError
from praxino.evaluations.tracking.boxes import fault_of, written
from praxino.streams.opencv import opencv

Interpolation = Literal["linear", "cubic", "area", "nearest", "lanczos4"]
INTERPOLATIONS: tuple[Interpolation, ...] = ("linear", "cubic", "area", "nearest", "lanczos4")
EXTRA = "tracking"
LEAST_SIDE = 2  # pixels of a frame


def centre_and_size(box: ArrayLike) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The middle of a box (y, x), of its first and last pixel, and its size (height, width): float32 [2] each."""
    x, y, width, height = np.asarray(box, np.float64)
    centre = np.array([y + (height - 1) / 2, x + (width - 1) / 2], np.float32)
    return centre, np.array([height, width], np.float32)


def box_of(centre: NDArray[np.float32], size: NDArray[np.float32]) -> NDArray[np.float64]:
    """The way back: float64 [4]."""
    (y, x), (height, width) = centre.astype(np.float64), size.astype(np.float64)
    return np.array([x - (width - 1) / 2, y - (height - 1) / 2, width, height])


def side_of(size: ArrayLike, context: float = 0.5) -> float:
    """The side of the square around an object of this size (height, width), in pixels of the frame."""
    height, width = np.asarray(size, np.float64)
    more = context * (height + width)
    return math.sqrt((height + more) * (width + more))


def refuse_bad_box(box: ArrayLike, height: int, width: int) -> None:
    """Refuses a box that marks nothing of a frame.

    Args:
        box: four numbers.
        height, width: of the frame.

    Raises:
        UserError: if it is not four finite numbers, has no area, or lies outside the frame.
    """
    if fault := fault_of(box, height, width):
        raise UserError(f"the box {written(box)} {fault}")


def refuse_odd_frame(frame: NDArray[np.uint8]) -> None:
    """Raises UserError unless a frame is uint8 [H, W, 3]."""
    if not isinstance(frame, np.ndarray) or frame.dtype != np.uint8 or frame.shape[2:] != (3,) or not frame.size:
        what = f"{frame.dtype} {list(frame.shape)}" if isinstance(frame, np.ndarray) else type(frame).__name__
        raise UserError(f"a tracker takes frames of uint8 [height, width, 3] in RGB, not {what}")


def mean_colour(frame: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The mean of each channel of a frame [H, W, C]: float64 [C]."""
    channels = frame.shape[2]
    return np.array(_cv2().mean(frame)[:channels])


def crop(
    frame: NDArray[np.uint8],
    centre: ArrayLike,
    side: float,
    out: int,
    interpolation: Interpolation = "linear",
    colour: NDArray[np.float64] | None = None,
) -> NDArray[np.uint8]:
    """A square of a frame, resized; what of it lies outside of the frame has one colour.

    As in CycleContrast's tracker. The square's edges are rounded to whole pixels, and its part within the frame is
    resized by itself. A square wholly outside is black. As there, coordinates of pixels count as coordinates of their
    left upper corners, so that the square lies half a pixel off: of exemplar and search alike.

    Args:
        frame: uint8 [H, W, C].
        centre: (y, x).
        side: in pixels of the frame; below 2 it is 2.
        out: side of the result.
        interpolation: OpenCV's.
        colour: of the outside; None: the mean of this frame.

    Returns:
        uint8 [out, out, C].
    """
    height, width = frame.shape[:2]
    left, top, right, bottom = _edges(centre, side)
    inside = frame[max(top, 0) : max(0, min(bottom, height)), max(left, 0) : max(0, min(right, width))]
    if not inside.size:
        return np.zeros((out, out, frame.shape[2]), np.uint8)
    cv2 = _cv2()
    wide, high = right - left, bottom - top
    size = tuple(max(1, round(out * n / of)) for n, of in ((inside.shape[1], wide), (inside.shape[0], high)))
    patch = cv2.resize(inside, size, interpolation=flag(interpolation))
    if size == (out, out):
        return patch
    before = (int(max(0, -top * out / high)), int(max(0, -left * out / wide)))
    after = (out - before[0] - size[1], out - before[1] - size[0])
    return bordered(patch, before, after, mean_colour(frame) if colour is None else colour)


def bordered(
    picture: NDArray[np.uint8], before: tuple[int, int], after: tuple[int, int], colour: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """A picture with so many rows and columns of one colour before and after its own."""
    cv2 = _cv2()
    return cv2.copyMakeBorder(
        picture, before[0], after[0], before[1], after[1], cv2.BORDER_CONSTANT, value=colour.tolist()
    )


def flag(interpolation: Interpolation) -> int:
    """OpenCV's number of an interpolation."""
    return int(getattr(_cv2(), f"INTER_{interpolation.upper()}"))


def _edges(centre: ArrayLike, side: float) -> tuple[int, int, int, int]:
    """Left, top, right, bottom in whole pixels, by way of float32 corners as the original has them."""
    y, x = np.asarray(centre, np.float32)
    half = np.float32(max(LEAST_SIDE, side)) / np.float32(2)
    edges = []
    for middle in (x, y):
        first, last = np.float64(middle - half), np.float64(middle + half)
        half_length, again = (last - first) / 2, (first + last) / 2
        edges.append((int(np.rint(again - half_length)), int(np.rint(again + half_length))))
    return edges[0][0], edges[1][0], edges[0][1], edges[1][1]


def _cv2() -> Any:
    return opencv("A tracker", EXTRA)
