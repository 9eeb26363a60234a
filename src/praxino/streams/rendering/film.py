"""A rendered video: a scene, a camera and what moves before it, as a function of its number and of time."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from praxino.rng import Rng
from praxino.streams.rendering.camera import Camera
from praxino.streams.rendering.courses import NOTHING, Seconds, Swing, log_uniform
from praxino.streams.rendering.drawn import Drawn
from praxino.streams.rendering.scenery import GROUND, scene
from praxino.streams.rendering.things import Thing, crowd, figure, piece

HEIGHT, WIDTH = 96, 128  # of a frame for which no other size is asked
ROOM = complex(WIDTH / HEIGHT, 1.0)
RATE = 25
EXTENT = 2.6  # of the scene, before its mirror images are put around it, in sides of the picture
SHUTTER = 0.5 / RATE


class Film:
    """One rendered video.

    Args:
        seed: of all of them.
        number: of this one.
        frames: how many it has, 25 a second.
    """

    def __init__(self, seed: int, number: int, frames: int) -> None:
        rng = Rng(seed, "film", number).shared()
        self.middle = frames / RATE / 2
        self.camera = Camera(rng)
        self.ground = Image.fromarray(np.pad(scene(rng), ((GROUND // 2,) * 2,) * 2 + ((0, 0),), "symmetric"))
        self.behind, self.before = _cast(rng)
        self.light = Swing.draw(rng, log_uniform(rng, 0.02, 0.2), 0.1, 1.0) if rng.random() < 0.4 else NOTHING
        self.flicker = Swing.draw(rng, log_uniform(rng, 0.02, 0.1), 5, 12) if rng.random() < 0.1 else NOTHING
        self.blurred = bool(rng.random() < 0.2)
        self.quality = int(rng.integers(12, 60)) if rng.random() < 0.3 else 0
        self.grain = log_uniform(rng, 0.5, 8) if rng.random() < 0.5 else 0.0
        self.noise = Rng(seed, "grain", number)

    def frames(self, numbers: NDArray[np.int64], height: int, width: int) -> NDArray[np.uint8]:
        """The frames of these numbers, uint8 [n, height, width, 3]."""
        seconds = numbers / RATE - self.middle
        made = self._seen(seconds, height, width)
        if self.blurred:
            made = (made // 2 + self._seen(seconds - SHUTTER, height, width) // 2).astype(np.uint8)
        light = np.exp(self.light.at(seconds) + self.flicker.at(seconds)).astype(np.float32)
        if self.grain or self.light.size or self.flicker.size:
            made = self._lit(made, light, numbers)
        if self.quality:
            for row, pixels in enumerate(made):
                made[row] = _compressed(pixels, self.quality)
        return made

    def _seen(self, seconds: Seconds, height: int, width: int) -> NDArray[np.uint8]:
        place, near = self.camera.at(seconds)
        near, middle = near * height, complex(width, height) / 2  # in pixels
        parts = [
            Drawn(part, (part.middle - place * thing.depth) * near + middle, part.turned * near, usual, height, width)
            for thing in (*self.behind, *self.before)
            for usual in [thing.course.size * self.camera.near * height]
            for part in thing.placed(seconds, ROOM)
        ]
        made = np.empty((len(seconds), height, width, 3), np.uint8)
        ground = _inverse(middle - place * near, near * EXTENT / GROUND, 2 * GROUND)
        for row in range(len(seconds)):
            frame = self.ground.transform(
                (width, height), Image.Transform.AFFINE, ground[row], Image.Resampling.BILINEAR
            )
            for part in parts:
                part.on(frame, row)
            made[row] = np.asarray(frame)
        return made

    def _lit(
        self, pixels: NDArray[np.uint8], light: NDArray[np.float32], numbers: NDArray[np.int64]
    ) -> NDArray[np.uint8]:
        lit = pixels * light[:, None, None, None]
        if self.grain:
            height, width = pixels.shape[1:3]
            drawn = self.noise.shared().standard_normal((height + 16, width + 16, 3), np.float32)
            tile = np.float32(self.grain) * drawn
            for row, number in enumerate(numbers.tolist()):
                top, left = number * 7 % 16, number * 11 % 16
                lit[row] += tile[top : top + height, left : left + width]
        return np.clip(lit, 0, 255, out=lit).astype(np.uint8)


def _cast(rng: np.random.Generator) -> tuple[list[Thing], list[Thing]]:
    """What moves behind, and what moves in front of it."""
    made: list[list[Thing]] = [[], []]
    for which in range(int(rng.choice([1, 2, 3, 4], p=[0.35, 0.35, 0.2, 0.1]))):
        kind = rng.random()
        add = figure if kind < 0.45 else crowd if kind < 0.6 else piece
        made[which % 2] += add(rng, ROOM)
    return made[0], made[1]


def _inverse(middle: NDArray[np.complex128], turned: NDArray[np.complex128], size: int) -> NDArray[np.float64]:
    """Pillow's matrices, from pixels of the picture to pixels of a square image; float64 [n, 6].

    Args:
        middle: where the image's middle lies in the picture, in pixels.
        turned: what a pixel of the image is in the picture.
        size: of the image, in pixels.
    """
    back = 1 / turned
    shift = -middle * back + complex(size, size) / 2
    return np.stack([back.real, -back.imag, shift.real, back.imag, back.real, shift.imag], -1)


def _compressed(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """What JPEG makes of a frame."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))
