"""What the first line of a list says of its columns."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from praxino.catalogs.text import BLANKS, lines_of, records_of
from praxino.errors import UserError

# "" divides at the last blank.
SEPARATORS = {",": "a comma", "\t": "a tab", ";": "a semicolon", "": "a blank"}
KINDS = {
    "path": re.compile(r"(?:path|file|video|clip)(?:_?(?:path|name))?|name|id"),
    "label": re.compile(r"label|class|category|target"),
    "group": re.compile(r"group"),
    "split": re.compile(r"split"),
    "frames": re.compile(r"(?:n_?|num_|number_of_)?frames|frame_count"),
}
# What pandas writes over its index, on the left.
INDEX = re.compile(r"(?:unnamed: \d+)?", re.IGNORECASE)


@dataclass(frozen=True)
class Heading:
    """The columns of a list that says them.

    Attributes:
        separator: what divides them; "" is the last blank.
        kinds: of each column "path", "label", "group", "split", "frames" or "index".
    """

    separator: str
    kinds: tuple[str, ...]


def heading_of(text: str, names_video: Callable[[str], bool], path: str) -> Heading | None:
    """The heading that a list's first line is, if it is one: each field is a column's name, and none is a video's.

    Args:
        text: of the list.
        names_video: whether there is a video of this name.
        path: the list, for messages.

    Raises:
        UserError: if it names no column of paths, or two of one kind.
    """
    number, line = next(lines_of(text), (0, ""))
    where = f"{path}, line {number}"
    fields, separator = _fields(text, line)
    kinds = [kind_of(field) for field in fields]
    if len(fields) > 1 and separator and INDEX.fullmatch(fields[0]):
        kinds[0] = "index"
    known = [kind for kind in kinds if kind is not None]
    if not known or len(known) < len(kinds) or any(names_video(name) for name in {line, *fields} if name):
        return None
    for kind in KINDS:
        alike = [field for field, other in zip(fields, kinds, strict=True) if other == kind]
        if len(alike) > 1:
            raise UserError(f"{where}: the heading has two columns for the {kind}, {' and '.join(alike)}: keep one")
    if "path" not in known:
        raise UserError(f"{where}: the heading names no column of paths: call it path")
    if separator == "" and known not in (["path"], ["path", "label"]):
        raise UserError(f"{where}: blanks divide no more than a path and a label: divide the columns by commas")
    return Heading(separator, tuple(known))


def kind_of(name: str) -> str | None:
    """What a column of this name holds: "path", "label", "group", "split" or "frames"; None if it is no column's."""
    bare = name.strip().lower().replace(" ", "_").replace("-", "_")
    return next((kind for kind, pattern in KINDS.items() if pattern.fullmatch(bare)), None)


def _fields(text: str, line: str) -> tuple[list[str], str]:
    """The fields of a first line, and what divides them: a heading has one way to be divided."""
    for separator in filter(None, SEPARATORS):
        record = next(records_of(text, separator), None)
        if record and record.fields and len(record.fields) > 1:
            return [field.strip(BLANKS) for field in record.fields], separator
    bare = line.strip('"')
    return ([bare] if kind_of(bare) else bare.split()), ""
