"""What the rendered videos are made of: textured pieces, and cluttered backgrounds that drift."""

from __future__ import annotations

import colorsys

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SPRITE = 64
MARGIN = 64
PIECES, PASTED = 10, 34


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


def background(rng: np.random.Generator, width: int = 128, height: int = 96) -> Image.Image:
    """A cluttered picture, RGB, larger than the frame by a margin on every side."""
    size = (width + 2 * MARGIN, height + 2 * MARGIN)
    weight = _clouds(rng, 7, size)[..., None]
    base = weight * _colour(rng) + (1 - weight) * _colour(rng)
    picture = Image.fromarray((base * 255).round().astype(np.uint8), "RGB")
    pieces = [sprite(rng) for _ in range(PIECES)]
    for _ in range(PASTED):
        side = int(rng.integers(14, 56))
        piece = pieces[rng.integers(PIECES)].rotate(float(rng.uniform(0, 360)), Image.Resampling.BILINEAR)
        piece = piece.resize((side, side), Image.Resampling.BILINEAR)
        corner = (int(rng.integers(-side // 2, size[0])), int(rng.integers(-side // 2, size[1])))
        picture.paste(piece, corner, piece)
    return picture


class Scenery:
    """A background seen by a camera that drifts and turns a little.

    Args:
        picture: from `background`.
        rng: draws the drift.
    """

    def __init__(self, picture: Image.Image, rng: np.random.Generator) -> None:
        self.picture = picture
        speed, direction = rng.uniform(3, 12), rng.uniform(0, 2 * np.pi)
        self.drift = (speed * np.cos(direction), speed * np.sin(direction))
        self.turn = rng.uniform(-0.05, 0.05)

    def at(self, seconds: float, width: int, height: int) -> Image.Image:
        """The picture in the frame at a time."""
        cos, sin = np.cos(self.turn * seconds), np.sin(self.turn * seconds)
        x = self.picture.width / 2 + self.drift[0] * seconds
        y = self.picture.height / 2 + self.drift[1] * seconds
        shift = (x - (cos * width - sin * height) / 2, y - (sin * width + cos * height) / 2)
        matrix = (cos, -sin, shift[0], sin, cos, shift[1])
        return self.picture.transform((width, height), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
