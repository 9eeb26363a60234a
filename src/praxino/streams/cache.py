"""Frame indices on the disk, so that a file is looked through once."""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from praxino.cache import cache_folder, keep, kept
from praxino.streams.index import FrameIndex, Turn
from praxino.streams.opening import refuse_odd_file
from praxino.streams.scan import build_index

# 3: where packets may be lost none is left out.
VERSION = 3


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
    """The data are the timestamps of frames and keys as little-endian int64."""
    facts = asdict(index)
    pts, keys = facts.pop("pts"), facts.pop("keys")
    header = {"key": key, "facts": facts, "frames": len(pts)}
    keep(entry, header, np.concatenate([pts, keys]).astype("<i8").tobytes())


def _load(entry: Path, key: dict[str, Any]) -> FrameIndex | None:
    try:
        header, numbers = kept(entry) or ({}, b"")
        if header["key"] != key:
            return None
        values = np.frombuffer(numbers, "<i8").astype(np.int64)
        frames = header["frames"]
        facts = header["facts"]
        return FrameIndex(pts=values[:frames], keys=values[frames:], turn=Turn(**facts.pop("turn")), **facts)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
