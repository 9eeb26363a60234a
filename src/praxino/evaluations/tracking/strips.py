"""Pictures of tracked sequences: some frames side by side, with boxes drawn into them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

HEIGHT = 150  # pixels of a frame in a strip
GAP = 4  # white pixels between two frames
LINE = 2
COLOURS = ((0, 200, 0), (255, 40, 40))  # of the truth, and of what was predicted
COLOUR_NAMES = ("green", "red")


def strip(
    frames: Mapping[int, NDArray[np.uint8]], truth: NDArray[np.float64], predicted: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Frames side by side with their numbers, the true box green and the predicted one red.

    Args:
        frames: number -> uint8 [H, W, 3], one at least.
        truth: float64 [frames of the sequence, 4]; nothing is drawn where it is NaN.
        predicted: float64 [frames of the sequence, 4].

    Returns:
        uint8 [150, width, 3].
    """
    parts: list[NDArray[np.uint8]] = []
    for number in sorted(frames):
        parts += [_drawn(frames[number], number, (truth[number], predicted[number])), np.full((HEIGHT, GAP, 3), 255)]
    return np.concatenate(parts[:-1], axis=1).astype(np.uint8)


def _drawn(frame: NDArray[np.uint8], number: int, boxes: tuple[NDArray[np.float64], ...]) -> NDArray[np.uint8]:
    scale = HEIGHT / frame.shape[0]
    picture = Image.fromarray(frame).resize((max(1, round(frame.shape[1] * scale)), HEIGHT))
    draw = ImageDraw.Draw(picture)
    for box, colour in zip(boxes, COLOURS, strict=True):
        if np.isfinite(box).all() and (box[2:] >= 0).all():
            x, y, wide, high = np.clip(box * scale, -2 * HEIGHT * LINE, 1e6)
            draw.rectangle((x, y, x + wide, y + high), outline=colour, width=LINE)
    draw.text((3, 2), str(number), fill=(255, 255, 255), stroke_width=1, stroke_fill=(0, 0, 0))
    return np.asarray(picture)
