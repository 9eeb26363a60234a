"""What `Encoder.embed` is given: a path, a video of a catalog, or frames in memory."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from praxino.catalogs.base import Video
from praxino.catalogs.names import is_picture
from praxino.clips.samplers import Sampler
from praxino.errors import UserError
from praxino.streams.base import Canvas, Derived, FrameReader, Stream, checked
from praxino.streams.choose import Streams

FPS = 25  # of frames in memory, which do not tell


def taken(given: Any, needed: Sequence[str], streams: Streams, sampler: Sampler) -> tuple[Video, Streams]:
    """What was given as a video, and the streams that read it.

    Args:
        given: a path of a file or a folder of frames; a `Video`; or frames uint8 [T, H, W, 3], 25 a second.
        needed: the streams that views are made from.
        streams: the encoder's.
        sampler: the encoder's.

    Raises:
        UserError: if it is anything else, or a single frame where clips need more, or the streams are read from several
            files. A frame that a clip repeats warns.
    """
    if isinstance(given, Video):
        return given, streams
    name, *others = dict.fromkeys(_source(stream, streams) for stream in needed)
    if others:
        raise UserError(
            f"the views are made of {name} and {others[0]}, which are read from files of their own: pass a "
            "praxino.catalogs.Video that names both, or a single view"
        )
    if isinstance(given, np.ndarray):
        frames = _frames(given)
        if len(frames) == 1:
            _judge_single("the array holds one frame", sampler)
        # In the place of what reads files.
        return Video("the array", {name: ""}), {**streams, name: _GivenFrames(frames)}
    if not isinstance(given, str | os.PathLike):
        raise UserError(f"{_kind(given)} is no video: give a path, or frames as a NumPy array uint8 [T, H, W, 3]")
    path = os.fsdecode(given)
    if name not in streams and is_picture(path) and Path(path).is_file():
        _judge_single(f"{path} is a picture, a video of one frame", sampler)
    return Video(path, {name: path}), streams


def _source(stream: str, streams: Streams) -> str:
    reader = streams.get(stream)
    return reader.of if isinstance(reader, Derived) else stream


def _frames(given: NDArray[Any]) -> NDArray[np.uint8]:
    if given.dtype != np.uint8 or given.ndim != 4 or given.shape[3] != 3 or not given.size:
        raise UserError(
            f"an array is taken as the frames of one video, uint8 [T, H, W, 3] in RGB, and this is {given.dtype} "
            f"{list(given.shape)}"
        )
    return given


def _judge_single(said: str, sampler: Sampler) -> None:
    what = f"{said}, and the encoder's clips"
    if sampler.min_frames > 1:
        raise UserError(f"{what} need {sampler.min_frames} frames: give it a video, or a folder of frames")
    frames = sampler(np.zeros(1), np.random.default_rng(0)).shape[1]
    if frames > 1:
        warnings.warn(f"{what} have {frames}: it is repeated, so that nothing moves", stacklevel=4)


def _kind(given: object) -> str:
    word = type(given).__name__
    return f"{'an' if word[0].lower() in 'aeiou' else 'a'} {word}"


class _GivenFrames(Stream):
    """Frames in memory. On a canvas they are scaled like pictures of a folder: by Pillow, bilinear.

    Args:
        pixels: uint8 [T, H, W, 3].
    """

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self.pixels = pixels

    def open(self, video: Video, canvas: Canvas = Canvas()) -> FrameReader:  # noqa: B008  (frozen)
        return _Reader(video.id, self.pixels, canvas)


class _Reader(FrameReader):
    def __init__(self, id: str, pixels: NDArray[np.uint8], canvas: Canvas) -> None:
        self.id, self.pixels = id, pixels
        self.times = np.arange(len(pixels)) / FPS
        self.height, self.width = canvas.size(*pixels.shape[1:3])

    def read(self, indices: Sequence[int] | NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        indices = checked(self.id, indices, len(self.times))
        pixels = self.pixels[indices]
        if pixels.shape[1:3] != (self.height, self.width):
            pixels = np.stack([self._scaled(frame) for frame in pixels])
        return pixels, np.ones(len(indices), np.bool_)

    def _scaled(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        from PIL import Image

        picture = Image.fromarray(np.ascontiguousarray(frame))
        return np.asarray(picture.resize((self.width, self.height), Image.Resampling.BILINEAR, reducing_gap=2))
