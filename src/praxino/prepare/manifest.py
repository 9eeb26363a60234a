"""What has been made in a folder, by what, and of which videos: a file of lines of JSON.

The first line says what all videos have in common: the stream, its provider and settings. Each other line is a video.
While videos are made, lines are appended to a journal; when the run ends, they are in the manifest, in the order of
their ids. Nothing in it depends on the machine's speed, the number of processes, or where the work was interrupted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from praxino.errors import UserError
from praxino.files import append_text, read_text, write_text
from praxino.streams.places import MANIFEST

JOURNAL = f".{MANIFEST}.part"
FAILED, MADE = "failed", "made"  # what becomes of a video
# Of what is read, since a file may have been edited.
KINDS: Mapping[str, type] = {
    "id": str, "status": str, "source": dict, "made_with": dict, "frames": int, "missing": int, "found": int,
    "bytes": int, "reason": str,
}  # fmt: skip


@dataclass(frozen=True)
class Record:
    """One video.

    Attributes:
        id: the video's.
        status: "made" or "failed".
        source: what tells the file, or the pictures, of which it was made from a later one.
        made_with: versions of the libraries.
        frames: how many it has.
        missing: for how many of them there is no file, since the video does not give what they need.
        found: in how many of those with a file something was found.
        size: height and width of the first, as stored; None without any.
        bytes: of all files.
        reason: why it failed; else empty.
    """

    id: str
    status: str
    source: Mapping[str, int]
    made_with: Mapping[str, str]
    frames: int = 0
    missing: int = 0
    found: int = 0
    size: tuple[int, int] | None = None
    bytes: int = 0
    reason: str = ""


def line(content: Any) -> str:
    """One line of JSON."""
    return json.dumps(content) + "\n"


class Manifest:
    """The manifest and the journal of a folder.

    Args:
        folder: the root of the stream.
        settings: what is to be made in it, as plain data.

    Raises:
        UserError: if something else has been made in it, or lies there.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self.folder = folder
        self.settings = json.loads(json.dumps(settings))
        self.records: dict[str, Record] = {}
        if not (folder / MANIFEST).is_file():
            self._refuse_others_files()
        else:
            self._read()
        self.write()

    def add(self, record: Record) -> None:
        """Keeps what has become of a video, at once."""
        self.records[record.id] = record
        append_text(self.folder / JOURNAL, line(asdict(record)))

    def write(self) -> None:
        """Writes all lines in their order. The journal ends."""
        lines: Iterable[Any] = [self.settings, *(asdict(self.records[id]) for id in sorted(self.records))]
        write_text(self.folder / MANIFEST, "".join(map(line, lines)))
        (self.folder / JOURNAL).unlink(missing_ok=True)

    def _read(self) -> None:
        path = self.folder / MANIFEST
        try:
            found, *rows = [json.loads(one) for one in read_text(path).splitlines()]
            if not isinstance(found, dict):
                raise ValueError("its first line is no object")
            differing = list(_differences(found, self.settings))
            journal = self.folder / JOURNAL
            if journal.is_file():
                rows += _whole_lines(journal)
            records = {} if differing else {row["id"]: _record(row) for row in rows}
            nothing_made = all(row["status"] != MADE for row in rows)
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise UserError(f"{path} cannot be read ({error}): pass another --out, or remove {self.folder}") from None
        if nothing_made:
            return  # so it may be made in another way
        if differing:
            raise UserError(f"{self.folder} was made otherwise ({'; '.join(differing)}): pass another --out")
        self.records = records

    def _refuse_others_files(self) -> None:
        there = sorted(path.name for path in self.folder.iterdir() if not path.name.startswith("."))
        if there:
            raise UserError(
                f"{self.folder} holds {there[0]}, and nothing says that praxino has made it: pass another --out"
            )


def _whole_lines(journal: Path) -> list[Any]:
    """The lines of a journal up to the first that is none.

    A kill may have cut off the last one, and a power cut left zeros: the videos from there on are made again.
    """
    rows = []
    for one in journal.read_bytes().split(b"\n")[:-1]:
        try:
            rows.append(json.loads(one))
        except (ValueError, RecursionError):
            break
    return rows


def _record(row: Mapping[str, Any]) -> Record:
    for name, kind in KINDS.items():
        if name in row and type(row[name]) is not kind:
            raise TypeError(f"the {name} of a video is {json.dumps(row[name])[:50]}")
    return Record(**{**row, "size": row["size"] and tuple(row["size"])})


def _differences(there: Any, now: Any, place: str = "") -> Iterable[str]:
    """What differs between two settings, in words: `provider.bound 15 there, 20 now`."""
    if isinstance(there, dict) and isinstance(now, dict):
        another = there.get("class_path") != now.get("class_path")
        for name in ("class_path",) if another else {**there, **now}:
            # Arguments are named as they are typed.
            inside = place if name == "init_args" else f"{place}.{name}".lstrip(".")
            yield from _differences(there.get(name), now.get(name), inside)
    elif there is None and now is False:
        return  # an option that is newer than the folder, and off
    elif there != now:
        yield f"{place.removesuffix('.class_path')} {json.dumps(there)} there, {json.dumps(now)} now"
