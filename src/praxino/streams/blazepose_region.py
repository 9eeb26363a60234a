"""The square of a frame that BlazePose looks at: turned, so that the person stands upright in it.

Positions are in pixels from the frame's left and upper edge, so that the middle of the first pixel is (0.5, 0.5).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# How much wider the square is than the circle around a person (MediaPipe, pose_landmarks_to_roi).
MARGIN = 1.25
# A square so many times larger than its frame, or smaller than a pixel, is of nobody.
LARGEST = 10.0


@dataclass(frozen=True)
class Region:
    """A square in a frame.

    Args:
        x, y: its centre.
        side: in pixels.
        angle: radians by which it is turned, clockwise as one sees it.
    """

    x: float
    y: float
    side: float
    angle: float = 0.0

    @classmethod
    def whole(cls, height: int, width: int) -> Region:
        """The smallest upright square around a frame."""
        return cls(width / 2, height / 2, float(max(height, width)))

    @classmethod
    def around(cls, centre: NDArray[np.floating], top: NDArray[np.floating], height: int, width: int) -> Region | None:
        """The region of a person, or None where two points cannot be one.

        Args:
            centre: x and y of the middle of the hips.
            top: x and y of a point above, as far away as the circle around the person reaches.
            height, width: of the frame.
        """
        x, y = float(centre[0]), float(centre[1])
        right, down = float(top[0]) - x, float(top[1]) - y
        side = 2 * MARGIN * math.hypot(right, down)
        # Somebody's hips may be outside of a close-up. A number that is not finite fails, too.
        inside = -side / 2 < x < width + side / 2 and -side / 2 < y < height + side / 2
        if not (1 <= side <= LARGEST * max(height, width) and inside):
            return None
        return cls(x, y, side, math.atan2(right, -down))

    def to_frame(self, shares: NDArray[np.floating]) -> NDArray[np.float64]:
        """Where in the frame points of the region are.

        Args:
            shares: [..., 2], to the right and down, 0 to 1 across the region.

        Returns:
            x and y, [..., 2].
        """
        cosine, sine = math.cos(self.angle), math.sin(self.angle)
        right, down = np.moveaxis((np.asarray(shares, np.float64) - 0.5) * self.side, -1, 0)
        return np.stack([self.x + cosine * right - sine * down, self.y + sine * right + cosine * down], -1)

    def cut(self, cv2: Any, frame: NDArray[np.uint8], size: int, black: bool = False) -> NDArray[np.uint8]:
        """What the region shows, [size, size, C]; beyond the frame its outermost pixels go on, or it is black.

        Args:
            cv2: OpenCV.
            frame: [H, W, C].
            size: side of what comes out, in pixels.
            black: what is beyond the frame.
        """
        beyond = cv2.BORDER_CONSTANT if black else cv2.BORDER_REPLICATE
        how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(frame, self._pixels(size), (size, size), flags=how, borderMode=beyond)

    def paste(self, cv2: Any, mask: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
        """What the region shows, put back into its frame, [height, width]; around it 0.

        Args:
            cv2: OpenCV.
            mask: [size, size].
            height, width: of the frame.
        """
        return cv2.warpAffine(mask, self._pixels(len(mask)), (width, height), flags=cv2.INTER_LINEAR)

    def _pixels(self, size: int) -> NDArray[np.float64]:
        """From numbers of the region's pixels to those of the frame's, [2, 3]."""
        corners = np.array([[0.5, 0.5], [1.5, 0.5], [0.5, 1.5]]) / size
        first, right, down = self.to_frame(corners) - 0.5
        return np.stack([right - first, down - first, first], 1)
