"""Folders of vectors with what is known of them: the data of an index, and the parts of which they are made."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from praxino.files import writing
from praxino.search.manifest import Record, line_of, record_of

VECTORS = "vectors.npy"  # float32 [rows, dim], of length 1
SECONDS = "seconds.npy"  # float64 [rows, 2], of each clip's first and last frame
OWNERS = "owners.npy"  # int64 [rows], each clip's line of the manifest
MANIFEST = "manifest.jsonl"
HASHED = 16  # bytes of a checksum


@dataclass(frozen=True)
class Kept:
    """A video whose clips are in a folder: its line there, vectors [clips, d] and seconds [clips, 2]."""

    record: Record
    folder: Path

    def clips(self, arrays: Arrays) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Vectors and seconds of its clips."""
        rows = self.record.rows()
        return arrays.of(self.folder, VECTORS)[rows], arrays.of(self.folder, SECONDS)[rows]


class Arrays:
    """Arrays of folders, opened when they are asked for; few at a time, as one pass needs them.

    Args:
        most: of the folders that are open at once.
    """

    def __init__(self, most: int = 16) -> None:
        self.most = most
        self._open: dict[tuple[Path, str], NDArray[Any]] = {}

    def of(self, folder: Path, name: str) -> NDArray[Any]:
        """An array as it lies on the disk.

        Raises:
            OSError, ValueError: if it is not there, or is none.
        """
        key = (folder, name)
        if key not in self._open:
            if len(self._open) >= 2 * self.most:
                del self._open[next(iter(self._open))]
            self._open[key] = mapped(folder / name)
        return self._open[key]


def mapped(path: Path) -> NDArray[Any]:
    """An array of a file, of which the system reads what is looked at.

    Raises:
        OSError, ValueError: if there is none.
    """
    try:
        return np.load(path, mmap_mode="r")
    except EOFError as error:
        raise ValueError(str(error)) from None


class _File:
    """A file that is written once, from its beginning to its end, with its checksum."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("wb")
        self.hash = hashlib.blake2b(digest_size=HASHED)
        self.bytes = 0

    def write(self, data: Any) -> None:
        self.file.write(data)
        self.hash.update(data)
        self.bytes += len(memoryview(data).cast("B"))


def _begun(path: Path, kind: str, shape: tuple[int, ...]) -> _File:
    file = _File(path)
    np.lib.format.write_array_header_1_0(file, {"descr": kind, "fortran_order": False, "shape": shape})
    return file


Clips = tuple[NDArray[np.float32], NDArray[np.float64]]


def write_data(folder: Path, records: Sequence[Record], clips: Iterable[Clips], dim: int) -> tuple[str, dict[str, int]]:
    """Writes vectors, seconds, owners and the manifest into an empty folder. It holds one video's clips at a time.

    Args:
        folder: where to.
        records: in their order; their `first` is set to where their clips come to stand.
        clips: vectors and seconds of each record with clips, in the same order.
        dim: numbers of a vector.

    Returns:
        A name for what was written, told from all other data; and the bytes of each file.
    """
    rows, source = sum(record.clips for record in records), iter(clips)
    files = {
        VECTORS: _begun(folder / VECTORS, "<f4", (rows, dim)),
        SECONDS: _begun(folder / SECONDS, "<f8", (rows, 2)),
        OWNERS: _begun(folder / OWNERS, "<i8", (rows,)),
        MANIFEST: _File(folder / MANIFEST),
    }
    try:
        first = 0
        for number, record in enumerate(records):
            files[MANIFEST].write(line_of(replace(record, first=first if record.clips else 0)))
            if record.clips:
                vectors, seconds = next(source)
                files[VECTORS].write(np.ascontiguousarray(vectors, "<f4").data)
                files[SECONDS].write(np.ascontiguousarray(seconds, "<f8").data)
                files[OWNERS].write(np.full(record.clips, number, "<i8").data)
                first += record.clips
    finally:
        for one in files.values():
            one.file.close()
    whole = hashlib.blake2b(b"".join(one.hash.digest() for one in files.values()), digest_size=8)
    return whole.hexdigest(), {name: one.bytes for name, one in files.items()}


def read_records(folder: Path) -> list[Record]:
    """The lines of a folder's manifest.

    Raises:
        OSError, ValueError: if they cannot be read.
    """
    return [record_of(line) for line in (folder / MANIFEST).read_bytes().splitlines()]


def part_folders(folder: Path) -> list[Path]:
    """The parts that are complete, in the order in which they were made."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and path.name.isdigit())


def read_parts(folder: Path) -> Iterator[list[Kept]]:
    """The videos of each part; what follows a damaged one, as a power cut may leave it, is computed again."""
    for part in part_folders(folder):
        try:
            records = read_records(part)
            rows = len(mapped(part / VECTORS))
            if rows != sum(record.clips for record in records) or len(mapped(part / SECONDS)) != rows:
                raise ValueError("there are other vectors than lines")
        except (OSError, ValueError):
            shutil.rmtree(part, ignore_errors=True)
            continue
        yield [Kept(record, part) for record in records]


@contextmanager
def new_folder(place: Path) -> Iterator[Path]:
    """An empty folder to fill, which the caller renames; on failure nothing is left.

    Raises:
        UserError: if it cannot be written.
    """
    aside = place.with_name(f"{place.name}.part")
    try:
        with writing(place):
            shutil.rmtree(aside, ignore_errors=True)
            aside.mkdir(parents=True)
            yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def put(aside: Path, place: Path) -> None:
    """Gives a filled folder its name, in place of one that is there.

    Raises:
        UserError: if it cannot be.
    """
    with writing(place):
        shutil.rmtree(place, ignore_errors=True)
        os.replace(aside, place)


def remove_others(folder: Path, keep: str | None, begin: str) -> None:
    """Removes folders whose names begin so, but for one."""
    for path in folder.glob(f"{begin}*"):
        if path.is_dir() and path.name != keep:
            shutil.rmtree(path, ignore_errors=True)


def whole_files(folder: Path, sizes: Mapping[str, int]) -> str | None:
    """The first of some files that is not there in its size; None: all are."""
    for name, size in sizes.items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != size:
            return name
    return None
