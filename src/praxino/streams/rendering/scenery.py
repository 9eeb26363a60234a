"""What lies behind everything in a rendered video."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from praxino.streams.rendering.courses import log_uniform
from praxino.streams.rendering.textures import texture

GROUND = 128  # pixels of the scene's side, before its mirror images are put around it


def scene(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Uint8 [GROUND, GROUND, 3]: a surface, often parted by a horizon, with some things on it."""
    image = Image.fromarray(texture(GROUND, rng))
    if rng.random() < 0.6:
        tilt, level = rng.normal(0, 0.05), rng.uniform(0.35, 0.65)
        edge = (level - tilt) * GROUND, (level + tilt) * GROUND
        _fill(image, [(0, edge[0]), (GROUND, edge[1]), (GROUND, GROUND), (0, GROUND)], rng)
    for _ in range(rng.integers(0, 6)):
        width, height = (GROUND * log_uniform(rng, 0.05, 0.5) for _ in range(2))
        x, y = rng.uniform(-0.1, 1, 2) * GROUND
        if rng.random() < 0.6:
            corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
        else:
            corners = [(x + a * width, y + b * height) for a, b in rng.uniform(0, 1, (int(rng.integers(3, 7)), 2))]
        _fill(image, corners, rng)
    return np.asarray(image)


def _fill(image: Image.Image, corners: list[tuple[float, float]], rng: np.random.Generator) -> None:
    mask = Image.new("L", image.size)
    ImageDraw.Draw(mask).polygon(corners, fill=255)
    surface = Image.fromarray(texture(GROUND // 2, rng)).resize(image.size, Image.Resampling.BILINEAR)
    image.paste(surface, mask=mask)
