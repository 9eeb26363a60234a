"""Indexes of made-up videos, whose pixels follow from the bytes of their files, for the tests of the search."""

import zlib
from pathlib import Path

import numpy as np
import torch

from praxino.catalogs.folder import VideoFolder
from praxino.clips.samplers import EvenClips
from praxino.encoders.encoder import Encoder
from praxino.errors import UnreadableVideo
from praxino.search.build import index_videos
from praxino.streams.base import Canvas, FrameReader, Stream
from praxino.views.pipeline import View
from toys import ToyBackbone


class BytesReader(FrameReader):
    """So many frames at 10 a second as the first byte says, each of its own noise."""

    def __init__(self, content):
        self.seed = zlib.crc32(content)
        self.times = np.arange(content[0]) / 10

    def read(self, indices):
        frames = [np.random.default_rng([self.seed, k]).integers(0, 256, (6, 8, 3), np.uint8) for k in indices]
        return np.stack(frames), np.ones(len(frames), bool)


class BytesStream(Stream):
    """A file is its pixels; one that begins with `broken` is none."""

    def open(self, video, canvas=Canvas()):  # noqa: B008
        path = Path(video.files["rgb"])
        if not path.is_file() or path.read_bytes().startswith(b"broken"):
            raise UnreadableVideo(video.id, "broke")
        return BytesReader(path.read_bytes())


def encoder(seed=0, clips=3, **more):
    """A small network without statistics, which reads such files."""
    torch.manual_seed(seed)
    streams = {"rgb": BytesStream()}
    return Encoder(
        ToyBackbone(), {"seen": View([]), "other": View([])}, EvenClips(clips, 4, 1), streams=streams, **more
    )


def videos(folder, names="abcdefghij", broken=""):
    """A folder of files; a video's frames are 20 and more."""
    folder.mkdir(exist_ok=True)
    for k, name in enumerate(names):
        content = b"broken" if name in broken else bytes([20 + k]) + name.encode()
        (folder / f"{name}.mp4").write_bytes(content)
    return folder


def made(folder, out, one=None, **more):
    """The index of a folder's videos."""
    more = {"workers": 0, "device": "cpu", **more}
    return index_videos(one or encoder(), VideoFolder(folder), out, **more)


def files(out):
    """Every file of an index but the lock, with its bytes."""
    found = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    return {name: content for name, content in found.items() if name != ".lock"}
