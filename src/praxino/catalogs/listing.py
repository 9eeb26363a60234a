"""The names of the pictures in some folders, as columns: millions of them stay small, and are listed once."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from praxino.cache import cache_folder, keep, kept
from praxino.catalogs.names import is_hidden, is_picture
from praxino.errors import UserError

VERSION = 1
# So many pictures are worth an index: fewer are listed in no time.
WORTH = 20_000
# What changes within one tick of a file system's clock may look unchanged; some tick every two seconds.
SETTLED = 5.0


@dataclass(frozen=True, eq=False)
class Listing:
    """The pictures of some folders, a row each: folder by folder, by their names within each.

    Attributes:
        folders: their paths below the root.
        names: of the pictures, as bytes, with a zero byte behind each.
        counts: int64 [folders], how many pictures each has.
        others: int64 [folders], how many entries of each are no pictures; hidden ones are not counted.
    """

    folders: tuple[str, ...]
    names: bytes
    counts: NDArray[np.int64]
    others: NDArray[np.int64]

    @cached_property
    def ends(self) -> NDArray[np.int64]:
        """int64 [pictures], where in `names` each name ends."""
        return np.flatnonzero(np.frombuffer(self.names, np.uint8) == 0)

    @cached_property
    def first(self) -> NDArray[np.int64]:
        """int64 [folders + 1], the row where each folder begins."""
        return np.concatenate([[0], np.cumsum(self.counts)])

    def __len__(self) -> int:
        return len(self.ends)

    def name(self, row: int) -> str:
        """The file's name."""
        return os.fsdecode(self.names[self.ends[row - 1] + 1 if row else 0 : self.ends[row]])

    def path(self, row: int) -> str:
        """The file's path below the root."""
        folder = self.folders[np.searchsorted(self.first, row, side="right") - 1]
        return f"{folder}/{self.name(row)}" if folder else self.name(row)


@contextmanager
def looking_into(folder: str | Path) -> Iterator[None]:
    """What the system refuses within it is one line about the folder.

    Raises:
        UserError: in place of an OSError.
    """
    try:
        yield
    except OSError as error:
        raise UserError(f"cannot read the folder {folder}: {error.strerror or error}") from None


def list_pictures(root: str, folders: Sequence[str]) -> Listing:
    """The pictures in some folders of a root: by the index in the user's cache, or by looking.

    The index holds when each folder changed last: one that has got, lost or renamed a file since is seen, and all are
    listed anew. What lies in folders below them is not looked for. An index is kept of what is large, and was at rest.

    Args:
        root: any folder.
        folders: names of folders in it; "" is the root itself.

    Raises:
        UserError: if one cannot be read.
    """
    began = time.time_ns()
    key = _key(root, folders)
    entry = Path(cache_folder(), "pictures", hashlib.blake2b(os.fsencode(key["root"]), digest_size=16).hexdigest())
    listing = _load(entry, key)
    if listing is None:
        listing = _look(root, folders)
        changed = max((max(times) for times in key["changed"]), default=0)
        if len(listing) >= WORTH and changed + SETTLED * 1e9 < began and key == _key(root, folders):
            counted = np.concatenate([listing.counts, listing.others]).astype("<i8").tobytes()
            keep(entry, {"key": key}, counted + listing.names)
    return listing


def folders_in(folder: str) -> tuple[list[str], int]:
    """The names of a folder's own folders, sorted, and how many pictures lie beside them; hidden ones are left out.

    Raises:
        UserError: if it cannot be read.
    """
    with looking_into(folder), os.scandir(folder) as entries:
        shown = [entry for entry in entries if not is_hidden(entry.name)]
        inner = {entry.name for entry in shown if entry.is_dir()}
    return sorted(inner), sum(is_picture(entry.name) and entry.name not in inner for entry in shown)


def _key(root: str, folders: Sequence[str]) -> dict[str, Any]:
    changed = []
    for folder in folders:
        place = os.path.join(root, folder)
        with looking_into(place):
            status = os.stat(place)
        # A copy may set the time of a change, but not when that was set.
        changed.append([status.st_mtime_ns, status.st_ctime_ns])
    return {"version": VERSION, "root": os.path.abspath(root), "folders": list(folders), "changed": changed}


def _look(root: str, folders: Sequence[str]) -> Listing:
    names, counts, others = [], [], []
    for folder in folders:
        place = os.path.join(root, folder)
        with looking_into(place):
            # Not what kind each one is: some file systems take a look at every file for that.
            shown = [name for name in os.listdir(place) if not is_hidden(name)]
        pictures = sorted(filter(is_picture, shown))
        names.append(os.fsencode("".join(f"{name}\0" for name in pictures)))
        counts.append(len(pictures))
        others.append(len(shown) - len(pictures))
    return Listing(tuple(folders), b"".join(names), np.array(counts, np.int64), np.array(others, np.int64))


def _load(entry: Path, key: dict[str, Any]) -> Listing | None:
    header, data = kept(entry) or ({}, memoryview(b""))
    if header.get("key") != key:
        return None
    folders = tuple(key["folders"])
    counts, others = np.frombuffer(data[: 16 * len(folders)], "<i8").astype(np.int64).reshape(2, -1)
    return Listing(folders, bytes(data[16 * len(folders) :]), counts, others)
