"""The stream of rendered videos."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from praxino.catalogs.base import Video
from praxino.catalogs.rendered import MOST_FRAMES, Rendering, rendering_of
from praxino.errors import UnreadableVideo
from praxino.streams.base import Canvas, FrameReader, Stream, checked, files_of
from praxino.streams.rendering.film import HEIGHT, RATE, WIDTH, Film


class RenderedVideo(Stream):
    """Draws the frames that are asked for, at the size at which they are asked for.

    Args:
        stream: the name of the videos' stream.
    """

    def __init__(self, stream: str = "rgb") -> None:
        self.stream = stream

    def open(self, video: Video, canvas: Canvas = Canvas()) -> RenderedReader:  # noqa: B008  (frozen)
        which = rendering_of(files_of(video, self.stream))
        if which is None:
            raise UnreadableVideo(video.id, "it is no rendered video")
        if not 1 <= which.frames <= MOST_FRAMES:
            raise UnreadableVideo(video.id, f"a rendered video has 1 to {MOST_FRAMES} frames, not {which.frames}")
        return RenderedReader(video.id, which, canvas)


class RenderedReader(FrameReader):
    """The frames of a rendered video.

    Args:
        id: the video's.
        which: it is.
        canvas: the size of the frames; as they are: 96x128.
    """

    def __init__(self, id: str, which: Rendering, canvas: Canvas) -> None:
        self.id = id
        self.times = np.arange(which.frames) / RATE
        self.size = canvas.size(HEIGHT, WIDTH)
        self.film = Film(which.seed, which.number, which.frames)

    def read(self, indices: Sequence[int] | NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        numbers, back = np.unique(checked(self.id, indices, len(self.times)), return_inverse=True)
        return self.film.frames(numbers, *self.size)[back], np.ones(len(back), np.bool_)
