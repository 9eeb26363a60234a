"""videos.csv, the frozen list of a run's videos: written and read line by line."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from praxino.errors import UserError
from praxino.files import encoded, written_aside
from praxino.streams.probe import STATUSES, Status

HEADING = ("row", "id", "frames", "status", "reason")


class ListedVideo(NamedTuple):
    """A line of videos.csv: row in the run (None where left out, "" in the file), id, frames, status and reason."""

    row: int | None
    id: str
    frames: int
    status: Status
    reason: str


class _Encoded:
    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def write(self, line: str) -> None:
        self.file.write(encoded(line))


def write_list(path: Path, videos: Iterable[ListedVideo]) -> None:
    """Writes a list under its heading, aside first.

    Raises:
        UserError: if it cannot be written.
    """
    with written_aside(path) as aside, aside.open("wb") as file:
        lines = csv.writer(_Encoded(file))
        lines.writerow(HEADING)
        lines.writerows(videos)  # None is an empty field


def read_list(path: Path) -> Iterator[ListedVideo]:
    """What `write_list` wrote, line by line.

    Raises:
        UserError: if it cannot be read, or is damaged.
    """
    try:
        if not path.is_file():
            raise OSError("it is no regular file")  # a pipe would be waited for
        with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            yield from _lines(csv.reader(file), path)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from None


def _lines(lines: Any, path: Path) -> Iterator[ListedVideo]:
    usable = 0
    try:
        heading: list[str] = next(lines, [])
        columns = itemgetter(*(heading.index(name) for name in HEADING))
        for fields in filter(None, lines):
            row, id, frames, status, reason = columns(fields)
            if status not in STATUSES or row != (str(usable) if status == "ok" else ""):
                raise ValueError
            yield ListedVideo(int(row) if row else None, id, int(frames), status, reason)
            usable += status == "ok"
    except (IndexError, ValueError, csv.Error):
        line = max(1, lines.line_num)
        raise UserError(f"{path} line {line} is damaged: the run cannot be gone on with") from None
