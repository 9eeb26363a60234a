"""The rows of a list of videos: nothing is guessed, and what is odd is refused with its line's number."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import NamedTuple

from praxino.catalogs.columns import SEPARATORS, Heading, heading_of
from praxino.catalogs.names import is_hidden, is_picture, is_video
from praxino.catalogs.text import BLANKS, Record, at_last_blank, lines_of, not_utf8, records_of, short, text_of
from praxino.errors import UserError

# So many lines tell what divides a list without a heading; all the others have to be like them.
TRIED = 1000
PATH_AND_LABEL = ("path", "label")
ADVICE = "begin the list with a heading such as path,label"
WHOLE = re.compile(r"[0-9]{1,9}")
HALF_SURROGATE = re.compile("[\ud800-\udfff]")

Known = Callable[[str], bool]


class Row(NamedTuple):
    """One video of a list; None is what the list does not say."""

    line: int
    path: str
    label: str | None = None
    group: str | None = None
    split: str | None = None
    frames: int | None = None


def rows_of(path: str, below: str) -> tuple[list[Row], Heading | None]:
    """Reads a list.

    Args:
        path: the list.
        below: the folder that its paths are relative to.

    Returns:
        Its rows, and the heading if it has one.

    Raises:
        UserError: if it cannot be read, or a line is odd.
    """
    text = text_of(path, strict=False)
    known = partial(_is_video_or_there, below)
    heading = heading_of(text, partial(_holds_video, below), path)
    separator = heading.separator if heading else _separator(path, text, known)
    rows: Iterator[Row]
    if heading and heading.kinds == ("path",):
        rows = _of_one_column(path, text, known)
    elif separator:
        rows = _of_table(path, text, heading or Heading(separator, PATH_AND_LABEL), known, headed=heading is not None)
    else:
        lines = islice(lines_of(text), int(heading is not None), None)
        rows = (_plain(path, number, line, below, known) for number, line in lines)
    found = list(rows)
    if not found:
        raise UserError(f"the list {path} names no video")
    _refuse_other_encodings(path, found, below)
    return found, heading


def _is_video_or_there(below: str, name: str) -> bool:
    return is_video(name) or (name != "" and os.path.exists(os.path.join(below, name)))


def _holds_video(below: str, name: str) -> bool:
    """Whether a name is a file's, or a folder's of frames: one that holds the videos may well be called `video`."""
    path = os.path.join(below, name)
    if not os.path.isdir(path):
        return os.path.exists(path)
    try:
        return any(is_picture(entry) and not is_hidden(entry) for entry in os.listdir(path))
    except OSError:
        return False


def _separator(path: str, text: str, known: Known) -> str:
    """What divides a list that has no heading: a path in front of it is known, as a video's name or on the disk."""
    lines = list(islice(lines_of(text), TRIED))
    if all(known(line) for _, line in lines):
        return ""
    records = {s: list(islice(records_of(text, s), TRIED)) for s in SEPARATORS if s}
    divided = {s: [record.line for record in some if _begins_with_path(record, known)] for s, some in records.items()}
    clear = [s for s, some in records.items() if len(divided[s]) == len(some)]
    if len(clear) == 1:
        return clear[0]
    if clear:
        either = " or ".join(SEPARATORS[s] for s in clear)
        raise UserError(f"{path}, line {lines[0][0]}: either {either} may divide path and label: {ADVICE}")
    others = {number for numbers in divided.values() for number in numbers}
    divided[""] = [n for n, line in lines if n not in others and not known(line) and known(at_last_blank(line)[0])]
    some = sorted((numbers[0], s) for s, numbers in divided.items() if numbers)
    if len(some) > 1:
        (one, first), (other, second) = some[:2]
        raise UserError(
            f"{path}: {SEPARATORS[first]} divides path and label in line {one}, {SEPARATORS[second]} in line {other}: "
            f"divide all lines alike, or {ADVICE}"
        )
    return some[0][1] if some else _by_columns(records)


def _begins_with_path(record: Record, known: Known) -> bool:
    return record.fields is not None and len(record.fields) > 1 and known(record.fields[0].rstrip(BLANKS))


def _by_columns(records: dict[str, list[Record]]) -> str:
    """Where no line begins with a video: what gives all of them the same number of columns."""
    widths = {s: {len(record.fields or ()) for record in some} for s, some in records.items()}
    even = [s for s, found in widths.items() if len(found) == 1 and max(found) > 1]
    return even[0] if len(even) == 1 else ""


def _of_table(path: str, text: str, heading: Heading, known: Known, headed: bool) -> Iterator[Row]:
    for number, fields, error in islice(records_of(text, heading.separator), int(headed), None):
        where = f"{path}, line {number}"
        if fields is None:
            raise UserError(f"{where}: it is no CSV: {error}")
        if len(fields) != len(heading.kinds):
            has = f"the heading has {len(heading.kinds)}" if headed else "without a heading there are path and label"
            way = f"put quotes around a field that holds {SEPARATORS[heading.separator]}"
            counted = f"{len(fields)} field{'s' if len(fields) > 1 else ''}"
            raise UserError(f"{where}: {counted}, and {has}: {way}" + ("" if headed else f", or {ADVICE}"))
        yield _row(number, where, dict(zip(heading.kinds, fields, strict=True)), known)


def _row(number: int, where: str, said: dict[str, str], known: Known) -> Row:
    name = _bare(said["path"], known)
    if not name:
        raise UserError(f"{where}: there is no path")
    if not said.get("index", "0").strip(BLANKS).isdecimal():
        raise UserError(f"{where}: the first column has no name, and {short(said['index'])} is no row's number")
    label, group, split = (said.get(kind, "").strip(BLANKS) or None for kind in ("label", "group", "split"))
    split = split and split.lower()
    if "split" in said and split not in ("train", "test"):
        raise UserError(
            f"{where}: the column split says train or test, not {short(said['split'])}: leave the line out, or give a "
            "list of its own to the argument test"
        )
    frames = said.get("frames", "").strip(BLANKS)
    if frames and not WHOLE.fullmatch(frames):
        raise UserError(f"{where}: the column of frames says how many there are, not {short(frames)}")
    return Row(number, name, label, group, split, int(frames) if frames else None)


def _of_one_column(path: str, text: str, known: Known) -> Iterator[Row]:
    lines = dict(lines_of(text))
    for number, fields, _ in islice(records_of(text, ","), 1, None):
        whole = lines.get(number, "")
        if fields and len(fields) == 1:
            yield Row(number, _bare(fields[0], known))
        elif known(whole):  # its commas, or quotes, stand in no quotes
            yield Row(number, whole)
        else:
            raise UserError(f"{path}, line {number}: the heading names a path alone: put quotes around one with commas")


def _bare(name: str, known: Known) -> str:
    """A path without the blanks behind it, unless a file is called so. Those before it stood in quotes."""
    bare = name.rstrip(BLANKS)
    return name if bare and name != bare and known(name) else bare


def _plain(path: str, number: int, line: str, below: str, known: Known) -> Row:
    quoted = line.startswith('"') and not os.path.exists(os.path.join(below, line))
    fields = next(records_of(line, " "), Record(number, [])).fields if quoted else []
    if fields is None:
        raise UserError(f"{path}, line {number}: its quotes do not close, or something stands behind them")
    if known(line):
        return Row(number, line)
    if quoted:
        bare = [field for field in fields if field]
        if not 1 <= len(bare) <= 2:
            raise UserError(f"{path}, line {number}: its quotes hold no path, or more than a label stands behind them")
        return Row(number, bare[0], bare[1] if len(bare) > 1 else None)
    name, label = at_last_blank(line)
    # Where a video's ending stands in the middle it is not to be guessed where the label begins.
    if not known(name) and any(is_video(word) for word in re.split(r"[,;\s]", line)):
        raise UserError(
            f"{path}, line {number}: where does the path end in {short(line)}? Divide path and label by a comma"
        )
    return Row(number, name, label or None)


def _refuse_other_encodings(path: str, rows: Sequence[Row], below: str) -> None:
    """Names of files may be any bytes, if there is such a file. Labels are text."""
    for row in rows:
        odd = HALF_SURROGATE.search(f"{row.label or ''}{row.group or ''}")
        in_path = HALF_SURROGATE.search(row.path)
        if in_path and not os.path.exists(os.path.join(below, row.path)):
            odd = in_path
        if odd:
            raise not_utf8(path, row.line, f"the byte 0x{ord(odd[0]) - 0xDC00:02x}")
