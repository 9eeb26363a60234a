"""Video files that players show as they were made: what their streams say of time and colour, and even sides."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

TICK = Fraction(1, 90_000)  # seconds: a whole number of them in a frame at 24, 25, 30, 50, 60 or 30000/1001 a second
# FFmpeg's scaler makes these of RGB, and players take others for granted where a large video does not say.
LIMITED, BT601 = 1, 6


def even_sides(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A frame uint8 [H, W, 3] with an even height and width: an odd one gets its last row or column twice."""
    height, width = pixels.shape[:2]
    return np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def new_stream(
    container: Any, codec: str, rate: Fraction, pixels: NDArray[np.uint8], options: Mapping[str, str]
) -> Any:
    """A video stream of a quarter of the colours, whose clock counts ticks.

    Args:
        container: of PyAV, to which it is added.
        codec: its encoder.
        rate: frames a second on average.
        pixels: a frame uint8 [H, W, 3] of even sides; all are of its size.
        options: of the encoder.
    """
    stream = container.add_stream(codec, rate=rate, options=dict(options))
    stream.height, stream.width = pixels.shape[:2]
    stream.pix_fmt = "yuv420p"
    context = stream.codec_context
    context.time_base = TICK
    context.color_range = LIMITED
    context.colorspace = context.color_primaries = context.color_trc = BT601
    return stream


def add_frame(container: Any, stream: Any, pixels: NDArray[np.uint8], seconds: float, last: int = -1) -> int:
    """Writes a frame, and gives its tick.

    Args:
        container, stream: as of `new_stream`.
        pixels: uint8 [H, W, 3].
        seconds: its time; the first frame's is 0.
        last: the tick of the frame before it, to which it comes a tick later at least.
    """
    import av

    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    frame.time_base = TICK
    tick = max(round(seconds / TICK), last + 1)
    frame.pts = tick
    container.mux(stream.encode(frame))
    return tick
