"""The text files that say which videos of a data set are for training and which for testing."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from praxino.catalogs.listing import looking_into
from praxino.catalogs.names import first_repeated, is_hidden
from praxino.catalogs.text import at_last_blank, lines_of, short, text_of
from praxino.errors import UserError


@dataclass(frozen=True)
class Lists:
    """One official split, as it is listed.

    Attributes:
        folder: where the lists are.
        classes: names of the class folders, by label.
        train, test: `Class/video.ext` of each video, in order.

    Raises:
        UserError: if a video is listed twice.
    """

    folder: Path
    classes: tuple[str, ...]
    train: list[str]
    test: list[str]

    def __post_init__(self) -> None:
        twice = first_repeated(self.train + self.test)
        if twice is not None:
            raise UserError(f"{self.folder}: {twice} is listed twice")


def places(root: str, names: Sequence[str]) -> list[Path]:
    """Where lists may lie: folders of these names ("" is the folder itself) in a data set's folder and beside it."""
    return [top / name for top in (Path(root), Path(os.path.abspath(root)).parent) for name in names]


def list_folder(root: str, names: Sequence[str], split: int) -> tuple[Path, list[str]]:
    """The folder that has most of `classInd.txt`, `trainlist0S.txt` and `testlist0S.txt`, and those that it lacks.

    Args:
        root: the data set's folder.
        names: of the folders that may hold them.
        split: S.

    Raises:
        UserError: if such a folder is there and cannot be entered.
    """
    needed = ["classInd.txt", f"trainlist{split:02d}.txt", f"testlist{split:02d}.txt"]
    lacks = {}
    for folder in places(root, names):
        with looking_into(folder):
            lacks[folder] = [name for name in needed if not (folder / name).is_file()]
    most = min(lacks, key=lambda folder: len(lacks[folder]))
    return most, lacks[most]


def lacking(data: str, root: str, names: Sequence[str], folder: Path, missing: Sequence[str]) -> UserError:
    """What is said where `list_folder` finds files missing; `data` is the data set's name."""
    if len(missing) < 3:  # some of the three are there
        return UserError(f"{data}: {folder} holds lists, but not {' and '.join(missing)}")
    looked = ", ".join(f"{name}/" for name in names if name)
    return UserError(
        f"{data}: no lists ({', '.join(missing)}) for {root}: looked in {looked} and no folder, in it and beside it"
    )


def two_lists(folder: Path, split: int) -> Lists:
    """Reads `classInd.txt`, `trainlist0S.txt` and `testlist0S.txt`, of lines `Class/video.ext`.

    A number behind a name, as UCF101's training lists have it, is passed over.

    Args:
        folder: that holds them.
        split: S.

    Raises:
        UserError: if they are not of the official form.
    """
    classes = class_names(folder / "classInd.txt")
    train, test = (_listed(folder / f"{part}list{split:02d}.txt", set(classes)) for part in ("train", "test"))
    return Lists(folder, classes, train, test)


def class_lists(folder: Path, split: int) -> Lists | None:
    """Reads `<class>_test_splitS.txt`, one file a class, of lines `<video> <flag>`: 1 is training, 2 test, 0 neither.

    The classes are in alphabetical order.

    Args:
        folder: that holds them.
        split: S.

    Returns:
        None if there are none.

    Raises:
        UserError: if they are not of the official form.
    """
    ending = f"_test_split{split}.txt"
    names = [path.name for path in folder.glob(f"*{ending}") if not is_hidden(path.name)]
    classes = tuple(sorted(name.removesuffix(ending) for name in names))
    videos: dict[str, list[str]] = {"0": [], "1": [], "2": []}
    for name in classes:
        path = folder / f"{name}{ending}"
        for number, line in lines_of(text_of(path)):
            video, flag = at_last_blank(line)
            if flag not in videos or "/" in video:
                raise UserError(
                    f"{path}, line {number}: expected lines of the form 'video.avi 1' (or 2, or 0), found {short(line)}"
                )
            videos[flag].append(f"{name}/{video}")
    return Lists(folder, classes, videos["1"], videos["2"]) if classes else None


def hold_out(train: Sequence[str], count: int, group_of: Callable[[str], str | None]) -> tuple[list[str], list[str]]:
    """The training list without the last `count` groups of each class, and these.

    Raises:
        UserError: if a video has no group, or a class has too few.
    """
    groups: dict[str, set[str]] = {}
    for video in train:
        group = group_of(video)
        if group is None:
            raise UserError(f"held_out needs names that tell a video's source, and the training list has {video}")
        groups.setdefault(video.split("/")[0], set()).add(group)
    fewest = min(len(some) for some in groups.values())
    if not 0 < count < fewest:
        raise UserError(f"held_out={count}: a class of the training list has {fewest} groups, so it must be below that")
    last = {group for some in groups.values() for group in sorted(some)[-count:]}
    return [v for v in train if group_of(v) not in last], [v for v in train if group_of(v) in last]


def _listed(path: Path, classes: set[str]) -> list[str]:
    """The videos of a list, each line `Class/video.ext` with or without a number behind it."""
    videos = []
    for number, line in lines_of(text_of(path)):
        video, behind = at_last_blank(line)
        video = video if behind.isdecimal() else line
        if video.count("/") != 1:
            raise UserError(f"{path}, line {number}: expected lines of the form Class/video.avi, found {short(line)}")
        if video.split("/")[0] not in classes:
            raise UserError(f"{path}, line {number}: {video} is of a class that classInd.txt does not have")
        videos.append(video)
    return videos


def class_names(path: Path) -> tuple[str, ...]:
    """Reads `classInd.txt`: class names in the order of their numbers, which must be 1, 2, 3, ...

    Raises:
        UserError: if it is not of the official form.
    """
    numbered: dict[int, str] = {}
    for line_number, line in lines_of(text_of(path)):
        number, _, name = line.replace("\t", " ").partition(" ")
        name = name.strip()
        if not name or " " in name or not number.isdecimal() or len(number) > 9:
            raise UserError(
                f"{path}, line {line_number}: expected lines of the form '1 ApplyEyeMakeup', found {short(line)}"
            )
        if int(number) in numbered:
            raise UserError(f"{path}, line {line_number}: a second class with the number {number}")
        numbered[int(number)] = name
    if not numbered or sorted(numbered) != list(range(1, len(numbered) + 1)):
        raise UserError(f"{path}: expected classes numbered 1, 2, 3, ... without gaps")
    if len(set(numbered.values())) < len(numbered):
        raise UserError(f"{path}: two classes are called {first_repeated(numbered.values())}")
    return tuple(numbered[number] for number in sorted(numbered))
