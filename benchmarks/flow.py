"""What optical flow costs, computed while loading or from pictures: clips a second beside RGB, and a short run on each.

    python benchmarks/flow.py --root DIR [--files 12] [--repeats 5] [--steps 12]

First the flow of the files is written as pictures into a temporary folder: `DISFlow` (medium) of the stored frames, in
JPEG of quality 95, as `u/<video>/frame000001.jpg` and `v/...`. Clips of 16 frames in a row are loaded in this process,
one of each file, as a loading process does it: open, decode, compute the flow, close. Times are the process's CPU time,
so clips a second are those of one core. The cases take turns in a new order at each repeat, on the same clips; a ratio
is a case's time over that of RGB alone in the same repeat. The run is SimCLR with the small R3D, its batches loaded by
the process that trains, once with its view on RGB and once on flow of either kind, step by step in turns.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from praxino.backbones.r3d import R3D
from praxino.catalogs.base import Video
from praxino.catalogs.folder import VideoFolder
from praxino.clips.dataset import ClipDataset, load_clips
from praxino.clips.loader import ClipLoader
from praxino.clips.samplers import RandomClip
from praxino.methods.simclr import SimCLR
from praxino.rng import Rng
from praxino.streams.base import Canvas, Derived, Stream
from praxino.streams.flow import DISFlow
from praxino.streams.flow_folder import FlowFolder
from praxino.streams.video import VideoFile
from praxino.views.geometry import SquareCrop
from praxino.views.pipeline import View

Case = tuple[tuple[str, ...], dict[str, Stream | Derived]]
RGB = "RGB alone"
BATCH = 12
CANVASES = {**{f"short side {side}": Canvas(short_side=side) for side in (64, 128)}, "as stored": Canvas()}


def cases(root: str) -> dict[str, Case]:
    """What is needed, and from which streams; the pictures of flow lie below the root."""
    found: dict[str, Case] = {RGB: (("rgb",), {})}
    for preset in ("ultrafast", "fast", "medium"):
        found[f"flow, DISFlow {preset}"] = (("flow",), {"flow": DISFlow(preset=preset)})
    found["flow, FlowFolder"] = (("flow",), {"flow": FlowFolder(root)})
    found["RGB + flow, DISFlow medium"] = (("rgb", "flow"), {"flow": DISFlow()})
    found["RGB + flow, FlowFolder"] = (("rgb", "flow"), {"flow": FlowFolder(root)})
    return found


def write_flow(chosen: Sequence[Video], root: Path) -> int:
    """Writes the flow of some videos as pictures; returns how many bytes they are."""
    source, written = DISFlow(), 0
    for video in chosen:
        folders = [root / axis / Path(video.id).stem for axis in "uv"]
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
        with VideoFile().open(video) as reader:
            for first in range(0, len(reader.times) - 1, 64):
                wanted = np.arange(first, min(first + 64, len(reader.times) - 1))
                pixels, _ = reader.read(source.needs(wanted))
                for number, flow in zip(wanted + 1, source.make(pixels, wanted), strict=True):
                    for axis, folder in enumerate(folders):
                        path = folder / f"frame{number:06d}.jpg"
                        Image.fromarray(np.ascontiguousarray(flow[..., axis])).save(path, quality=95)
                        written += path.stat().st_size
    return written


def load_all(chosen: Sequence[Video], case: Case, canvas: Canvas, repeat: int) -> float:
    """CPU seconds of one clip of each video."""
    needed, streams = case
    canvases = {"rgb": canvas}
    if isinstance(streams.get("flow"), Stream):  # else it is made of the frames on theirs
        canvases["flow"] = canvas
    begin = time.process_time()
    for row, video in enumerate(chosen):
        generator = Rng(repeat, "clip", row).shared()
        load_clips(video, needed, streams, canvases, RandomClip(16), generator)
    return time.process_time() - begin


def spread(times: list[float], base: list[float]) -> str:
    """Median (least - greatest) of the ratios."""
    ratios = [one / own for one, own in zip(times, base, strict=True)]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} - {max(ratios):.2f})"


def compare_loading(chosen: Sequence[Video], repeats: int, every: dict[str, Case]) -> None:
    """Prints a table of clips a second."""
    print("| canvas | streams | clips/s a core | times RGB alone |\n| --- | --- | --- | --- |")
    for canvas_name, canvas in CANVASES.items():
        spent: dict[str, list[float]] = {name: [] for name in every}
        for repeat in range(-1, repeats):
            order = np.random.default_rng(repeat + 1).permutation(list(spent)).tolist()
            for name in order:
                seconds = load_all(chosen, every[name], canvas, max(0, repeat))
                if repeat >= 0:  # the first one makes the indexes, and warms up
                    spent[name].append(seconds)
        for name, times in spent.items():
            rate = len(chosen) / statistics.median(times)
            print(f"| {canvas_name} | {name} | {rate:.1f} | {spread(times, spent[RGB])} |")


def train(chosen: Sequence[Video], flow: Stream | Derived | None, steps: int) -> Iterator[float]:
    """CPU seconds of each step of a run without processes of its own; without flow it is one on RGB."""
    torch.manual_seed(0)
    stream, channels = ("rgb", 3) if flow is None else ("flow", 2)
    view = View([SquareCrop(56, (0.6, 1.0), exact=False)], stream=stream)
    method = SimCLR(R3D(width=16, in_channels=channels), view, hidden=128, dim=64)
    optimizer = torch.optim.AdamW(method.parameters(), lr=1e-3)
    canvas = {"flow" if isinstance(flow, Stream) else "rgb": Canvas(short_side=64)}
    sampler = RandomClip(8, stride=2, clips=2, short="repeat")
    dataset = ClipDataset(chosen, (stream,), sampler, {} if flow is None else {"flow": flow}, canvas)
    batches = ClipLoader(dataset, BATCH).batches()
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
    whole = VideoFolder(options.root)
    chosen = [whole[row] for row in np.linspace(0, len(whole) - 1, options.files).astype(int).tolist()]
    with tempfile.TemporaryDirectory() as folder:
        size = write_flow(chosen, Path(folder))
        print(f"{options.files} videos; their flow as pictures takes {size / 2**20:.1f} MiB.\n")
        print(f"One clip of 16 frames of each video, {options.repeats} repeats:\n")
        compare_loading(chosen, options.repeats, cases(folder))
        print(f"\nSimCLR, small R3D, {BATCH} videos a step, {options.steps} steps, canvas of short side 64:\n")
        print("| view | CPU s a step | times RGB |\n| --- | --- | --- |")
        flows = {"rgb": None, "flow, DISFlow medium": DISFlow(bound=5), "flow, FlowFolder": FlowFolder(folder)}
        # The first step of each warms up, and makes indexes.
        runs = (train(chosen, flow, options.steps + 1) for flow in flows.values())
        turns = list(zip(*runs, strict=True))[1:]
        taken = dict(zip(flows, map(list, zip(*turns, strict=True)), strict=True))
        for name, seconds in taken.items():
            print(f"| {name} | {statistics.median(seconds):.2f} | {spread(seconds, taken['rgb'])} |")


if __name__ == "__main__":
    main()
