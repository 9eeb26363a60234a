"""Which frames make the clips."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray


class Sampler(ABC):
    """Draws the clips of one video.

    A sampler is a draw, then a pure function `frames(length, *drawn)`: tests and golden items call the latter.

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
