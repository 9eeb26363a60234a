"""What is known of the videos of an index: a line of JSON for each."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from praxino.catalogs.base import Files, Video
from praxino.catalogs.rendered import rendering_of

Status = Literal["done", "failed", "gone"]
DONE: Status = "done"
FAILED: Status = "failed"  # cannot be read, and `reason` says why
GONE: Status = "gone"  # no longer in the catalog; its vectors are kept, in case that it comes back
# Of what is read, since a file may have been edited.
KINDS: Mapping[str, type] = {
    "id": str, "status": str, "reason": str, "files": dict, "size": int, "mtime_ns": int, "content": str,
    "first": int, "clips": int,
}  # fmt: skip


@dataclass(frozen=True)
class Record:
    """One video.

    Attributes:
        id: its id in the catalog.
        status: done, failed or gone.
        reason: why it cannot be read; else empty.
        files: stream -> its files; those below the root of the index as seen from there.
        size: bytes of all of them.
        mtime_ns: when the last of them was changed, in nanoseconds.
        content: checksum of what is in them; empty where they cannot be read.
        first: row of its first clip.
        clips: how many it has, in successive rows. From when to when each is stands in `seconds.npy`.
    """

    id: str
    status: Status
    reason: str = ""
    files: Mapping[str, Any] = field(default_factory=dict)
    size: int = 0
    mtime_ns: int = 0
    content: str = ""
    first: int = 0
    clips: int = 0

    def rows(self) -> slice:
        """Its rows in the arrays that its line lies beside."""
        return slice(self.first, self.first + self.clips)

    def video(self, root: str) -> Video:
        """The video, with its files below this root."""
        return Video(self.id, {name: _joined(root, files) for name, files in self.files.items()})


def line_of(record: Record) -> bytes:
    """The line of a video, with its end. Bytes of names that are no UTF-8 are escapes in it."""
    return (json.dumps(asdict(record)) + "\n").encode("ascii")


def record_of(line: bytes) -> Record:
    """The video of a line.

    Raises:
        ValueError: if it is none.
    """
    try:
        said = json.loads(line)
        if set(said) != set(KINDS) or any(type(said[name]) is not kind for name, kind in KINDS.items()):
            raise ValueError("a line is no video's")
        if said["status"] not in get_args(Status) or min(said["first"], said["clips"], said["size"]) < 0:
            raise ValueError("a line is no video's")
        if not all(map(_are_files, said["files"].values())) or (said["status"] == FAILED and said["clips"]):
            raise ValueError("a line is no video's")
        return Record(**said)
    except (TypeError, RecursionError) as error:
        raise ValueError(f"a line is no video's ({error})") from None


def _are_files(said: object) -> bool:
    several = said if isinstance(said, list) and said else [said]
    return all(isinstance(one, str) and one and "\0" not in one for one in several)


def files_below(root: str, video: Video) -> dict[str, Files | list[str]]:
    """All files of a video as its record has them."""
    return {name: below(root, files) for name, files in video.files.items()}


def below(root: str, files: Files) -> Files | list[str]:
    """Files as a record has them: those below the root without it, others by their whole path, rendered by name."""
    if rendering_of(files) is not None:
        return files
    if isinstance(files, str):
        path = os.path.abspath(files)
        return path.removeprefix(root.rstrip(os.sep) + os.sep)
    return [str(below(root, one)) for one in files]


def _joined(root: str, files: str | Sequence[str]) -> Files:
    if isinstance(files, str):
        return files if rendering_of(files) is not None else os.path.join(root, files)
    return tuple(os.path.join(root, one) for one in files)
