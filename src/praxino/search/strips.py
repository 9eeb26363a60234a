"""A few frames of a moment, beside each other, small enough for a page."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray

from praxino.catalogs.base import Video
from praxino.errors import UnreadableVideo, UserError
from praxino.streams.base import Canvas
from praxino.streams.choose import picture_stream

FRAMES = 4
CANVAS = Canvas(short_side=128, longest=256)
QUALITY = 78


def frames_of(video: Video, start: float | None = None, end: float | None = None) -> list[str] | str:
    """Frames of a video between two times, evenly, as data URIs; or why there are none.

    Args:
        video: whose.
        start, end: seconds, as its frames have them; None: from its first, to its last.
    """
    try:
        with picture_stream(video).open(video, CANVAS) as reader:
            first, last = (reader.times[0] if start is None else start), (reader.times[-1] if end is None else end)
            wanted = np.searchsorted(reader.times, np.linspace(first, last, FRAMES) + 1e-6, side="right") - 1
            pixels, _ = reader.read(np.unique(np.clip(wanted, 0, len(reader.times) - 1)))
    except UnreadableVideo as error:
        return error.reason
    except UserError as error:
        return str(error)
    return [as_uri(frame) for frame in pixels]


def as_uri(pixels: NDArray[np.uint8]) -> str:
    """A frame uint8 [H, W, 3] as a JPEG in a data URI."""
    return f"data:image/jpeg;base64,{base64.b64encode(as_jpeg(pixels)).decode()}"


def as_jpeg(pixels: NDArray[np.uint8]) -> bytes:
    """A frame uint8 [H, W, 3] as a JPEG."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "JPEG", quality=QUALITY, optimize=True)
    return file.getvalue()
