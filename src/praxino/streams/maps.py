"""Heat maps of body keypoints, and masks, from one npz file a frame."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from praxino.catalogs.base import Video
from praxino.errors import UnreadableVideo, UserError, nearest
from praxino.streams.base import Canvas, FrameReader, Probed, Stream, checked, fill_missing
from praxino.streams.gaps import numbers_as_cocon, numbers_shown
from praxino.streams.npz import read_bytes_array
from praxino.streams.opening import reason_of, unreadable
from praxino.streams.places import places

Numbering = Literal["exact", "cocon"]
Map = NDArray[np.uint8]
# CoCon's size of maps of which nothing is known: height, width.
UNKNOWN_SIZE = 192, 256
SPARSEST = 1000  # of so many numbers one must be a file's: a stray number must not fill the memory


class _Maps(Stream):
    """One npz file a frame, below a root; the classes of it say which."""

    folder: str
    prefix: str
    key: str

    def __init__(self, root: str, numbering: Numbering = "exact", fps: float = 25.0) -> None:
        name = type(self).__name__
        if numbering not in ("exact", "cocon"):
            raise UserError(f"{name}: unknown numbering {numbering!r}.{nearest(numbering, ('exact', 'cocon'))}")
        if not (fps > 0 and math.isfinite(fps)):
            raise UserError(f"{name} takes fps above 0 frames a second, and finite, not {fps}")
        self.root = root
        self.numbering = numbering
        self.fps = fps

    def open(self, video: Video, canvas: Canvas = Canvas()) -> MapReader:  # noqa: B008  (frozen)
        with unreadable(video.id):
            files = _numbered(self._place(video), self.prefix, video.id)
            return MapReader(video.id, files, self.key, self.channels, canvas, self.fps, self.numbering)

    def _place(self, video: Video) -> str:
        """The folder of a video's maps."""
        folders = [os.path.join(self.root, self.folder, one) for one in places(self.root, video.id)]
        return next(filter(os.path.isdir, folders), folders[0])

    def probe(self, video: Video, full: bool = False) -> Probed:
        with unreadable(video.id), self.open(video) as reader:
            missing = reader.missing(full)
            note = f"{len(missing)} of its maps are missing or damaged, frame {missing[0]} the first" if missing else ""
            return Probed(len(reader.times), note, (reader.height, reader.width))


class HeatMaps(_Maps):
    """Heat maps of the 17 keypoints of COCO, a channel each: `<root>/heatmaps/<class>/<video>/heatmap_00001.npz`, `hm`.

    A file holds an array uint8 [17, H, W]; <video> is the video's file without its ending (all of its id is looked for
    first, and nothing else in a root that `praxino prepare` has filled). Its number is the frame's,
    counted from 1 (or from 0, where there is one), and the highest one says how many frames there are. Where a video
    has only even numbers, or only odd ones, the frame in between is the mean of its two neighbours, cut to whole
    levels; the first one takes its only neighbour. A map without pixels is one of nobody, and all 0. Maps of another
    size than the first are scaled to it, and all to the canvas, by Pillow, bilinear, each channel by itself.

    A frame in which nobody is, all 0, is not present; nor is one whose file is missing or damaged, which looks like the
    nearest other. A video without any file cannot be read.

    Args:
        root: folder of all videos' maps.
        numbering: "exact"; or "cocon", as CoCon's code has it (Rai et al., CVPR workshops 2021), one too low: frame k,
            counted from 0, takes number k. Without one it is the mean of k - 1 and k + 1 (of 2 and 4, for k < 3), or
            k - 1 alone where k + 1 is missing; what is missing then is 0. It is counted in any case.
        fps: frames a second, which files do not tell.

    Raises:
        UserError: if the numbering is unknown, or fps is not above 0.
    """

    channels = 17
    folder, prefix, key = "heatmaps", "heatmap_", "hm"


class Masks(_Maps):
    """Masks of the foreground, in one channel: `<root>/segmasks/<class>/<video>/segmask_00001.npz`, `seg`.

    A file holds an array uint8 [H, W], the probability in steps of 1/255. Everything else is as in `HeatMaps`.

    Args:
        root: folder of all videos' masks.
        numbering: as of `HeatMaps`.
        fps: frames a second, which files do not tell.

    Raises:
        UserError: if the numbering is unknown, or fps is not above 0.
    """

    channels = 1
    folder, prefix, key = "segmasks", "segmask_", "seg"


def _numbered(folder: str, prefix: str, id: str) -> dict[int, str]:
    """The files of a video by their numbers."""
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries)
    except OSError as error:
        raise UnreadableVideo(id, f"no maps: {error.strerror}: {folder}") from error
    numbered = {}
    for name in names:
        match = re.fullmatch(rf"{prefix}([0-9]+)\.npz", name)
        if match:
            number = int(match[1])
            if number in numbered:
                raise UnreadableVideo(id, f"{folder} has several maps of number {number}, {name} for one")
            numbered[number] = os.path.join(folder, name)
    if not numbered:
        raise UnreadableVideo(id, f"no maps: {folder} holds no {prefix}00001.npz and so on")
    if max(numbered) > SPARSEST * len(numbered):
        raise UnreadableVideo(id, f"a map has the number {max(numbered)}, and most have none")
    return numbered


class MapReader(FrameReader):
    """Reads maps of single frames; none stays open.

    Args:
        id: the video's.
        files: number -> file.
        key: name of the array in each.
        channels: how many; one is without an axis of its own.
        canvas: size of the frames that leave.
        fps: frames a second.
        numbering: which numbers a frame is made of.

    Raises:
        UnreadableVideo: if none can be read.
    """

    def __init__(
        self,
        id: str,
        files: Mapping[int, str],
        key: str,
        channels: int,
        canvas: Canvas,
        fps: float,
        numbering: Numbering = "exact",
    ) -> None:
        self.id = id
        self.files = files
        self.key = key
        self.channels = channels
        self.as_cocon = numbering == "cocon"
        # Frame k takes number k + first.
        self.first = 0 if self.as_cocon or 0 in files else 1
        self.ends = (min(files), max(files)) if len({number % 2 for number in files}) == 1 else None
        self.times = np.arange(max(files) + 1 - self.first) / fps
        self.height, self.width = canvas.size(*self._size())

    def read(self, indices: Sequence[int] | NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        indices = checked(self.id, indices, len(self.times))
        distinct, where = np.unique(indices, return_inverse=True)
        shown = [self._shown(int(number)) for number in distinct]
        with unreadable(self.id):
            pixels = np.zeros((len(distinct), self.height, self.width, self.channels), np.uint8)
            maps = {number: self._map(number) for number in sorted({k for some in shown for k in some})}
            present = np.array([all(maps[k] is not None for k in some) for some in shown], np.bool_)
            for row, some in enumerate(shown):
                there = [one for k in some if (one := maps[k]) is not None]
                if len(some) == len(there) == 1:
                    pixels[row] = there[0]
                elif there and (present[row] or self.as_cocon):
                    pixels[row] = np.sum(there, axis=0, dtype=np.uint16) // len(some)
        if len(distinct) and not present.all():
            if not self.as_cocon:
                fill_missing(self.id, distinct, pixels, present)
            elif all(one is None for one in maps.values()):
                raise UnreadableVideo(self.id, "none of the maps asked for can be read")
        present &= pixels.any((1, 2, 3))
        return pixels[where], present[where]

    def missing(self, full: bool) -> list[int]:
        """The frames, counted from 0, for which a file is missing, or with `full` damaged."""
        frames = range(len(self.times))
        bad = {number for frame in frames for number in self._shown(frame) if number not in self.files}
        if full:
            bad |= {number for number in self.files if self._map(number) is None}
        return [frame for frame in frames if bad & {*self._shown(frame)}]

    def _shown(self, frame: int) -> tuple[int, ...]:
        if self.as_cocon:
            return numbers_as_cocon(frame, self.files)
        return numbers_shown(frame + self.first, self.files, self.ends)

    def _size(self) -> tuple[int, int]:
        """Height and width of the first map that has pixels."""
        wrong, without = "", False
        for number in sorted(self.files):
            try:
                height, width = self._checked(number).shape[:2]
            except (OSError, ValueError) as error:
                wrong = wrong or f"{os.path.basename(self.files[number])}: {reason_of(error)}"
            else:
                if height and width:
                    return height, width
                without = True
        if not without:
            raise UnreadableVideo(self.id, f"none of its maps can be read, {wrong}")
        return UNKNOWN_SIZE

    def _checked(self, number: int) -> Map:
        """A map as it is stored, [h, w, channels]."""
        array = read_bytes_array(self.files[number], self.key)
        if self.channels == 1:
            array = array[None]
        if array.ndim != 3 or array.shape[0] != self.channels:
            wanted = "[h, w]" if self.channels == 1 else f"[{self.channels}, h, w]"
            raise ValueError(f"{self.key} should be uint8 {wanted}")
        return np.moveaxis(array, 0, -1)

    def _map(self, number: int) -> Map | None:
        """A map on the canvas; None if it is missing or damaged."""
        try:
            stored = self._checked(number) if number in self.files else None
        except (OSError, ValueError):
            return None
        return None if stored is None else scaled(stored, self.height, self.width)


def scaled(stored: Map, height: int, width: int) -> Map:
    """A map [h, w, channels] at another size, bilinear, each channel by itself; as it is where it has that size."""
    from PIL import Image

    if stored.shape[:2] == (height, width):
        return stored
    if 0 in stored.shape:
        return np.zeros((height, width, stored.shape[2]), np.uint8)
    planes = [
        np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2))
        for plane in np.ascontiguousarray(np.moveaxis(stored, -1, 0))
    ]
    return np.stack(planes, -1)
