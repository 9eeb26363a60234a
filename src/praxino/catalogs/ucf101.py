"""UCF101 (Soomro et al., 2012), and any selection of it that comes with lists of the same form."""

from __future__ import annotations

import copy
import os
from pathlib import Path

from praxino.catalogs.base import Catalog, Part, Video
from praxino.catalogs.layouts import FOLDERS, Layout, locate
from praxino.catalogs.names import first_repeated, group_of
from praxino.errors import UserError

LIST_FOLDERS = ("splits", "split", "ucfTrainTestlist", "")


class UCF101(Catalog):
    """The videos of one official split, in the order of its lists.

    The lists (`classInd.txt`, `trainlist0S.txt`, `testlist0S.txt`) lie in `splits/`, `split/` or `ucfTrainTestlist/`
    below the root or beside it, or in one of these two themselves. The videos are files or folders of frames, in class
    folders or not, in the root or in `UCF-101/`, `UCF101/`, `videos/`, `jpegs_256/`, `frames/` or `rgb/` below it; the
    layout that holds most of the listed videos is taken, and `found` names it. A file may have another extension than
    the list says, and both spellings of HandstandPushups are understood.

    A video's id is its line in the list, its label the number of its class folder in `classInd.txt` less 1 (never the
    number in the training list), its group `<Class>_gXX`. A listed video that is not on the disk stays in the catalog:
    the probe lists it as unreadable.

    Args:
        root: the data set's folder.
        split: 1, 2 or 3.
        frames: True takes folders of frames, False video files, None what is there (files first).
        held_out: choose settings without looking at the test list: if k > 0, the part "test" is the last k groups of
            each class of the training list, "train" is the rest of it, and "all" is both.

    Raises:
        UserError: if the root, a list or all videos are missing, or a list is not of the official form.
    """

    def __init__(self, root: str | Path, split: int = 1, frames: bool | None = None, held_out: int = 0) -> None:
        self.root = str(root)
        self.split = split
        self.frames = frames
        self.held_out = held_out
        if not os.path.isdir(self.root):
            raise UserError(f"UCF101: there is no folder {self.root}")
        lists = _list_folder(self.root, split)
        self.classes = _read_classes(lists / "classInd.txt")
        self._labels = {name: label for label, name in enumerate(self.classes)}
        train = self._read_list(lists / f"trainlist{split:02d}.txt")
        test = self._read_list(lists / f"testlist{split:02d}.txt")
        twice = first_repeated(train + test)
        if twice is not None:
            raise UserError(f"{lists}: {twice} is listed twice")
        if held_out:
            train, test = _hold_out(train, held_out)
        self._sizes = len(train), len(test)
        self._listed = train + test
        layout = self._locate()
        self._rows = range(len(self._listed))
        self.found = (
            f"UCF101 split {split}: {len(train)} training and {len(test)} test videos of {len(self.classes)} "
            + (f"classes, by the lists in {lists}, lying as {os.path.join(self.root, str(layout))}")
        )
        if self._absent:
            self.found += f"; {self._absent} of them are not on the disk"

    def __len__(self) -> int:
        return len(self._rows)

    def video(self, row: int) -> Video:
        listed = self._listed[self._rows[row]]
        path = self._paths[self._rows[row]]
        label = self._labels[listed.split("/")[0]]
        return Video(listed, {"rgb": os.path.join(self.root, path)}, label, group_of(listed))

    def part(self, name: Part) -> UCF101:
        """The training list, the test list, or the training list followed by the test list."""
        train, test = self._sizes
        part = copy.copy(self)
        part._rows = {"train": range(train), "test": range(train, train + test), "all": range(train + test)}[name]
        return part

    def _read_list(self, path: Path) -> list[str]:
        # The training lists have a number behind the name; names themselves hold no spaces.
        videos = [line.split()[0] for line in _lines(path)]
        for video in videos:
            if video.count("/") != 1:
                raise UserError(f"{path}: expected lines of the form Class/video.avi, found {video!r}")
            if video.split("/")[0] not in self._labels:
                raise UserError(f"{path}: {video} is of a class that classInd.txt does not have")
        return videos

    def _locate(self) -> Layout:
        located = locate(self.root, self._listed, self.classes, self.frames)
        if located is None:
            kind = {None: "videos or folders of frames", True: "folders of frames", False: "videos"}[self.frames]
            below = ", ".join(f"{folder}/" for folder in FOLDERS if folder)
            raise UserError(
                f"UCF101: none of the {len(self._listed)} listed {kind} is in {self.root} (looked for "
                f"{self._listed[0]} and the like in it and in {below} below it, with and without class folders)"
            )
        layout, places = located
        self._absent = places.count(None)
        self._paths = [place or layout.paths(listed)[0] for place, listed in zip(places, self._listed, strict=True)]
        return layout


def _list_folder(root: str, split: int) -> Path:
    tops = [Path(root), Path(os.path.abspath(root)).parent]
    needed = ("classInd.txt", f"trainlist{split:02d}.txt", f"testlist{split:02d}.txt")
    folders = [top / name for top in tops for name in LIST_FOLDERS]
    most = max(folders, key=lambda folder: sum((folder / name).is_file() for name in needed))
    missing = [name for name in needed if not (most / name).is_file()]
    if len(missing) == len(needed):
        places = ", ".join(f"{name}/" for name in LIST_FOLDERS if name)
        raise UserError(
            f"UCF101: no lists ({', '.join(needed)}) for {root}: looked in {places} and no folder, in it and beside it"
        )
    if missing:
        raise UserError(f"UCF101: {most} holds lists, but not {' and '.join(missing)}")
    return most


def _lines(path: Path) -> list[str]:
    return [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]


def _read_classes(path: Path) -> tuple[str, ...]:
    """Class names in the order of their numbers, which must be 1, 2, 3, ..."""
    pairs = [line.split() for line in _lines(path)]
    if not all(len(pair) == 2 and pair[0].isdecimal() for pair in pairs):
        raise UserError(f"{path}: expected lines of the form '1 ApplyEyeMakeup'")
    numbered = sorted((int(number), name) for number, name in pairs)
    if not numbered or [number for number, _ in numbered] != list(range(1, len(numbered) + 1)):
        raise UserError(f"{path}: expected classes numbered 1, 2, 3, ... without gaps")
    return tuple(name for _, name in numbered)


def _hold_out(train: list[str], count: int) -> tuple[list[str], list[str]]:
    """The training list without the last `count` groups of each class, and these."""
    groups: dict[str, set[str]] = {}
    for video in train:
        group = group_of(video)
        if group is None:
            raise UserError(f"held_out needs names like v_Archery_g08_c01, and the training list has {video}")
        groups.setdefault(video.split("/")[0], set()).add(group)
    fewest = min(len(some) for some in groups.values())
    if not 0 < count < fewest:
        raise UserError(f"held_out={count}: a class of the training list has {fewest} groups, so it must be below that")
    last = {group for some in groups.values() for group in sorted(some)[-count:]}
    return [v for v in train if group_of(v) not in last], [v for v in train if group_of(v) in last]
