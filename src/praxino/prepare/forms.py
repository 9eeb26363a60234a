"""The files of one frame: where they lie, what they are called, and their bytes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from io import BytesIO
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from praxino.errors import UserError, nearest
from praxino.streams.base import Canvas

FlowLayout = Literal["two_stream", "dense_flow"]
PictureFormat = Literal["jpeg", "png"]


class Form(ABC):
    """How the frames of a video become files. Its frames are counted from 0, and its files from 1.

    Attributes:
        channels: of the frames.
    """

    channels: int

    @abstractmethod
    def folders(self, place: str) -> tuple[str, ...]:
        """The folders of a video, below the root.

        Args:
            place: the video's, as of `praxino.streams.places.place_of`.
        """

    def size(self, height: int, width: int) -> tuple[int, int]:
        """The stored size of a frame of this height and width."""
        return height, width

    @abstractmethod
    def files(self, number: int, pixels: NDArray[np.uint8]) -> list[tuple[int, str, bytes]]:
        """The files of a frame: in which of the folders, name, content.

        Args:
            number: of the frame, from 0.
            pixels: uint8 [H, W, channels].

        Raises:
            ValueError: if no file can be made of it that a stream would read.
        """


class FlowPictures(Form):
    """Both components of the flow as grey pictures.

    Args:
        layout: of the files, as of `FlowFolder`.
        format: jpeg is smaller, png is exact.
        quality: of JPEG, 1 to 100.
    """

    channels = 2

    def __init__(self, layout: FlowLayout = "two_stream", format: PictureFormat = "jpeg", quality: int = 80) -> None:
        if layout not in ("two_stream", "dense_flow"):
            raise UserError(f"--layout: unknown layout {layout!r}.{nearest(layout, ('two_stream', 'dense_flow'))}")
        if format not in ("jpeg", "png"):
            raise UserError(f"--format is jpeg or png, not {format!r}")
        if not 1 <= quality <= 100:
            raise UserError(f"--quality must be from 1 to 100, not {quality}")
        self.layout, self.format, self.quality = layout, format, quality

    def folders(self, place: str) -> tuple[str, ...]:
        return (place,) if self.layout == "dense_flow" else (f"u/{place}", f"v/{place}")

    def files(self, number: int, pixels: NDArray[np.uint8]) -> list[tuple[int, str, bytes]]:
        ending = "png" if self.format == "png" else "jpg"
        planes = [self._encoded(pixels[..., axis]) for axis in range(2)]
        if self.layout == "two_stream":
            return [(axis, f"frame{number + 1:06d}.{ending}", data) for axis, data in enumerate(planes)]
        names = (f"flow_{axis}_{number + 1:05d}.{ending}" for axis in "xy")
        return [(0, name, data) for name, data in zip(names, planes, strict=True)]

    def _encoded(self, plane: NDArray[np.uint8]) -> bytes:
        from PIL import Image

        file = BytesIO()
        picture = Image.fromarray(np.ascontiguousarray(plane))
        if self.format == "png":
            picture.save(file, "PNG", compress_level=6)
        else:
            picture.save(file, "JPEG", quality=self.quality)
        return file.getvalue()


class MapFiles(Form):
    """Maps as compressed npz files, one a frame, scaled to a canvas as `HeatMaps` and `Masks` scale.

    Args:
        folder: below the root.
        prefix: of the files' names.
        key: name of the array: uint8 [H, W] of one channel, else [channels, H, W].
        channels: of the frames.
        canvas: the size at which they are stored.
    """

    def __init__(self, folder: str, prefix: str, key: str, channels: int, canvas: Canvas) -> None:
        self.folder, self.prefix, self.key = folder, prefix, key
        self.channels = channels
        self.canvas = canvas

    def folders(self, place: str) -> tuple[str, ...]:
        return (f"{self.folder}/{place}",)

    def size(self, height: int, width: int) -> tuple[int, int]:
        return self.canvas.size(height, width)

    def files(self, number: int, pixels: NDArray[np.uint8]) -> list[tuple[int, str, bytes]]:
        from praxino.streams.maps import scaled
        from praxino.streams.npz import HEADER, MOST_BYTES

        height, width = self.size(*pixels.shape[:2])
        if height * width * self.channels > MOST_BYTES - HEADER:
            raise ValueError(f"a map of {height}x{width} is larger than the {MOST_BYTES >> 20} MiB that are read")
        stored = np.moveaxis(scaled(pixels, height, width), -1, 0)
        array = np.ascontiguousarray(stored[0] if self.channels == 1 else stored)
        file = BytesIO()
        np.savez_compressed(file, **{self.key: array})  # type: ignore[arg-type]
        return [(0, f"{self.prefix}{number + 1:05d}.npz", file.getvalue())]
