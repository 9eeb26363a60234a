"""The size at which frames leave a reader."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import videos
from praxino.catalogs.base import Video
from praxino.errors import UserError
from praxino.streams.base import Canvas
from praxino.streams.video import VideoFile


def test_sizes():
    assert Canvas().size(240, 320) == (240, 320)
    assert Canvas(short_side=60).size(240, 320) == (60, 80)
    assert Canvas(short_side=60).size(320, 240) == (80, 60)
    assert Canvas(exact=(50, 70)).size(240, 320) == (50, 70)
    assert Canvas(longest=320).size(240, 320) == (240, 320)
    assert Canvas(longest=160).size(240, 320) == (120, 160)
    assert Canvas(longest=160).size(320, 240) == (160, 120)
    # A shorter side that would make the longer one too long gives way.
    assert Canvas(short_side=100, longest=400).size(240, 320) == (100, 133)
    assert Canvas(short_side=100, longest=400).size(10, 1000) == (4, 400)
    assert Canvas(short_side=64, even=True).size(128, 170) == (64, 84)
    assert Canvas(short_side=63, even=True).size(128, 170) == (64, 84)
    assert Canvas(short_side=1, even=True).size(128, 170) == (2, 2)
    # What is not scaled stays as it is.
    assert Canvas(longest=400, even=True).size(127, 171) == (127, 171)


@given(height=st.integers(1, 30000), width=st.integers(1, 30000), longest=st.integers(1, 5000))
def test_longest_bounds_what_exceeds_it_and_nothing_else(height, width, longest):
    size = Canvas(longest=longest).size(height, width)
    if max(height, width) <= longest:
        assert size == (height, width)
    else:
        assert max(size) == longest
        # The other side is within half a pixel of the same scale, but not below one pixel.
        exact = min(height, width) * longest / max(height, width)
        assert abs(min(size) - max(exact, 1)) <= 0.5 or max(exact, 1) == 1 == min(size)


def test_longest_of_a_video_file(tmp_path):
    video = Video("a", {"rgb": str(videos.write(tmp_path / "a.mp4", 8))})

    def pixels(canvas):
        with VideoFile().open(video, canvas) as reader:
            return reader.read([0, 7])[0]

    np.testing.assert_array_equal(pixels(Canvas(longest=videos.WIDTH)), pixels(Canvas()))
    np.testing.assert_array_equal(pixels(Canvas(longest=48)), pixels(Canvas(exact=(32, 48))))


WRONG = [
    {"short_side": 0},
    {"exact": (0, 5)},
    {"longest": 0},
    {"short_side": 5, "exact": (5, 5)},
    {"longest": 5, "exact": (5, 5)},
    {"even": True, "exact": (5, 5)},
]


@pytest.mark.parametrize("sizes", WRONG)
def test_refuses(sizes):
    with pytest.raises(UserError, match="canvas"):
        Canvas(**sizes)
