"""Trackers of OpenCV beside ours: what they follow, and what becomes of their errors."""

import math

import numpy as np
import pytest

from praxino.catalogs.otb import OTB
from praxino.errors import UserError
from praxino.evaluations.tracking.baselines import MIL, OpenCVTracker, StillBox, mil, nano
from praxino.evaluations.tracking.measure import compare_trackers
from praxino.evaluations.tracking.scores import overlap
from sequences import frame, walk, write_otb


class FakeError(Exception):
    """As `cv2.error`, the base of all that OpenCV raises."""


class FakeCV2:
    error = FakeError


class Fails:
    """Finds the object in frames of even numbers, loses it in the third, and raises in the fifth."""

    def __init__(self, begins=True):
        self.begins = begins
        self.number = 0

    def init(self, picture, box):
        assert all(isinstance(number, int) for number in box)
        if not self.begins:
            raise FakeError("OpenCV(5.0.0) no room\n> for it")

    def update(self, picture):
        self.number += 1
        if self.number == 5:
            raise FakeError("(-215) broke\nmore lines")
        return self.number != 3, (self.number, 0, 10, 10)


def shown(tracker, frames=6):
    tracker.init(np.zeros((20, 20, 3), np.uint8), np.array([0.4, 0, 10, 10]))
    return [tracker.update(np.zeros((20, 20, 3), np.uint8))[0] for _ in range(frames)]


def test_a_tracker_that_fails_keeps_its_last_box():
    tracker = OpenCVTracker(Fails, FakeCV2)
    assert shown(tracker) == [1, 2, 2, 4, 4, 6]
    assert (tracker.failures, tracker.reason) == (2, "(-215) broke")
    assert math.isnan(tracker.confidence)
    assert shown(tracker) == [1, 2, 2, 4, 4, 6]  # it begins anew
    assert tracker.failures == 2


def test_a_tracker_that_does_not_begin_stays_where_it_is():
    tracker = OpenCVTracker(lambda: Fails(begins=False), FakeCV2)
    assert shown(tracker) == [0.4] * 6
    assert (tracker.failures, tracker.reason) == (6, "OpenCV(5.0.0) no room")


def test_failures_are_counted_beside_the_number(tmp_path):
    write_otb(tmp_path, "Crossing")
    result = compare_trackers({"still": StillBox(), MIL: OpenCVTracker(Fails, FakeCV2)}, OTB(tmp_path))
    assert result.settings["frames in which a tracker failed"] == f"{MIL}: 2 in Crossing ((-215) broke)"


def test_mil_follows_what_it_is_shown():
    pytest.importorskip("cv2")
    tracker, truth = mil(), walk(12, seed=4, side=16)
    tracker.init(frame(truth[0], 1), truth[0])
    # The noise is the same in all frames, and the square walks a few pixels a frame.
    boxes = np.stack([tracker.update(frame(box, 1)) for box in truth[1:]])
    assert tracker.failures == 0
    assert overlap(boxes, truth[1:]).mean() > overlap(truth[:1], truth[1:]).mean()
    assert overlap(boxes, truth[1:]).mean() > 0.5


def test_an_error_of_opencv_itself_is_caught():
    """MIL cannot begin with a box that has no area."""
    pytest.importorskip("cv2")
    tracker = mil()
    tracker.init(frame(walk(1)[0]), np.array([3, 3, 0, 0.0]))
    assert tracker.update(frame(walk(1)[0])).tolist() == [3, 3, 0, 0]
    assert tracker.failures == 1


def test_files_that_are_no_networks(tmp_path):
    pytest.importorskip("cv2")
    with pytest.raises(UserError, match="TrackerNano: there is no file"):
        nano(str(tmp_path / "backbone.onnx"), str(tmp_path / "head.onnx"))
    for name in ("backbone.onnx", "head.onnx"):
        (tmp_path / name).write_bytes(b"no network")
    with pytest.raises(UserError, match="TrackerNano: OpenCV cannot read"):
        nano(str(tmp_path / "backbone.onnx"), str(tmp_path / "head.onnx"))
