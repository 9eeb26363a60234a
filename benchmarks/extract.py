"""Taking features in flat batches of clips, against one video after the other: time and memory.

python benchmarks/extract.py [--repeats 3] [--clips_at_once 64]

Computed frames (nothing is decoded) and a narrow R3D. Both ways take turns in one run; times are the thread's CPU time,
and a ratio is of the same repeat. "One at a time" gives all clips of one video, and nothing else, to the network at
once. Memory is the peak of a process of its own (Linux), for one long video. Prints Markdown.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from iic_step import clock, memory
from praxino.backbones.r3d import R3D
from praxino.catalogs.base import Catalog, Video
from praxino.clips.dataset import LoadedVideo, collate
from praxino.clips.in_turn import loaded_videos
from praxino.clips.samplers import EvenClips
from praxino.encoders.encoder import Encoder
from praxino.evaluations.features import extract
from praxino.streams.base import Canvas, FrameReader, Stream
from praxino.views.pipeline import View

# Name -> videos, clips of each, frames of a clip, pixels of a side, channels of the network's first stage.
SETTINGS = {
    "pictures: 1 clip of 1 frame, 32x32": (256, 1, 1, 32, 8),
    "pictures: 1 clip of 1 frame, 64x64": (128, 1, 1, 64, 16),
    "videos: 10 clips of 8 frames, 56x56": (13, 10, 8, 56, 16),
}
LONG = (1, 300, 8, 56, 16)
WAYS = ("one at a time", "flat batches")


class Frames(FrameReader):
    def __init__(self, frames: int, side: int) -> None:
        self.times = np.arange(frames) / 25
        self.side = side

    def read(self, indices: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        return np.full((len(indices), self.side, self.side, 3), 100, np.uint8), np.ones(len(indices), bool)


class Computed(Stream):
    def open(self, video: Video, canvas: Canvas | None = None) -> FrameReader:
        frames, side = map(int, str(video.files["rgb"]).split())
        return Frames(frames, side)


class Videos(Catalog):
    def __init__(self, count: int, frames: int, side: int) -> None:
        self.count, self.file = count, f"{frames} {side}"

    def __len__(self) -> int:
        return self.count

    def video(self, row: int) -> Video:
        return Video(str(row), {"rgb": self.file}, label=0)


def prepared(videos: int, clips: int, frames: int, side: int, width: int) -> tuple[Videos, Encoder]:
    torch.manual_seed(0)
    encoder = Encoder(R3D(width), {"rgb": View([])}, EvenClips(clips, frames), streams={"rgb": Computed()}).eval()
    return Videos(videos, frames + clips - 1, side), encoder


def one_at_a_time(videos: Catalog, encoder: Encoder) -> NDArray[np.float32]:
    vectors = []
    for row, loaded in loaded_videos(videos, ["rgb"], encoder.sampler, encoder.streams, {}):
        assert isinstance(loaded, LoadedVideo)
        vectors.append(encoder.features(collate([loaded], [row], [0])).mean(0).numpy())
    return np.stack(vectors)


def flat_batches(videos: Catalog, encoder: Encoder, clips_at_once: int) -> NDArray[np.float32]:
    what = {"": encoder.features}, ["rgb"], encoder.sampler, encoder.streams
    return extract(videos, *what, clips_at_once=clips_at_once)[""].vectors


def timed(function: Callable[[], NDArray[np.float32]]) -> tuple[float, NDArray[np.float32]]:
    start = clock("cpu")
    made = function()
    return clock("cpu") - start, made


def peak(way: str, clips_at_once: int) -> float:
    """Peak resident memory in MiB of a fresh process."""
    command = [sys.executable, __file__, "--measure", way, "--clips_at_once", str(clips_at_once)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--clips_at_once", type=int, default=64)
    parser.add_argument("--measure", choices=WAYS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.measure:
        what = prepared(*LONG)
        one_at_a_time(*what) if given.measure == WAYS[0] else flat_batches(*what, given.clips_at_once)
        print(memory("cpu"))
        return
    print("| what | one at a time, ms a clip | flat batches, ms a clip | one at a time / flat batches |")
    print("|---|---|---|---|")
    for name, setting in SETTINGS.items():
        what, clips = prepared(*setting), setting[0] * setting[1]
        times = []
        for _ in range(given.repeats):
            alone, want = timed(lambda what=what: one_at_a_time(*what))
            flat, made = timed(lambda what=what: flat_batches(*what, given.clips_at_once))
            np.testing.assert_allclose(made, want, rtol=1e-4, atol=1e-5)
            times.append((alone, flat))
        each = [1000 * statistics.median(column) / clips for column in zip(*times, strict=True)]
        ratios = sorted(alone / flat for alone, flat in times)
        middle = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        print(f"| {name} | {each[0]:.2f} | {each[1]:.2f} | {middle} |", flush=True)
    alone, flat = (peak(way, given.clips_at_once) for way in WAYS)
    print(f"\nPeak memory for one video of {LONG[1]} clips: {alone:,.0f} MiB at once, {flat:,.0f} MiB in flat batches.")


if __name__ == "__main__":
    main()
