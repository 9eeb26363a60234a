"""Checks of the golden items of CycleContrast's data."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
from golden_items import Check, Item
from PIL import Image

from praxino.catalogs.r2v2 import R2V2
from praxino.streams.frames import FrameFolder


def r2v2_index(item: Item) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for file in item.scalars["files"]:
            path = Path(folder, file)
            path.parent.mkdir(exist_ok=True)
            Image.new("RGB", (4, 4)).save(path)
        videos = list(R2V2(folder))
        # Rebuilt paths lead to the files.
        assert all(not FrameFolder().probe(video).note for video in videos)
        paths = [[os.path.relpath(path, folder) for path in video.files["rgb"]] for video in videos]
        assert sorted(path for some in paths for path in some) == sorted(item.scalars["files"])
        item.compare(
            ids=_characters([video.id for video in videos]),
            counts=[len(some) for some in paths],
            frames=[int(path[-10:-4]) for some in paths for path in some],
            last_paths=_characters([some[-1] for some in paths]),
        )


def _characters(words: list[str]) -> np.ndarray:
    return np.array([list(word.encode("ascii")) for word in words], np.uint8)


CHECKS: dict[str, Check] = {"r2v2_index": r2v2_index}
