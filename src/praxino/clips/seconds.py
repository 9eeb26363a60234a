"""Clips by the clock: so many frames a second, whatever the rate of the video.

Source: the fine-tuning on UCF101 of AVID-CMA (Morgado, Vasconcelos, Misra: Audio-Visual Instance Discrimination with
Cross-Modal Agreement, CVPR 2021), which CycleContrast's code takes over. A frame is the one that is shown at a wanted
time: the last one that does not begin later. In a video with a constant rate these are the original's. Its times are
counted from the first frame; the original counts those that it wants from there, but not those that it decodes.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from praxino.clips.samplers import Sampler, refuse_numbers
from praxino.errors import UserError

# Below what a timestamp tells apart: k / 25 seconds are frame k, however the division was rounded.
ROUNDING = 1e-6
HIGHEST_RATE = 1000  # the times of a whole video are made at it


class _BySeconds(Sampler):
    """Clips of `frames` frames, `rate` of them a second."""

    def __init__(self, frames: int, rate: float, clips: int) -> None:
        refuse_numbers(frames=frames, clips=clips)
        if not 0 < rate <= HIGHEST_RATE:
            raise UserError(f"a sampler's rate is above 0 and at most {HIGHEST_RATE} frames a second, not {rate}")
        self.frames = frames
        self.rate = rate
        self.clips = clips
        self.min_frames = 1

    def shown(
        self, times: NDArray[np.float64], duration: float | None = None, starts: ArrayLike = (0.0,)
    ) -> NDArray[np.int64]:
        """The frames that are shown `rate` times a second, none of them in the last half frame of the duration.

        Args:
            times: float64 [length], seconds of each frame, never falling.
            duration: seconds; None: the whole video.
            starts: [clips], seconds after the first frame.

        Returns:
            int64 [clips, n], n at least 1.
        """
        whole = seconds_of(times)
        duration = whole if duration is None else duration
        last = duration - whole / len(times) / 2
        many = max(1, min(math.ceil(last * self.rate - ROUNDING), int(duration * self.rate + ROUNDING)))
        wanted = np.asarray(starts, np.float64)[:, None] + np.arange(many) / self.rate
        return np.searchsorted(times - times[0], wanted + ROUNDING, side="right") - 1


class RandomSeconds(_BySeconds):
    """Clips at random times: each start is uniform over all that fit, and independent of the others.

    A video shorter than a clip is taken from its beginning, and repeated from there as often as it takes.

    Args:
        frames: of one clip.
        rate: frames a second: 32 at 16 are two seconds of any video.
        clips: how many.

    Raises:
        UserError: if a number is too small.
    """

    def __init__(self, frames: int = 32, rate: float = 16.0, clips: int = 1) -> None:
        super().__init__(frames, rate, clips)

    def room(self, times: NDArray[np.float64]) -> float:
        """Starts are uniform between 0 and this, in seconds."""
        return max(0.0, seconds_of(times) - self.frames / self.rate)

    def numbers(self, times: NDArray[np.float64], starts: ArrayLike) -> NDArray[np.int64]:
        """Frame numbers int64 [clips, frames] of the clips that begin `starts` [clips] seconds after the first frame.

        Args:
            times: float64 [length], seconds of each frame, never falling.
            starts: from 0 to `room(times)`.
        """
        duration = min(self.frames / self.rate, seconds_of(times))
        return repeated(self.shown(times, duration, starts), self.frames)

    def __call__(self, times: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
        return self.numbers(times, self.room(times) * rng.random(self.clips))


class EvenSeconds(_BySeconds):
    """Clips evenly over the whole video, always the same: what evaluations use.

    Of the frames that are shown `rate` times a second clips of `frames` successive ones are taken, their starts
    `linspace(0, all - frames, clips)` with the fraction cut off. A shorter video is repeated from its beginning, and
    all its clips are the same.

    Args:
        clips: how many.
        frames: of one clip.
        rate: frames a second.

    Raises:
        UserError: if a number is too small.
    """

    def __init__(self, clips: int = 10, frames: int = 32, rate: float = 16.0) -> None:
        super().__init__(frames, rate, clips)

    def numbers(self, times: NDArray[np.float64]) -> NDArray[np.int64]:
        """Frame numbers int64 [clips, frames]."""
        (shown,) = self.shown(times)
        starts = np.linspace(0, max(len(shown) - self.frames, 0), self.clips).astype(np.int64)
        return repeated(shown, max(len(shown), self.frames))[starts[:, None] + np.arange(self.frames)]

    def __call__(self, times: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
        return self.numbers(times)


def seconds_of(times: NDArray[np.float64]) -> float:
    """How long a video lasts, its last frame as long as the others on average; 0 where it has one frame only."""
    return round(float(times[-1] - times[0]) / max(1, len(times) - 1) * len(times), 6)


def repeated(numbers: NDArray[np.int64], frames: int) -> NDArray[np.int64]:
    """Clips [..., n] brought to `frames` frames: from the beginning again, as often as it takes; or cut."""
    return numbers[..., np.arange(frames) % numbers.shape[-1]]
