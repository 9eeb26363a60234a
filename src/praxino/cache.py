"""What is kept in the user's cache, not to be worked out again. Without a cache everything works, only slower."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def cache_folder() -> str:
    """`$PRAXINO_CACHE`, or praxino's folder among the user's caches."""
    if chosen := os.environ.get("PRAXINO_CACHE"):
        return os.path.expanduser(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or os.path.expanduser("~/.cache")
    return os.path.join(base, "praxino")


def keep(entry: Path, header: Mapping[str, Any], data: bytes) -> None:
    """Keeps an entry: a checksum of the rest, one line of JSON, then the data. A folder that refuses is no error.

    Args:
        entry: its file. Several processes may keep the same one at once; each reader gets one of them whole.
        header: what it is of, and whatever else is JSON.
        data: the rest.
    """
    rest = json.dumps(header).encode() + b"\n"
    with contextlib.suppress(OSError):
        entry.parent.mkdir(parents=True, exist_ok=True)
        # A name of its own: several loading processes may find the same at once.
        with tempfile.NamedTemporaryFile(dir=entry.parent, delete=False) as file:
            try:
                file.write(f"{zlib.crc32(data, zlib.crc32(rest)):08x}\n".encode() + rest)
                file.write(data)
                file.close()
                os.replace(file.name, entry)
            finally:
                Path(file.name).unlink(missing_ok=True)


def kept(entry: Path) -> tuple[dict[str, Any], memoryview] | None:
    """Header and data of an entry; None if there is none, or it is damaged.

    Args:
        entry: as of `keep`. The header is for the caller to judge: JSON that may be of an earlier version.
    """
    try:
        # To open a pipe would be to wait for its other end.
        if not entry.is_file():
            return None
        whole = entry.read_bytes()
        first = whole.index(b"\n") + 1
        second = whole.index(b"\n", first) + 1
        if whole[: first - 1] != f"{zlib.crc32(memoryview(whole)[first:]):08x}".encode():
            return None
        header = json.loads(whole[first:second])
    except (OSError, ValueError):
        return None
    return (header, memoryview(whole)[second:]) if isinstance(header, dict) else None
