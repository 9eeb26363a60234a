"""What moves is foreground, and the map of a frame is a function of its number."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from praxino.errors import UserError
from praxino.streams.foreground import Foreground

cv2 = pytest.importorskip("cv2", reason="OpenCV subtracts the background")


def moving(frames, start=0, seed=0):
    """A square of 8 pixels that goes right by 2 a frame, in front of a still pattern with a little noise."""
    rng = np.random.default_rng(seed)
    still = rng.integers(60, 120, (32, 96, 3))
    pixels = still + rng.integers(-2, 3, (frames, 32, 96, 3))
    for k in range(frames):
        left = (start + 2 * k) % 88
        pixels[k, 12:20, left : left + 8] = 230
    return pixels.astype(np.uint8)


def test_what_moves_is_foreground():
    pixels = moving(60)
    maps = Foreground().make(pixels, np.arange(60))
    assert maps.shape == (60, 32, 96, 1)
    assert set(np.unique(maps)) == {0, 255}
    assert not maps[0].any()
    for k in range(5, 44):
        truth = np.zeros((32, 96), bool)
        truth[12:20, 2 * k : 2 * k + 8] = True
        seen = maps[k, ..., 0] > 0
        assert seen[truth].mean() > 0.95
        assert seen[~truth].mean() < 0.06  # where it stood at first the background is uncovered


def by_hand(pixels, number, chain, lead, threshold=16.0):
    """One frame by itself: all before it in its chain and lead, the first one twice."""
    first = max(0, number - number % chain - lead)
    model = cv2.createBackgroundSubtractorMOG2(history=200, varThreshold=threshold, detectShadows=False)
    model.apply(pixels[first])
    for frame in pixels[first : number + 1]:
        shown = model.apply(frame, learningRate=0.005)
    return shown[..., None]


def test_a_frame_without_foreground_is_not_present():
    frames = np.full((6, 16, 24, 3), 90, np.uint8)
    frames[4, 4:9, 4:9] = 250
    wanted = np.arange(6)
    maps, present = Foreground().found(frames, wanted)
    np.testing.assert_array_equal(maps, Foreground().make(frames, wanted))
    assert present.tolist() == [False, False, False, False, True, False]


@settings(deadline=None, max_examples=25)
@given(st.sets(st.integers(0, 79), min_size=1, max_size=8), st.integers(1, 30), st.integers(0, 30), st.data())
def test_a_frame_is_a_function_of_its_number(numbers, chain, lead, data):
    pixels = moving(80)
    made = Foreground(chain=chain, lead=lead)
    wanted = np.array(sorted(numbers))
    maps = made.make(pixels[made.needs(wanted)], wanted)
    np.testing.assert_array_equal(maps, np.stack([by_hand(pixels, k, chain, lead) for k in wanted]))
    some = np.array(sorted(data.draw(st.sets(st.sampled_from(sorted(numbers)), min_size=1))))
    np.testing.assert_array_equal(made.make(pixels[made.needs(some)], some), maps[np.searchsorted(wanted, some)])


def test_the_lead_is_learnt_from():
    """Without it, what moves at a chain's start is background."""
    pixels, wanted = moving(40), np.array([32])
    with_lead, without = (Foreground(lead=lead) for lead in (32, 0))
    assert with_lead.make(pixels[with_lead.needs(wanted)], wanted).sum() > 255 * 50
    assert not without.make(pixels[without.needs(wanted)], wanted).any()


def test_settings():
    one = Foreground("camera", 9.0, 100, 8, 4)
    assert vars(pickle.loads(pickle.dumps(one))) == {
        "of": "camera",
        "threshold": 9.0,
        "chain": 8,
        "lead": 4,
        "history": 100,
    }
    for arguments, said in (
        ({"threshold": 0}, "threshold must be above 0"),
        ({"threshold": float("inf")}, "and finite, not inf"),
        ({"history": 1}, "history must be at least 2 frames"),
        ({"chain": 0}, "Foreground takes a chain of at least 1 frame"),
        ({"lead": -1}, "a lead of at least 0, not 32 and -1"),
        ({"history": 1 << 31}, "and at most 2147483647"),
        ({"chain": 1 << 64}, "Foreground takes a chain and a lead of at most 2147483647 frames"),
        ({"lead": 1 << 64}, "a chain and a lead of at most 2147483647 frames"),
    ):
        with pytest.raises(UserError, match=said):
            Foreground(**arguments)
    with pytest.raises(ValueError, match="those of rgb have 2 channels"):
        Foreground().make(np.zeros((1, 8, 8, 2), np.uint8), np.array([0]))
    grey = Foreground().make(moving(4)[..., :1].copy(), np.arange(3))
    assert grey.shape == (3, 32, 96, 1)
