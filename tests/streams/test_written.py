"""Video files that are written: what a reader of their own finds in them."""

from fractions import Fraction

import av
import numpy as np
import pytest

from praxino.streams.written import add_frame, even_sides, new_stream


@pytest.mark.parametrize("height, width", [(4, 6), (5, 6), (4, 7), (5, 7)])
def test_sides_become_even_by_the_last_row_and_column(height, width):
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    made = even_sides(pixels)
    assert made.shape == (height + height % 2, width + width % 2, 3)
    assert np.array_equal(made[:height, :width], pixels)
    assert np.array_equal(made[-1, :width], pixels[-1])
    assert np.array_equal(made[:height, -1], pixels[:, -1])


def test_times_are_kept_and_colours_are_said(tmp_path):
    path = str(tmp_path / "a.mp4")
    pixels = np.full((48, 64, 3), (200, 40, 90), np.uint8)
    with av.open(path, "w", format="mp4") as container:
        stream = new_stream(container, "libx264", Fraction(25), pixels, {"crf": "1"})
        ticks = [-1]
        for seconds in (0, 0, 1001 / 30000, 0.5):  # the second one is no later than the first
            ticks.append(add_frame(container, stream, pixels, seconds, ticks[-1]))
        container.mux(stream.encode(None))
    assert ticks[1:] == [0, 1, 3003, 45000]
    with av.open(path) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        assert [float(frame.pts * frame.time_base * 90000) for frame in frames] == pytest.approx(ticks[1:], abs=0.01)
        context = stream.codec_context
        assert (context.pix_fmt, context.color_range, context.colorspace) == ("yuv420p", 1, 6)
        assert np.abs(frames[0].to_ndarray(format="rgb24").astype(int) - pixels).max() <= 4
