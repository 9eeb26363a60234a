"""Kinetics-400 (Kay et al., 2017), and any selection of it that lies in the same ways."""

from __future__ import annotations

import copy
import os
import re
from pathlib import Path, PurePosixPath
from typing import Self

from praxino.catalogs.base import Catalog, Part, Video
from praxino.catalogs.kinetics_parts import Held, held_by_folder, held_by_list, lists_of, part_folder
from praxino.catalogs.names import first_repeated, is_video
from praxino.errors import UserError

# One clip of a YouTube video: its id, and from which second to which.
CLIP = re.compile(r"([\w-]{11})(?:_\d{6}_\d{6})?")


class Kinetics400(Catalog):
    """The training and validation videos of Kinetics-400: what its lists name, or else what its folders hold.

    The lists are the official tables, `train.csv` and `val.csv` (or `validate.csv`; `kinetics_` or the like may stand
    before the name), with the columns `label`, `youtube_id`, `time_start` and `time_end`. They lie in `annotations/` or
    `lists/` below the root or beside it, or in the root itself. A video is called
    `<youtube_id>_<time_start>_<time_end>`, both times in six digits, or `<youtube_id>`. A listed video that is not on
    the disk stays in the catalog: the probe lists it as unreadable.

    Without lists a part is all that lies in its folder as `<class>/<video>`.

    The folders of the parts are `train/` and `val/` below the root (or `train_256/`, `videos_train/`, `rawframes_val/`
    and the like). With lists, a part that has none lies in `videos/` or in the root itself, and class folders are not
    needed. A video is a file, or a folder of frames. One of the two parts may be absent.

    The classes are in alphabetical order, with spaces where folders have underscores, so that both ways give the same
    labels. The part "train" is the training videos, "test" the validation videos, which papers report on. A video's id
    is `<class>/<name>` with lists, and its path below the root without; its group is its YouTube id.

    Args:
        root: the data set's folder.
        train_folder: where the training videos lie, below the root or anywhere; None: it is looked for.
        val_folder: where the validation videos lie; None: it is looked for.

    Raises:
        UserError: if the root or all videos are missing, a part has several folders, or a list is not of the official
            form.
    """

    def __init__(
        self, root: str | Path, train_folder: str | Path | None = None, val_folder: str | Path | None = None
    ) -> None:
        self.root = str(root)
        self.train_folder = None if train_folder is None else str(train_folder)
        self.val_folder = None if val_folder is None else str(val_folder)
        if not os.path.isdir(self.root):
            raise UserError(f"Kinetics400: there is no folder {self.root}")
        lists = lists_of(self.root)
        parts = [
            self._held("train", self.train_folder, lists),
            self._held("val", self.val_folder, lists),
        ]
        self._sizes = tuple(len(held.paths) for held in parts)
        self._ids = [id for held in parts for id in held.ids]
        self._paths = [path for held in parts for path in held.paths]
        self._names = [name for held in parts for name in held.classes]
        self._refuse()
        self.classes = tuple(sorted(set(self._names)))
        self._labels = {name: label for label, name in enumerate(self.classes)}
        self._rows = range(len(self._ids))
        train, val = self._sizes
        self.found = (
            f"Kinetics400: {train} training and {val} validation videos of {len(self.classes)} classes; "
            + "; ".join(held.said for held in parts if held.paths)
        )

    def __len__(self) -> int:
        return len(self._rows)

    def video(self, row: int) -> Video:
        number = self._rows[row]
        path, name = self._paths[number], PurePosixPath(self._paths[number])
        match = CLIP.fullmatch(name.stem if is_video(name.name) else name.name)
        return Video(self._ids[number], {"rgb": path}, self._labels[self._names[number]], match[1] if match else None)

    def part(self, name: Part) -> Self:
        """The training videos, the validation videos ("test"), or the former followed by the latter.

        Raises:
            UserError: if there are none.
        """
        train, val = self._sizes
        part = copy.copy(self)
        part._rows = {"train": range(train), "test": range(train, train + val), "all": range(train + val)}[name]
        if not part._rows:
            word = {"train": "train", "test": "val"}[name]
            raise UserError(
                f"Kinetics400: {self.root} has no videos of the part {name} (looked for a list {word}.csv, and where "
                f"there are no lists for a folder {word}/)"
            )
        return part

    def _held(self, part: str, given: str | None, lists: dict[str, Path]) -> Held:
        folder = part_folder(self.root, part, given)
        if part in lists:
            return held_by_list(lists[part], folder or _unparted(self.root))
        if lists or folder is None:
            return Held()
        return held_by_folder(self.root, folder)

    def _refuse(self) -> None:
        if not self._ids:
            raise UserError(
                f"Kinetics400: {self.root} has neither lists (train.csv, val.csv, in it or in annotations/) nor videos "
                "in train/<class>/ or val/<class>/"
            )
        twice = first_repeated(self._ids)
        if twice is not None:
            raise UserError(f"Kinetics400: {twice} is listed twice")
        if not any(map(os.path.exists, self._paths)):
            raise UserError(
                f"Kinetics400: none of the {len(self._ids)} listed videos is in {self.root} (looked for "
                f"{self._paths[0]} and the like)"
            )


def _unparted(root: str) -> str:
    below = os.path.join(root, "videos")
    return below if os.path.isdir(below) else root
