"""videos.csv, the frozen list of a run's videos."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from praxino.errors import UserError

HEADING = ("row", "id", "frames", "status", "reason")


@dataclass(frozen=True)
class ListedVideo:
    """A line of videos.csv: row in the run ("" where left out), id, frames, status and reason."""

    row: int | None
    id: str
    frames: int
    status: str
    reason: str


def as_csv(videos: Sequence[ListedVideo]) -> str:
    """The text of the list, under its heading."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEADING)
    for v in videos:
        writer.writerow(["" if v.row is None else v.row, v.id, v.frames, v.status, v.reason])
    return text.getvalue()


def from_csv(text: str, where: str) -> list[ListedVideo]:
    """What `as_csv` wrote.

    Args:
        text: of the list.
        where: it is from, for messages.

    Raises:
        UserError: if it is damaged.
    """
    lines = csv.DictReader(io.StringIO(text, newline=""))
    try:
        return [
            ListedVideo(int(v["row"]) if v["row"] else None, v["id"], int(v["frames"]), v["status"], v["reason"])
            for v in lines
        ]
    except (KeyError, TypeError, ValueError, csv.Error):
        raise UserError(f"{where} line {lines.line_num} is damaged: the run cannot be gone on with") from None
