"""A list that names some classes, or some pictures, of a data set of pictures."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from praxino.catalogs.names import first_repeated
from praxino.catalogs.picture_parts import PicturePart
from praxino.catalogs.text import lines_of, short, text_of
from praxino.errors import UserError, nearest


def read_subset(path: str) -> dict[str, int]:
    """The names in a list, one a line, and the number of the line of each.

    Raises:
        UserError: if it cannot be read, or is empty, or a name stands in it twice.
    """
    lines = list(lines_of(text_of(path, strict=False)))
    if not lines:
        raise UserError(f"the list {path} names nothing")
    twice = first_repeated(name for _, name in lines)
    if twice is not None:
        one, other = [line for line, name in lines if name == twice][:2]
        raise UserError(f"{path}, line {other}: {short(twice)} stands in line {one} as well")
    return {name: line for line, name in lines}


def listed_classes(path: str, listed: Mapping[str, int], classes: Sequence[str]) -> tuple[str, ...] | None:
    """Those of the classes that a list names; None if it names none, and so names pictures.

    Raises:
        UserError: if it names other things beside.
    """
    kept = tuple(name for name in classes if name in listed)
    if kept and len(kept) < len(listed):
        name, line = next((name, line) for name, line in listed.items() if name not in kept)
        raise UserError(
            f"{path}, line {line}: {short(name)} is no class folder, and {short(kept[0])} is one."
            f"{nearest(name, classes)}"
        )
    return kept or None


def listed_pictures(
    path: str, listed: Mapping[str, int], parts: Iterable[PicturePart], root: str
) -> dict[str, NDArray[np.int64]]:
    """Folder of a part -> the rows of the pictures that a list names, by their paths below the root or their names.

    Args:
        path: the list.
        listed: what it names.
        parts: where they are looked for; one that has none of them is not in the answer.
        root: of them all, for messages.

    Raises:
        UserError: if a picture is not there, or there are several of its name.
    """
    found: dict[str, str] = {}
    rows: dict[str, list[int]] = {}
    # As bytes, since to make a million words takes a second.
    wanted = {os.fsencode(name.rpartition("/")[2]) for name in listed}
    for part in parts:
        names = part.listing.names.split(b"\0")[:-1]
        for row in (row for row, name in enumerate(names) if name in wanted):
            place = part.path(row)
            for name in sorted({place, part.listing.name(row)} & listed.keys()):
                if name in found:
                    raise UserError(
                        f"{path}, line {listed[name]}: there are several pictures {short(name)}, {found[name]} and "
                        f"{place}: write their paths below {root}"
                    )
                found[name] = place
                rows.setdefault(part.folder, []).append(row)
    missing = [name for name in listed if name not in found]
    if missing:
        raise UserError(
            f"{path}: {len(missing)} of {len(listed)} lines name neither a class folder nor a picture in {root}, line "
            f"{listed[missing[0]]} the first: {short(missing[0])}"
        )
    return {folder: np.unique(np.array(some, np.int64)) for folder, some in rows.items()}
