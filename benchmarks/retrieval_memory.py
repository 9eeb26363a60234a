"""Peak memory of taking IIC's retrieval features: means as they come, against all ten clips of all videos kept.

python benchmarks/retrieval_memory.py [--videos 200 1000]

Computed videos and a network of next to no work, with features of IIC's size: 9216 numbers of a view, 18432 of two side
by side. Each figure is the peak resident memory of a process of its own (Linux). "Kept" is the original's way at its
leanest: one float64 array of all clips, without the lists that it gathers them in. Prints Markdown; the last rows are
the line through the two sizes, drawn on to UCF101's first split.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from praxino.backbones.base import Backbone
from praxino.catalogs.base import Catalog, Video
from praxino.clips.dataset import LoadedVideo, collate
from praxino.clips.in_turn import loaded_videos
from praxino.clips.samplers import EvenClips
from praxino.encoders.encoder import Encoder
from praxino.evaluations.comparison import compared_features
from praxino.evaluations.joint import members_of
from praxino.streams.base import Canvas, FrameReader, Stream
from praxino.views.motion import Residual
from praxino.views.pipeline import View

UCF101 = 9537 + 3783
VIEWS = {"one view, 9216": ["rgb"], "two views side by side, 18432": ["rgb", "residual"]}
WAYS = ("streamed", "kept")
CLIPS = 10


class Frames(FrameReader):
    def __init__(self) -> None:
        self.times = np.arange(40) / 25

    def read(self, indices: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        pixels = np.random.default_rng(0).integers(0, 256, (len(indices), 14, 14, 3), np.uint8)
        return pixels, np.ones(len(indices), bool)


class Computed(Stream):
    def open(self, video: Video, canvas: Canvas | None = None) -> FrameReader:
        return Frames()


class Videos(Catalog):
    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def video(self, row: int) -> Video:
        return Video(str(row), {"rgb": "computed"}, label=row % 101)


class MapOfIIC(Backbone):
    """A map of 512x2x7x7 from 16 frames, as R3D's at 112x112."""

    dim = 512

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv3d(3, self.dim, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(F.adaptive_avg_pool3d(x, (2, 7, 7)))


def encoder() -> Encoder:
    views = {"rgb": View([]), "residual": View([Residual()])}
    made = Encoder(
        MapOfIIC(), views, EvenClips(CLIPS, 16), feature="map", streams={"rgb": Computed()},
        reestimate_batchnorm=False, centred=False,
    )  # fmt: skip
    made.backbone.eval()
    return made


def streamed(videos: Catalog, views: list[str]) -> NDArray[np.float32]:
    """The features as an evaluation takes them."""
    taken = compared_features(members_of(encoder(), views=views), videos, videos, baselines=False, workers=0)
    return taken.gallery[taken.main].vectors


def kept(videos: Catalog, views: list[str]) -> NDArray[np.float64]:
    """The same features of all clips, and their means at the end."""
    one = encoder()
    clips: NDArray[np.float64] | None = None
    for row, loaded in loaded_videos(videos, ["rgb"], one.sampler, one.streams, {}):
        assert isinstance(loaded, LoadedVideo)
        batch = collate([loaded], [row], [None])
        made = torch.cat([one.features(batch, view) for view in views], 1).double().numpy()
        if clips is None:
            clips = np.empty((len(videos), *made.shape))
        clips[row] = made
    assert clips is not None
    return clips.mean(axis=1)


def peak(way: str, feature: str, videos: int) -> float:
    """Peak resident memory in MiB of a fresh process."""
    command = [sys.executable, __file__, "--measure", way, feature, str(videos)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout) / 1024


def measure(way: str, feature: str, videos: int) -> None:
    torch.set_num_threads(1)
    vectors = (streamed if way == "streamed" else kept)(Videos(videos), VIEWS[feature])
    assert vectors.shape == (videos, int(feature.rpartition(" ")[2]))
    # Not getrusage, whose maximum a process inherits from the one that started it.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    print(status["VmHWM"].split()[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=int, nargs=2, default=[200, 1000])
    few, many = parser.parse_args().videos
    print("| feature | videos | streamed, MiB | all clips kept, MiB | streamed / kept |\n|---|---|---|---|---|")
    for feature in VIEWS:
        small, large = ([peak(way, feature, videos) for way in WAYS] for videos in (few, many))
        each = [(b - a) / (many - few) for a, b in zip(small, large, strict=True)]
        drawn_on = [b + more * (UCF101 - many) for b, more in zip(large, each, strict=True)]
        for videos, sizes in ((f"{few}", small), (f"{many}", large), (f"{UCF101:,} (extrapolated)", drawn_on)):
            print(
                f"| {feature} | {videos} | {sizes[0]:,.0f} | {sizes[1]:,.0f} | {sizes[0] / sizes[1]:.2f} |", flush=True
            )
        print(f"| {feature} | each further one | {each[0]:.3f} | {each[1]:.3f} | {each[0] / each[1]:.2f} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        main()
