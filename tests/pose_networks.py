"""Networks of BlazePose's form that a test can foresee, and where the real ones are."""

import os
import zlib

import numpy as np
import pytest

from praxino.streams.blazepose_networks import POINTS, SIDE, Pose
from praxino.streams.blazepose_region import Region

WHEEL = os.environ.get("PRAXINO_MEDIAPIPE_WHEEL", "")
needs_wheel = pytest.mark.skipif(
    not WHEEL, reason="PRAXINO_MEDIAPIPE_WHEEL names no mediapipe-0.10.21-*.whl with BlazePose's weights"
)


class StandIn:
    """Sees by chance, but the same in the same frame and region: what it saw before decides what it sees next."""

    def __init__(self):
        self.searched = 0

    def search(self, frame):
        self.searched += 1
        rng = np.random.default_rng(zlib.crc32(frame.tobytes()))
        height, width = frame.shape[:2]
        return Region(width / 2, height / 2, 8.0, 0.25) if rng.random() < 0.8 else None

    def look(self, frame, region):
        where = repr((round(region.x, 6), round(region.y, 6), round(region.side, 6), round(region.angle, 6)))
        rng = np.random.default_rng(zlib.crc32(frame.tobytes() + where.encode()))
        points = rng.uniform(0.3, 0.7, (POINTS, 2)).astype(np.float32)
        return Pose(points, float(rng.random() ** 0.5), rng.normal(0, 3, (SIDE, SIDE)).astype(np.float32))


class Upright:
    """Everywhere one person whose landmarks are where they are told, in shares of the whole frame's square."""

    def __init__(self, points, flag=1.0, mask=None):
        self.points = np.concatenate([points, np.full((POINTS - len(points), 2), 0.5)]).astype(np.float32)
        self.flag = flag
        self.mask = np.full((SIDE, SIDE), -20.0, np.float32) if mask is None else mask

    def search(self, frame):
        return Region.whole(*frame.shape[:2])

    def look(self, frame, region):
        return Pose(self.points, self.flag, self.mask)
