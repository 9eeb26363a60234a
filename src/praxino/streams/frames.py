"""Frames in files of their own: a folder of JPEG or PNG pictures, or the very pictures by name."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from praxino.catalogs.base import Video
from praxino.errors import UnreadableVideo
from praxino.streams.base import Canvas, FrameReader, Probed, Stream, checked, files_of, fill_missing

if TYPE_CHECKING:
    from PIL.Image import Image

PICTURES = (".jpg", ".jpeg", ".png")


class FrameFolder(Stream):
    """The frames of a folder of JPEG or PNG pictures, or of pictures that are named one by one.

    A folder's own pictures are taken in the order of their names, numbers in them as numbers (`2.jpg` before
    `10.jpg`); whatever else lies in it is left out. Pictures leave as RGB in the shown orientation (EXIF); alpha is
    dropped. A canvas is made by Pillow, bilinear with `reducing_gap=2`; pictures of another size than the first are
    scaled to it. A named picture that is missing or damaged is a frame that is not present.

    Args:
        stream: name of the stream whose pictures are opened.
        fps: frames a second, which pictures do not tell.
    """

    def __init__(self, stream: str = "rgb", fps: float = 25.0) -> None:
        self.stream = stream
        self.fps = fps

    def open(self, video: Video, canvas: Canvas = Canvas()) -> PictureReader:  # noqa: B008  (frozen)
        return PictureReader(video.id, self._paths(video), canvas, self.fps)

    def probe(self, video: Video, full: bool = False) -> Probed:
        paths = self._paths(video)
        reader = PictureReader(video.id, paths, Canvas(), self.fps)
        if full:
            missing = [path for path in paths if reader.picture(path) is None]
        else:
            missing = [path for path in paths if not os.path.isfile(path)]
        note = f"{len(missing)} of its pictures are missing or damaged, {missing[0]} the first" if missing else ""
        return Probed(len(paths), note)

    def _paths(self, video: Video) -> Sequence[str]:
        files = files_of(video, self.stream)
        if not isinstance(files, str):
            return files
        if os.path.isfile(files):
            return (files,)
        try:
            names = [entry.name for entry in os.scandir(files) if Path(entry.name).suffix.lower() in PICTURES]
        except OSError as error:
            raise UnreadableVideo(video.id, f"{error.strerror}: {files}") from error
        return [os.path.join(files, name) for name in sorted(names, key=_natural)]


def _natural(name: str) -> tuple[list[tuple[int, str]], str]:
    return [(int(digits or 0), text) for text, digits in re.findall(r"(\D*)(\d*)", name)], name


class PictureReader(FrameReader):
    """Reads pictures; none stays open.

    Args:
        id: the video's.
        paths: one file a frame, in order.
        canvas: size of the frames that leave.
        fps: frames a second.

    Raises:
        UnreadableVideo: if not one of them opens.
    """

    def __init__(self, id: str, paths: Sequence[str], canvas: Canvas, fps: float) -> None:
        self.id = id
        self.paths = paths
        self.times = np.arange(len(paths)) / fps
        if not paths:
            raise UnreadableVideo(id, "the folder holds no JPEG or PNG pictures")
        sizes = (size for size in map(_shown_size, paths) if size is not None)
        size = next(sizes, None)
        if size is None:
            raise UnreadableVideo(id, "none of its pictures can be opened")
        self.height, self.width = canvas.size(*size)

    def read(self, indices: Sequence[int] | NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        indices = checked(self.id, indices, len(self.times))
        pixels = np.empty((len(indices), self.height, self.width, 3), np.uint8)
        present = np.zeros(len(indices), np.bool_)
        for number in np.unique(indices):
            picture = self.picture(self.paths[number])
            if picture is not None:
                rows = indices == number
                pixels[rows] = picture
                present[rows] = True
        if len(indices):
            fill_missing(self.id, indices, pixels, present)
        return pixels, present

    def picture(self, path: str) -> NDArray[np.uint8] | None:
        """The picture uint8 [H, W, 3] on the canvas; None if it is missing or damaged."""
        from PIL import Image, ImageOps

        try:
            with Image.open(path) as file:
                picture = ImageOps.exif_transpose(file).convert("RGB")
        except (OSError, ValueError, SyntaxError):
            return None
        size = (self.width, self.height)
        if picture.size != size:
            picture = picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=2)
        return np.asarray(picture)


def _shown_size(path: str) -> tuple[int, int] | None:
    """Height and width from the header alone; None if it cannot be opened."""
    from PIL import Image

    try:
        with Image.open(path) as file:
            width, height = file.size
            turned = _orientation(file) >= 5
    except (OSError, ValueError, SyntaxError):
        return None
    return (width, height) if turned else (height, width)


def _orientation(file: Image) -> int:
    orientation_tag = 0x0112
    return int(file.getexif().get(orientation_tag, 1))
