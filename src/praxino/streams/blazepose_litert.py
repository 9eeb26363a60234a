"""BlazePose's networks in LiteRT, which also runs the detector that OpenCV cannot load."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from praxino.errors import UserError
from praxino.streams.blazepose_networks import FLAG, LANDMARKS, MASK, SIDE, Pose, by_looking, pose_of
from praxino.streams.blazepose_region import Region
from praxino.streams.blazepose_weights import read_weights

DETECTOR_SIDE = 224
# Cells of this many pixels, and how many guesses each makes (MediaPipe, pose_detection).
CELLS = ((8, 2), (16, 2), (32, 6))
GUESSES, SCORES = "Identity", "Identity_1"
# Of a guess's 12 numbers: the middle of the hips, and a point above as far away as the circle around the person.
POINTS = slice(4, 8)
LEAST_SCORE = 0.5  # also of the flag by which the detector is believed


class LiteRTNetworks:
    """Both networks in LiteRT: the detector searches, the landmark network looks.

    Of all people that the detector sees, the one that it is surest of is taken. It needs to see the hips: where it
    finds nobody, or the landmark network sees nobody there, that one looks at the whole frame, as with OpenCV.

    Args:
        cv2: OpenCV, which cuts the regions.
        weights: the wheel.

    Raises:
        UserError: if LiteRT is not installed, or the weights are not there.
    """

    def __init__(self, cv2: Any, weights: str) -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise UserError(f'this way of BlazePose needs LiteRT: pip install "praxino[litert]" ({error})') from None
        self.cv2 = cv2
        self.detector, self.landmarks = (
            _Ready(Interpreter(model_content=read_weights(weights, part), num_threads=1))
            for part in ("pose_detection", "pose_landmark_full")
        )
        self.anchors = anchors()

    def search(self, frame: NDArray[np.uint8]) -> Region | None:
        region = self.detected(frame)
        if region is None or self.look(frame, region).flag < LEAST_SCORE:
            return by_looking(self, frame)
        return region

    def detected(self, frame: NDArray[np.uint8]) -> Region | None:
        """Where the detector sees somebody in a frame [H, W, 3]; None where it does not."""
        height, width = frame.shape[:2]
        whole = Region.whole(height, width)
        seen = whole.cut(self.cv2, frame, DETECTOR_SIDE, black=True)
        made = self.detector(seen / np.float32(127.5) - np.float32(1))
        guesses, scores = made[GUESSES][0], made[SCORES].reshape(-1)  # [2254, 12], [2254]
        best = int(scores.argmax())
        if scores[best] < np.log(LEAST_SCORE / (1 - LEAST_SCORE)):
            return None
        points = guesses[best, POINTS].reshape(2, 2) / DETECTOR_SIDE + self.anchors[best]
        hips, around = whole.to_frame(points)
        return Region.around(hips, around, height, width)

    def look(self, frame: NDArray[np.uint8], region: Region) -> Pose:
        made = self.landmarks(region.cut(self.cv2, frame, SIDE) / np.float32(255))
        return pose_of(*(made[name] for name in (LANDMARKS, FLAG, MASK)))


class _Ready:
    """An interpreter: a picture float32 [side, side, 3] in, its outputs by their names out."""

    def __init__(self, interpreter: Any) -> None:
        interpreter.allocate_tensors()
        self.interpreter = interpreter
        self.input = interpreter.get_input_details()[0]["index"]
        self.outputs = {one["name"]: one["index"] for one in interpreter.get_output_details()}

    def __call__(self, picture: NDArray[np.floating[Any]]) -> dict[str, NDArray[Any]]:
        self.interpreter.set_tensor(self.input, picture.astype(np.float32)[None])
        self.interpreter.invoke()
        return {name: self.interpreter.get_tensor(index) for name, index in self.outputs.items()}


def anchors() -> NDArray[np.float64]:
    """From where the detector's guesses are counted: x and y in shares of its picture, [2254, 2], row by row."""
    made = []
    for pixels, guesses in CELLS:
        cells = DETECTOR_SIDE // pixels
        middle = (np.arange(cells) + 0.5) / cells
        grid = np.stack(np.meshgrid(middle, middle), -1).reshape(-1, 2)
        made.append(np.repeat(grid, guesses, 0))
    return np.concatenate(made)
