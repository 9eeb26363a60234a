"""The text of a list: UTF-8 from a regular file, its lines by their numbers."""

from __future__ import annotations

import codecs
import csv
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from praxino.errors import UserError

BLANKS = " \t"
SHOWN = 80
# The longer one first: it begins as the other does.
MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


class Record(NamedTuple):
    """One record of a table.

    Attributes:
        line: the number of its first line.
        fields: None where it cannot be parsed.
        error: what is wrong with it, in the csv module's words.
    """

    line: int
    fields: list[str] | None
    error: str = ""


def text_of(path: str | Path, strict: bool = True) -> str:
    """The text of a list, without a byte-order mark, the ends of its lines as they are.

    Args:
        path: a regular file, or a link to one. Anything else might never end, and is not opened.
        strict: whether bytes that are no UTF-8 are refused; otherwise they come as half surrogates, as in names of
            files.

    Raises:
        UserError: if it cannot be read, or is no text in UTF-8.
    """
    try:
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode):
            kind = "a folder" if stat.S_ISDIR(mode) else "no regular file"
            raise UserError(f"cannot read the list {path}: it is {kind}")
        data = Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"cannot read the list {path}: {error.strerror or error}") from None
    for mark, name in MARKS.items():
        if data.startswith(mark):
            raise UserError(f"cannot read the list {path}: it is no text in UTF-8, but in {name}: save it as UTF-8")
    if b"\0" in data:
        raise not_utf8(path, _line_at(data, data.index(b"\0")), "a zero byte")
    try:
        return data.decode("utf-8-sig", "strict" if strict else "surrogateescape")
    except UnicodeDecodeError as error:
        # The codec counts from behind the mark.
        at = error.start + len(data) - len(data.removeprefix(codecs.BOM_UTF8))
        raise not_utf8(path, _line_at(data, at), f"the byte 0x{data[at]:02x}") from None


def not_utf8(path: str | Path, line: int, what: str) -> UserError:
    """What is said of a list in another encoding; `what` betrays it, in line `line`."""
    return UserError(f"cannot read the list {path}: it is no text in UTF-8 (line {line} has {what}): save it as UTF-8")


def lines_of(text: str) -> Iterator[tuple[int, str]]:
    """Number and text of each line that is not empty, without blanks at its ends."""
    for number, line in enumerate(io.StringIO(text, newline=None), 1):
        bare = line.strip(BLANKS + "\n")
        if bare:
            yield number, bare


def records_of(text: str, separator: str) -> Iterator[Record]:
    """What the csv module makes of a text, without empty lines. Blanks behind a separator are passed over.

    Args:
        text: of a whole list, or of some lines.
        separator: one character.
    """
    # Strict: a quote that is never closed would take in the rest of the list.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Record(line, None, str(error))
            continue
        # Tabs alone are blanks, commas alone are fields.
        if "".join(fields).strip(BLANKS) or (len(fields) > 1 and separator not in BLANKS):
            yield Record(line, fields)


def at_last_blank(line: str) -> tuple[str, str]:
    """What stands before the last blank or tab of a line, and behind it; without one all of it stands before."""
    at = max(line.rfind(blank) for blank in BLANKS)
    return (line[:at].rstrip(BLANKS), line[at + 1 :]) if at >= 0 else (line, "")


def short(text: str) -> str:
    """A text in quotes for a message, cut where it is long."""
    return repr(text if len(text) <= SHOWN else f"{text[:SHOWN]}...")


def _line_at(data: bytes, position: int) -> int:
    before = data[:position].replace(b"\r\n", b"\n")
    return before.count(b"\n") + before.count(b"\r") + 1
