"""Videos named in a text file."""

from __future__ import annotations

import copy
import os
import re
from pathlib import Path

from praxino.catalogs.base import Catalog, Part, Video
from praxino.catalogs.names import first_repeated, group_of, is_video
from praxino.errors import UserError

HEADER = {"path", "file", "filename", "video"}
LABELLED = re.compile(r"(?P<path>.+?)\s*[,\t ]\s*(?P<label>[^,\t ]+)")


class ListFile(Catalog):
    """The videos of a list, in its order: one a line, `path`, `path,label` or `path label` (comma, tab or space).

    A line that ends in a known video extension is a path; of any other the label is what follows the last comma, tab or
    space, if there is one. So paths may hold spaces and commas, and labels may not. Quotes around a path are taken off,
    empty lines are passed over, and a first line that begins with "path", "file", "filename" or "video" is a heading.
    A path is a file or a folder of frames, relative to `root` or absolute; as it is written, it is the id.

    Labels are words or numbers, on all lines or on none; the classes are their sorted set over both lists (by value if
    all are whole numbers). A listed video that is not on the disk stays in the catalog, and the probe lists it as
    unreadable.

    Args:
        path: the list; the training list where `test` is given.
        root: what the paths are relative to; by default the list's own folder.
        test: a second list, the part "test"; without it every part is the whole.

    Raises:
        UserError: if a list is missing, empty or of another form, or none of the videos is on the disk.
    """

    def __init__(self, path: str | Path, root: str | Path | None = None, test: str | Path | None = None) -> None:
        self.path = str(path)
        self.root = None if root is None else str(root)
        self.test = None if test is None else str(test)
        self._below = os.path.dirname(self.path) if self.root is None else self.root
        train = _read(self.path)
        rows = train + (_read(self.test) if self.test else [])
        self._train = len(train)
        self._paths = [video for video, _ in rows]
        self._names = [name for _, name in rows]
        self._refuse()
        self.classes = _sorted_labels({name for name in self._names if name is not None})
        self._labels = {name: label for label, name in enumerate(self.classes)}
        self._rows = range(len(rows))
        lists = self.path if self.test is None else f"{self.path} and {self.test}"
        self.found = f"{len(rows)} videos of {len(self.classes) or 'no'} classes, listed in {lists}"

    def __len__(self) -> int:
        return len(self._rows)

    def video(self, row: int) -> Video:
        path, name = self._paths[self._rows[row]], self._names[self._rows[row]]
        label = None if name is None else self._labels[name]
        return Video(path, {"rgb": os.path.join(self._below, path)}, label, group_of(path))

    def part(self, name: Part) -> ListFile:
        """The list `path`, the list `test`, or one after the other; without `test` always the whole."""
        if self.test is None:
            return self
        whole = len(self._paths)
        part = copy.copy(self)
        part._rows = {"train": range(self._train), "test": range(self._train, whole), "all": range(whole)}[name]
        return part

    def _refuse(self) -> None:
        if len({name is None for name in self._names}) > 1:
            bare = self._paths[self._names.index(None)]
            raise UserError(f"{self.path}: some lines have a label and some have none, for one {bare}")
        twice = first_repeated(self._paths)
        if twice is not None:
            raise UserError(f"{self.path}: {twice} is listed twice")
        if not any(os.path.exists(os.path.join(self._below, path)) for path in self._paths):
            first = os.path.join(self._below, self._paths[0])
            raise UserError(f"none of the videos listed in {self.path} is on the disk: the first would be {first}")


def _read(path: str) -> list[tuple[str, str | None]]:
    """Path and label of each line."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read the list {path}: {getattr(error, 'strerror', None) or 'it is no text'}") from None
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if lines and not is_video(lines[0]) and re.split(r"[,\t ]", lines[0])[0].strip('"').lower() in HEADER:
        lines = lines[1:]
    if not lines:
        raise UserError(f"the list {path} names no video")
    return [_parse(line) for line in lines]


def _parse(line: str) -> tuple[str, str | None]:
    match = LABELLED.fullmatch(line)
    if is_video(line.strip('"')) or match is None:
        return line.strip('"'), None
    return match["path"].strip('"'), match["label"]


def _sorted_labels(names: set[str]) -> tuple[str, ...]:
    whole_numbers = all(name.isdecimal() for name in names)
    return tuple(sorted(names, key=lambda name: (int(name) if whole_numbers else 0, name)))
