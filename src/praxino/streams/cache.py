"""Frame indices on the disk, so that a file is looked through once."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from praxino.streams.index import FrameIndex, Turn
from praxino.streams.opening import refuse_odd_file
from praxino.streams.scan import build_index

# 3: where packets may be lost none is left out.
VERSION = 3


def cache_folder() -> str:
    """`$PRAXINO_CACHE`, or praxino's folder among the user's caches."""
    if chosen := os.environ.get("PRAXINO_CACHE"):
        return os.path.expanduser(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or os.path.expanduser("~/.cache")
    return os.path.join(base, "praxino")


def frame_index(path: str) -> FrameIndex:
    """The index of a file: from the cache if the file has not changed since, else built, and kept there.

    An entry that is damaged or of another file or version is built anew; a folder that cannot be written is no error.

    Args:
        path: a video file.

    Raises:
        av.FFmpegError, OSError, ValueError, MemoryError: if nothing comes out of the file, with the reason.
    """
    key = _key(path)
    name = hashlib.blake2b(key["path"].encode(errors="surrogateescape"), digest_size=16).hexdigest()
    entry = Path(cache_folder(), "frames", name)
    index = _load(entry, key)
    if index is None:
        index = build_index(path)
        # A file that is still being copied is another one by now.
        if _key(path) == key:
            _save(entry, key, index)
    return index


def _key(path: str) -> dict[str, Any]:
    import av

    status = refuse_odd_file(path)
    return {
        "version": VERSION,
        # Another decoder may let other frames out of the same file.
        "decoder": list(av.library_versions["libavcodec"]),
        "path": os.path.abspath(path),
        "bytes": status.st_size,
        "mtime_ns": status.st_mtime_ns,
    }


def _save(entry: Path, key: dict[str, Any], index: FrameIndex) -> None:
    """A checksum of the rest, one line of JSON, then the timestamps of frames and keys as little-endian int64."""
    facts = asdict(index)
    pts, keys = facts.pop("pts"), facts.pop("keys")
    header = {"key": key, "facts": facts, "frames": len(pts)}
    rest = json.dumps(header).encode() + b"\n" + np.concatenate([pts, keys]).astype("<i8").tobytes()
    # Without a cache everything works, only slower.
    with contextlib.suppress(OSError):
        entry.parent.mkdir(parents=True, exist_ok=True)
        # A name of its own: several loading processes may find the same file at once.
        with tempfile.NamedTemporaryFile(dir=entry.parent, delete=False) as file:
            try:
                file.write(_checksum(rest) + b"\n" + rest)
                file.close()
                os.replace(file.name, entry)
            finally:
                Path(file.name).unlink(missing_ok=True)


def _checksum(data: bytes) -> bytes:
    return f"{zlib.crc32(data):08x}".encode()


def _load(entry: Path, key: dict[str, Any]) -> FrameIndex | None:
    try:
        refuse_odd_file(str(entry))
        checksum, _, rest = entry.read_bytes().partition(b"\n")
        if checksum != _checksum(rest):
            return None
        line, _, numbers = rest.partition(b"\n")
        header = json.loads(line)
        if header["key"] != key:
            return None
        values = np.frombuffer(numbers, "<i8").astype(np.int64)
        frames = header["frames"]
        facts = header["facts"]
        return FrameIndex(pts=values[:frames], keys=values[frames:], turn=Turn(**facts.pop("turn")), **facts)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
