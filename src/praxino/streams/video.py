"""Video files, decoded by FFmpeg: exact frames by their numbers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from praxino.catalogs.base import Video
from praxino.errors import UnreadableVideo
from praxino.printable import counted
from praxino.streams.base import Canvas, FrameReader, Probed, Stream, checked, files_of, fill_missing
from praxino.streams.cache import frame_index
from praxino.streams.decode import OpenFile, Put
from praxino.streams.index import FrameIndex
from praxino.streams.opening import unreadable

# Containers that a fork copied. To free one would be to wait for decoder threads which the fork did not copy.
_inherited: list[Any] = []


class VideoFile(Stream):
    """The frames of a video file, exact whatever its timestamps say.

    Frames leave as rgb24, converted by FFmpeg's scaler with the matrix and range that the frame names (BT.601 and
    limited where it names none), in the shown orientation. A canvas is made by the same scaler: area averaging where
    it shrinks, bilinear where it grows. Pixels that are not square stay as stored; alpha is dropped, not composited;
    grey becomes three equal channels, and more than 8 bits become 8. Where the frame size changes within a file, later
    frames are scaled to the first's.

    The file's index is cached in `$PRAXINO_CACHE` or the user's cache folder.

    Args:
        stream: name of the stream whose file is opened.
        threads: decoder threads. More than one costs more processor time per frame than it saves.
    """

    def __init__(self, stream: str = "rgb", threads: int = 1) -> None:
        self.stream = stream
        self.threads = threads

    def open(self, video: Video, canvas: Canvas = Canvas()) -> VideoReader:  # noqa: B008  (frozen)
        path, index = self._index(video)
        return VideoReader(video.id, path, index, canvas, self.threads)

    def probe(self, video: Video, full: bool = False) -> Probed:
        # Every file has been decoded before anything is claimed of it, so there is nothing more to do for `full`.
        _, index = self._index(video)
        return Probed(len(index.pts), index.note, index.turn.size(index.height, index.width))

    def _index(self, video: Video) -> tuple[str, FrameIndex]:
        files = files_of(video, self.stream)
        if not isinstance(files, str):
            raise UnreadableVideo(video.id, f"its {self.stream} is a list of frames, not a video file")
        with unreadable(video.id):
            return files, frame_index(files)


class VideoReader(FrameReader):
    """Reads one file. The file is opened by the first read, by each process for itself; not for several threads.

    Args:
        id: the video's.
        path: the file.
        index: its frames.
        canvas: size of the frames that leave.
        threads: decoder threads.
    """

    def __init__(self, id: str, path: str, index: FrameIndex, canvas: Canvas, threads: int) -> None:
        self.id = id
        self.path = path
        self.index = index
        self.threads = threads
        self.times = index.times()
        self.height, self.width = canvas.size(*index.turn.size(index.height, index.width))
        self._file: OpenFile | None = None

    def read(self, indices: Sequence[int] | NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        indices = checked(self.id, indices, len(self.times))
        with unreadable(self.id):
            pixels = np.empty((len(indices), self.height, self.width, 3), np.uint8)
        present = np.zeros(len(indices), np.bool_)
        order = np.argsort(indices, kind="stable")
        wanted, first = np.unique(indices[order], return_index=True)
        places = order.tolist()
        bounds = [*first.tolist(), len(places)]
        rows = {number: places[bounds[k] : bounds[k + 1]] for k, number in enumerate(wanted.tolist())}

        def put(number: int, frame: NDArray[np.uint8]) -> None:
            for row in rows[number]:
                pixels[row] = frame
                present[row] = True

        if len(wanted):
            self._read(wanted, put)
            fill_missing(self.id, indices, pixels, present)
        return pixels, present

    def in_order(self, begin: int = 0) -> Iterator[NDArray[np.uint8] | None]:
        count = begin
        try:
            with unreadable(self.id):
                for pixels in self._from(begin):
                    if count < len(self.times):
                        yield pixels
                    count += 1
        except UnreadableVideo:
            self.close()
            raise
        missing = len(self.times) - count
        if missing > 0 and self.index.clean:
            raise UnreadableVideo(
                self.id, f"it breaks off after {counted(count, 'frame')}, and had {len(self.times)} before"
            )
        yield from [None] * missing

    def _from(self, begin: int) -> Iterator[NDArray[np.uint8]]:
        """All frames from a number on: from the key before it as long as that goes well, the rest by counting."""
        if begin and self.index.seekable:
            key = int(np.searchsorted(self.index.keys, self.index.pts[begin], side="right")) - 1
            wanted = np.arange(begin, len(self.times))
            for _, pixels in self._opened(fresh=key < 0, quick=False).known_by_time(key, wanted):
                yield pixels
                begin += 1
            if begin == len(self.times):
                return
        yield from self._opened(fresh=True, quick=False).in_order(begin)

    def _read(self, wanted: NDArray[np.int64], put: Put) -> None:
        try:
            with unreadable(self.id):
                left = self._seek_and_read(wanted, put) if self.index.seekable else wanted
                if len(left):
                    self._opened(fresh=True, quick=False).by_count(left, put)
        except UnreadableVideo:
            self.close()
            raise

    def _seek_and_read(self, wanted: NDArray[np.int64], put: Put) -> NDArray[np.int64]:
        """Reads what it can, and returns the rest."""
        left = []
        for key, part in self.index.segments(wanted):
            # What was not decoded while opening may be missed; where a seek lands behind the key that it was told,
            # the key before it may help.
            tries = [(key, True)] if self.index.quick else []
            tries += [(row, False) for row in range(key, max(key - 2, -2), -1)]
            if not any(self._opened(row < 0, quick).by_time(row, part, put) for row, quick in tries):
                left.append(part)
        return np.concatenate(left) if left else wanted[:0]

    def _opened(self, fresh: bool, quick: bool) -> OpenFile:
        file = self._file
        if file is not None and (file.process != os.getpid() or file.quick != quick or (fresh and not file.fresh)):
            self.close()
        if self._file is None:
            self._file = OpenFile(self.path, self.index, (self.height, self.width), self.threads, quick)
        return self._file

    def close(self) -> None:
        file, self._file = self._file, None
        if file is not None and file.process == os.getpid():
            file.container.close()
        elif file is not None:
            _inherited.append(file)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_file": None}
