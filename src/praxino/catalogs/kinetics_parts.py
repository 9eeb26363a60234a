"""Which videos a part of Kinetics has, and where they lie: by the official tables, or by folders."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from praxino.catalogs.listing import looking_into
from praxino.catalogs.lists import places
from praxino.catalogs.names import is_hidden, is_video
from praxino.catalogs.text import records_of, short, text_of
from praxino.errors import UserError

LIST_FOLDERS = ("annotations", "lists")
WORDS = {"train": "train", "val": "val(?:idat(?:e|ion))?"}
COLUMNS = ("label", "youtube_id", "time_start", "time_end")


@dataclass
class Held:
    """The videos of one part, in order.

    Attributes:
        ids: of the videos.
        classes: the class of each.
        paths: the file or folder of frames of each.
        said: how they were found, in words.
    """

    ids: list[str] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    said: str = ""


def lists_of(root: str) -> dict[str, Path]:
    """The tables of the parts, of the first folder that has one: "train", "val" -> file.

    Raises:
        UserError: if a folder has two of one part.
    """
    for folder in [*places(root, LIST_FOLDERS), Path(root)]:
        names = sorted(entry.name for entry in _entries(folder) if not entry.is_dir())
        found = {}
        for part, word in WORDS.items():
            pattern = re.compile(rf"(?:kinetics[-_]?(?:400)?[-_])?{word}\.csv", re.IGNORECASE)
            fitting = [name for name in names if pattern.fullmatch(name)]
            if len(fitting) > 1:
                raise UserError(f"Kinetics400: {folder} has several lists of one part: {' and '.join(fitting)}")
            if fitting:
                found[part] = folder / fitting[0]
        if found:
            return found
    return {}


def part_folder(root: str, part: str, given: str | None) -> str | None:
    """The folder of a part.

    Args:
        root: the data set's folder.
        part: "train" or "val".
        given: the folder, below the root or anywhere; None: it is looked for.

    Returns:
        None if there is none.

    Raises:
        UserError: if there are several, or not the given one.
    """
    if given is not None:
        folder = os.path.join(root, given)
        if not os.path.isdir(folder):
            raise UserError(f"Kinetics400: {part}_folder: there is no folder {folder}")
        return folder
    pattern = re.compile(rf"(?:(?:videos|rawframes|frames)_)?{WORDS[part]}(?:_\d+)?", re.IGNORECASE)
    found = sorted(entry.name for entry in _entries(root) if entry.is_dir() and pattern.fullmatch(entry.name))
    if len(found) > 1:
        raise UserError(
            f"Kinetics400: {root} has several folders of one part, {' and '.join(found)}: say which one is meant by "
            f"{part}_folder"
        )
    return os.path.join(root, found[0]) if found else None


def held_by_list(table: Path, folder: str) -> Held:
    """The videos that a table names, in its order.

    Args:
        table: with the columns `label`, `youtube_id`, `time_start` and `time_end` (in seconds), and maybe more.
        folder: that they lie in, or in folders below it.

    Raises:
        UserError: if it is of another form.
    """
    rows = list(_rows(table))
    there = _located(folder, {name for _, *names in rows for name in names})
    held = Held()
    absent = 0
    for label, clip, youtube_id in rows:
        path = there.get(clip) or there.get(youtube_id)
        absent += path is None
        held.ids.append(f"{label}/{clip}")
        held.classes.append(label)
        held.paths.append(path or os.path.join(folder, label, f"{clip}.mp4"))
    held.said = f"by {table}, in {folder}" + (f", {absent} of them not on the disk" if absent else "")
    return held


def held_by_folder(root: str, folder: str) -> Held:
    """All videos that lie in a folder as `<class>/<video>`, in alphabetical order; their ids are paths below `root`."""
    held = Held(said=f"all in {folder}")
    for kind in sorted(entry.name for entry in _entries(folder) if entry.is_dir()):
        inside = _entries(os.path.join(folder, kind))
        for name in sorted(entry.name for entry in inside if entry.is_dir() or is_video(entry.name)):
            path = os.path.join(folder, kind, name)
            held.ids.append(Path(os.path.relpath(path, root)).as_posix())
            held.classes.append(kind.replace("_", " "))
            held.paths.append(path)
    return held


def _rows(table: Path) -> Iterator[tuple[str, str, str]]:
    """Class, name of the clip and YouTube id of each line."""
    records = records_of(text_of(table), ",")
    first = next(records, None)
    heading = [name.strip() for name in (first.fields if first else None) or ()]
    missing = [name for name in COLUMNS if name not in heading]
    if missing:
        raise UserError(f"{table}: expected the columns {', '.join(COLUMNS)}, and there is no {missing[0]}")
    for number, fields, error in records:
        where = f"{table}, line {number}"
        if fields is None:
            raise UserError(f"{where}: it is no CSV: {error}")
        if len(fields) != len(heading):
            raise UserError(f"{where}: {len(fields)} fields, and the heading has {len(heading)}")
        row = {name: field.strip() for name, field in zip(heading, fields, strict=True)}
        if not row["label"] or not row["youtube_id"]:
            raise UserError(f"{where}: there is no {'youtube_id' if row['label'] else 'label'}")
        start, end = (_seconds(row[name], where) for name in ("time_start", "time_end"))
        clip = f"{row['youtube_id']}_{start:06d}_{end:06d}"
        yield row["label"].replace("_", " "), clip, row["youtube_id"]


def _seconds(said: str, where: str) -> int:
    try:
        seconds = round(float(said))
    except (ValueError, OverflowError):
        seconds = -1
    if seconds < 0:
        raise UserError(f"{where}: time_start and time_end should be seconds, not {short(said)}")
    return seconds


def _located(folder: str, wanted: set[str]) -> dict[str, str]:
    """Name -> path, of the wanted ones: files without their extension, and folders of frames.

    They lie in the folder, or one below; a folder that is wanted itself is not looked into.
    """
    found: dict[str, str] = {}
    below = []
    for entry in _entries(folder):
        name = _called(entry)
        if name in wanted:
            found.setdefault(name, entry.path)
        elif entry.is_dir():
            below.append(entry.path)
    for inner in sorted(below):
        for entry in _entries(inner):
            name = _called(entry)
            if name in wanted:
                found.setdefault(name, entry.path)
    return found


def _called(entry: os.DirEntry[str]) -> str:
    return os.path.splitext(entry.name)[0] if is_video(entry.name) and not entry.is_dir() else entry.name


def _entries(folder: str | Path) -> list[os.DirEntry[str]]:
    """What is in a folder but hidden things; nothing where there is no folder.

    Raises:
        UserError: if it cannot be read.
    """
    with looking_into(folder):
        try:
            with os.scandir(folder) as entries:
                shown = [entry for entry in entries if not is_hidden(entry.name)]
        except (FileNotFoundError, NotADirectoryError):
            return []
        for entry in shown:
            entry.is_dir()  # of a link it looks where that leads, which may be refused, and remembers
    return shown
