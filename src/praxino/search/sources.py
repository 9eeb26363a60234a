"""What tells a video's files from others: a look at them, and a checksum of what is in them."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from typing import NamedTuple

from praxino.catalogs.base import Files, Video
from praxino.catalogs.rendered import rendering_of
from praxino.prepare.sources import identity
from praxino.streams.frames import pictures_in
from praxino.streams.stretch import piece_of, whole

CHUNK = 1 << 20


class Look(NamedTuple):
    """Bytes of all files, and when the last of them was changed, in nanoseconds."""

    size: int
    mtime_ns: int


def look(video: Video) -> Look:
    """What the system says of a video's files, without reading them; zeros where nothing is there."""
    found = [one for files in video.files.values() if (one := identity(files))]
    return Look(sum(one["bytes"] for one in found), max((one["mtime_ns"] for one in found), default=0))


class Contents:
    """Checksums of files. A file that many stretches are cut out of is read once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int, int], bytes] = {}

    def of(self, video: Video) -> str:
        """The checksum of what is in a video's files, whatever they are called; empty where they cannot be read."""
        whole_video = hashlib.blake2b(digest_size=16)
        try:
            for name, files in sorted(video.files.items()):
                whole_video.update(f"{name} {_stretch(files)}\n".encode())
                for said, path in _paths(files):
                    whole_video.update(os.fsencode(said) + b"\0" + self._file(path))
        except OSError:
            return ""
        return whole_video.hexdigest()

    def _file(self, path: str) -> bytes:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):  # a pipe would be waited for
            raise OSError(errno.EINVAL, "it is no regular file", path)
        key = (path, status.st_size, status.st_mtime_ns)
        if key not in self._known:
            with open(path, "rb") as file:
                digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).digest()
            self._known = {key: digest}  # the last one: stretches of a file follow each other
        return self._known[key]


def _paths(files: Files) -> Iterator[tuple[str, str]]:
    """Files, and what they are called where that decides about their order."""
    if rendering_of(files) is not None:
        return
    if not isinstance(files, str):
        yield from (("", path) for path in files)
        return
    path = whole(files)
    assert isinstance(path, str)
    if os.path.isdir(path):
        yield from ((name, os.path.join(path, name)) for name in pictures_in(path))
    else:
        yield "", path


def _stretch(files: Files) -> str:
    """What is meant beside the files' bytes: a part of them, or which rendered video, whose name is all of it."""
    if rendering_of(files) is not None:
        return str(files)
    piece = piece_of(files)
    return "" if piece is None else f"{piece.begin},{piece.end}"
