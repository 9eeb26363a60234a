"""Checks of CoCon's golden items: maps of keypoints and masks, as they are read and as they are drawn."""

from __future__ import annotations

import tempfile
from pathlib import Path

import golden_items
import numpy as np
from golden_items import Item
from numpy.typing import NDArray

from praxino.catalogs.base import Video
from praxino.streams.gaps import numbers_as_cocon
from praxino.streams.heatmaps import draw_heat_maps
from praxino.streams.maps import HeatMaps, Masks

LAYOUT = {"hm": (HeatMaps, "heatmaps", "heatmap"), "seg": (Masks, "segmasks", "segmask")}


def read(item: Item) -> None:
    """The mean as CoCon takes it of what our files hold; and our frames, which are that without its half levels."""
    numbers, fallback = item.scalars["files"], item.scalars["fallback_shape"]
    video = Video("Class/video.avi", {})
    computed: dict[str, NDArray] = {}
    with tempfile.TemporaryDirectory() as root:
        for key, (stream, folder, name) in LAYOUT.items():
            place = Path(root) / folder / "Class" / "video"
            place.mkdir(parents=True)
            maps = {number: item.fill(f"{key}{number}") for number in numbers}
            for number, one in maps.items():
                np.savez(place / f"{name}_{number:05d}.npz", **{key: one})
            with stream(root, numbering="cocon").open(video) as reader:
                assert len(reader.times) == max(numbers) + 1
                frames, present = reader.read(np.arange(len(reader.times)))
            for index in item.scalars["indices"]:
                shown = [maps.get(number) for number in numbers_as_cocon(index, maps)]
                there = [one.reshape(-1, *one.shape[-2:]) for one in shown if one is not None]
                exact = np.sum(there or [np.zeros((stream.channels, *fallback))], axis=0) / len(shown)
                computed[f"{key}.{index}"] = exact / 255
                if index < len(frames):
                    assert np.array_equal(np.moveaxis(frames[index], -1, 0), np.floor(exact))
                    assert present[index] == (len(there) == len(shown))
    item.compare(**computed)


def render(item: Item) -> None:
    said = item.scalars
    boxes, scores = np.array(said["boxes"]), np.array(said["scores"])
    maps = draw_heat_maps(item.fill("logits"), boxes, scores, said["height"], said["width"])
    item.compare(hm=maps, hm_kp0=maps[0], hm_max=maps.max(0))


CHECKS: dict[str, golden_items.Check] = {"npz_read": read, "kphm_render": render}
