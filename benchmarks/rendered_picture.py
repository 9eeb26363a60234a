"""The picture of rendered videos in the documentation.

    python benchmarks/rendered_picture.py docs/pictures/rendered.jpg

Four frames each, a third of a second apart, of the first 24 videos of seed 3.
"""

from __future__ import annotations

import sys

import numpy as np
from PIL import Image

from praxino.streams.rendering.film import HEIGHT, Film

ROWS, COLUMNS, SEED = 8, 3, 3
NUMBERS = np.array([8, 16, 24, 32])

GAP = np.full((HEIGHT, 8, 3), 255, np.uint8)

if __name__ == "__main__":
    rows = []
    for row in range(ROWS):
        films = [Film(SEED, row * COLUMNS + column, 64) for column in range(COLUMNS)]
        strips = [np.concatenate([*film.frames(NUMBERS, HEIGHT, HEIGHT * 4 // 3)], 1) for film in films]
        rows.append(np.concatenate([part for strip in strips for part in (strip, GAP)][:-1], 1))
    Image.fromarray(np.concatenate(rows)).save(sys.argv[1], quality=85)
