"""A tiny world: videos that are computed and not decoded, a network that trains in milliseconds."""

from __future__ import annotations

import json
import zlib

import numpy as np
import torch
from torch import nn

from praxino.backbones.base import Backbone
from praxino.catalogs.base import Catalog, Video
from praxino.clips.samplers import Sampler
from praxino.encoders.protocol import Protocol
from praxino.errors import UnreadableVideo
from praxino.methods.simclr import SimCLR
from praxino.streams.base import Canvas, Derived, FrameReader, Stream
from praxino.training.stages import Stage
from praxino.views.pipeline import Operation, View


class ToyReader(FrameReader):
    def __init__(self, name, frames):
        self.base = zlib.crc32(name.encode()) % 200
        self.times = np.arange(frames) / 25

    def read(self, indices):
        indices = np.asarray(indices)
        pixels = np.zeros((len(indices), 6, 8, 3), np.uint8) + self.base
        pixels += (indices % 40).astype(np.uint8)[:, None, None, None]
        pixels[:, :3] //= 2
        return pixels, np.ones(len(indices), bool)


class ToyStream(Stream):
    """Videos of 20 frames; those whose id holds a word of `broken` cannot be opened once they are probed."""

    def __init__(self, broken: tuple[str, ...] = ()) -> None:
        self.broken = broken

    def open(self, video, canvas=Canvas()):  # noqa: B008
        if any(word in video.id for word in self.broken):
            raise UnreadableVideo(video.id, "broke")
        return ToyReader(video.id, 20)

    def probe(self, video, full=False):
        from praxino.streams.base import Probed

        return Probed(20)


def toy_planes(indices, channels):
    """Frames uint8 [n, 14, 18, channels], in which each pixel of each channel follows from its place."""
    frame, row, column, channel = np.ogrid[:20, :14, :18, :channels]
    planes = (37 * frame + 11 * row + 5 * column + 3 * row * column + 29 * channel) % 256
    return planes.astype(np.uint8)[np.asarray(indices)]


class ToyPlanesReader(FrameReader):
    def __init__(self, channels):
        self.channels = channels
        self.times = np.arange(20) / 25

    def read(self, indices):
        return toy_planes(indices, self.channels), np.ones(len(indices), bool)


class ToyPlanes(Stream):
    """20 frames of so many channels."""

    def __init__(self, channels: int = 2) -> None:
        self.channels = channels

    def open(self, video, canvas=Canvas()):  # noqa: B008
        return ToyPlanesReader(self.channels)


class ToyPair(Derived):
    """Two channels made of three: what red changes by until the next frame, and green as it is."""

    of = "rgb"
    channels = 2
    fewer = 1

    def needs(self, wanted):
        return np.union1d(wanted, wanted + 1)

    def make(self, prepared, wanted):
        first = np.searchsorted(self.needs(wanted), wanted)
        return np.stack([prepared[first + 1, ..., 0] - prepared[first, ..., 0], prepared[first, ..., 1]], -1)


class ToyCatalog(Catalog):
    def __init__(self, videos: int = 12) -> None:
        self.videos = videos
        self.classes = ("even", "odd")

    def __len__(self):
        return self.videos

    def video(self, row):
        return Video(f"video{row:02d}", {"rgb": f"/toy/{row}"}, label=row % 2)


class ToySampler(Sampler):
    min_frames = 4

    def __init__(self, clips: int = 2, frames: int = 4) -> None:
        self.clips = clips
        self.frames = frames

    def __call__(self, times, rng):
        starts = rng.integers(0, len(times) - self.frames + 1, self.clips)
        return starts[:, None] + np.arange(self.frames)


class Noise(Operation):
    """Adds a drawn brightness to each clip."""

    def draw(self, rng, shape, size):
        return {"more": self.uniform(rng, shape).float()}

    def apply(self, x, more):
        return x.float() / 255 + 0.2 * more[:, :, None, :, None, None]


class ToyBackbone(Backbone):
    """Without BatchNorm, so that two processes must agree with one; with dropout, which has to be counted."""

    def __init__(self, dim: int = 6, dropout: float = 0.0, norm: bool = False, channels: int = 3) -> None:
        super().__init__()
        self.dim = dim
        self.dropout = dropout
        self.norm = norm
        self.channels = channels
        self.layers = nn.Sequential(
            nn.Conv3d(channels, dim, 3, padding=1),
            nn.BatchNorm3d(dim) if norm else nn.Identity(),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Conv3d(dim, dim, 3, stride=2, padding=1),
        )

    def forward(self, x):
        return self.layers(x)


def toy_method(seed=0, **backbone):
    torch.manual_seed(seed)
    return SimCLR(ToyBackbone(**backbone), View([Noise()]), dim=5)


def toy_protocol():
    return Protocol({"rgb": View([])}, ToySampler(clips=3), streams={"rgb": ToyStream()})


def toy_stages(steps=None, epochs=None, **more):
    return [Stage(lambda groups: torch.optim.AdamW(groups, lr=3e-3), epochs=epochs, steps=steps, **more)]


def without_checksum(file):
    """An encoder's file as earlier versions wrote it: its description says nothing of the weights' bytes."""
    beside = file.with_suffix(".json")
    beside.write_text(json.dumps({k: v for k, v in json.loads(beside.read_text()).items() if k != "checksum"}))
    return file
