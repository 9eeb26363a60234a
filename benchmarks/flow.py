"""What optical flow on the fly costs: clips a second beside RGB alone, and a short run beside the same on RGB.

    python benchmarks/flow.py --root DIR [--files 12] [--repeats 5] [--steps 12]

Clips of 16 frames in a row are loaded in this process, one of each file, as a loading process does it: open, decode,
compute the flow, close. Times are the process's CPU time, so clips a second are those of one core. The cases take turns
in a new order at each repeat, on the same clips; a ratio is a case's time over that of RGB alone in the same repeat.
The run is SimCLR with the small R3D, its batches loaded by the process that trains, once with its view on RGB and once
on flow, step by step in turns.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from praxino.backbones.r3d import R3D
from praxino.catalogs.base import Catalog
from praxino.catalogs.folder import VideoFolder
from praxino.clips.dataset import ClipDataset, load_clips
from praxino.clips.loader import ClipLoader
from praxino.clips.samplers import RandomClip
from praxino.methods.simclr import SimCLR
from praxino.rng import Rng
from praxino.streams.base import Canvas, Derived, Stream
from praxino.streams.flow import DISFlow
from praxino.streams.video import VideoFile
from praxino.views.geometry import SquareCrop
from praxino.views.pipeline import View

Case = tuple[tuple[str, ...], dict[str, Stream | Derived]]
RGB = "RGB alone"
CANVASES = {f"short side {side}": Canvas(short_side=side) for side in (64, 128, 240)}


def cases() -> dict[str, Case]:
    """What is needed, and from which streams."""
    found: dict[str, Case] = {RGB: (("rgb",), {})}
    for preset in ("ultrafast", "fast", "medium"):
        found[f"RGB + u, {preset}"] = (("rgb", "flow_u"), {"flow_u": DISFlow("u", preset=preset)})
    both: dict[str, Stream | Derived] = {"flow_u": DISFlow("u"), "flow_v": DISFlow("v")}
    found["RGB + u + v, medium"] = (("rgb", "flow_u", "flow_v"), both)
    return found


def load_all(catalog: Catalog, rows: list[int], case: str, canvas: Canvas, repeat: int) -> float:
    """CPU seconds of one clip of each video."""
    needed, streams = cases()[case]
    begin = time.process_time()
    for row in rows:
        generator = Rng(repeat, "clip", row).shared()
        load_clips(catalog[row], needed, streams, {"rgb": canvas}, RandomClip(16, drop_last_frames=1), generator)
    return time.process_time() - begin


def spread(times: list[float], base: list[float]) -> str:
    """Median (least - greatest) of the ratios."""
    ratios = [one / own for one, own in zip(times, base, strict=True)]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} - {max(ratios):.2f})"


def compare_loading(catalog: Catalog, rows: list[int], repeats: int) -> None:
    """Prints a table of clips a second."""
    print("| canvas | streams | clips/s a core | times RGB alone |\n| --- | --- | --- | --- |")
    for canvas_name, canvas in CANVASES.items():
        spent: dict[str, list[float]] = {name: [] for name in cases()}
        for repeat in range(-1, repeats):
            order = np.random.default_rng(repeat + 1).permutation(list(spent)).tolist()
            for name in order:
                seconds = load_all(catalog, rows, name, canvas, max(0, repeat))
                if repeat >= 0:  # the first one makes the indexes, and warms up
                    spent[name].append(seconds)
        for name, times in spent.items():
            rate = len(rows) / statistics.median(times)
            print(f"| {canvas_name} | {name} | {rate:.1f} | {spread(times, spent[RGB])} |")


def train(catalog: Catalog, stream: str, steps: int) -> Iterator[float]:
    """CPU seconds of each step of a run without processes of its own."""
    torch.manual_seed(0)
    method = SimCLR(R3D(width=16), View([SquareCrop(56, (0.6, 1.0), exact=False)], stream=stream), hidden=128, dim=64)
    optimizer = torch.optim.AdamW(method.parameters(), lr=1e-3)
    streams = {"rgb": VideoFile(), "flow_u": DISFlow("u", bound=5)}
    sampler = RandomClip(8, stride=2, clips=2, short="repeat")
    dataset = ClipDataset(catalog, (stream,), sampler, streams, {"rgb": Canvas(short_side=64)})
    batches = ClipLoader(dataset, 16).batches()
    for step in range(steps):
        begin = time.process_time()
        optimizer.zero_grad()
        method(next(batches), Rng(0, step)).total.backward()
        optimizer.step()
        yield time.process_time() - begin


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True, help="folder of videos")
    parser.add_argument("--files", type=int, default=12, help="how many of the folder's, evenly spread")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--steps", type=int, default=12)
    options = parser.parse_args()
    torch.set_num_threads(1)
    catalog = VideoFolder(options.root)
    rows = np.linspace(0, len(catalog) - 1, options.files).astype(int).tolist()
    print(f"One clip of 16 frames of each of {options.files} videos, {options.repeats} repeats:\n")
    compare_loading(catalog, rows, options.repeats)
    print(f"\nSimCLR, small R3D, 16 videos a step, {options.steps} steps, canvas of short side 64:\n")
    print("| view | CPU s a step | times RGB |\n| --- | --- | --- |")
    # The first step of each warms up, and makes indexes.
    turns = list(zip(*(train(catalog, stream, options.steps + 1) for stream in ("rgb", "flow_u")), strict=True))[1:]
    taken = dict(zip(("rgb", "flow_u"), map(list, zip(*turns, strict=True)), strict=True))
    for stream, seconds in taken.items():
        print(f"| {stream} | {statistics.median(seconds):.2f} | {spread(seconds, taken['rgb'])} |")


if __name__ == "__main__":
    main()
