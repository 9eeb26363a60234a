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
from praxino.streams.written import add_frame, even_sides, new_stream

# What WebM may hold is not H.264.
FORMATS = {".mp4": ("mp4", "libx264"), ".mkv": ("matroska", "libx264"), ".webm": ("webm", "libvpx-vp9")}
OPTIONS = {"libx264": {"preset": "veryfast", "crf": "20"},
           "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "crf": "30", "b": "0"}}  # fmt: skip
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
        with self._written():
            picture = pixels.copy()
            draw_box(picture, box, confidence)
            picture = even_sides(picture)
            if self.stream is None:
                self.first = seconds
                self.stream = new_stream(self.container, self.codec, self.rate, picture, OPTIONS[self.codec])
            self.last_tick = add_frame(self.container, self.stream, picture, seconds - self.first, self.last_tick)

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
