"""How heat maps of keypoints are drawn from what a keypoint network says of each person: points, or logits."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

SIGMA = 2 / 192  # of a keypoint's Gaussian, in shares of the shorter side
SMALLEST_SIGMA = 0.5  # pixels: a narrower one would fall between the pixels
CUBIC = -0.75  # the free number of the cubic kernel, as PyTorch and OpenCV have it


def draw_points(points: NDArray[np.floating], height: int, width: int) -> NDArray[np.uint8]:
    """Keypoints as Gaussians, a channel each, 255 at the point.

    Args:
        points: [keypoints, 2], x and y from the left and upper edge in pixels; they may lie outside.
        height, width: of the maps.

    Returns:
        [height, width, keypoints]; sigma is 2 pixels where the shorter side has 192, at least 0.5.
    """
    sigma = max(SIGMA * min(height, width), SMALLEST_SIGMA)
    x, y = np.asarray(points, np.float64).T
    right = np.exp(-(((np.arange(width)[:, None] + 0.5 - x) / sigma) ** 2) / 2)
    down = np.exp(-(((np.arange(height)[:, None] + 0.5 - y) / sigma) ** 2) / 2)
    return np.rint(255 * down[:, None] * right[None]).astype(np.uint8)


def draw_heat_maps(
    logits: NDArray[np.floating], boxes: NDArray[np.floating], scores: NDArray[np.floating], height: int, width: int
) -> NDArray[np.uint8]:
    """Heat maps of a frame as CoCon makes them of Keypoint R-CNN's logits (Rai et al., CVPR workshops 2021).

    Each logit map is resized to its person's box (bicubic), becomes 255 times a softmax whose sum is over the map from
    before the resize, is cut to whole levels and pasted. Persons are summed with their scores as weights, and the sum
    is cut to whole levels up to 255. A person's value above 255, which the kernel's overshoot may give, is 255 (the
    original's 8 bits begin anew at 0). What is outside the frame is cut off.

    Args:
        logits: [persons, keypoints, h, w].
        boxes: [persons, 4], left, top, right and bottom of each person in pixels.
        scores: [persons], 0 to 1, of the network's confidence.
        height: of the frame, in pixels.
        width: of the frame, in pixels.

    Returns:
        [keypoints, height, width], all 0 without persons; an npz file of `HeatMaps` holds it as `hm`.

    Raises:
        ValueError: if the numbers of persons differ, a size is 0, or a number is not finite.
    """
    persons = len(logits)
    if logits.ndim != 4 or 0 in logits.shape[1:] or boxes.shape != (persons, 4) or scores.shape != (persons,):
        raise ValueError(f"logits {logits.shape}, boxes {boxes.shape} and scores {scores.shape} do not go together")
    if not all(np.isfinite(numbers).all() for numbers in (logits, boxes, scores)):
        raise ValueError("a logit, box or score is not finite")
    whole = np.zeros((logits.shape[1], height, width))
    for maps, box, score in zip(logits, boxes, scores, strict=True):
        left, top = int(box[0]), int(box[1])
        sides = (math.ceil(max(box[3] - box[1], 1)), math.ceil(max(box[2] - box[0], 1)))
        rows, columns = (_inside(*part) for part in ((top, sides[0], height), (left, sides[1], width)))
        drawn = _of_person(maps.astype(np.float64), *sides)
        whole[:, rows, columns] += score * drawn[:, _moved(rows, top), _moved(columns, left)]
    return whole.clip(0, 255).astype(np.uint8)


def resize_bicubic(maps: NDArray[np.float64], height: int, width: int) -> NDArray[np.float64]:
    """PyTorch's bicubic resize, no `align_corners`, no antialiasing: [..., h, w] -> [..., height, width]."""
    return _weights(maps.shape[-2], height) @ maps @ _weights(maps.shape[-1], width).T


def _weights(before: int, after: int) -> NDArray[np.float64]:
    """Of each old place for each new one, [after, before]; a place beyond the border is the one at the border."""
    place = (np.arange(after) + 0.5) * before / after - 0.5
    weights = np.zeros((after, before))
    for tap in range(-1, 3):
        old = np.floor(place) + tap
        column = old.clip(0, before - 1).astype(np.int64)
        np.add.at(weights, (np.arange(after), column), _kernel(np.abs(place - old)))
    return weights


def _kernel(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    near = ((CUBIC + 2) * distance - (CUBIC + 3)) * distance**2 + 1
    far = CUBIC * (((distance - 5) * distance + 8) * distance - 4)
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0))


def _of_person(logits: NDArray[np.float64], height: int, width: int) -> NDArray[np.float64]:
    """The whole levels 0 to 255 of one person's keypoints, [keypoints, height, width]."""
    large = resize_bicubic(logits, height, width)
    most = large.max((1, 2), keepdims=True)
    # A peak between the new places may exceed all of them by any number: its exponential is infinite, and the share 0.
    with np.errstate(over="ignore"):
        share = np.exp(large - most) / np.exp(logits - most).sum((1, 2), keepdims=True)
    return np.floor(255 * share).clip(0, 255)


def _inside(start: int, length: int, frame: int) -> slice:
    begin = min(max(start, 0), frame)
    return slice(begin, max(begin, min(start + length, frame)))


def _moved(inside: slice, start: int) -> slice:
    return slice(inside.start - start, inside.stop - start)
