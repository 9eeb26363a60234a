"""What is seen of a clip: a frame, the file itself where a browser plays it, or a few seconds as H.264."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from praxino.catalogs.base import Video
from praxino.errors import UnreadableVideo, UserError
from praxino.search.strips import CANVAS, as_jpeg
from praxino.streams.base import Canvas, FrameReader
from praxino.streams.choose import picture_stream
from praxino.streams.opening import open_video, reason_of
from praxino.streams.stretch import whole
from praxino.streams.written import add_frame, even_sides, new_stream

SHORT_SIDE, LONGEST = 360, 1280  # pixels of a moment's frames, at most
AROUND = 1.0  # seconds before and after a clip
MOST = 60.0  # seconds of a moment
OPTIONS = {"preset": "veryfast", "crf": "23"}
# What browsers play, of 8 bits and with a quarter of the colours.
MP4, WEBM = ("h264", "vp9", "av1"), ("vp8", "vp9", "av1")
PROFILES = ("Baseline", "Constrained Baseline", "Main", "High")
PIXELS = ("yuv420p", "yuvj420p")
HEAD = 64  # bytes, in which a file says which container it is


class Playable(NamedTuple):
    """A file that a browser plays.

    Attributes:
        path: of the file.
        kind: its media type.
        ahead: seconds of the file, as a browser counts them, before its first frame.
    """

    path: str
    kind: str
    ahead: float


def playable(video: Video) -> Playable | None:
    """The file of a video, if a browser plays it.

    Args:
        video: whose.
    """
    import av

    files = whole(video.files.get("rgb", ""))
    if not isinstance(files, str) or not os.path.isfile(files):
        return None
    try:
        kind = _kind(files)
        if kind is None:
            return None
        container, stream = open_video(files)
    except (av.FFmpegError, OSError, ValueError, MemoryError):
        return None
    with container:
        context = stream.codec_context
        codec = context.codec.canonical_name
        if codec not in (WEBM if kind == "video/webm" else MP4) or context.pix_fmt not in PIXELS:
            return None
        if codec == "h264" and context.profile not in PROFILES:
            return None
        # Sound may begin before the first frame, and a browser's clock with it.
        begin, first = container.start_time or 0, stream.start_time or 0
        return Playable(files, kind, max(0.0, float(first * (stream.time_base or 0)) - begin / av.time_base))


def _kind(path: str) -> str | None:
    """The media type of an MP4 or a WebM file by its first bytes; QuickTime and Matroska are not played everywhere."""
    with open(path, "rb") as file:
        head = file.read(HEAD)
    if head[4:8] == b"ftyp" and head[8:12] != b"qt  ":
        return "video/mp4"
    return "video/webm" if head.startswith(b"\x1aE\xdf\xa3") and b"webm" in head else None


def unreadable_because(video: Video) -> str:
    """Why there is no picture of a video, in a few words; "" where there is one."""
    try:
        with picture_stream(video).open(video):
            return ""
    except UnreadableVideo as error:
        return error.reason
    except UserError as error:
        return str(error)


def frame(video: Video, start: float, end: float) -> bytes | str:
    """A frame from the middle of a clip as a JPEG, its short side 128 pixels; or why there is none.

    Args:
        video: whose.
        start, end: seconds, as its frames have them.
    """
    try:
        with picture_stream(video).open(video, CANVAS) as reader:
            pixels, _ = reader.read([_at(reader, (start + end) / 2)])
    except UnreadableVideo as error:
        return error.reason
    except UserError as error:
        return str(error)
    return as_jpeg(pixels[0])


def moment(video: Video, start: float, end: float, aside: Path | None = None) -> bytes | str:
    """A clip with a second around it, at most a minute, as an MP4 of H.264 that browsers play; or why there is none.

    Its time 0 is the first frame that is not earlier than a second before the clip.

    Args:
        video: whose.
        start, end: seconds, as its frames have them.
        aside: a folder for the file while it is made, which the caller removes; None: one of the system's.
    """
    import av

    try:
        if aside is not None:
            aside.mkdir(mode=0o700, parents=True, exist_ok=True)
        stream = picture_stream(video)
        with stream.open(video) as reader:
            last = _at(reader, min(end, start + MOST) + AROUND)
            first = min(int(np.searchsorted(reader.times, start - AROUND - 1e-6)), last)
            canvas = _canvas(reader.read([first])[0][0])
        with stream.open(video, canvas) as reader:
            shown = islice(reader.in_order(first), last + 1 - first)
            return _encoded(shown, reader.times[first : last + 1], aside)
    except UnreadableVideo as error:
        return error.reason
    except UserError as error:
        return str(error)
    except (av.FFmpegError, OSError, ValueError, MemoryError) as error:
        return f"no preview could be made: {reason_of(error)}"


def _at(reader: FrameReader, second: float) -> int:
    """The frame that is shown at a time."""
    place = int(np.searchsorted(reader.times, second + 1e-6, side="right")) - 1
    return min(max(place, 0), len(reader.times) - 1)


def _canvas(pixels: NDArray[np.uint8]) -> Canvas:
    side = min(pixels.shape[:2])
    if side > SHORT_SIDE:
        return Canvas(short_side=SHORT_SIDE, longest=LONGEST, even=True)
    return Canvas(longest=LONGEST, even=True)


def _encoded(frames: Iterator[NDArray[np.uint8] | None], times: NDArray[np.float64], aside: Path | None) -> bytes | str:
    """An MP4 file; its index stands in front, which FFmpeg can only do to a file of a name."""
    with tempfile.TemporaryDirectory(prefix="praxino-", dir=aside, ignore_cleanup_errors=True) as folder:
        path = Path(folder, "moment.mp4")
        return path.read_bytes() if _write(path, frames, times) else "none of its frames can be decoded"


def _write(path: Path, frames: Iterator[NDArray[np.uint8] | None], times: NDArray[np.float64]) -> int:
    """Writes frames at their times, which begin at 0, and gives how many there were."""
    import av

    # As to a browser nothing moves in a single picture, it is there for a second.
    still = len(times) == 1
    written, tick, stream = 0, -1, None
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        for pixels, second in zip(frames, times, strict=False):
            if pixels is None:  # it does not come out, and the one before it stays
                continue
            padded = even_sides(pixels)
            stream = stream or new_stream(container, "libx264", _rate(times), padded, OPTIONS)
            for later in (0.0, 1.0) if still else (0.0,):
                tick = add_frame(container, stream, padded, float(second - times[0] + later), tick)
                written += 1
        if stream is not None:
            container.mux(stream.encode(None))
    return written


def _rate(times: NDArray[np.float64]) -> Fraction:
    apart = float(np.median(np.diff(times))) if len(times) > 1 else 1.0
    return Fraction(1 / max(apart, 1e-3)).limit_denominator(1001)
