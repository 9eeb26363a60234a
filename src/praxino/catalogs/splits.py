"""What UCF101 and HMDB51 have in common: official lists, and videos that lie on a disk in one of the usual ways."""

from __future__ import annotations

import copy
import os
from abc import abstractmethod
from pathlib import Path
from typing import ClassVar, Self

from praxino.catalogs.base import Catalog, Part, Video
from praxino.catalogs.layouts import FLOW_FOLDERS, FOLDERS, Layout, Located, locate
from praxino.catalogs.lists import Lists, hold_out
from praxino.errors import UserError


class SplitCatalog(Catalog):
    """The videos of one official split, in the order of its lists.

    A new one is a class with `lists` and `group_of`, and a docstring that says what its own are.

    Attributes:
        own_folders: names of folders below the root where this data set's videos may be, beside the usual ones.

    Args:
        root: the data set's folder.
        split: 1, 2 or 3.
        frames: True takes folders of frames, False video files, None what is there (files first).
        held_out: if k > 0, the part "test" is the last k groups of each class of the training list, "train" is the
            rest of it, and "all" is both.
        u_root, v_root: folders of optical flow pictures; None: those in the usual places below the root, if any.

    Raises:
        UserError: if the root, a list or all videos are missing, or a list is not of the official form.
    """

    own_folders: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        root: str | Path,
        split: int = 1,
        frames: bool | None = None,
        held_out: int = 0,
        u_root: str | Path | None = None,
        v_root: str | Path | None = None,
    ) -> None:
        self.root = str(root)
        self.split = split
        self.frames = frames
        self.held_out = held_out
        self.u_root = None if u_root is None else str(u_root)
        self.v_root = None if v_root is None else str(v_root)
        name = type(self).__name__
        if not os.path.isdir(self.root):
            raise UserError(f"{name}: there is no folder {self.root}")
        lists = self.lists(self.root, split)
        self.classes = lists.classes
        self._labels = {name: label for label, name in enumerate(self.classes)}
        train, test = hold_out(lists.train, held_out, self.group_of) if held_out else (lists.train, lists.test)
        self._sizes = len(train), len(test)
        self._listed = train + test
        self._rows = range(len(self._listed))
        self._places = {"rgb": self._locate_rgb(), **self._locate_flow()}
        self.found = (
            f"{name} split {split}: {len(train)} training and {len(test)} test videos of {len(self.classes)} "
            f"classes, by the lists in {lists.folder}, lying as {self._places['rgb']}"
        )
        for stream in list(self._places)[1:]:
            self.found += f"; {stream} lies as {self._places[stream]}"

    @abstractmethod
    def lists(self, root: str, split: int) -> Lists:
        """Finds and reads the lists of a split.

        Raises:
            UserError: if one is missing or not of the official form.
        """

    @abstractmethod
    def group_of(self, listed: str) -> str | None:
        """The group of a video that is listed as `Class/video.ext`; None where the name does not tell."""

    def __len__(self) -> int:
        return len(self._rows)

    def video(self, row: int) -> Video:
        number = self._rows[row]
        listed = self._listed[number]
        files = {stream: located.path(number) for stream, located in self._places.items()}
        return Video(listed, files, self._labels[listed.split("/")[0]], self.group_of(listed))

    def part(self, name: Part) -> Self:
        """The training list, the test list, or the training list followed by the test list."""
        train, test = self._sizes
        part = copy.copy(self)
        part._rows = {"train": range(train), "test": range(train, train + test), "all": range(train + test)}[name]
        return part

    def _locate_rgb(self) -> Located:
        folders = ("", *self.own_folders, *FOLDERS)
        located = locate(self.root, self._listed, self.classes, folders, self.frames)
        if located is None:
            kind = {None: "videos or folders of frames", True: "folders of frames", False: "videos"}[self.frames]
            below = ", ".join(f"{folder}/" for folder in folders if folder)
            raise UserError(
                f"{type(self).__name__}: none of the {len(self._listed)} listed {kind} is in {self.root} (looked for "
                f"{self._listed[0]} and the like in it and in {below} below it, with and without class folders)"
            )
        return located

    def _locate_flow(self) -> dict[str, Located]:
        found = {}
        for component, root in (("u", self.u_root), ("v", self.v_root)):
            folders = ("",) if root else tuple(f"{folder}{component}" for folder in FLOW_FOLDERS)
            located = locate(root or self.root, self._listed, self.classes, folders, frames=True)
            if located is not None:
                found[f"flow_{component}"] = located
            elif root:
                first = Layout("", by_class=False, frames=True).paths(self._listed[0])[0]
                raise UserError(
                    f"{type(self).__name__}: {component}_root: {root} has a folder of pictures of none of the listed "
                    f"videos (looked for {first}/ and the like, with and without class folders)"
                )
        return found
