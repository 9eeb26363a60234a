"""Where a box is followed: from a second of a video on, up to another one, and from which box."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from praxino.catalogs.base import Video
from praxino.errors import UserError, check_within
from praxino.evaluations.tracking.boxes import fault_of, written
from praxino.streams.base import FrameReader, Stream
from praxino.streams.choose import default_stream

# Below what a timestamp tells apart: k / 25 seconds are frame k, however the division was rounded.
ROUNDING = 1e-6


def stream_for(video: str | Path) -> tuple[Stream, Video]:
    """What reads a file or a folder of pictures, and the video that it opens or probes."""
    path = os.fsdecode(video)
    return default_stream(path), Video(path, {"rgb": path})


def opened(video: str | Path) -> FrameReader:
    """A reader of a file, or of a folder of pictures.

    Raises:
        UnreadableVideo: if there is nothing to decode.
    """
    stream, source = stream_for(video)
    return stream.open(source)


def frames_between(times: NDArray[np.float64], begin: float, until: float | None = None) -> tuple[int, int]:
    """The frames that are shown at two times: the last ones that do not begin later, with all that begin as they do.

    Args:
        times: float64 [frames], seconds of each frame, never falling, the first at 0.
        begin: seconds.
        until: seconds; None: the last frame.

    Raises:
        UserError: if the first time lies outside of the video, or the second is not later.
    """
    check_within(0, **{"from": begin})
    if begin > times[-1] + ROUNDING:
        raise UserError(f"--from {begin:g} lies behind the video's last frame, which is at {times[-1]:.3f} seconds")
    if until is not None and not until > begin:
        raise UserError(f"--until must be above --from, {begin:g} seconds, not {until:g}")
    wanted = [begin + ROUNDING, np.inf if until is None else until + ROUNDING]
    first, last = (np.searchsorted(times, wanted, side="right") - 1).tolist()
    return int(np.searchsorted(times, times[first])), last


def begun(reader: FrameReader, first: int) -> tuple[NDArray[np.uint8], Iterator[NDArray[np.uint8] | None]]:
    """A frame, uint8 [H, W, 3], and all that come after it, as of `FrameReader.in_order`.

    Raises:
        UserError: if the frame does not come out.
    """
    coming = reader.in_order(first)
    pixels = next(coming)
    if pixels is None:
        raise UserError(f"the frame at {reader.times[first]:.3f} seconds does not come out: pass another --from")
    return np.ascontiguousarray(pixels), coming


def checked_box(box: ArrayLike, height: int, width: int) -> NDArray[np.float64]:
    """A box as float64 [4], x, y, width, height; it may reach beyond the frame.

    Args:
        box: what is given.
        height, width: of the frame, in pixels.

    Raises:
        UserError: if it is no box, has no area, or lies outside of the frame.
    """
    if fault := fault_of(box, height, width):
        raise UserError(f"--box {written(box)} {fault}")
    return np.asarray(box, np.float64)
