"""Frame indices on the disk, so that a file is looked through once."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import zlib
from dataclasses import asdict
from typing import Any

import numpy as np

from praxino.streams.index import FrameIndex, Turn
from praxino.streams.scan import build_index

VERSION = 1


def cache_folder() -> str:
    """`$PRAXINO_CACHE`, or praxino's folder among the user's caches."""
    if chosen := os.environ.get("PRAXINO_CACHE"):
        return os.path.expanduser(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or os.path.expanduser("~/.cache")
    return os.path.join(base, "praxino")


def frame_index(path: str, full: bool = False) -> FrameIndex:
    """The index of a file: from the cache if the file has not changed since, else built, and kept there.

    An entry that is damaged or of another file or version is built anew; a folder that cannot be written is no error.

    Args:
        path: a video file.
        full: only an index that was found by decoding all of the file will do.

    Raises:
        OSError, ValueError: if nothing comes out of the file, with the reason.
    """
    key = _key(path)
    name = hashlib.blake2b(key["path"].encode(errors="surrogateescape"), digest_size=16).hexdigest()
    entry = os.path.join(cache_folder(), "frames", name)
    index = _load(entry, key)
    if index is None or (full and not index.decoded):
        index = build_index(path, full)
        _save(entry, key, index)
    return index


def _key(path: str) -> dict[str, Any]:
    import av

    status = os.stat(path)
    return {
        "version": VERSION,
        # Another decoder may let other frames out of the same file.
        "decoder": list(av.library_versions["libavcodec"]),
        "path": os.path.abspath(path),
        "bytes": status.st_size,
        "mtime_ns": status.st_mtime_ns,
    }


def _save(entry: str, key: dict[str, Any], index: FrameIndex) -> None:
    """One line of JSON, then the timestamps of frames and keys as little-endian int64."""
    facts = asdict(index)
    pts, keys = facts.pop("pts"), facts.pop("keys")
    numbers = np.concatenate([pts, keys]).astype("<i8").tobytes()
    header = {"key": key, "facts": facts, "frames": len(pts), "crc": zlib.crc32(numbers)}
    temporary = None
    # Without a cache everything works, only slower.
    with contextlib.suppress(OSError):
        folder = os.path.dirname(entry)
        os.makedirs(folder, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
            temporary = file.name
            file.write(json.dumps(header).encode() + b"\n" + numbers)
        os.replace(temporary, entry)
        return
    if temporary is not None:
        with contextlib.suppress(OSError):
            os.unlink(temporary)


def _load(entry: str, key: dict[str, Any]) -> FrameIndex | None:
    try:
        with open(entry, "rb") as file:
            line, numbers = file.readline(), file.read()
        header = json.loads(line)
        if header["key"] != key or header["crc"] != zlib.crc32(numbers):
            return None
        values = np.frombuffer(numbers, "<i8").astype(np.int64)
        frames = header["frames"]
        facts = header["facts"]
        return FrameIndex(pts=values[:frames], keys=values[frames:], turn=Turn(**facts.pop("turn")), **facts)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
