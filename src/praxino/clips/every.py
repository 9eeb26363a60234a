"""A clip every so many seconds of a video, in parts: a file of two hours takes no more memory than a short one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from praxino.catalogs.base import Video
from praxino.clips.dataset import LoadedVideo, load_clips
from praxino.clips.loading_process import Handed
from praxino.clips.samplers import Sampler
from praxino.clips.waiting import Awaited
from praxino.errors import UnreadableVideo, UserError
from praxino.rng import Rng
from praxino.streams.base import Canvas
from praxino.streams.choose import Streams

ROUNDING = 1e-6  # seconds by which a frame's time may miss one that is written out
MOST_BYTES = 64 << 20  # pixels of the clips that are read at once


class Part(NamedTuple):
    """Successive clips of one video.

    Attributes:
        row: the video's.
        first: the number of the first of them.
        clips: what was read, or the reason why nothing was.
        all: how many clips the whole video has.
    """

    row: int
    first: int
    clips: LoadedVideo | str
    all: int


class _EverySecond(Sampler):
    """The first clip that another sampler takes of a video from 0 s on, from `seconds` on, and so on while it fits.

    A clip begins with the first frame that is not earlier; so where frames are further apart than `seconds`, there is
    one at each frame. A video shorter than a clip has one clip, as the other sampler makes it.

    Args:
        sampler: whose clips they are.
        seconds: from the beginning of one clip to that of the next, above 0.
        first: the number of the first clip that is taken.
        most: how many are taken; None: all.

    Attributes:
        all: how many clips the last video has, whatever was taken of it.
    """

    def __init__(self, sampler: Sampler, seconds: float, first: int = 0, most: int | None = None) -> None:
        self.sampler = sampler
        self.seconds = seconds
        self.first = first
        self.most = most
        self.min_frames = sampler.min_frames
        self.all = 0

    def starts(self, times: NDArray[np.float64]) -> NDArray[np.int64]:
        """The frame from which on each clip is taken, int64 [clips].

        Args:
            times: float64 [length], seconds of each frame, never falling.
        """
        since = np.floor((times - times[0] + ROUNDING) / self.seconds)
        starts = np.flatnonzero(np.diff(since, prepend=-1.0))
        frames, seconds = self._reach(times)
        fits = (starts + frames <= len(times)) & (times[starts] + seconds <= times[-1] + ROUNDING)
        fits[0] = True
        return starts[fits]

    def __call__(self, times: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
        starts = self.starts(times)
        self.all = len(starts)
        starts = starts[self.first :][: self.most]
        frames, seconds = self._reach(times)
        # Behind a clip as much again, since samplers keep away from a video's end.
        ends = np.maximum(starts + 2 * frames + 1, np.searchsorted(times, times[starts] + 2 * seconds + ROUNDING))
        taken = [
            start + self.sampler(times[start:stop], Rng("every", number).shared())[0]
            for number, (start, stop) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True), self.first)
        ]
        return np.stack(taken)

    def _reach(self, times: NDArray[np.float64]) -> tuple[int, float]:
        """How many frames one clip of this video takes, with those at the end that are never used; and seconds."""
        clips = self.sampler(times, Rng("every", 0).shared())
        if not len(clips):
            raise UserError("--every needs clips, and the encoder's sampler takes none: pass --sampler without --every")
        clip = clips[0]
        first, last = int(clip.min()), int(clip.max())
        return last - first + 1 + int(getattr(self.sampler, "drop_last_frames", 0)), float(times[last] - times[first])


class _Parts:
    """Some clips of the video at a row."""

    def __init__(
        self,
        videos: Sequence[Video],
        needed: Sequence[str],
        sampler: Sampler,
        seconds: float,
        streams: Streams,
        canvas: Mapping[str, Canvas],
    ) -> None:
        self.videos, self.needed, self.sampler, self.seconds = videos, needed, sampler, seconds
        self.streams, self.canvas = streams, canvas

    def __getitem__(self, key: tuple[int, int, int]) -> Part:
        row, first, most = key
        sampler = _EverySecond(self.sampler, self.seconds, first, most)
        generator = Rng(0, "evaluation", row).shared()
        try:
            clips = load_clips(self.videos[row], self.needed, self.streams, self.canvas, sampler, generator)
        except UnreadableVideo as error:
            return Part(row, first, error.reason, 0)
        return Part(row, first, clips, sampler.all)


class ClipsEvery:
    """The clips of videos, one every so many seconds: first the first one of each video, then the others in parts.

    How many there are, and how large, is known when the first ones have been read. Where a file can be sought in, each
    part is read from the key frame before it; so all of the file is decoded once at most, but for these beginnings.

    Args:
        videos, needed, sampler, streams, canvas: as of `load_clips`; a clip is the sampler's first one from there on.
        seconds: from one clip to the next.
        at_once: most clips of a part.
        workers: loading processes.
    """

    def __init__(
        self,
        videos: Sequence[Video],
        needed: Sequence[str],
        sampler: Sampler,
        seconds: float,
        streams: Streams,
        canvas: Mapping[str, Canvas],
        at_once: int,
        workers: int,
    ) -> None:
        self.items = _Parts(videos, needed, sampler, seconds, streams, canvas)
        self.at_once = at_once
        self.workers = workers

    def __iter__(self) -> Iterator[tuple[Part, int]]:
        """Parts, and how many of them there are as far as is known."""
        videos = len(self.items.videos)
        later = []
        for part in self._loaded([(row, 0, 1) for row in range(videos)]):
            if isinstance(part.clips, LoadedVideo):
                later += [(part.row, first, most) for first, most in _shares(part, self.at_once)]
            yield part, videos + len(later)
        for part in self._loaded(later):
            yield part, videos + len(later)

    def _loaded(self, keys: list[tuple[int, int, int]]) -> Iterable[Part]:
        return Awaited(Handed(self.items), keys, self.workers if keys else 0)


def _shares(part: Part, at_once: int) -> list[tuple[int, int]]:
    """The other clips of a video whose first one was read: (first, how many at most) of each part."""
    assert isinstance(part.clips, LoadedVideo)
    size = sum(frames.pixels.nbytes for frames in part.clips.streams.values())
    most = max(1, min(at_once, MOST_BYTES // max(1, size)))
    return [(first, most) for first in range(1, part.all, most)]
