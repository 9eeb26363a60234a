"""TCLR's clips for evaluation: its "temporal modes"."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from praxino.clips.samplers import Sampler, consecutive, mirrored, refuse_numbers
from praxino.errors import UserError

MARGIN = 10  # frames behind the last clip's frames * stride that TCLR never looks at


class TemporalModes(Sampler):
    """Clips as TCLR places them in linear evaluation (10 clips) and retrieval (9): always the same.

    The starts are `linspace(0, length - frames * stride - 10, modes)` with the fraction cut off, so that the last 11
    frames of a video are never seen. In a video too short for that (42 frames) a start that would be negative is the
    clip's own number instead, and a clip that reaches beyond the video goes back from its last frame (`mirrored`).
    `EvenClips(clips, frames, stride, short="mirror")` reaches both ends of any video.

    The original drops single clips of a video that are less than half there. Here `min_frames` leaves such a video out,
    and lists it (25 frames and fewer for ten clips of 16; UCF101's shortest video has 29).

    Args:
        clips: how many.
        frames: of one clip.
        stride: from one frame of a clip to the next.
        modes: how many are placed, of which the first `clips` are taken, as by `--modes` of TCLR's retrieval; none: as
            many as are taken.

    Raises:
        UserError: if fewer are placed than taken.
    """

    def __init__(self, clips: int = 10, frames: int = 16, stride: int = 2, modes: int | None = None) -> None:
        refuse_numbers(clips=clips, frames=frames, stride=stride)
        self.clips = clips
        self.frames = frames
        self.stride = stride
        self.modes = modes
        if modes is not None and modes < clips:
            raise UserError(f"modes must be at least clips, not {modes}: the first {clips} of them are taken")
        # In a short video the latest start is the last clip's number; mirroring once takes more than half the frames.
        self.min_frames = clips - 1 + frames // 2 * stride + 1

    def starts(self, length: int) -> NDArray[np.int64]:
        """First frames int64 [clips] in a video of `length` frames."""
        last = length - self.frames * self.stride - MARGIN
        starts = np.trunc(np.linspace(0, last, self.modes or self.clips)[: self.clips]).astype(np.int64)
        return np.where(starts < 0, np.arange(self.clips), starts)

    def numbers(self, length: int) -> NDArray[np.int64]:
        """Frame numbers int64 [clips, frames], each in [0, length)."""
        return mirrored(consecutive(self.starts(length), self.frames, self.stride), length)

    def __call__(self, times: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
        return self.numbers(len(times))
