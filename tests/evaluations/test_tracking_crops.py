"""A tracker's crops, against a picture that is padded first; and which boxes are refused."""

import builtins
import math

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from praxino.errors import UserError
from praxino.evaluations.tracking.crops import (
    INTERPOLATIONS,
    box_of,
    centre_and_size,
    crop,
    mean_colour,
    refuse_bad_box,
    side_of,
)

cv2 = pytest.importorskip("cv2")
FRAME = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)


def padded_first(frame, y, x, side, colour):
    """A square of even side around whole numbers, out of the frame with a wide border."""
    wide = 200
    around = np.empty((frame.shape[0] + 2 * wide, frame.shape[1] + 2 * wide, 3), np.uint8)
    around[:] = np.rint(colour)
    around[wide : wide + frame.shape[0], wide : wide + frame.shape[1]] = frame
    top, left = y + wide - side // 2, x + wide - side // 2
    return around[top : top + side, left : left + side]


@settings(deadline=None)
@given(st.integers(-30, 80), st.integers(-30, 100), st.integers(1, 40).map(lambda half: 2 * half), st.booleans())
def test_without_a_resize_it_is_a_piece_of_the_padded_frame(y, x, side, given_colour):
    colour = np.array([7.0, 200.0, 31.0])
    found = crop(FRAME, (y, x), side, side, colour=colour if given_colour else None)
    expected = padded_first(FRAME, y, x, side, colour if given_colour else FRAME.mean((0, 1)))
    outside = y + side // 2 <= 0 or x + side // 2 <= 0 or y - side // 2 >= 40 or x - side // 2 >= 60
    assert (found == (0 if outside else expected)).all()


@settings(deadline=None, max_examples=200)
@given(
    st.floats(-100, 140), st.floats(-100, 160), st.floats(0, 300), st.integers(1, 60), st.sampled_from(INTERPOLATIONS)
)
def test_any_square_gives_a_picture_of_its_size(y, x, side, out, interpolation):
    found = crop(FRAME, (y, x), side, out, interpolation)
    assert (found.shape, found.dtype) == ((out, out, 3), np.uint8)


@settings(deadline=None)
@given(st.floats(15, 25), st.floats(15, 45), st.floats(2, 28), st.integers(2, 60))
def test_inside_it_is_a_resized_piece(y, x, side, out):
    edges = [round(float(np.float32(middle)) + sign * float(np.float32(side)) / 2) for middle in (y, x)
             for sign in (-1, 1)]  # fmt: skip
    found = crop(FRAME, (y, x), side, out)
    piece = FRAME[edges[0] : edges[1], edges[2] : edges[3]]
    near = [abs(2 * (middle + sign * side / 2) % 2 - 1) < 1e-3 for middle in (y, x) for sign in (-1, 1)]
    # An edge in the middle of a pixel may be rounded either way: float32 against float64.
    assert any(near) or (found == cv2.resize(piece, (out, out))).all()


def test_the_mean_colour_is_numpys():
    np.testing.assert_allclose(mean_colour(FRAME), FRAME.mean((0, 1)), rtol=1e-12)


@given(st.floats(-50, 500), st.floats(-50, 500), st.floats(1, 300), st.floats(1, 300))
def test_a_box_comes_back_from_its_middle(x, y, width, height):
    # float32 has 24 bits: 3e-5 of 500 pixels.
    np.testing.assert_allclose(box_of(*centre_and_size([x, y, width, height])), [x, y, width, height], atol=2e-4)


def test_the_side_of_a_square_object_is_twice_its_own():
    assert side_of((20, 20)) == pytest.approx(40)
    assert side_of((10, 30)) == pytest.approx(math.sqrt(30 * 50))
    assert side_of((10, 30), context=0) == pytest.approx(math.sqrt(300))


@pytest.mark.parametrize(
    ("box", "said"),
    [
        ([1, 2, 0, 5], "the box 1,2,0,5 has no area"),
        ([1, 2, 5, -1], "has no area"),
        ([float("nan"), 2, 5, 5], "the box nan,2,5,5 is no box"),
        ([1, 2, 5], "is no box"),
        ([60, 2, 5, 5], "lies outside of the frame, which is 60 pixels wide and 40 high"),
        ([0, -5, 5, 5], "lies outside"),
        ([0, float("inf"), 5, 5], "is no box"),
        ([-1e300, -1e300, 2e300, 2e300], "reaches further than 16777216 pixels"),
        ("abcd", "the box 'abcd' is no box: it takes four finite numbers"),
        ([[1], [2, 3]], "is no box"),
        (None, "is no box"),
        (range(1000), r"the box range\(0, 1000\) is no box"),
    ],
)
def test_boxes_that_mark_nothing_are_refused(box, said):
    with pytest.raises(UserError, match=said):
        refuse_bad_box(box, 40, 60)


def test_boxes_that_reach_over_the_edge_are_taken():
    refuse_bad_box([-4, -4, 5, 5], 40, 60)
    refuse_bad_box([59.5, 39.5, 5, 5], 40, 60)


def test_without_opencv_it_says_what_to_install(monkeypatch):
    own = builtins.__import__

    def refused(name, *more, **words):
        if name == "cv2":
            raise ImportError("no cv2")
        return own(name, *more, **words)

    monkeypatch.setattr(builtins, "__import__", refused)
    with pytest.raises(UserError, match=r'^A tracker needs OpenCV: pip install "praxino\[tracking\]"'):
        crop(FRAME, (10, 10), 10, 10)
