"""The file of an annotated video: frames at the source's times, with a box in each of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from praxino.errors import UserError
from praxino.evaluations.tracking.box_drawn import draw_box
from praxino.streams.opening import open_video

# What WebM may hold is not H.264.
FORMATS = {".mp4": ("mp4", "libx264"), ".mkv": ("matroska", "libx264"), ".webm": ("webm", "libvpx-vp9")}
OPTIONS = {"libx264": {"preset": "veryfast", "crf": "20"},
           "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "crf": "30", "b": "0"}}  # fmt: skip
TICK = Fraction(1, 90_000)  # seconds: a whole number of them in a frame at 24, 25, 30, 50, 60 or 30000/1001 a second
# FFmpeg's scaler makes these of RGB, and players take others for granted where a large video does not say.
LIMITED, BT601 = 1, 6
MARK = "praxino track"  # the comment in the file, by which it is known again


def is_annotated(path: Path) -> bool:
    """Whether a file is one that `AnnotatedVideo` has written."""
    import av

    try:
        container, _ = open_video(str(path))
    except (av.FFmpegError, OSError, ValueError):
        return False
    with container:
        return MARK in container.metadata.values()


class AnnotatedVideo:
    """Writes H.264 (VP9 into WebM), one frame after the other; a context manager, after which the file is whole.

    A frame's time is the one that it is given, minus the first one's. Height and width are even in the file: an odd
    frame gets its last row or column twice.

    Args:
        path: the file.
        shown_as: what it will be called, for messages; its ending says which container.
        rate: frames a second on average.

    Raises:
        UserError: if the file cannot be written.
    """

    def __init__(self, path: Path, shown_as: Path, rate: Fraction) -> None:
        import av

        self.shown_as = shown_as
        self.rate = rate
        format, self.codec = FORMATS[shown_as.suffix.lower()]
        with self._written():
            self.container = av.open(str(path), "w", format=format)
        self.container.metadata["comment"] = MARK
        self.stream: Any = None
        self.first = 0.0
        self.last_tick = -1

    def add(self, pixels: NDArray[np.uint8], seconds: float, box: NDArray[np.float64], confidence: float) -> None:
        """Adds a frame.

        Args:
            pixels: uint8 [H, W, 3], all of one size; they stay as they are.
            seconds: its time; one that is no later than the frame's before counts as a tick later.
            box, confidence: as of `draw_box`.
        """
        import av

        with self._written():
            if self.stream is None:
                self._begin(pixels, seconds)
            picture = np.empty((self.stream.height, self.stream.width, 3), np.uint8)
            height, width = pixels.shape[:2]
            picture[:height, :width] = pixels
            draw_box(picture[:height, :width], box, confidence)
            picture[height:] = picture[height - 1]
            picture[:, width:] = picture[:, width - 1 : width]
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.time_base = TICK
            self.last_tick = frame.pts = max(round((seconds - self.first) / TICK), self.last_tick + 1)
            self.container.mux(self.stream.encode(frame))

    def _begin(self, pixels: NDArray[np.uint8], seconds: float) -> None:
        self.first = seconds
        self.stream = self.container.add_stream(self.codec, rate=self.rate, options=dict(OPTIONS[self.codec]))
        self.stream.height, self.stream.width = (side + side % 2 for side in pixels.shape[:2])
        self.stream.pix_fmt = "yuv420p"
        context = self.stream.codec_context
        context.time_base = TICK
        context.color_range = LIMITED
        context.colorspace = context.color_primaries = context.color_trc = BT601

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._written():
            try:
                if kind is None and self.stream is not None:
                    self.container.mux(self.stream.encode(None))
            finally:
                self.container.close()

    @contextmanager
    def _written(self) -> Iterator[None]:
        import av

        try:
            yield
        except av.FFmpegError as error:
            raise UserError(f"{self.shown_as} cannot be written: {error.strerror or type(error).__name__}") from None
