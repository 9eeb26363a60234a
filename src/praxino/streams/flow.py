"""Optical flow computed while loading, from the decoded frames: for those who have videos and nothing else."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from praxino.errors import UserError
from praxino.streams.base import Derived
from praxino.streams.opencv import one_thread, opencv

# OpenCV's flow refuses frames that are smaller than its patches in the pyramid.
SMALLEST = 12


def encode_flow(flow: NDArray[np.floating[Any]], bound: float) -> NDArray[np.uint8]:
    """Flow in 8 bits, as in the pictures of two-stream networks (Simonyan and Zisserman, NeurIPS 2014).

    255 * (flow + bound) / (2 * bound), cut to [0, 255] and rounded half to even: no motion, 127.5, is 128.

    Args:
        flow: pixels a frame, of any shape.
        bound: pixels a frame at which the levels end, above 0.
    """
    return np.rint(flow * (127.5 / bound) + 127.5).clip(0, 255).astype(np.uint8)


def decode_flow(levels: NDArray[np.uint8], bound: float) -> NDArray[np.float32]:
    """Pixels a frame of the levels that `encode_flow` gives: no level is exactly no motion, 128 is bound / 255.

    Args:
        levels: uint8 of any shape.
        bound: that of the encoding.
    """
    return ((levels / np.float32(255) - np.float32(0.5)) * np.float32(2 * bound)).astype(np.float32)


class PairwiseFlow(Derived):
    """The optical flow from each frame to the next, in two channels: u to the right, then v down.

    It is computed between the grey levels of frames k and k + 1, as they are on their canvas, and becomes 8-bit as the
    pictures of two-stream networks do (`encode_flow`): 128 is no motion. The last frame has no next one: as in a folder
    of flow pictures, there is one frame fewer.

    Each frame is decoded once for all streams. In whichever process, the same bits come out. A clip with a stride has
    the flow to the very next frame of the video, not to the next one of the clip.

    A new one overrides `estimator`, and hands `of` and `bound` on to this constructor.

    Args:
        of: the stream whose frames are compared.
        bound: pixels a frame (of the canvas) at which the levels end, above 0. What moves further looks the same.

    Raises:
        UserError: if the bound is no such number; in `make`, if OpenCV is not installed.
    """

    channels = 2
    fewer = 1

    def __init__(self, of: str = "rgb", bound: float = 20.0) -> None:
        if not (bound > 0 and math.isfinite(bound)):
            raise UserError(f"{type(self).__name__}'s bound must be above 0 pixels, and finite, not {bound}")
        self.of = of
        self.bound = bound

    @abstractmethod
    def estimator(self, cv2: Any) -> Callable[[NDArray[np.uint8], NDArray[np.uint8]], NDArray[np.float32]]:
        """What gives the flow [H, W, 2], in pixels, from one grey picture [H, W] to another.

        Args:
            cv2: OpenCV, with one thread.
        """

    def needs(self, wanted: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.union1d(wanted, wanted + 1)

    def make(self, pixels: NDArray[np.uint8], wanted: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The flow uint8 [len(wanted), H, W, 2].

        Raises:
            ValueError: if a side of the frames is below 12 pixels, they are not in colour, or OpenCV refuses them.
        """
        height, width, channels = pixels.shape[1:]
        if channels != 3:
            raise ValueError(f"optical flow needs frames in RGB, and those of {self.of} have {channels} channels")
        if min(height, width) < SMALLEST:
            raise ValueError(f"optical flow needs frames of {SMALLEST} pixels at least, not {height}x{width}")
        cv2 = opencv(type(self).__name__)
        with one_thread(cv2):
            try:
                estimate = self.estimator(cv2)
                grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in pixels]
                first = np.searchsorted(self.needs(wanted), wanted)
                return np.stack([encode_flow(estimate(grey[k], grey[k + 1]), self.bound) for k in first])
            except cv2.error as error:
                raise ValueError(f"OpenCV computes no flow of its frames: {error.err}") from error


class DISFlow(PairwiseFlow):
    """The optical flow of each frame by dense inverse search: as good as it is quick.

    It is OpenCV's DIS (Kroeger et al., Fast Optical Flow using Dense Inverse Search, ECCV 2016). Everything else is as
    in `PairwiseFlow`.

    Args:
        of: the stream whose frames are compared.
        bound: pixels a frame (of the canvas) at which the levels end, above 0. What moves further looks the same.
        preset: OpenCV's: the better, the slower.

    Raises:
        UserError: if an argument is none of these; in `make`, if OpenCV is not installed.
    """

    def __init__(
        self, of: str = "rgb", bound: float = 20.0, preset: Literal["ultrafast", "fast", "medium"] = "medium"
    ) -> None:
        super().__init__(of, bound)
        if preset not in ("ultrafast", "fast", "medium"):
            raise UserError(f"DISFlow's preset is ultrafast, fast or medium, not {preset!r}")
        self.preset = preset

    def estimator(self, cv2: Any) -> Callable[[NDArray[np.uint8], NDArray[np.uint8]], NDArray[np.float32]]:
        method = cv2.DISOpticalFlow_create(getattr(cv2, f"DISOPTICAL_FLOW_PRESET_{self.preset.upper()}"))
        return lambda one, next: method.calc(one, next, None)
