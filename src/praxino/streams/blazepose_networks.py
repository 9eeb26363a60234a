"""BlazePose's networks: what they say of a frame, and OpenCV, which runs one of them."""

from __future__ import annotations

import tempfile
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from praxino.errors import UserError
from praxino.streams.blazepose_region import Region
from praxino.streams.blazepose_weights import read_weights

SIDE = 256  # of what the landmark network sees, in pixels
POINTS = 39  # 33 of the body, two that say where the person is, four that are not used
CENTRE, TOP = 33, 34
LANDMARKS, FLAG, MASK = "Identity", "Identity_1", "Identity_2"


class Pose(NamedTuple):
    """What the landmark network says of a region.

    Attributes:
        points: float32 [39, 2], to the right and down, in shares of the region.
        flag: how sure it is that there is a person, 0 to 1.
        mask: float32 [256, 256], the logits of the person's pixels.
    """

    points: NDArray[np.float32]
    flag: float
    mask: NDArray[np.float32]


class Networks(Protocol):
    """Finds a person in a frame, and looks at a person's region."""

    def search(self, frame: NDArray[np.uint8]) -> Region | None:
        """Where a person is in a frame [H, W, 3] of which nothing is known; None where there is nobody."""

    def look(self, frame: NDArray[np.uint8], region: Region) -> Pose:
        """The pose of the person in a region of a frame."""


def next_region(pose: Pose, region: Region, height: int, width: int) -> Region | None:
    """Where a person of this pose is, as MediaPipe takes it for the frame to come.

    Args:
        pose: seen in `region`.
        region: of a frame.
        height, width: of the frame.
    """
    centre, top = region.to_frame(pose.points[[CENTRE, TOP]])
    return Region.around(centre, top, height, width)


def by_looking(networks: Networks, frame: NDArray[np.uint8]) -> Region | None:
    """Where the landmark network sees somebody who looks at all of a frame [H, W, 3], however unsure it is."""
    height, width = frame.shape[:2]
    whole = Region.whole(height, width)
    return next_region(networks.look(frame, whole), whole, height, width)


class OpenCVNetworks:
    """The landmark network in OpenCV. It searches by looking at the whole frame, and then there where it sees someone.

    Args:
        cv2: OpenCV.
        weights: the wheel.

    Raises:
        UserError: if OpenCV is too old, or cannot read the network; if the weights are not there.
    """

    def __init__(self, cv2: Any, weights: str) -> None:
        if not hasattr(cv2.dnn, "ENGINE_CLASSIC"):
            raise UserError(
                f"BlazePose needs OpenCV 5 or newer, and this is {cv2.__version__}: "
                'pip install "opencv-python-headless>=5"'
            )
        self.cv2 = cv2
        data = read_weights(weights, "pose_landmark_full")
        try:
            # By its name: given the bytes, OpenCV 5.0 forgets which engine it was told, and the new one loses outputs.
            with tempfile.NamedTemporaryFile(suffix=".tflite") as file:
                file.write(data)
                file.flush()
                self.network = cv2.dnn.readNetFromTFLite(file.name, cv2.dnn.ENGINE_CLASSIC)
        except (OSError, cv2.error) as error:
            raise UserError(f"OpenCV {cv2.__version__} cannot read BlazePose's network: {_line(error)}") from None

    def search(self, frame: NDArray[np.uint8]) -> Region | None:
        return by_looking(self, frame)

    def look(self, frame: NDArray[np.uint8], region: Region) -> Pose:
        seen = region.cut(self.cv2, frame, SIDE)
        self.network.setInput(np.ascontiguousarray(seen.transpose(2, 0, 1)[None], np.float32) / np.float32(255))
        return pose_of(*self.network.forward([LANDMARKS, FLAG, MASK]))


def pose_of(landmarks: NDArray[Any], flag: NDArray[Any], mask: NDArray[Any]) -> Pose:
    """What the landmark network's outputs mean: 39 points of x, y, z and two scores in pixels of its picture; one
    number; a map of logits."""
    points = landmarks.reshape(POINTS, 5)[:, :2] / np.float32(SIDE)
    return Pose(points.astype(np.float32), float(flag.reshape(())), mask.reshape(SIDE, SIDE).astype(np.float32))


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
