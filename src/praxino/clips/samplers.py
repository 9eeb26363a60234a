"""Which frames make the clips."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from praxino.errors import UserError, nearest

Word = TypeVar("Word", bound=str)


class Sampler(ABC):
    """Draws the clips of one video.

    A sampler is a draw, then a pure method `numbers(length, *drawn)`: tests and golden items call the latter.

    Attributes:
        min_frames: shorter videos are left out before the first epoch, and listed.
    """

    min_frames: int

    @abstractmethod
    def __call__(self, times: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
        """Frame numbers int64 [clips, frames], each in [0, len(times)).

        Args:
            times: float64 [length], seconds of each frame; length >= min_frames.
            rng: this clip's own generator.
        """


def clips_a_video(sampler: Sampler) -> int | str:
    """How many clips it gives each video, as results say it; in words where longer videos have more."""
    clips = getattr(sampler, "clips", 1)
    return "as many as fit" if clips is None else int(clips)


def frames_a_clip(sampler: Sampler) -> int:
    """How many frames a clip of a sampler has, as it takes them of the shortest video."""
    times = np.arange(max(sampler.min_frames, 1)) / 25
    return int(sampler(times, np.random.default_rng(0)).shape[1])


def span(frames: int, stride: int) -> int:
    """How many frames of a video a clip reaches over, both ends included."""
    return (frames - 1) * stride + 1


def consecutive(starts: ArrayLike, frames: int, stride: int) -> NDArray[np.int64]:
    """Frame numbers of clips that begin at `starts` [clips]: int64 [clips, frames]."""
    return np.asarray(starts, np.int64)[:, None] + stride * np.arange(frames, dtype=np.int64)


def even_starts(length: int, clips: int, span: int) -> NDArray[np.int64]:
    """First frames of clips whose centres lie evenly over a video, as VCOP and IIC place their test clips.

    The centres are `linspace(span / 2, length - span / 2, clips)`, the starts are the centres less span / 2 with the
    fraction cut off, all in float64. Not the same as `j * (length - span) // (clips - 1)`: where the linspace lands
    just below a whole number, the start is one less.

    Args:
        length: frames of the video; where it is less than `span` the later starts are negative.
        clips: how many; a single one lies at the beginning.
        span: frames that one clip reaches over.

    Returns:
        int64 [clips].
    """
    centres = np.linspace(span / 2, length - span / 2, clips)
    return np.trunc(centres - span / 2).astype(np.int64)


def mirrored(numbers: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """Clips that reach beyond the video, completed by going back from its last frame: 3 5 7 (9 11) gives 3 5 7 5 3.

    The frame where a clip turns is not repeated. One that is back at its first frame turns again.

    Source: TCLR, which drops a clip that would have to turn again (fewer than 9 frames of 16).

    Args:
        numbers: int64 [clips, frames], ascending; the first one of each clip is below `length`.
        length: frames of the video.

    Returns:
        int64 [clips, frames], each below `length`.
    """
    there = (numbers < length).sum(1, keepdims=True)
    period = np.maximum(2 * (there - 1), 1)
    place = np.arange(numbers.shape[1]) % period
    return np.take_along_axis(numbers, np.minimum(place, period - place), 1)


class RandomClip(Sampler):
    """Clips at random places: each start is uniform over all that fit, and independent of the others.

    With `drop_last_frames=1` this is IIC's training sampler; with `stride=2` and `drop_last_frames=2` it is that of
    TCLR's linear evaluation.

    Args:
        frames: of one clip.
        stride: from one frame of a clip to the next.
        clips: how many.
        drop_last_frames: that many frames at the video's end are never used. IIC: 1, because flow has one frame less.
        short: a video shorter than a clip is left out and listed ("refuse"), or taken from its beginning, with its last
            frame repeated ("repeat") or going back from there ("mirror").
    """

    def __init__(
        self,
        frames: int = 16,
        stride: int = 1,
        clips: int = 1,
        drop_last_frames: int = 0,
        short: Literal["refuse", "repeat", "mirror"] = "refuse",
    ) -> None:
        refuse_numbers(frames=frames, stride=stride, clips=clips, drop_last_frames=drop_last_frames)
        self.frames = frames
        self.stride = stride
        self.clips = clips
        self.drop_last_frames = drop_last_frames
        self.short = _one_of(short, ("refuse", "repeat", "mirror"))
        self.min_frames = span(frames, stride) + drop_last_frames if short == "refuse" else 1

    def places(self, length: int) -> int:
        """How many starts a video of `length` frames has: 0, 1, ... places - 1."""
        return max(1, length - self.drop_last_frames - span(self.frames, self.stride) + 1)

    def numbers(self, length: int, starts: ArrayLike) -> NDArray[np.int64]:
        """Frame numbers int64 [clips, frames] of the clips that begin at `starts` [clips]."""
        numbers = consecutive(starts, self.frames, self.stride)
        usable = max(1, length - self.drop_last_frames)
        return mirrored(numbers, usable) if self.short == "mirror" else np.minimum(numbers, usable - 1)

    def __call__(self, times: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
        return self.numbers(len(times), rng.integers(self.places(len(times)), size=self.clips))


class EvenClips(Sampler):
    """Clips evenly over the whole video, always the same: what evaluations use.

    With `drop_last_frames=1` and ten clips this is IIC's test sampler. Source of the placement: `even_starts`.

    Args:
        clips: how many.
        frames: of one clip.
        stride: from one frame of a clip to the next.
        drop_last_frames: that many frames at the video's end are never used (IIC: 1).
        short: a video shorter than a clip is taken from its beginning, with its last frame repeated ("repeat") or going
            back from there ("mirror"), is left out and listed ("refuse"), or is read as IIC does it ("wrap"): negative
            frame numbers count from the video's end, dropped frames included. "wrap" refuses what IIC's reader would
            fail on.
    """

    def __init__(
        self,
        clips: int = 10,
        frames: int = 16,
        stride: int = 1,
        drop_last_frames: int = 0,
        short: Literal["repeat", "mirror", "refuse", "wrap"] = "repeat",
    ) -> None:
        refuse_numbers(frames=frames, stride=stride, clips=clips, drop_last_frames=drop_last_frames)
        self.clips = clips
        self.frames = frames
        self.stride = stride
        self.drop_last_frames = drop_last_frames
        self.short = _one_of(short, ("repeat", "mirror", "refuse", "wrap"))
        reach = span(frames, stride)
        self.min_frames = {"refuse": reach + drop_last_frames, "wrap": reach}.get(short, 1)

    def starts(self, length: int) -> NDArray[np.int64]:
        """First frames int64 [clips] in a video of `length` frames; with "wrap" they may be negative."""
        starts = even_starts(length - self.drop_last_frames, self.clips, span(self.frames, self.stride))
        return starts if self.short == "wrap" else np.maximum(starts, 0)

    def numbers(self, length: int) -> NDArray[np.int64]:
        """Frame numbers int64 [clips, frames], each in [0, length)."""
        numbers = consecutive(self.starts(length), self.frames, self.stride)
        if self.short == "wrap":
            return numbers % length
        usable = max(1, length - self.drop_last_frames)
        return mirrored(numbers, usable) if self.short == "mirror" else np.minimum(numbers, usable - 1)

    def __call__(self, times: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
        return self.numbers(len(times))


def refuse_numbers(drop_last_frames: int = 0, **numbers: int) -> None:
    """Refuses what no sampler can take.

    Raises:
        UserError: if one of `numbers` is below 1, or `drop_last_frames` below 0; names it.
    """
    for name, number in numbers.items():
        if number < 1:
            raise UserError(f"a sampler's {name} must be at least 1, not {number}")
    if drop_last_frames < 0:
        raise UserError(f"a sampler's drop_last_frames must be at least 0, not {drop_last_frames}")


def _one_of(word: Word, known: tuple[str, ...]) -> Word:
    if word not in known:
        raise UserError(f"unknown rule {word!r} for short videos.{nearest(word, known)}")
    return word
