"""Videos named in a text file."""

from __future__ import annotations

import copy
import os
from collections.abc import Sequence
from pathlib import Path

from praxino.catalogs.base import Catalog, Part, Video
from praxino.catalogs.columns import SEPARATORS, kind_of
from praxino.catalogs.names import first_repeated, group_of
from praxino.catalogs.rows import Row, rows_of
from praxino.errors import UserError
from praxino.printable import counted


class ListFile(Catalog):
    """The videos of a list, in its order: one a line, a path with or without a label.

    The list is UTF-8. It is a table in CSV, divided by commas, tabs or semicolons, with quotes around fields that hold
    one; or its lines are plain: `path`, or `path label`.

    A table may begin with a heading, whose every field is a column's name: of the path (`path`, `file`, `filename`,
    `video`, `clip` and their `_path` and `_name` forms, `name`, `id`), the label (`label`, `class`, `category`,
    `target`), the `group`, the `split` or how many `frames` there are (`n_frames`, `num_frames`, `frame_count`); the
    nameless column that pandas writes first is passed over. A heading names no file that exists: any other first line
    is a video. Without a heading a table has a path and a label.

    A plain line that ends in a video's extension, or is all of it the name of a file or folder that is there, is a
    path. In any other the last blank divides path and label. What fits none of this is refused with its line's number.

    A path is a file or a folder of frames, relative to `root` or absolute; as it is written, it is the id. Labels are
    words or numbers, on all lines or on none; the classes are their sorted set over both lists (by value if all are
    whole numbers). Videos of one group were cut from one source; without a group, files named as UCF101 names them
    have theirs. A column `split` of `train` and `test` makes the parts. A listed video that is not on the disk stays in
    the catalog, and the probe lists it as unreadable.

    Args:
        path: the list; the training list where `test` is given.
        root: what the paths are relative to; by default the list's own folder.
        test: a second list, the part "test"; without it, and without a column `split`, every part is the whole.

    Raises:
        UserError: if a list is missing, empty or of another form, or none of the videos is on the disk.
    """

    def __init__(self, path: str | Path, root: str | Path | None = None, test: str | Path | None = None) -> None:
        self.path = str(path)
        self.root = None if root is None else str(root)
        self.test = None if test is None else str(test)
        self._below = os.path.dirname(self.path) if self.root is None else self.root
        lists = [(name, *rows_of(name, self._below)) for name in (self.path, self.test) if name is not None]
        rows = [row for _, some, _ in lists for row in some]
        self._paths = [row.path for row in rows]
        self._names = [row.label for row in rows]
        self._groups = [row.group for row in rows]
        self._frames = [row.frames for row in rows]
        self._refuse([(name, some) for name, some, _ in lists])
        self._parts = self._split([row.split for row in rows], len(lists[0][1]))
        self.classes = _sorted_labels({name for name in self._names if name is not None})
        self._labels = {name: label for label, name in enumerate(self.classes)}
        self._rows: Sequence[int] = range(len(rows))
        classes = counted(len(self.classes), "class") if self.classes else "no classes"
        self.found = f"{counted(len(rows), 'video')} of {classes}" + self._said()
        for name, some, heading in lists:
            if heading is None and kind_of(some[0].path) and not os.path.exists(self._place(some[0].path)):
                self.found += f"; the first line of {name} is taken as a video, since not all of it names columns"

    def __len__(self) -> int:
        return len(self._rows)

    def video(self, row: int) -> Video:
        number = self._rows[row]
        path, name = self._paths[number], self._names[number]
        label = None if name is None else self._labels[name]
        return Video(path, {"rgb": self._place(path)}, label, self._groups[number] or group_of(path))

    def listed_frames(self, row: int) -> int | None:
        return self._frames[self._rows[row]]

    def part(self, name: Part) -> ListFile:
        """The list `path`, the list `test`, or one after the other; or the rows that the column `split` calls so.

        Without either it is always the whole.

        Raises:
            UserError: if the column `split` gives the part no video.
        """
        if self._parts is None:
            return self
        part = copy.copy(self)
        part._rows = range(len(self._paths)) if name == "all" else self._parts[name]
        if not part._rows:
            raise UserError(f"{self.path}: its column split says {name} of no video")
        return part

    def _place(self, path: str) -> str:
        return os.path.join(self._below, path)

    def _split(self, splits: list[str | None], train: int) -> dict[str, Sequence[int]] | None:
        if self.test is None and None in splits:
            return None
        if self.test is None:
            return {part: [k for k, split in enumerate(splits) if split == part] for part in ("train", "test")}
        if set(splits) != {None}:
            raise UserError(
                f"{self.path}: a column split says which videos are for testing, and the argument test names a list "
                "of them: leave one of the two out"
            )
        return {"train": range(train), "test": range(train, len(splits))}

    def _said(self) -> str:
        groups = len({group for group in self._groups if group is not None})
        said = f" in {groups} groups" if groups else ""
        if self.test is not None:
            return f"{said}, listed in {self.path} and {self.test}"
        said += f", listed in {self.path}"
        if self._parts is not None:
            train, test = (len(self._parts[part]) for part in ("train", "test"))
            said += f", whose column split has {train} for training and {test} for testing"
        return said

    def _refuse(self, lists: list[tuple[str, list[Row]]]) -> None:
        bare = [name is None for name in self._names]
        if len(set(bare)) > 1:
            without = bare.index(True)
            raise UserError(
                f"{self.path}: some lines have a label and some have none: {_line(lists, bare.index(False))} has one, "
                f"and {_line(lists, without)} has none, {self._paths[without]}"
            )
        spelt_alike = [os.path.normpath(path) for path in self._paths]  # ./a.mp4 is a.mp4
        twice = first_repeated(spelt_alike)
        if twice is not None:
            one, other = [k for k, path in enumerate(spelt_alike) if path == twice][:2]
            raise UserError(f"{_line(lists, one)}: {self._paths[one]} is listed twice, again in {_line(lists, other)}")
        if not any(os.path.exists(self._place(path)) for path in self._paths):
            raise UserError(
                f"none of the videos listed in {self.path} is on the disk: the first would be "
                f"{self._place(self._paths[0])}" + self._elsewhere(_line(lists, 0))
            )

    def _elsewhere(self, place: str) -> str:
        """A hint where the path stands behind something else."""
        for separator in filter(None, SEPARATORS):
            behind = self._paths[0].partition(separator)[2].strip()
            if behind and os.path.exists(self._place(behind)):
                return f"; in {place}, {behind} is: the path comes first, or a heading such as label,path says where"
        return "; --catalog.root says what the paths are relative to"


def _line(lists: list[tuple[str, list[Row]]], number: int) -> str:
    """Where row `number` of some lists stands."""
    for path, rows in lists:
        if number < len(rows):
            return f"{path}, line {rows[number].line}"
        number -= len(rows)
    raise IndexError(number)


def _sorted_labels(names: set[str]) -> tuple[str, ...]:
    if not all(name.isascii() and name.isdecimal() for name in names):
        return tuple(sorted(names))
    # By value, however many digits there are.
    return tuple(sorted(names, key=lambda name: (len(name.lstrip("0")), name.lstrip("0"), name)))
