"""A part of a thing as it lies in the frames of a rendered video."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from praxino.streams.rendering.things import Placed

SHADOW = [value // 3 for value in range(256)]


class Drawn:
    """A part as it lies in n frames: boxes, and Pillow's matrices from their pixels to the sprite's.

    Args:
        part: at n moments.
        middle: of it in the frames, in pixels; complex128 [n].
        turned: what its length of 1 is there; complex128 [n].
        usual: what a length of 1 usually is there, in pixels: it says how finely the sprite is drawn in all frames, so
            that a frame does not depend on what others are read with it, and nothing jumps from one to another.
        height, width: of the frames.
    """

    def __init__(
        self,
        part: Placed,
        middle: NDArray[np.complex128],
        turned: NDArray[np.complex128],
        usual: float,
        height: int,
        width: int,
    ) -> None:
        length = np.abs(turned)
        across, along = np.maximum(part.half.T * length, 0.25)
        cos, sin = turned.real / length, turned.imag / length
        half_x, half_y = np.abs(cos) * across + np.abs(sin) * along, np.abs(sin) * across + np.abs(cos) * along
        left, top = (np.maximum(0, np.floor(at)).astype(int) for at in (middle.real - half_x, middle.imag - half_y))
        right = np.minimum(width, np.ceil(middle.real + half_x)).astype(int)
        bottom = np.minimum(height, np.ceil(middle.imag + half_y)).astype(int)
        self.colours, self.mask = part.sprite.level(2 * usual * max(part.rest))
        scale = self.mask.size[0] / 2
        u, v, x, y = scale / across, scale / along, middle.real - left, middle.imag - top
        rows = (u * cos, u * sin, scale - u * (cos * x + sin * y), -v * sin, v * cos, scale + v * (sin * x - cos * y))
        self.matrices = np.stack(rows, -1).tolist()
        self.boxes = np.stack([left, top, right, bottom], -1).tolist()
        self.shadow = height // 24 if part.shadow else 0
        self.dark = self.mask.point(SHADOW) if part.shadow else self.mask

    def on(self, frame: Image.Image, row: int) -> None:
        """Puts it onto frame number `row`, where it is in the picture."""
        left, top, right, bottom = self.boxes[row]
        if right <= left or bottom <= top:
            return
        how = (right - left, bottom - top), Image.Transform.AFFINE, self.matrices[row], Image.Resampling.BILINEAR
        mask = self.mask.transform(*how)
        if self.shadow:
            frame.paste((0, 0, 0), (left + self.shadow, top + self.shadow), self.dark.transform(*how))
        colours = self.colours if isinstance(self.colours, tuple) else self.colours.transform(*how)
        frame.paste(colours, (left, top, right, bottom), mask)
