"""A box and its confidence, drawn into a frame: in two colours, so that it is seen on light and on dark."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BRIGHT, DARK = (255, 214, 10), (0, 0, 0)


def draw_box(pixels: NDArray[np.uint8], box: NDArray[np.float64], confidence: float) -> None:
    """Draws into a frame, in place. What lies outside of it is cut off.

    The bright line lies just inside the box, a thinner dark one on either side of it. The confidence stands above the
    box, or in it where there is no room.

    Args:
        pixels: uint8 [H, W, 3].
        box: float64 [4], x, y, width and height in pixels, counted from 0.
        confidence: written with two decimals; NaN: nothing is written.
    """
    line = max(2, round(min(pixels.shape[:2]) / 240))
    edge = max(1, line // 2)
    left, top = np.rint(box[:2]).astype(int).tolist()
    right, bottom = np.rint(box[:2] + box[2:]).astype(int).tolist()
    for inset, thickness, colour in ((-edge, edge, DARK), (line, edge, DARK), (0, line, BRIGHT)):
        _ring(pixels, (left + inset, top + inset, right - inset, bottom - inset), thickness, colour)
    if not np.isnan(confidence):
        _write(pixels, f"{confidence:.2f}", left, top - edge, line)


def _ring(
    pixels: NDArray[np.uint8], corners: tuple[int, int, int, int], thickness: int, colour: tuple[int, int, int]
) -> None:
    """The pixels of a rectangle that are less than a thickness away from its border."""
    left, top, right, bottom = corners
    for rows, columns in (
        ((top, min(top + thickness, bottom)), (left, right)),
        ((max(bottom - thickness, top), bottom), (left, right)),
        ((top, bottom), (left, min(left + thickness, right))),
        ((top, bottom), (max(right - thickness, left), right)),
    ):
        # A negative bound would count from the other side.
        (above, below), (before, behind) = (tuple(max(0, bound) for bound in pair) for pair in (rows, columns))
        pixels[above:below, before:behind] = colour


def _write(pixels: NDArray[np.uint8], text: str, left: int, bottom: int, margin: int) -> None:
    from PIL import Image, ImageDraw, ImageFont

    height, width = pixels.shape[:2]
    font = ImageFont.load_default(max(10.0, height / 36))
    x, y, right, low = (round(bound) for bound in font.getbbox(text))
    label = Image.new("RGB", (right - x + 2 * margin, low - y + 2 * margin), DARK)
    ImageDraw.Draw(label).text((margin - x, margin - y), text, fill=BRIGHT, font=font)
    drawn = np.asarray(label)[:height, :width]
    top = bottom - len(drawn) if bottom >= len(drawn) else bottom
    top, left = min(max(0, top), height - len(drawn)), min(max(0, left), width - drawn.shape[1])
    pixels[top : top + len(drawn), left : left + drawn.shape[1]] = drawn
