"""Surfaces that nobody has photographed: noise, stripes, rings, dots, blocks and strokes in a few colours."""

from __future__ import annotations

import colorsys
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Pattern = NDArray[np.uint8]


def texture(size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A square surface, uint8 [size, size, 3]: a random pattern in random colours.

    Args:
        size: in pixels.
        rng: draws it.
    """
    pattern = PATTERNS[rng.integers(len(PATTERNS))](size, rng)
    return palette(rng)[pattern]


def palette(rng: np.random.Generator) -> NDArray[np.uint8]:
    """The colour of each of a pattern's 256 values, uint8 [256, 3]: from one of two to four colours to the next."""
    count = int(rng.integers(2, 5))
    near = rng.random() < 0.5  # shades of one colour, as of a wall or a meadow
    hue, wide = rng.random(), 0.06 if near else 0.5
    colours = [
        colorsys.hsv_to_rgb((hue + wide * rng.uniform(-1, 1)) % 1, rng.beta(1.2, 2.2), rng.uniform(0.08, 1))
        for _ in range(count)
    ]
    stops = np.linspace(0, 255, count)
    values = np.arange(256.0)
    if rng.random() < 0.3:  # sharp edges between the colours
        values = stops[np.minimum((values * count).astype(int) // 256, count - 1)]
    bands = [np.interp(values, stops, [255 * colour[band] for colour in colours]) for band in range(3)]
    return np.stack(bands, -1).astype(np.uint8)


def noise(size: int, rng: np.random.Generator) -> Pattern:
    """Clouds: random grids of several sizes, one over the other; the share of the fine ones is drawn."""
    whole = np.zeros((size, size), np.float32)
    roughness, cells = rng.uniform(0.3, 0.9), int(rng.integers(2, 7))
    weight = 1.0
    while cells < size:
        whole += weight * _enlarged(rng, (cells, cells), size)
        weight, cells = weight * roughness, cells * 3
    return _stretched(whole)


def streaks(size: int, rng: np.random.Generator) -> Pattern:
    """Noise drawn out along one side, as of grass, wood or a curtain."""
    long, short = int(rng.integers(2, 5)), int(rng.integers(12, size // 2))
    cells = (long, short) if rng.random() < 0.5 else (short, long)
    return _stretched(_enlarged(rng, cells, size))


def waves(size: int, rng: np.random.Generator) -> Pattern:
    """Stripes, checks, rings or dots, bent by noise."""
    x, y = _axes(size, rng)
    bend = rng.uniform(0, 3) * (_enlarged(rng, (4, 4), size) / 255 - 0.5) * (rng.random() < 0.5)
    often = np.exp(rng.uniform(np.log(6), np.log(45)))
    kind = rng.integers(4)
    if kind == 0:
        wave = np.sin(often * x + 3 * bend)
    elif kind == 1:
        wave = np.sin(often * x + bend) * np.sin(often * y + bend)
    elif kind == 2:
        wave = np.sin(often * np.hypot(x, y) + 3 * bend)
    else:
        wave = np.sin(often * x + bend) + np.sin(often * y + bend) - 0.6
    sharp = rng.uniform(0.6, 4)
    return (np.clip(wave * sharp * 0.5 + 0.5, 0, 1) * 255).astype(np.uint8)


def blocks(size: int, rng: np.random.Generator) -> Pattern:
    """Rectangles over each other: shelves, windows, a crowd of things seen from afar."""
    image = Image.new("L", (size, size), int(rng.integers(256)))
    draw = ImageDraw.Draw(image)
    many = int(np.exp(rng.uniform(np.log(5), np.log(80))))
    sides = size * rng.uniform(0.03, 2.0 / np.sqrt(many), (many, 2))
    places = rng.uniform(-0.1, 1, (many, 2)) * size
    round_ = rng.random() < 0.4
    for (x, y), (width, height), value in zip(places, sides, rng.integers(0, 256, many), strict=True):
        (draw.ellipse if round_ else draw.rectangle)((x, y, x + width, y + height), fill=int(value))
    return np.asarray(image)


def strokes(size: int, rng: np.random.Generator) -> Pattern:
    """Rows of short strokes on an even ground, like writing, or long ones across, like branches and ropes."""
    ground = int(rng.integers(256))
    image = Image.new("L", (size, size), ground)
    draw = ImageDraw.Draw(image)
    ink = (ground + int(rng.integers(90, 166))) % 256
    if rng.random() < 0.5:
        line, step = float(rng.uniform(6, 16)), float(rng.uniform(2.5, 5))
        for top in np.arange(line, size - line, line):
            for left in np.arange(step, size * rng.uniform(0.5, 1), step):
                ends = rng.uniform(0, 1, 4) * (step, line * 0.6, step, line * 0.6) + (left, top, left, top)
                draw.line(tuple(ends), fill=ink, width=1)
    else:
        for ends in rng.uniform(-0.2, 1.2, (int(rng.integers(4, 20)), 4)) * size:
            draw.line(tuple(ends), fill=ink, width=int(rng.integers(1, 5)))
    return np.asarray(image)


def slope(size: int, rng: np.random.Generator) -> Pattern:
    """From one colour to another, as of a sky or a smooth wall, with a little noise."""
    x, _ = _axes(size, rng)
    return _stretched(x + 0.1 * _enlarged(rng, (12, 12), size) / 255)


PATTERNS: tuple[Callable[[int, np.random.Generator], Pattern], ...] = (
    noise, noise, streaks, waves, blocks, strokes, slope,
)  # fmt: skip


def _axes(size: int, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Two coordinates about the middle, turned by any angle."""
    axis = np.linspace(-1, 1, size, dtype=np.float32)
    turn = rng.uniform(0, 2 * np.pi)
    cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    return cos * axis + sin * axis[:, None], cos * axis[:, None] - sin * axis


def _enlarged(rng: np.random.Generator, cells: tuple[int, int], size: int) -> NDArray[np.float32]:
    grid = Image.fromarray(rng.integers(0, 256, cells, np.uint8))
    return np.asarray(grid.resize((size, size), Image.Resampling.BICUBIC), np.float32)


def _stretched(values: NDArray[np.floating]) -> Pattern:
    low, high = values.min(), values.max()
    return ((values - low) * (255 / max(high - low, 1e-6))).astype(np.uint8)
