"""Folders of vectors with what is known of them: the data of an index, and the parts of which they are made."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from praxino.files import writing
from praxino.search.arrays import KINDS, OWNERS, SECONDS, VECTORS, mapped
from praxino.search.manifest import Record, line_of, record_of

MANIFEST = "manifest.jsonl"
HASHED = 16  # bytes of a checksum
PART = re.compile(r"(?P<number>[0-9]{6})-[0-9a-f]{16}")  # the name of a part's folder: its number, and its content


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
    return _joined(one.hash.digest() for one in files.values()), {name: one.bytes for name, one in files.items()}


def content_of(folder: Path) -> str:
    """The name that `write_data` would give what is in a folder.

    Raises:
        OSError: if a file cannot be read.
    """
    digests = []
    for name in (*KINDS, MANIFEST):
        with (folder / name).open("rb") as file:
            digests.append(hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=HASHED)).digest())
    return _joined(digests)


def _joined(digests: Iterable[bytes]) -> str:
    return hashlib.blake2b(b"".join(digests), digest_size=8).hexdigest()


def read_kept(folder: Path) -> list[Kept]:
    """The videos of a folder, whose clips are there.

    Raises:
        OSError, ValueError: if the files cannot be read, or do not fit each other.
    """
    records = [record_of(line) for line in (folder / MANIFEST).read_bytes().splitlines()]
    vectors, seconds = mapped(folder / VECTORS), mapped(folder / SECONDS)
    rows = 0
    for record in records:
        if record.clips and record.first != rows:
            raise ValueError(f"{MANIFEST} has other clips than there are")
        rows += record.clips
    if vectors.ndim != 2 or len(vectors) != rows or seconds.shape != (rows, 2):
        raise ValueError(f"{MANIFEST} has other clips than there are")
    return [Kept(record, folder) for record in records]


def part_folders(folder: Path) -> list[Path]:
    """The parts that are complete, in the order in which they were made."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and PART.fullmatch(path.name))


def next_part(folder: Path) -> str:
    """The number of the part that comes next."""
    last = part_folders(folder)[-1:]
    return f"{int(last[0].name[:6]) + 1 if last else 0:06d}"


def read_parts(folder: Path) -> Iterator[list[Kept]]:
    """The videos of each part; a damaged one, as a power cut may leave it, is computed again."""
    for part in part_folders(folder):
        try:
            if not part.name.endswith(f"-{content_of(part)}"):
                raise ValueError("it is not what was written")
            yield read_kept(part)
        except (OSError, ValueError):
            shutil.rmtree(part, ignore_errors=True)


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
