"""The drawn box, beside a plain computation of each pixel."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from praxino.evaluations.tracking.box_drawn import BRIGHT, DARK, draw_box

NAN = float("nan")
sides = st.floats(0.01, 90)
corners = st.floats(-60, 90)


def colour_at(column, row, box, line=2, edge=1):
    """Of a pixel: bright within `line` pixels of the border inside of the box, dark `edge` pixels on either side."""
    left, top = round(box[0]), round(box[1])
    right, bottom = round(box[0] + box[2]), round(box[1] + box[3])
    if right <= left or bottom <= top:
        inside = None
    else:
        # How many pixels it lies within the border; below 0 outside.
        inside = min(column - left, right - 1 - column, row - top, bottom - 1 - row)
    if inside is not None and 0 <= inside < line:
        return BRIGHT
    if inside is not None and line <= inside < line + edge:
        return DARK
    outer = min(column - (left - edge), right + edge - 1 - column, row - (top - edge), bottom + edge - 1 - row)
    return DARK if 0 <= outer < edge else None


@settings(max_examples=150, deadline=None)
@given(st.tuples(corners, corners, sides, sides), st.integers(1, 40), st.integers(1, 50))
def test_each_pixel(box, height, width):
    before = np.random.default_rng(0).integers(20, 200, (height, width, 3)).astype(np.uint8)
    pixels = before.copy()
    draw_box(pixels, np.array(box), NAN)
    for row in range(height):
        for column in range(width):
            wanted = colour_at(column, row, box)
            assert pixels[row, column].tolist() == list(before[row, column] if wanted is None else wanted)


@settings(max_examples=100, deadline=None)
@given(st.tuples(corners, corners, sides, sides), st.integers(1, 60), st.integers(1, 60), st.floats(0, 1))
def test_what_is_written_stays_in_the_frame(box, height, width, confidence):
    pixels = np.full((height, width, 3), 128, np.uint8)
    draw_box(pixels, np.array(box), confidence)
    if min(height, width) >= 30:
        assert (pixels != 128).any()


def test_the_confidence_stands_above_the_box_or_in_it():
    for top, rows in ((100, slice(80, 99)), (4, slice(5, 22))):
        plain, written = np.full((2, 200, 300, 3), 128, np.uint8)
        draw_box(plain, np.array([50.0, top, 100, 80]), NAN)
        draw_box(written, np.array([50.0, top, 100, 80]), 0.5)
        changed = np.argwhere((plain != written).any(-1))
        assert changed[:, 1].min() >= 48
        assert rows.start - 3 <= changed[:, 0].min()
        assert changed[:, 0].max() <= rows.stop


def test_larger_frames_have_thicker_lines():
    pixels = np.full((1080, 1920, 3), 128, np.uint8)
    draw_box(pixels, np.array([500.0, 300, 400, 300]), NAN)
    assert (pixels[450, 500:520] == BRIGHT).all(-1).sum() == 4
