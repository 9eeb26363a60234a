"""Videos in which one object is followed: a box marks it in every frame."""

from __future__ import annotations

import copy
import os
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from praxino.catalogs.base import Catalog, Part, Video
from praxino.catalogs.box_files import read_boxes, read_numbers
from praxino.catalogs.listing import folders_in
from praxino.catalogs.names import first_repeated, is_hidden, is_picture
from praxino.catalogs.numbered import in_order, with_missing
from praxino.catalogs.subset import read_subset
from praxino.errors import UserError, nearest
from praxino.printable import counted

MOST_COVER = 8  # of GOT-10k's labels: all of the object is seen


@dataclass(frozen=True)
class Place:
    """Where a sequence lies.

    Attributes:
        id: the sequence's name.
        pictures: the folder of its frames.
        boxes: the file of its boxes.
        group: sequences of the same pictures share a group.
        cut: which of the pictures the data set's definition takes.
        cover: the file that says how much of the object is seen.
    """

    id: str
    pictures: str
    boxes: str
    group: str | None = None
    cut: slice | None = None
    cover: str | None = None


class Sequences(Catalog):
    """Videos whose frames are named one by one, each with a box around the object that is followed.

    A new one is a class with `__len__`, `place(row)` and, where there are lists, `part`. Frames are JPEG or PNG
    pictures in the order of their numbers. A number that is missing among them is a frame all the same, where there is
    a box for it: its picture is named, too, and whoever reads it finds it missing.

    Where a sequence has more frames than boxes or the other way round, the first of both count, and `note` says so. No
    file is opened before a sequence is asked for; pictures are never opened.

    Attributes:
        polygons: whether a line of a file may be a polygon, whose bounding box counts.
    """

    polygons: ClassVar[bool] = False

    @abstractmethod
    def place(self, row: int) -> Place:
        """Where the sequence of this row lies, 0 <= row < len(self)."""

    def video(self, row: int) -> Video:
        place = self.place(row)
        return Video(place.id, {"rgb": self._marked(row).frames}, group=place.group)

    def boxes(self, row: int) -> NDArray[np.float64]:
        """The box of each frame: x, y, width, height in pixels, the corner counted from 0; NaN where there is none.

        Returns:
            float64 [frames, 4].

        Raises:
            UserError: if the file cannot be read, or one of its lines is no box.
        """
        return self._marked(row).boxes

    def cover(self, row: int) -> NDArray[np.int64] | None:
        """How much of the object is seen in each frame, from 0, nothing, to 8, all of it; None where nothing says so.

        Returns:
            int64 [frames].

        Raises:
            UserError: if the file cannot be read, or one of its lines is no such number.
        """
        return self._marked(row).cover

    def note(self, row: int) -> str:
        """What is odd about a sequence: how many frames and boxes it has, where these numbers differ; else ""."""
        return self._marked(row).note

    def _marked(self, row: int) -> _Marked:
        """What files say of a sequence; of the last one it is kept, since a pair asks for it several times."""
        place = self.place(row)
        kept: tuple[Place, _Marked] | None = getattr(self, "_last", None)
        if kept is None or kept[0] != place:
            self._last = kept = place, self._read(place)
        return kept[1]

    def _read(self, place: Place) -> _Marked:
        boxes = read_boxes(place.boxes, self.polygons)
        cover = None if place.cover is None else read_numbers(place.cover, 0, MOST_COVER)
        frames = tuple(os.path.join(place.pictures, name) for name in _frames(place, len(boxes)))
        counts = {"frame": len(frames), "box": len(boxes)} | ({} if cover is None else {"cover label": len(cover)})
        least = min(counts.values())
        said = " and ".join(counted(count, what) for what, count in counts.items())
        note = f"{said}: the first {least} of each count" if max(counts.values()) > least else ""
        return _Marked(frames[:least], boxes[:least], None if cover is None else cover[:least], note)


@dataclass(frozen=True, eq=False)
class _Marked:
    frames: tuple[str, ...]
    boxes: NDArray[np.float64]
    cover: NDArray[np.int64] | None
    note: str


class PlacedSequences(Sequences):
    """Sequences of a data set that has no parts; some of them may be held out.

    A new one is a class with `look`, and a docstring that says how its sequences lie.

    Args:
        root: the data set's folder.
        held_out: names of sequences, or of groups of them: they are the part "test", and the others are "train".
            Without any, every part is the whole.

    Raises:
        UserError: if there is no such folder, or no sequence in it; if two sequences have one name, or none has the
            name of one that is held out.
    """

    def __init__(self, root: str | Path, held_out: Sequence[str] = ()) -> None:
        self.root = str(root)
        self.held_out = tuple(held_out)
        name = type(self).__name__
        if not os.path.isdir(self.root):
            raise UserError(f"{name}: there is no folder {self.root}")
        places, said = self.look(self.root)
        twice = first_repeated(place.id for place in places)
        if twice is not None:
            raise UserError(f"{name}: {self.root} has two sequences that are called {twice}: rename a folder")
        known = {word for place in places for word in (place.id, place.group) if word}
        for one in self.held_out:
            if one not in known:
                raise UserError(f"{name}: held_out names {one}, and no sequence is called so.{nearest(one, known)}")
        self._places = self._all = tuple(places)
        self.found = f"{name}: {counted(len(places), 'sequence')} in {self.root}{said}"

    @abstractmethod
    def look(self, root: str) -> tuple[list[Place], str]:
        """The sequences of a root, one at least, in order; and what `found` says beside their number.

        Raises:
            UserError: if there are none.
        """

    def __len__(self) -> int:
        return len(self._places)

    def place(self, row: int) -> Place:
        return self._places[row]

    def part(self, name: Part) -> Self:
        """What is held out ("test"), the other sequences ("train"), or all; always all where nothing is held out."""
        part = copy.copy(self)
        if name == "all" or not self.held_out:
            part._places = self._all
        else:
            held_out = {one.id for one in self._all if {one.id, one.group} & set(self.held_out)}
            part._places = tuple(one for one in self._all if (one.id in held_out) == (name == "test"))
        return part


def listed_sequences(folder: str) -> tuple[list[str], list[str]]:
    """The names in the `list.txt` of a folder of sequences: those whose folders are there, and those that lack one.

    Raises:
        UserError: if the list or the folder cannot be read, or a name stands in the list twice.
    """
    listed = read_subset(os.path.join(folder, "list.txt"))
    there = set(folders_in(folder)[0])
    return [name for name in listed if name in there], [name for name in listed if name not in there]


def said_of_absent(absent: Sequence[str], listed: str) -> str:
    """What `found` says of sequences that a list names and the disk has not; "" where there are none."""
    return f"; not there: {len(absent)} of {listed}, {absent[0]} the first" if absent else ""


def _frames(place: Place, boxes: int) -> list[str]:
    """The names of a sequence's frames: read so that there are as many as boxes, if there is a way to.

    A picture that is missing has to stay a frame: all behind it would otherwise have the box of the one before. And
    some hand the pictures on as they are evaluated, already cut.
    """
    try:
        names = [name for name in os.listdir(place.pictures) if is_picture(name) and not is_hidden(name)]
    except OSError:
        return []  # whoever opens the video says so
    cuts = [slice(None)] if place.cut is None else [slice(None), place.cut]
    ways = [some[cut] for some in (with_missing(names), with_missing(names, 1), in_order(names)) for cut in cuts]
    return next((some for some in ways if len(some) == boxes), ways[len(cuts) - 1])
