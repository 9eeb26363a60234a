"""From the responses of a few scales to where an object has moved: the search of SiamFC."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from praxino.evaluations.tracking.crops import EXTRA
from praxino.streams.opencv import opencv

TINY = 1e-16


@dataclass(frozen=True)
class Search:
    """How a place is looked for in responses.

    Args:
        factors: of the search square's side, one a scale: float64 [scales]; the middle one is 1.
        penalty: of the responses of all scales but the middle one.
        influence: of the window, 0 to 1: how much a place near the middle counts for being there.
        fine: places that a response is refined to in each direction.
    """

    factors: NDArray[np.float64]
    penalty: float
    influence: float
    fine: int

    def found(self, responses: NDArray[np.float32]) -> tuple[int, NDArray[np.float64], float]:
        """The best scale and place.

        Each response is refined by a bicubic interpolation. The scale is that of the highest response; its response,
        shifted and scaled to a sum of 1, is mixed with a Hann window of the sum 1, and the place is the highest of
        that. Of equal ones the first counts.

        Args:
            responses: float32 [scales, n, n].

        Returns:
            The scale's number; the place in cells of the response, (row, column) as float64 [2], of which 0 is the
            middle of the first cell; and the highest response of this scale, as it came in.
        """
        cells = responses.shape[-1]
        cv2 = opencv("A tracker", EXTRA)
        size = (self.fine, self.fine)
        fine = np.stack([cv2.resize(one, size, interpolation=cv2.INTER_CUBIC) for one in responses])
        weights = np.full(len(fine), self.penalty, np.float32)
        weights[len(fine) // 2] = 1
        best = int((fine.max((1, 2)) * weights).argmax())
        response = fine[best] * weights[best]
        response -= response.min()
        response /= response.sum() + TINY
        response = (1 - self.influence) * response + self.influence * self.window
        place = np.array(np.unravel_index(int(response.argmax()), response.shape), np.float64)
        return best, (place + 0.5) * cells / self.fine - 0.5, float(fine[best].max())

    @cached_property
    def window(self) -> NDArray[np.float64]:
        """float64 [fine, fine], of the sum 1."""
        line = np.hanning(self.fine)
        window = np.outer(line, line)
        return window / window.sum()
