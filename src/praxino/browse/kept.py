"""Frames and previews that are kept: frames in memory, previews among the user's caches, both up to a limit."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from praxino.browse import previews
from praxino.cache import cache_folder
from praxino.catalogs.base import Video
from praxino.errors import UserError
from praxino.files import written_aside
from praxino.streams.stretch import whole

FRAMES_BYTES = 64 << 20
MOMENTS_BYTES = 512 << 20
VERSION = 1  # of how previews are made
ABANDONED = 600.0  # seconds, after which nobody writes on at a file: it takes less than one

Made = bytes | str


class Frames:
    """Frames by the row of their clip, the last used ones.

    Args:
        most: bytes of all of them.
    """

    def __init__(self, most: int = FRAMES_BYTES) -> None:
        self.most = most
        self._held: OrderedDict[int, bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def of(self, row: int, make: Callable[[], Made]) -> Made:
        """The frame of a row: held, or made and held. Why there is none is not held: the file may come back."""
        with self._lock:
            if row in self._held:
                self._held.move_to_end(row)
                return self._held[row]
        made = make()
        if isinstance(made, bytes):
            with self._lock:
                self._bytes += len(made) - len(self._held.pop(row, b""))
                self._held[row] = made
                while self._bytes > self.most and len(self._held) > 1:
                    self._bytes -= len(self._held.popitem(last=False)[1])
        return made


def moments_folder() -> Path:
    """Where previews are kept."""
    return Path(cache_folder(), "moments")


def kept_moment(video: Video, start: float, end: float, aside: Path | None = None) -> Path | str:
    """The file of a clip's preview: kept from before, or made; or why there is none.

    Only the user can read it, since the videos need not be for others. Not for several threads at once.

    Args:
        video: whose.
        start, end: seconds, as its frames have them.
        aside: a folder in which it is made, and kept where the user's caches cannot be written; the caller removes it.
    """
    name = f"{_key(video, start, end)}.mp4"
    places = [moments_folder() / name, *([] if aside is None else [aside / "moments" / name])]
    for file in places:
        with suppress(OSError):
            if file.is_file():
                os.utime(file)  # the one that was not used for longest goes first
                return file
    made = previews.moment(video, start, end, aside)
    if isinstance(made, str):
        return made
    reason = ""
    for file in places:
        try:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with written_aside(file, shared=True) as part:
                part.write_bytes(made)
        except (UserError, OSError) as error:
            reason = reason or f"the preview cannot be kept: {error}"
        else:
            _make_room(file)
            return file
    return reason


def _make_room(newest: Path) -> None:
    """Removes previews that were not used for longest, until the rest is no more than the limit.

    Those that a process has left half written when it was ended go in any case.
    """
    for file in newest.parent.glob("*.mp4.*.part"):
        with suppress(OSError):
            if file.stat().st_mtime < time.time() - ABANDONED:
                file.unlink()
    found = []
    for file in newest.parent.glob("*.mp4"):
        with suppress(OSError):
            status = file.stat()
            found.append((status.st_mtime_ns, status.st_size, file))
    left = sum(size for _, size, _ in found)
    for _, size, file in sorted(found):
        if left <= MOMENTS_BYTES or file == newest:
            return
        with suppress(OSError):
            file.unlink()
            left -= size


def _key(video: Video, start: float, end: float) -> str:
    """What a preview is of: the place, size and time of change of its files, and the seconds."""
    looked: list[object] = [VERSION, start, end]
    for name, files in sorted(video.files.items()):
        looked += [name, files]
        path = whole(files)
        for one in (path,) if isinstance(path, str) else path:
            with suppress(OSError, ValueError):
                status = os.stat(one)
                looked += [status.st_size, status.st_mtime_ns]
    return hashlib.blake2b(repr(looked).encode(), digest_size=16).hexdigest()
