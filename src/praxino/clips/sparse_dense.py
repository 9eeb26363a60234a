"""TCLR's clips: a sparse one over a stretch of the video, and dense ones that tile the same stretch."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from praxino.clips.samplers import Sampler, consecutive, mirrored, span
from praxino.errors import UserError, nearest


class SparseDense(Sampler):
    """The sparse clip first, then the dense ones in the order of time: 1 + `dense` clips.

    The dense clips lie one after another; the sparse clip takes every `dense`-th of their frames. So each dense clip
    covers the span of the sparse clip's `frames / dense` frames at its place: what a time position of the sparse clip
    is held against. Dave, Gupta, Rizve, Shah: TCLR, 2022.

    Args:
        frames: of one clip.
        dense: how many dense clips. TCLR: 4, as its network leaves 4 time positions of 16 frames.
        stride: from one frame of a dense clip to the next; the sparse clip's is `dense` times that.
        short: what becomes of a video shorter than the stretch. "mirror": the stretch goes back from its last frame, so
            that the clips keep their common times; videos of at most half the stretch are left out and listed.
            "mirror_last": as in TCLR the sparse and the last dense clip are completed with their own frames,
            backwards, and videos that end before the middle of the last dense clip (56 frames or fewer) are left out.
            "refuse": every shorter video is left out.

    Raises:
        UserError: if a number is too small, or does not divide, or the rule is unknown.
    """

    def __init__(
        self,
        frames: int = 16,
        dense: int = 4,
        stride: int = 1,
        short: Literal["mirror", "mirror_last", "refuse"] = "mirror",
    ) -> None:
        if dense < 2 or stride < 1 or frames < dense or frames % dense:
            raise UserError(
                "SparseDense takes two dense clips or more, a stride of at least 1, and clips of a multiple of as many "
                f"frames as there are dense clips, not dense {dense}, stride {stride}, frames {frames}"
            )
        self.frames = frames
        self.dense = dense
        self.stride = stride
        self.short = short
        self.min_frames = self._least()

    @property
    def stretch(self) -> int:
        """Frames of the video that the clips reach over: 64 in TCLR."""
        return span(self.dense * self.frames, self.stride)

    def _least(self) -> int:
        least = {
            # What is mirrored once holds more than half of its frames: all of the stretch, or the last dense clip.
            "mirror": self.stride * (self.dense * self.frames // 2) + 1,
            "mirror_last": self.stride * ((self.dense - 1) * self.frames + self.frames // 2) + 1,
            "refuse": self.stretch,
        }
        if self.short not in least:
            raise UserError(f"unknown rule {self.short!r} for short videos.{nearest(self.short, least)}")
        return least[self.short]

    def places(self, length: int) -> int:
        """How many starts a video of `length` frames has: 0, 1, ... places - 1.

        As in TCLR the very last place that would fit is never drawn where there is another.
        """
        return max(1, length - self.stretch)

    def numbers(self, length: int, start: int) -> NDArray[np.int64]:
        """Frame numbers int64 [1 + dense, frames] of the clips that begin at `start`.

        Args:
            length: frames of the video.
            start: of all clips; length - start is at least `min_frames`.
        """
        run = consecutive([start], self.dense * self.frames, self.stride)
        if self.short == "mirror":
            run = mirrored(run, length)
        clips = np.concatenate([run[:, :: self.dense], run.reshape(self.dense, self.frames)])
        return mirrored(clips, length) if self.short == "mirror_last" else clips

    def __call__(self, times: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
        return self.numbers(len(times), int(rng.integers(self.places(len(times)))))
