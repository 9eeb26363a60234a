"""A stretch of a video file: the frames from one second of it to another."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from praxino.catalogs.base import Files, Video
from praxino.errors import UnreadableVideo
from praxino.printable import counted
from praxino.streams.base import Canvas, FrameReader, Probed, Stream, checked

# As media fragments have it (W3C, Media Fragments URI 1.0): file.mp4#t=60,120
SECONDS = r"[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?"
FRAGMENT = re.compile(rf"(?P<path>.+)#t=(?P<begin>{SECONDS}),(?P<end>(?:{SECONDS})?)", re.DOTALL)
ROUNDING = 1e-6  # seconds by which a frame's time may miss a second that is written out


class Piece(NamedTuple):
    """A file, and from which second of it to which; the end is infinite where the file's own is meant."""

    path: str
    begin: float
    end: float


def piece_of(files: Files) -> Piece | None:
    """The stretch that a path names; None where it names a whole file, be it one of such a name."""
    match = FRAGMENT.fullmatch(files) if isinstance(files, str) else None
    if match is None or os.path.exists(match[0]):
        return None
    return Piece(match["path"], float(match["begin"]), float(match["end"] or "inf"))


def whole(files: Files) -> Files:
    """The file of a stretch; everything else as it is."""
    piece = piece_of(files)
    return files if piece is None else piece.path


def is_stretch(video: Video) -> bool:
    """Whether a catalog means a part of the video's files."""
    return any(piece_of(files) is not None for files in video.files.values())


class Stretch(Stream):
    """A stream of whole files, of which stretches are read.

    Frames are counted from the stretch's first one, and their times are those of the file.

    Args:
        stream: reads the whole files.
    """

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.channels = stream.channels

    def open(self, video: Video, canvas: Canvas = Canvas()) -> StretchReader:  # noqa: B008  (frozen)
        piece = next(piece for files in video.files.values() if (piece := piece_of(files)))
        return StretchReader(video.id, self.stream.open(_plain(video), canvas), piece.begin, piece.end)

    def probe(self, video: Video, full: bool = False) -> Probed:
        with self.open(video) as reader:
            return replace(self.stream.probe(_plain(video), full), frames=len(reader.times))


def _plain(video: Video) -> Video:
    return replace(video, files={name: whole(files) for name, files in video.files.items()})


class StretchReader(FrameReader):
    """The frames of another reader whose times lie in [begin, end).

    Args:
        id: of the stretch.
        reader: of the whole.
        begin, end: seconds.

    Raises:
        UnreadableVideo: if there are none.
    """

    def __init__(self, id: str, reader: FrameReader, begin: float, end: float) -> None:
        self.id = id
        self.reader = reader
        times = reader.times - reader.times[:1]  # a file's first frame need not be at 0
        self.first, last = np.searchsorted(times, np.array([begin, end]) - ROUNDING)
        self.times = reader.times[self.first : last]
        if not len(self.times):
            reader.close()
            if self.first == len(times):
                raise UnreadableVideo(id, f"the file ends before, after {counted(len(times), 'frame')}")
            raise UnreadableVideo(id, f"it shows no new frame between {begin:g} and {end:g} s")

    def read(self, indices: Sequence[int] | NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        return self.reader.read(checked(self.id, indices, len(self.times)) + self.first)

    def in_order(self, begin: int = 0) -> Iterator[NDArray[np.uint8] | None]:
        yield from islice(self.reader.in_order(int(self.first) + begin), max(0, len(self.times) - begin))

    def shown(
        self, pixels: NDArray[np.uint8], present: NDArray[np.bool_], where: NDArray[np.int64]
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.int64]]:
        return self.reader.shown(pixels, present, where)

    def close(self) -> None:
        self.reader.close()
