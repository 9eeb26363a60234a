"""Small pictures of the videos that a result shows: JPEG frames, and a clip that moves, as WebP."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from praxino.catalogs.base import Video
from praxino.clips.dataset import Streams
from praxino.clips.samplers import Sampler
from praxino.errors import UnreadableVideo
from praxino.streams.base import Canvas, FrameReader, Stream
from praxino.streams.choose import stream_of

FRAMES = 4
CANVAS = Canvas(short_side=96, longest=192)
MOVING_FRAMES = 12  # of a clip, at most
MOVING_BYTES = 24 << 10  # of its file, at most
QUALITY = 60


@dataclass(frozen=True)
class Played:
    """Which clip of a video a gallery plays, and whose seconds it says.

    Attributes:
        sampler: that has taken the clips.
        query: which one of a query's; None: the middle one.
        found: which one of what it found.
    """

    sampler: Sampler
    query: int | None = None
    found: int | None = None


class Thumbnails:
    """Pictures of videos, each made once.

    Args:
        folder: where to.
        shown_as: that folder as seen from the run's.
        streams: readers, as of `load_clips`.
        sampler: takes the clips that move; None: nothing moves.
    """

    def __init__(self, folder: Path, shown_as: Path, streams: Streams, sampler: Sampler | None = None) -> None:
        self.folder, self.shown_as, self.streams, self.sampler = folder, shown_as, streams, sampler
        self.made: dict[tuple[str, int | None], dict[str, Any]] = {}
        self.stills: dict[str, list[str]] = {}

    def of(self, video: Video, clip: int | None = None) -> dict[str, Any]:
        """The pictures of a video: `frames`, files from its beginning on; none where it cannot be read.

        Where one of its clips can be shown, too: `clip`, a file that moves, and `seconds`, from when to when it is.

        Args:
            video: whose.
            clip: the number of the clip; None: the middle one.
        """
        key = (video.id, clip)
        if key not in self.made:
            self.made[key] = self._make(video, clip)
        return self.made[key]

    def _make(self, video: Video, clip: int | None) -> dict[str, Any]:
        try:
            stream = stream_of(video, "rgb", self.streams)
            if not isinstance(stream, Stream) or stream.channels != 3:
                return {"frames": []}
            with stream.open(video, CANVAS) as reader:
                if video.id not in self.stills:
                    self.stills[video.id] = self._frames(reader)
                return {"frames": self.stills[video.id], **self._clip(reader, clip)}
        except UnreadableVideo:
            return {"frames": self.stills.get(video.id, [])}

    def _frames(self, reader: FrameReader) -> list[str]:
        from PIL import Image

        last = len(reader.times) - 1
        wanted = np.unique(np.linspace(last * 0.2, last * 0.8, FRAMES).astype(np.int64))  # of a picture, one
        pixels, _ = reader.read(wanted)
        names = [f"{len(self.stills):03d}-{k}.jpg" for k in range(len(pixels))]
        for name, frame in zip(names, pixels, strict=True):
            Image.fromarray(frame).save(self.folder / name, quality=80)
        return [self._shown(name) for name in names]

    def _clip(self, reader: FrameReader, clip: int | None) -> dict[str, Any]:
        numbers = self._numbers(reader.times)
        if numbers is None or not len(numbers):
            return {}
        own = np.unique(numbers[len(numbers) // 2 if clip is None else clip])
        first, last = float(reader.times[own[0]]), float(reader.times[own[-1]])
        said = {"seconds": [round(first, 3), round(last, 3)]}
        if last <= first:
            return said
        own = own[:: -(-len(own) // MOVING_FRAMES)]
        pixels, _ = reader.read(own)
        lasting = float(reader.times[own[-1]]) - first
        data = moving(pixels, round(1000 * lasting / max(1, len(own) - 1)))
        if not data:
            return said
        name = f"{len(self.made):03d}.webp"
        (self.folder / name).write_bytes(data)
        return {**said, "clip": self._shown(name)}

    def _numbers(self, times: NDArray[np.float64]) -> NDArray[np.int64] | None:
        """The clips' frames; None of a video too short for the sampler, and where chance has drawn other ones."""
        if self.sampler is None or len(times) < self.sampler.min_frames:
            return None
        one, other = (self.sampler(times, np.random.default_rng(seed)) for seed in (0, 1))
        return one if np.array_equal(one, other) else None

    def _shown(self, name: str) -> str:
        return (self.shown_as / name).as_posix()


def moving(pixels: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], milliseconds: int) -> bytes:
    """Frames as an animated WebP without end, of `MOVING_BYTES` at most; nothing where Pillow cannot write one.

    What is larger is written with less quality, then with every second frame.

    Args:
        pixels: uint8 [H, W, 3] each.
        milliseconds: from one frame to the next.
    """
    from PIL import Image, features

    if not features.check("webp"):
        return b""
    frames, quality = [Image.fromarray(np.ascontiguousarray(one)) for one in pixels], QUALITY
    while len(frames) > 1:
        file = io.BytesIO()
        frames[0].save(
            file, "WEBP", save_all=True, append_images=frames[1:], duration=max(20, milliseconds), loop=0,
            quality=quality, method=4,
        )  # fmt: skip
        if file.tell() <= MOVING_BYTES:
            return file.getvalue()
        if quality == QUALITY:
            quality //= 3
        else:
            frames, milliseconds = frames[::2], 2 * milliseconds
    return b""
