"""Optical flow computed while loading, from the decoded frames: for those who have videos and nothing else."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from praxino.errors import UserError
from praxino.streams.base import Derived

# OpenCV's flow refuses frames that are smaller than its patches in the pyramid.
SMALLEST = 12


class DISFlow(Derived):
    """One component of the optical flow from each frame to the next, as the grey pictures of two-stream networks.

    The flow is OpenCV's DIS (Kroeger et al., Fast Optical Flow using Dense Inverse Search, ECCV 2016) between the grey
    levels of frames k and k + 1, as they are on their canvas. It becomes 8-bit as two-stream JPEGs do, round(255 *
    (flow + bound) / (2 * bound)) cut to [0, 255], in three equal channels: 128 is no motion, more is to the right (u)
    or down (v). The last frame has no next one: as in a folder of flow pictures, there is one frame fewer.

    Where both components are asked for, the flow is computed once for both, and each frame is decoded once for all
    streams. In whichever process, the same bits come out. A clip with a stride has the flow to the very next frame of
    the video, not to the next one of the clip.

    Args:
        component: u is horizontal, v vertical.
        of: the stream whose frames are compared.
        bound: pixels a frame (of the canvas) at which the grey levels end, above 0. What moves further looks the same.
        preset: OpenCV's: the better, the slower.

    Raises:
        UserError: if an argument is none of these; in `prepare`, if OpenCV is not installed.
    """

    fewer = 1

    def __init__(
        self,
        component: Literal["u", "v"] = "u",
        of: str = "rgb",
        bound: float = 20.0,
        preset: Literal["ultrafast", "fast", "medium"] = "medium",
    ) -> None:
        if component not in ("u", "v"):
            raise UserError(f"DISFlow's component is u or v, not {component!r}")
        if not bound > 0:
            raise UserError(f"DISFlow's bound must be above 0 pixels, not {bound}")
        if preset not in ("ultrafast", "fast", "medium"):
            raise UserError(f"DISFlow's preset is ultrafast, fast or medium, not {preset!r}")
        self.component = component
        self.of = of
        self.bound = bound
        self.preset = preset

    @property
    def prepared_as(self) -> Hashable:
        return self.preset

    def needs(self, wanted: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.union1d(wanted, wanted + 1)

    def prepare(self, pixels: NDArray[np.uint8], wanted: NDArray[np.int64]) -> NDArray[np.float32]:
        """The flow float32 [len(wanted), H, W, 2], pixels to the right and down.

        Raises:
            ValueError: if a side of the frames is below 12 pixels, or they are not in colour.
        """
        height, width, channels = pixels.shape[1:]
        if channels != 3:
            raise ValueError(f"optical flow needs frames in RGB, and those of {self.of} have {channels} channels")
        if min(height, width) < SMALLEST:
            raise ValueError(f"optical flow needs frames of {SMALLEST} pixels at least, not {height}x{width}")
        cv2 = _opencv()
        threads = cv2.getNumThreads()
        # Its threads would compete with the other loading processes, and must not exist when a process forks.
        cv2.setNumThreads(1)
        try:
            grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in pixels]
            method = cv2.DISOpticalFlow_create(getattr(cv2, f"DISOPTICAL_FLOW_PRESET_{self.preset.upper()}"))
            first = np.searchsorted(self.needs(wanted), wanted)
            return np.stack([method.calc(grey[k], grey[k + 1], None) for k in first])
        finally:
            cv2.setNumThreads(threads)

    def make(self, prepared: NDArray[Any], wanted: NDArray[np.int64]) -> NDArray[np.uint8]:
        flow = prepared[..., "uv".index(self.component), None]
        levels = np.rint(flow * (127.5 / self.bound) + 127.5).clip(0, 255).astype(np.uint8)
        return levels.repeat(3, axis=-1)


def _opencv() -> Any:
    try:
        import cv2
    except ImportError as error:
        raise UserError(f'DISFlow needs OpenCV: pip install "praxino[flow]" ({error})') from None
    return cv2
