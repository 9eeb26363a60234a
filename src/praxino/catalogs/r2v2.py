"""Random Related Video Views (Gordon et al.: Watching the World Go By, 2020): a few frames of each of many videos."""

from __future__ import annotations

import copy
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from praxino.catalogs.base import Catalog, Part, Video
from praxino.catalogs.listing import folders_in, list_pictures
from praxino.catalogs.picture_parts import looked_for, part_folders
from praxino.errors import UserError

ID, DIGITS, ENDING = 11, 6, b".jpg"
NAME = ID + 1 + DIGITS + len(ENDING)
OF_ID = np.isin(np.arange(256), list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"))
OF_NUMBER = np.isin(np.arange(256), list(b"0123456789"))
FORM = "<two characters>/<id>_<number>.jpg"


class R2V2(Catalog):
    """Videos of a few named frames, in the order of their ids; the published set has four frames a video.

    A frame is `<first two characters of the id>/<id>_<number>.jpg`; an id is one of YouTube's, of 11 characters, and a
    number has six digits. Names are taken apart by position, since an id may hold `-` and `_`. A video is its frames in
    the order of their numbers, and its id is the YouTube id. There are no labels.

    The root is a folder with `train/` and `val/` (or `test/`, where there is no `val/`), the parts "train" and "test",
    one of which may be absent; or it is one of these folders itself, and then every part is the whole. Pictures with
    other names, or not in the folder of their id, are left out, and `found` counts them, as it does other files. Hidden
    ones are passed over.

    A video may have fewer frames than others where the set was made again from YouTube. The names of all pictures are
    kept in the user's cache, and listed anew when a folder has changed.

    Args:
        root: the data set's folder, or that of a part.

    Raises:
        UserError: if there is no such folder, one cannot be read, or none of the pictures is named so; if parts and
            pictures lie in one root, or a video is in both parts.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = str(root)
        folders = part_folders(self.root, "R2V2")
        if folders and any(len(name) == 2 for name in folders_in(self.root)[0]):
            raise UserError(
                f"R2V2: {self.root} holds {' and '.join(folders.values())}, and folders of pictures beside: name one "
                "of the former as root, or move it away"
            )
        self._parts = {part: _frames(os.path.join(self.root, folder)) for part, folder in folders.items()}
        self._all = list(self._parts.values()) or [_frames(self.root)]
        self._shown = self._all
        left_out = "".join(f"; left out in {part.folder}: {part.left_out}" for part in self._all if part.left_out)
        if not len(self):
            raise UserError(
                f"R2V2: {self.root} has no pictures {FORM}, with an id of 11 characters and a number of 6 digits, nor "
                f"has any in train/ or {looked_for('test')}{left_out}"
            )
        self._refuse_shared()
        each = np.concatenate([np.diff(part.first) for part in self._all])
        where = " and ".join(f"{len(part.ids)} videos in {part.folder}" for part in self._all)
        number = f"{each.min()}" + (f" to {each.max()}" if each.min() < each.max() else "")
        self.found = f"R2V2: {where}, {number} pictures each, {each.sum()} in all{left_out}"

    def __len__(self) -> int:
        return sum(len(part.ids) for part in self._shown)

    def video(self, row: int) -> Video:
        for part in self._shown:
            if row < len(part.ids):
                return part.video(row)
            row -= len(part.ids)
        raise IndexError(row)

    def listed_frames(self, row: int) -> int:
        """How many named frames the video of this row has."""
        for part in self._shown:
            if row < len(part.ids):
                return int(part.first[row + 1] - part.first[row])
            row -= len(part.ids)
        raise IndexError(row)

    def part(self, name: Part) -> Self:
        """What is in `train/`, in `val/` ("test"), or the former followed by the latter.

        Without these folders it is always the whole.

        Raises:
            UserError: if there is none.
        """
        part = copy.copy(self)
        named = [frames for own, frames in self._parts.items() if own == name]
        part._shown = named if self._parts and name != "all" else self._all
        if not len(part):
            raise UserError(f"R2V2: {self.root} has no videos of the part {name} (looked for {looked_for(name)})")
        return part

    def _refuse_shared(self) -> None:
        ids, counts = np.unique(np.concatenate([part.ids for part in self._all]), return_counts=True)
        shared = ids[counts > 1]
        if len(shared):
            raise UserError(
                f"R2V2: {len(shared)} videos are in {' and in '.join(part.folder for part in self._all)}, "
                f"{shared[0].decode()} the first: name one of the two as root"
            )


@dataclass(frozen=True, eq=False)
class _Frames:
    """The videos in one folder, as columns.

    Attributes:
        folder: that their folders lie in.
        ids: bytes [videos].
        first: int64 [videos + 1], where in `numbers` each video begins.
        numbers: int32 [frames].
        left_out: what is, in words.
    """

    folder: str
    ids: NDArray[np.bytes_]
    first: NDArray[np.int64]
    numbers: NDArray[np.int32]
    left_out: str

    def video(self, row: int) -> Video:
        id = self.ids[row].decode()
        stem = os.path.join(self.folder, id[:2], id)
        numbers = self.numbers[self.first[row] : self.first[row + 1]].tolist()
        return Video(id, {"rgb": tuple(f"{stem}_{number:0{DIGITS}d}{ENDING.decode()}" for number in numbers)})


def _frames(folder: str) -> _Frames:
    inner, loose = folders_in(folder)
    listing = list_pictures(folder, inner)
    lengths = np.diff(listing.ends, prepend=-1) - 1
    fitting = lengths == NAME
    names = np.frombuffer(listing.names, np.uint8)[np.repeat(fitting, lengths + 1)].reshape(-1, NAME + 1)
    named = _is_frame(names)
    # Longer names of folders are cut, but not to two characters.
    above = np.array([os.fsencode(name) for name in inner], "S3").view(np.uint8).reshape(-1, 3)
    above = above[np.repeat(np.arange(len(inner)), listing.counts)[fitting]]
    placed = (names[:, :2] == above[:, :2]).all(axis=1) & (above[:, 2] == 0)
    # They come in the order of ids, and of numbers within: folders and names are sorted, and all names are alike.
    kept = names[named & placed]
    ids = np.ascontiguousarray(kept[:, :ID]).view(f"S{ID}").reshape(-1)
    begins = np.flatnonzero(ids[1:] != ids[:-1]) + 1
    first = np.concatenate([[0], begins, [len(ids)]]) if len(ids) else np.zeros(1, np.int64)
    numbers = (kept[:, ID + 1 : ID + 1 + DIGITS] - ord("0")) @ 10 ** np.arange(DIGITS - 1, -1, -1, dtype=np.int32)
    counts = {
        f"not named {FORM}": len(listing) - int(named.sum()) + loose,
        "not in the folder that their id begins with": int((named & ~placed).sum()),
        "that are no pictures": int(listing.others.sum()),
    }
    left_out = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    return _Frames(folder, ids[first[:-1]], first, numbers, left_out)


def _is_frame(names: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which names [n, characters], with a zero behind each, are those of frames: bool [n]."""
    id, underscore, number, ending = np.split(names[:, :NAME], [ID, ID + 1, ID + 1 + DIGITS], axis=1)
    return (
        OF_ID[id].all(axis=1)
        & (underscore[:, 0] == ord("_"))
        & OF_NUMBER[number].all(axis=1)
        & (ending == np.frombuffer(ENDING, np.uint8)).all(axis=1)
    )
