"""Batches that nothing was decoded for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from praxino.batch import ClipBatch
from praxino.clips.dataset import LoadedVideo, collate, read_frames
from praxino.clips.derived import canvas_of
from praxino.clips.samplers import Sampler
from praxino.streams.base import Canvas, FrameReader
from praxino.streams.choose import Streams, channels_of, derived_among


class _Black(FrameReader):
    """Black frames uint8 of one size (height, width, channels)."""

    def __init__(self, frames: int, size: tuple[int, int, int]) -> None:
        self.times = np.arange(frames) / 25
        self.size = size

    def read(self, indices: Sequence[int] | NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        return np.zeros((len(indices), *self.size), np.uint8), np.ones(len(indices), np.bool_)


def zero_batch(
    videos: int,
    needed: Iterable[str],
    canvas: Mapping[str, Canvas],
    sampler: Sampler,
    streams: Streams | None = None,
    clips: int | None = None,
) -> ClipBatch:
    """A batch of black frames of the shape that the sampler gives, to try a task without decoding anything.

    Each stream's frames have as many channels as it says. Streams that are made from others are made from black frames.

    Args:
        videos: how many.
        needed, canvas, sampler, streams: as of `load_clips`.
        clips: of each video the first so many; None: all.

    Raises:
        UserError: if a stream that is made gives other frames than it says.
        ValueError: if nothing can be made of frames like these.
    """
    needed, streams = tuple(needed), streams or {}
    derived = derived_among(needed, streams)
    times = np.arange(max(sampler.min_frames, 1)) / 25
    numbers = sampler(times, np.random.default_rng(0))[:clips]
    readers = {
        name: _Black(len(times), (*canvas_of(name, canvas, derived).size(240, 320), channels_of(name, streams)))
        for name in dict.fromkeys(derived[name].of if name in derived else name for name in needed)
    }
    loaded = read_frames(readers, derived, numbers, streams)
    one = LoadedVideo(numbers, times[numbers], {name: loaded[name] for name in needed})
    return collate([one] * videos, list(range(videos)), [0] * videos)
