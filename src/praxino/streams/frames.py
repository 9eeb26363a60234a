"""Frames in files of their own: a folder of JPEG or PNG pictures, or the very pictures by name."""

from __future__ import annotations

import math
import os
import re
import stat
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from praxino.catalogs.base import Video
from praxino.catalogs.names import is_hidden, is_picture
from praxino.errors import UnreadableVideo, UserError
from praxino.streams.base import Canvas, FrameReader, Probed, Stream, checked, files_of, fill_missing
from praxino.streams.opening import unreadable

if TYPE_CHECKING:
    from PIL.Image import Image

T = TypeVar("T")


class FrameFolder(Stream):
    """The frames of a folder of JPEG or PNG pictures, or of pictures that are named one by one.

    A folder's own pictures are taken in the order of their names, numbers in them as numbers (`2.jpg` before
    `10.jpg`); whatever else lies in it is left out, hidden files (a leading dot), too. Pictures whose names differ in
    more than their numbers (`img_1.jpg` and `flow_x_1.jpg`) are not one video, unless `pattern` says so. Pictures
    leave as RGB of 8 bits; alpha is dropped. A canvas is made by Pillow, bilinear with `reducing_gap=2`; pictures of
    another size than the first are scaled to it. A named picture that is missing or damaged is a frame that is not
    present.

    Args:
        stream: name of the stream whose pictures are opened.
        fps: frames a second, which pictures do not tell.
        pattern: names of a folder's pictures, as a shell has them: `img_*`. Others are left out.
        exif: whether pictures are turned as their EXIF says, to the shown orientation. False: they stay as stored, as
            in all that reads ImageNet by `Image.open(path).convert("RGB")`.
    """

    def __init__(self, stream: str = "rgb", fps: float = 25.0, pattern: str | None = None, exif: bool = True) -> None:
        self.stream = stream
        if not (fps > 0 and math.isfinite(fps)):
            raise UserError(f"FrameFolder takes fps above 0 frames a second, and finite, not {fps}")
        self.fps = fps
        self.pattern = pattern
        self.exif = exif

    def open(self, video: Video, canvas: Canvas = Canvas()) -> PictureReader:  # noqa: B008  (frozen)
        with unreadable(video.id):
            return PictureReader(video.id, self._paths(video), canvas, self.fps, self.exif)

    def probe(self, video: Video, full: bool = False) -> Probed:
        paths = self._paths(video)
        with unreadable(video.id):
            reader = PictureReader(video.id, paths, Canvas(), self.fps, self.exif)
            missing = self._missing(reader, full)
        if len(missing) == len(paths):
            raise UnreadableVideo(video.id, "none of its pictures can be decoded")
        note = f"{len(missing)} of its pictures are missing or damaged, {missing[0]} the first" if missing else ""
        return Probed(len(paths), note, (reader.height, reader.width))

    @staticmethod
    def _missing(reader: PictureReader, full: bool) -> list[str]:
        if full:
            return [path for path in reader.paths if reader.picture(path) is None]
        return [path for path in reader.paths if not os.path.isfile(path)]

    def _paths(self, video: Video) -> Sequence[str]:
        files = files_of(video, self.stream)
        if not isinstance(files, str):
            return files
        if os.path.isfile(files):
            return (files,)
        try:
            names = pictures_in(files, self.pattern)
        except OSError as error:
            raise UnreadableVideo(video.id, f"{error.strerror}: {files}") from error
        series = () if self.pattern else _series(names)
        if len(series) > 1:
            some = ", ".join(series[:4]) + (", ..." if len(series) > 4 else "")
            raise UnreadableVideo(
                video.id, f"its pictures are {len(series)} series, {some}: name one by the pattern of FrameFolder"
            )
        if self.pattern and not names:
            raise UnreadableVideo(video.id, f"the folder holds no JPEG or PNG pictures named {self.pattern}")
        return [os.path.join(files, name) for name in names]


def pictures_in(folder: str, pattern: str | None = None) -> list[str]:
    """The names of a folder's own pictures, in order, without hidden ones.

    Args:
        folder: the folder.
        pattern: of their names, as a shell has it; None: all of them.

    Raises:
        OSError: if it cannot be read.
    """
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries]
    pictures = [name for name in names if is_picture(name) and not is_hidden(name)]
    return sorted((name for name in pictures if pattern is None or fnmatchcase(name, pattern)), key=_natural)


def _series(names: Sequence[str]) -> list[str]:
    """The patterns of which names are, their numbers being stars; with their endings where frames are there twice."""
    stems = [Path(name).stem for name in names]
    twice = len(set(stems)) < len(stems)
    patterns = {re.sub(r"\d+", "*", name) for name in (names if twice else stems)}
    return sorted(pattern if twice or pattern.endswith("*") else f"{pattern}.*" for pattern in patterns)


def _natural(name: str) -> tuple[list[tuple[int, str]], str]:
    return [(int(digits or 0), text) for text, digits in re.findall(r"(\D*)(\d*)", name)], name


class PictureReader(FrameReader):
    """Reads pictures; none stays open.

    Args:
        id: the video's.
        paths: one file a frame, in order.
        canvas: size of the frames that leave.
        fps: frames a second.
        exif: whether they are turned as their EXIF says.

    Raises:
        UnreadableVideo: if not one of them opens.
    """

    def __init__(self, id: str, paths: Sequence[str], canvas: Canvas, fps: float, exif: bool = True) -> None:
        self.id = id
        self.paths = paths
        self.exif = exif
        self.times = np.arange(len(paths)) / fps
        if not paths:
            raise UnreadableVideo(id, "the folder holds no JPEG or PNG pictures")
        sizes = (_opened(path, self._size) for path in paths)
        size = next((size for size in sizes if size is not None), None)
        if size is None:
            raise UnreadableVideo(id, "none of its pictures can be opened")
        self.height, self.width = canvas.size(*size)

    def read(self, indices: Sequence[int] | NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        indices = checked(self.id, indices, len(self.times))
        present = np.zeros(len(indices), np.bool_)
        with unreadable(self.id):
            pixels = np.empty((len(indices), self.height, self.width, 3), np.uint8)
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
        from PIL import Image

        picture = _opened(path, self._in_colour)
        size = (self.width, self.height)
        if picture is None:
            return None
        if picture.size != size:
            picture = picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=2)
        return np.asarray(picture)

    def _in_colour(self, file: Image) -> Image:
        from PIL import ImageOps

        if self.exif:
            ImageOps.exif_transpose(file, in_place=True)
        file.load()
        return _in_colour(file)

    def _size(self, file: Image) -> tuple[int, int]:
        """Height and width from the header alone."""
        width, height = file.size
        return (width, height) if self.exif and _lies(file) else (height, width)


def picture_size(path: str) -> tuple[int, int] | None:
    """Height and width of a picture as it is stored, from its header; None if it does not open."""
    return _opened(path, lambda file: (file.size[1], file.size[0]))


def read_picture(path: str, height: int, width: int) -> NDArray[np.uint8] | None:
    """A picture in grey, uint8 [height, width], scaled as `FrameFolder` scales; None if it is missing or damaged."""
    from PIL import Image

    picture = _opened(path, lambda file: _in_bytes(file).convert("L"))
    if picture is not None and picture.size != (width, height):
        picture = picture.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2)
    return None if picture is None else np.asarray(picture)


def _opened(path: str, take: Callable[[Image], T]) -> T | None:
    """What `take` makes of a picture; None if there is none, or it is damaged."""
    from PIL import Image

    try:
        # To open a pipe would be to wait for its other end.
        if not stat.S_ISREG(os.stat(path).st_mode):
            return None
        with Image.open(path) as file:
            return take(file)
    except MemoryError:
        raise
    except Exception:
        # Damaged bytes make Pillow's readers raise whatever they come upon; and what is too large is its own error.
        return None


def _in_colour(picture: Image) -> Image:
    picture = _in_bytes(picture)
    # A conversion to what it is would be a copy.
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _in_bytes(picture: Image) -> Image:
    from PIL import Image

    if picture.mode.startswith("I"):
        # Grey of 16 bits: Pillow's own conversion makes white of all that is above 255.
        return Image.fromarray((np.asarray(picture) >> 8).clip(0, 255).astype(np.uint8))
    return picture


def _lies(file: Image) -> bool:
    """Whether its EXIF exchanges height and width; a tag of another value or kind turns nothing, as in Pillow."""
    orientation_tag = 0x0112
    return file.getexif().get(orientation_tag, 1) in (5, 6, 7, 8)
