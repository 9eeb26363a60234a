"""Optical flow by the algorithms of published data sets, each called what it is: Farneback's, and TV-L1.

The tool dense_flow takes algorithms by number, 0 being Farneback's, and CoCon's script calls 0 "tvl1".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from praxino.errors import UserError
from praxino.streams.flow import PairwiseFlow

Estimate = Callable[[NDArray[np.uint8], NDArray[np.uint8]], NDArray[np.float32]]


class FarnebackFlow(PairwiseFlow):
    """The optical flow of each frame by Farneback's algorithm (Two-Frame Motion Estimation, SCIA 2003).

    It is OpenCV's `calcOpticalFlowFarneback`. Everything else is as in `PairwiseFlow`.

    Args:
        of: the stream whose frames are compared.
        bound: pixels a frame (of the canvas) at which the levels end, above 0.
        scale: of each level of the pyramid to the one below it, between 0 and 1.
        levels: of the pyramid, 1 or more.
        window: pixels of the window that averages, 1 or more: a larger one gives a smoother flow.
        iterations: at each level, 1 or more.
        neighbourhood: pixels to which a polynomial is fitted, 5 or 7 as a rule.
        sigma: of the Gaussian by which these pixels count, above 0: 1.1 with 5 of them, 1.5 with 7.

    Raises:
        UserError: if a number is out of its range; in `make`, if OpenCV is not installed.
    """

    def __init__(
        self,
        of: str = "rgb",
        bound: float = 20.0,
        scale: float = 0.5,
        levels: int = 3,
        window: int = 15,
        iterations: int = 3,
        neighbourhood: int = 5,
        sigma: float = 1.2,
    ) -> None:
        super().__init__(of, bound)
        if not 0 < scale < 1:
            raise UserError(f"FarnebackFlow's scale must be between 0 and 1, not {scale}")
        if not sigma > 0:
            raise UserError(f"FarnebackFlow's sigma must be above 0, not {sigma}")
        _refuse_below_one(self, levels=levels, window=window, iterations=iterations, neighbourhood=neighbourhood)
        self.scale = scale
        self.levels = levels
        self.window = window
        self.iterations = iterations
        self.neighbourhood = neighbourhood
        self.sigma = sigma

    def estimator(self, cv2: Any) -> Estimate:
        settings = (self.scale, self.levels, self.window, self.iterations, self.neighbourhood, self.sigma, 0)
        return lambda one, next: cv2.calcOpticalFlowFarneback(one, next, None, *settings)


class TVL1Flow(PairwiseFlow):
    """The optical flow of each frame by TV-L1, with which two-stream networks are usually trained; a slow one.

    It is OpenCV's dual TV-L1 (Zach, Pock and Bischof, DAGM 2007). It is not in the usual package of OpenCV but in
    opencv-contrib-python-headless, which replaces the other one's files: give it an environment of its own. Everything
    else is as in `PairwiseFlow`.

    Args:
        of: the stream whose frames are compared.
        bound: pixels a frame (of the canvas) at which the levels end, above 0.
        scales: of the pyramid, 1 or more.
        warps: of each scale, 1 or more: fewer are quicker and less exact.
        epsilon: at which change an iteration ends, above 0: larger ones are quicker and less exact.

    Raises:
        UserError: if a number is out of its range; in `make`, if OpenCV is not installed, or without TV-L1.
    """

    def __init__(
        self, of: str = "rgb", bound: float = 20.0, scales: int = 5, warps: int = 5, epsilon: float = 0.01
    ) -> None:
        super().__init__(of, bound)
        if not epsilon > 0:
            raise UserError(f"TVL1Flow's epsilon must be above 0, not {epsilon}")
        _refuse_below_one(self, scales=scales, warps=warps)
        self.scales = scales
        self.warps = warps
        self.epsilon = epsilon

    def estimator(self, cv2: Any) -> Estimate:
        if not hasattr(getattr(cv2, "optflow", None), "DualTVL1OpticalFlow_create"):
            raise UserError(
                "TVL1Flow needs opencv-contrib-python-headless, which clashes with opencv-python-headless: install it "
                "in an environment of its own, prepare the flow there, and read it by FlowFolder"
            )
        method = cv2.optflow.DualTVL1OpticalFlow_create(nscales=self.scales, warps=self.warps, epsilon=self.epsilon)
        return lambda one, next: method.calc(one, next, None)


def _refuse_below_one(owner: object, **numbers: int) -> None:
    for name, number in numbers.items():
        if number < 1:
            raise UserError(f"{type(owner).__name__}'s {name} must be 1 or more, not {number}")
