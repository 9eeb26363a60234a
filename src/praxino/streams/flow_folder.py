"""Optical flow from pictures: a folder of grey JPEGs for each of the two components of each video."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from praxino.catalogs.base import Video
from praxino.errors import UnreadableVideo, UserError, nearest
from praxino.streams.base import Canvas, FrameReader, Probed, Stream, checked, fill_missing
from praxino.streams.frames import picture_size, pictures_in, read_picture
from praxino.streams.gaps import filled_in_clips
from praxino.streams.opening import unreadable
from praxino.streams.places import places

FOUND = ("flow_u", "flow_v")  # what catalogs call the folders of pictures that they have found
SPARSEST = 1000  # of so many numbers one must be a picture's: a stray number must not fill the memory
Layout = Literal["two_stream", "dense_flow"]


class FlowFolder(Stream):
    """The flow from each frame to the next, in two channels: u to the right, then v down, as the pictures hold it.

    Picture k of a folder, counted from 1 (or from 0, where there is one), is the flow from frame k to k + 1; so there
    is one fewer than frames. A number that is missing, or a picture that is damaged, is a frame that is not present.
    Pictures are read in grey; u and v are brought to the canvas each by itself, as by `FrameFolder`.

    Args:
        root: folder of all videos' flow; None: the folders `flow_u` and `flow_v` that the catalog has found.
        layout: below the root: "two_stream", `u/<video>/frame000001.jpg` and `v/...`, as the public TV-L1 flow of
            UCF101 and HMDB51, with or without a class folder in front of the video's; or "dense_flow",
            `<class>/<video>/flow_x_00001.jpg` and `flow_y_...`, as that tool writes it (a train/val/test folder is a
            part of the root). <video> is the video's file without its ending. All of its id is looked for first, and
            nothing else in a root that `praxino prepare` has filled.
        missing: what a frame that is not present looks like: "nearest", the nearest that is; or as in CoCon's code, in
            each clip by itself (`sources_as_cocon`), and zeros in the rest of a long gap. It is counted in any case.
        fps: frames a second, which pictures do not tell.

    Raises:
        UserError: if a word is unknown, or fps is not above 0.
    """

    channels = 2

    def __init__(
        self,
        root: str | None = None,
        layout: Layout = "two_stream",
        missing: Literal["nearest", "cocon"] = "nearest",
        fps: float = 25.0,
    ) -> None:
        for name, word, known in (
            ("layout", layout, ("two_stream", "dense_flow")),
            ("rule for missing frames", missing, ("nearest", "cocon")),
        ):
            if word not in known:
                raise UserError(f"FlowFolder: unknown {name} {word!r}.{nearest(word, known)}")
        if not (fps > 0 and math.isfinite(fps)):
            raise UserError(f"FlowFolder takes fps above 0 frames a second, and finite, not {fps}")
        self.root = root
        self.layout = layout
        self.missing = missing
        self.fps = fps

    def open(self, video: Video, canvas: Canvas = Canvas()) -> FlowReader:  # noqa: B008  (frozen)
        with unreadable(video.id):
            numbered = [_numbered(*place, video.id) for place in self._places(video)]
            return FlowReader(video.id, numbered, canvas, self.fps, self.missing == "cocon")

    def probe(self, video: Video, full: bool = False) -> Probed:
        with self.open(video) as reader, unreadable(video.id):
            there = reader.there(full)
        if not there.any():
            raise UnreadableVideo(video.id, "no frame of its flow has a picture of u and one of v")
        missing = f"{(~there).sum()} frames of its flow are missing or damaged, number {there.argmin()} the first"
        return Probed(len(there), "" if there.all() else missing, (reader.height, reader.width))

    def _places(self, video: Video) -> list[tuple[str, str | None]]:
        """The folder of each component, and a pattern of its pictures' names."""
        if self.root is None:
            lacking = [name for name in FOUND if name not in video.files]
            if lacking:
                raise UnreadableVideo(video.id, f"it has no {' and no '.join(lacking)}: name the flow's root")
            return [(str(video.files[name]), None) for name in FOUND]
        below = places(self.root, video.id, bare=self.layout == "two_stream")
        if self.layout == "two_stream":
            return [(_first([os.path.join(self.root, axis, one) for one in below]), None) for axis in "uv"]
        folder = _first([os.path.join(self.root, one) for one in below])
        return [(folder, f"flow_{axis}_*") for axis in "xy"]


def _first(folders: list[str]) -> str:
    """The first folder that is there, else the first."""
    return next(filter(os.path.isdir, folders), folders[0])


def _numbered(folder: str, pattern: str | None, id: str) -> dict[int, str]:
    """The pictures of a component by their numbers."""
    try:
        names = pictures_in(folder, pattern)
    except OSError as error:
        raise UnreadableVideo(id, f"no flow: {error.strerror}: {folder}") from error
    numbered = {}
    for name in names:
        digits = re.findall(r"\d+", name)
        if digits:
            number = int(digits[-1])
            if number in numbered:
                raise UnreadableVideo(id, f"{folder} has several pictures of number {number}, {name} for one")
            numbered[number] = os.path.join(folder, name)
    if not numbered:
        raise UnreadableVideo(id, f"no flow: {folder} holds no numbered pictures{f' {pattern}' * bool(pattern)}")
    return numbered


class FlowReader(FrameReader):
    """Reads pictures of both components; none stays open.

    Args:
        id: the video's.
        numbered: of u and of v: number -> file.
        canvas: size of the frames that leave.
        fps: frames a second.
        as_cocon: fills gaps so.

    Raises:
        UnreadableVideo: if no picture opens, or hardly any number has one.
    """

    def __init__(
        self, id: str, numbered: Sequence[dict[int, str]], canvas: Canvas, fps: float, as_cocon: bool = False
    ) -> None:
        self.id = id
        self.numbered = numbered
        self.as_cocon = as_cocon
        self.first = 0 if any(0 in pictures for pictures in numbered) else 1
        frames = max(max(pictures) for pictures in numbered) + 1 - self.first
        if frames > SPARSEST * max(len(pictures) for pictures in numbered):
            raise UnreadableVideo(
                id, f"a picture of its flow has the number {frames + self.first - 1}, and most have none"
            )
        self.times = np.arange(frames) / fps
        sizes = (picture_size(path) for pictures in numbered for path in pictures.values())
        size = next((size for size in sizes if size is not None), None)
        if size is None:
            raise UnreadableVideo(id, "none of its pictures of flow can be opened")
        self.height, self.width = canvas.size(*size)

    def read(self, indices: Sequence[int] | NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        indices = checked(self.id, indices, len(self.times))
        distinct, where = np.unique(indices, return_inverse=True)
        with unreadable(self.id):
            pixels = np.zeros((len(distinct), self.height, self.width, 2), np.uint8)
            present = np.ones(len(distinct), np.bool_)
            for row, number in enumerate(distinct):
                for axis, pictures in enumerate(self.numbered):
                    path = pictures.get(int(number) + self.first)
                    grey = None if path is None else read_picture(path, self.height, self.width)
                    if grey is None:
                        present[row] = False
                    else:
                        pixels[row, ..., axis] = grey
        if len(distinct):
            fill_missing(self.id, distinct, pixels, present)
        return pixels[where], present[where]

    def shown(
        self, pixels: NDArray[np.uint8], present: NDArray[np.bool_], where: NDArray[np.int64]
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.int64]]:
        return filled_in_clips(pixels, present, where) if self.as_cocon else (pixels, present, where)

    def there(self, full: bool = False) -> NDArray[np.bool_]:
        """Whether each frame has pictures of both components: bool [frames]. `full`: such that can be decoded."""
        numbers = range(self.first, self.first + len(self.times))
        return np.array([all(self._is_there(pictures.get(k), full) for pictures in self.numbered) for k in numbers])

    def _is_there(self, path: str | None, full: bool) -> bool:
        if path is None or not full:
            return path is not None
        return read_picture(path, self.height, self.width) is not None
