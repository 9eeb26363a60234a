"""What moves in front of a still camera: a map of the foreground from videos alone, without weights."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from praxino.errors import UserError
from praxino.streams.base import Derived
from praxino.streams.chains import LONGEST, chains_of, frames_of, refuse_chain
from praxino.streams.opencv import one_thread, opencv


class Foreground(Derived):
    """Pixels that differ from what was there before, in one channel: 255, and 0 for the background.

    It is OpenCV's MOG2 (Zivkovic, Improved Adaptive Gaussian Mixture Model for Background Subtraction, ICPR 2004): each
    pixel has a mixture of Gaussians, learnt from the frames before. No mask of a person: a ball, a wave and a
    scoreboard are foreground as well, somebody who sits still is not, and where the camera moves it is mostly noise.

    A frame is a function of those before it in its chain and in the lead in front of it, so these are decoded as well.
    The first frame of a video has nothing before it, and is all background. A frame without foreground is not present.

    Args:
        of: the stream whose frames are compared, on their canvas.
        threshold: squared distance from the background, in variances, above which a pixel is foreground; above 0.
        history: frames over which the background is learnt, at least 2; what stays for a tenth of them belongs to it.
        chain: frames after which the background is learnt anew.
        lead: frames in front of a chain from which it is learnt before.

    Raises:
        UserError: if a number is out of range; in `make`, if OpenCV is not installed.
    """

    channels = 1

    def __init__(
        self, of: str = "rgb", threshold: float = 16.0, history: int = 200, chain: int = 32, lead: int = 32
    ) -> None:
        if not (threshold > 0 and math.isfinite(threshold)):
            raise UserError(f"Foreground's threshold must be above 0, and finite, not {threshold}")
        if not 2 <= history <= LONGEST:
            raise UserError(f"Foreground's history must be at least 2 frames, and at most {LONGEST}, not {history}")
        refuse_chain("Foreground", chain, lead)
        self.of = of
        self.threshold = threshold
        self.history = history
        self.chain = chain
        self.lead = lead

    def needs(self, wanted: NDArray[np.int64]) -> NDArray[np.int64]:
        return frames_of(wanted, self.chain, self.lead)

    def make(self, pixels: NDArray[np.uint8], wanted: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The maps uint8 [len(wanted), H, W, 1].

        Raises:
            ValueError: if the frames are neither grey nor in colour.
        """
        if pixels.shape[3] not in (1, 3):
            raise ValueError(
                f"Foreground needs grey frames or RGB, and those of {self.of} have {pixels.shape[3]} channels"
            )
        cv2 = opencv("Foreground")
        maps = np.zeros((*wanted.shape, *pixels.shape[1:3], 1), np.uint8)
        frames = self.needs(wanted)
        with one_thread(cv2):
            for looked, some in chains_of(wanted, self.chain, self.lead):
                shown = self._shown(cv2, pixels[np.searchsorted(frames, looked)])
                maps[np.searchsorted(wanted, some), ..., 0] = shown[np.searchsorted(looked, some)]
        return maps

    def found(
        self, pixels: NDArray[np.uint8], wanted: NDArray[np.int64]
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        maps = self.make(pixels, wanted)
        return maps, np.asarray(maps.any((1, 2, 3)))

    def _shown(self, cv2: Any, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The maps [n, H, W] of a chain's frames [n, H, W, C]."""
        model = cv2.createBackgroundSubtractorMOG2(self.history, self.threshold, False)
        try:
            # Whatever it sees first is foreground to it: so it sees the first frame twice.
            model.apply(frames[0])
            # A fixed rate: OpenCV's own begins high, and would take the first thing that moves for background.
            return np.stack([model.apply(frame, learningRate=1 / self.history) for frame in frames])
        except cv2.error as error:
            raise ValueError(f"OpenCV cannot compare its frames: {error.err}") from error
