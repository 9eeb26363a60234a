"""What an encoder's tracker has to be better than: the box that never moves, and trackers of OpenCV."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from praxino.errors import UserError
from praxino.streams.opencv import opencv

Box = NDArray[np.float64]
Frame = NDArray[np.uint8]

STILL = "box that never moves"
MIL = "MIL of OpenCV"
NANO = "TrackerNano of OpenCV"
EXTRA = "tracking"


class Follows(Protocol):
    """What a tracker is: it is shown the frames of a video in order.

    A frame is uint8 [H, W, 3], RGB; a box float64 [4], x, y, width and height in pixels, the corner counted from 0.

    Attributes:
        confidence: of the last box, 0 to 1; NaN where there is none.
    """

    confidence: float

    def init(self, frame: Frame, box: Box) -> None:
        """Takes the object that a box marks in the first frame."""

    def update(self, frame: Frame) -> Box:
        """Where it is in the next frame."""


class StillBox:
    """Says in every frame that the object is where it was in the first."""

    confidence = math.nan

    def init(self, frame: Frame, box: Box) -> None:
        self._box = np.asarray(box, np.float64)

    def update(self, frame: Frame) -> Box:
        return self._box


class OpenCVTracker:
    """A tracker of OpenCV's. Where it fails the object stays where it was last.

    Args:
        make: gives a new one.
        cv2: the module.

    Attributes:
        confidence: as of `Follows`; NaN where a tracker tells none.
        failures: frames in which it lost the object, or raised an error; all of them, where it did not begin.
        reason: of the first error, or "".
    """

    def __init__(self, make: Callable[[], Any], cv2: Any) -> None:
        self._make = make
        self._cv2 = cv2
        self.confidence = math.nan
        self.failures = 0
        self.reason = ""

    def init(self, frame: Frame, box: Box) -> None:
        self._box = np.asarray(box, np.float64)
        self.failures, self.reason, self._tracker = 0, "", None
        tracker = self._make()
        try:
            # Its boxes are of whole pixels.
            tracker.init(self._bgr(frame), tuple(round(float(number)) for number in box))
        except self._cv2.error as error:
            self.reason = _line(error)
        else:
            self._tracker = tracker

    def update(self, frame: Frame) -> Box:
        self.confidence = math.nan
        found = False
        if self._tracker is not None:
            try:
                found, box = self._tracker.update(self._bgr(frame))
                if hasattr(self._tracker, "getTrackingScore"):
                    self.confidence = float(self._tracker.getTrackingScore())
            except self._cv2.error as error:
                found = False
                self.reason = self.reason or _line(error)
        if found:
            self._box = np.array(box, np.float64)
        self.failures += not found
        return self._box

    def _bgr(self, frame: Frame) -> Frame:
        return np.ascontiguousarray(frame[..., ::-1])


def mil() -> OpenCVTracker:
    """OpenCV's MIL (Babenko, Yang, Belongie: Visual tracking with online multiple instance learning, 2009).

    It learns the object's looks while it follows, and knows nothing beforehand. It draws from a generator
    of OpenCV's that cannot be set from outside and goes on within a process: what it has followed before changes its
    boxes.

    Raises:
        UserError: if OpenCV is not installed.
    """
    cv2 = opencv("MIL", EXTRA)
    return OpenCVTracker(cv2.TrackerMIL.create, cv2)


def nano(backbone: str, head: str) -> OpenCVTracker:
    """OpenCV's TrackerNano: a small network trained for tracking, with labels, on millions of boxes.

    Args:
        backbone, head: its two ONNX files, which OpenCV's own collection of models has.

    Raises:
        UserError: if OpenCV is not installed, or cannot read the files.
    """
    cv2 = opencv("TrackerNano", EXTRA)
    for path in (backbone, head):
        if not os.path.isfile(path):
            raise UserError(f"TrackerNano: there is no file {path}")
    parameters = cv2.TrackerNano.Params()
    parameters.backbone, parameters.neckhead = backbone, head
    tracker = OpenCVTracker(lambda: cv2.TrackerNano.create(parameters), cv2)
    try:
        cv2.TrackerNano.create(parameters)
    except cv2.error as error:
        raise UserError(f"TrackerNano: OpenCV cannot read {backbone} and {head}: {_line(error)}") from None
    return tracker


def _line(error: Exception) -> str:
    """The first line of an error, cut where it is long."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
