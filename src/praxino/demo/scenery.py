"""What the rendered videos are made of: textured pieces, an endless ground cluttered with them, and some that drift."""

from __future__ import annotations

import colorsys

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from praxino.demo.motions import HEIGHT, PERIOD, WIDTH, Pose

SPRITE = 64
PIECES, PASTED = 6, 44


def sprite(rng: np.random.Generator) -> Image.Image:
    """One textured piece, an RGBA image of 64 x 64 pixels: a random outline filled by a random two-coloured texture."""
    axis = (np.arange(SPRITE) + 0.5) / SPRITE * 2 - 1
    x, y = np.meshgrid(axis, axis)
    weight = _texture(x, y, rng)[..., None]
    colour = weight * _colour(rng) + (1 - weight) * _colour(rng)
    alpha = _outline(x, y, rng)[..., None]
    return Image.fromarray((np.concatenate([colour, alpha], -1) * 255).round().astype(np.uint8), "RGBA")


def _colour(rng: np.random.Generator) -> NDArray[np.float64]:
    return np.array(colorsys.hsv_to_rgb(rng.uniform(), rng.uniform(0.2, 1), rng.uniform(0.25, 1)))


def _outline(x: NDArray, y: NDArray, rng: np.random.Generator) -> NDArray[np.float64]:
    """Coverage in [0, 1]: a polygon, a star, or a blob, stretched and turned."""
    turned = rng.uniform(0, 2 * np.pi)
    cos, sin = np.cos(turned), np.sin(turned)
    u, v = cos * x + sin * y, (cos * y - sin * x) * rng.uniform(1, 1.6)
    radius, angle = np.hypot(u, v), np.arctan2(v, u)
    kind, corners = rng.integers(3), int(rng.integers(3, 7))
    if kind == 0:
        sector = 2 * np.pi / corners
        edge = 0.92 * np.cos(sector / 2) / np.cos(angle % sector - sector / 2)
    elif kind == 1:
        edge = 0.68 + 0.24 * np.cos(corners * angle)
    else:
        waves = rng.uniform(-0.13, 0.13, 4)
        shifts = rng.uniform(0, 2 * np.pi, 4)
        edge = 0.66 + sum(w * np.cos((k + 1) * angle + s) for k, (w, s) in enumerate(zip(waves, shifts, strict=True)))
        edge = np.minimum(edge, 0.94)
    return np.clip((edge - radius) * SPRITE / 3 + 0.5, 0, 1)


def _texture(x: NDArray, y: NDArray, rng: np.random.Generator) -> NDArray[np.float64]:
    """Weight of the first colour, in [0, 1]: stripes, squares, dots, or clouds."""
    turned = rng.uniform(0, 2 * np.pi)
    u, v = np.cos(turned) * x + np.sin(turned) * y, np.cos(turned) * y - np.sin(turned) * x
    u, v = (u + rng.uniform()) * rng.uniform(4, 10), (v + rng.uniform()) * rng.uniform(4, 10)
    kind = rng.integers(4)
    if kind == 0:
        wave = np.sin(u)
    elif kind == 1:
        wave = np.sin(u) * np.sin(v) * 2
    elif kind == 2:
        wave = np.sin(u) + np.sin(v) - 0.4
    else:
        return _clouds(rng, 6, (SPRITE, SPRITE))
    return np.clip(wave * 2 + 0.5, 0, 1)


def _clouds(rng: np.random.Generator, cells: int, size: tuple[int, int]) -> NDArray[np.float64]:
    grid = (rng.uniform(0, 1, (cells, cells)) * 255).astype(np.uint8)
    return np.asarray(Image.fromarray(grid).resize(size, Image.Resampling.BICUBIC)) / 255.0


def _endless_clouds(rng: np.random.Generator, cells: int) -> NDArray[np.float64]:
    grid = np.tile((rng.uniform(0, 1, (cells, cells)) * 255).astype(np.uint8), (3, 3))
    whole = Image.fromarray(grid).resize((3 * PERIOD, 3 * PERIOD), Image.Resampling.BICUBIC)
    return np.asarray(whole)[PERIOD : 2 * PERIOD, PERIOD : 2 * PERIOD] / 255.0


class Ground:
    """A cluttered picture without an end: it comes again after PERIOD pixels, to the right and down.

    Args:
        rng: draws it.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        weight = _endless_clouds(rng, 8)[..., None]
        base = weight * _colour(rng) + (1 - weight) * _colour(rng)
        tile = Image.fromarray((base * 255).round().astype(np.uint8), "RGB")
        pieces = [sprite(rng) for _ in range(PIECES)]
        for _ in range(PASTED):
            side = int(rng.integers(16, 64))
            piece = pieces[rng.integers(PIECES)].rotate(float(rng.uniform(0, 360)), Image.Resampling.BILINEAR)
            piece = piece.resize((side, side), Image.Resampling.BILINEAR)
            x, y = (int(place) for place in rng.integers(0, PERIOD, 2))
            for corner in ((x, y), (x - PERIOD, y), (x, y - PERIOD), (x - PERIOD, y - PERIOD)):
                tile.paste(piece, corner, piece)
        near = Image.fromarray(np.tile(np.asarray(tile), (3, 3, 1)))
        self.scales = (near, near.reduce(2))

    def seen(self, pose: Pose, middle: tuple[float, float]) -> Image.Image:
        """The frame, RGB, WIDTH x HEIGHT.

        Args:
            pose: where the camera is.
            middle: the pixel that shows the pose's place.
        """
        # Seen from afar, every second pixel would be passed over and flicker.
        far = pose.size < 0.66
        share = 0.5 if far else 1.0
        cos, sin = (share / pose.size * f(pose.turn) for f in (np.cos, np.sin))
        x, y = (share * (place % PERIOD + PERIOD) for place in (pose.x, pose.y))
        matrix = (cos, sin, x - cos * middle[0] - sin * middle[1], -sin, cos, y + sin * middle[0] - cos * middle[1])
        return self.scales[far].transform((WIDTH, HEIGHT), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)


class Drifting:
    """A piece that turns and crosses the frame on its own way, over and over: it comes back on the other side.

    Args:
        rng: draws it.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.side = int(rng.integers(18, 40))
        piece = sprite(rng).resize((self.side, self.side), Image.Resampling.BOX)
        self.turned = [piece.rotate(degrees, Image.Resampling.BILINEAR) for degrees in range(0, 360, 15)]
        self.place, self.way = rng.uniform(0, 1, 2), rng.uniform(-20, 20, 2)
        self.angle, self.spin = rng.uniform(0, 24), rng.uniform(-4, 4)

    def paste(self, picture: Image.Image, seconds: float) -> None:
        """Puts it into a frame, as it is at a time."""
        room = np.array([WIDTH + self.side, HEIGHT + self.side])
        x, y = (self.place * room + self.way * seconds) % room - self.side
        piece = self.turned[int(self.angle + self.spin * seconds) % 24]
        picture.paste(piece, (int(x), int(y)), piece)
