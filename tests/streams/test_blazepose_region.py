"""A turned square of a frame: cut out and put back as plain trigonometry and plain loops say."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from praxino.streams.blazepose_region import Region

cv2 = pytest.importorskip("cv2", reason="OpenCV cuts the regions")
REGIONS = st.builds(Region, st.floats(0, 60), st.floats(0, 40), st.floats(4, 120), st.floats(-math.pi, math.pi))


def place(region, right, down):
    """x and y of a point of the region by complex numbers: a turn is a product."""
    turned = complex((right - 0.5) * region.side, (down - 0.5) * region.side) * complex(
        math.cos(region.angle), math.sin(region.angle)
    )
    return region.x + turned.real, region.y + turned.imag


def bilinear(frame, x, y):
    """The value at x, y (a pixel's middle is at 0.5), beyond the border as at the border."""
    height, width = frame.shape
    column, row = x - 0.5, y - 0.5
    left, top = math.floor(column), math.floor(row)
    value = 0.0
    for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
        weight = (1 - abs(row - top - i)) * (1 - abs(column - left - j))
        value += weight * frame[min(max(top + i, 0), height - 1), min(max(left + j, 0), width - 1)]
    return value


@settings(deadline=None, max_examples=60)
@given(REGIONS, st.floats(0, 1), st.floats(0, 1))
def test_points_go_to_the_frame(region, right, down):
    np.testing.assert_allclose(region.to_frame(np.array([right, down])), place(region, right, down), atol=1e-9)


@settings(deadline=None, max_examples=25)
@given(REGIONS, st.integers(0, 1000))
def test_what_is_cut_out_is_bilinear(region, seed):
    # Smooth, so that OpenCV's 32 steps between two pixels do not count.
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:40, :60]
    (a, b), c = rng.uniform(-0.15, 0.15, 2), rng.uniform(0, 6)
    frame = np.rint(127 + 100 * np.sin(a * x + b * y + c)).astype(np.uint8)
    cut = region.cut(cv2, np.repeat(frame[..., None], 3, 2), 24)
    assert cut.shape == (24, 24, 3)
    for row, column in rng.integers(0, 24, (30, 2)):
        want = bilinear(frame.astype(float), *place(region, (column + 0.5) / 24, (row + 0.5) / 24))
        assert abs(int(cut[row, column, 0]) - want) <= 2


@settings(deadline=None, max_examples=25)
@given(REGIONS, st.integers(0, 1000))
def test_what_is_put_back_lies_where_it_was(region, seed):
    """Each pixel of the frame is that of the region by the way back, and 0 outside of it."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:48, :48] / 48
    (a, b), c = rng.uniform(-3, 3, 2), rng.uniform(0, 6)
    mask = (0.5 + 0.4 * np.sin(a * x + b * y + c)).astype(np.float32)
    put = region.paste(cv2, mask, 40, 60)
    assert put.shape == (40, 60)
    for row, column in rng.integers(0, (40, 60), (60, 2)):
        back = complex(column + 0.5 - region.x, row + 0.5 - region.y) * complex(
            math.cos(region.angle), -math.sin(region.angle)
        )
        right, down = back.real / region.side + 0.5, back.imag / region.side + 0.5
        pixel = 1.5 / 48 + 0.05 / region.side
        if pixel < right < 1 - pixel and pixel < down < 1 - pixel:
            want = bilinear(mask.astype(float), right * 48, down * 48)
            assert abs(put[row, column] - want) <= 0.02
        elif not (-pixel < right < 1 + pixel and -pixel < down < 1 + pixel):
            assert put[row, column] == 0


def test_the_whole_frame_is_a_square_around_it():
    assert Region.whole(40, 60) == Region(30, 20, 60)
    np.testing.assert_allclose(Region.whole(40, 60).to_frame(np.array([[0, 0], [1, 1]])), [[0, -10], [60, 50]])


@settings(deadline=None, max_examples=60)
@given(st.floats(5, 55), st.floats(5, 35), st.floats(1, 30), st.floats(-math.pi, math.pi))
def test_a_person_stands_upright_in_its_region(x, y, reach, lean):
    """The point above the hips is straight above the middle, as far as the margin says."""
    top = np.array([x + reach * math.sin(lean), y - reach * math.cos(lean)])
    region = Region.around(np.array([x, y]), top, 40, 60)
    assert region.side == pytest.approx(2.5 * reach)
    np.testing.assert_allclose(region.to_frame(np.array([0.5, 0.5])), [x, y], atol=1e-6)
    np.testing.assert_allclose(region.to_frame(np.array([0.5, 0.1])), top, atol=1e-6)


@pytest.mark.parametrize(
    ("centre", "top"),
    [((5, 5), (5, 5)), ((5, 5), (5, 5.3)), ((-1, 5), (-1, 4.5)), ((5, 5), (5, -900)), ((math.nan, 5), (5, 0)),
     ((5, math.inf), (5, 0)), ((5, 81), (5, 50))],
)  # fmt: skip
def test_what_cannot_be_a_person_has_no_region(centre, top):
    assert Region.around(np.array(centre), np.array(top), 40, 60) is None
