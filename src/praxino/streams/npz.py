"""Arrays of bytes in NumPy's npz files: read as numbers, whatever a file claims to be."""

from __future__ import annotations

import math
import zipfile
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from praxino.streams.opening import refuse_odd_file

# Of a file, and of an array unpacked: keypoint maps of 1080p are 35 MiB. A few bytes can become gigabytes.
MOST_BYTES = 1 << 26
HEADER = 128  # bytes of it, in front of the values of an array that is written here


def read_bytes_array(path: str, key: str) -> NDArray[np.uint8]:
    """An array uint8 of an npz file. Nothing is unpickled, and no more is unpacked than `MOST_BYTES`.

    Args:
        path: the file.
        key: name of the array.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it is damaged, too large, or holds no array uint8 of this name.
    """
    try:
        if refuse_odd_file(path).st_size > MOST_BYTES:
            raise ValueError(f"it is larger than {MOST_BYTES >> 20} MiB")
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if f"{key}.npy" not in names:
                there = ", ".join(name.removesuffix(".npy") for name in names[:4]) or "nothing"
                raise ValueError(f"it holds {there}, and no array {key}")
            with archive.open(f"{key}.npy") as member:
                data = member.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise ValueError(f"its array {key} unpacks to more than {MOST_BYTES >> 20} MiB")
        return _array(data)
    except (OSError, ValueError, MemoryError):
        raise
    except Exception as error:
        # Damaged bytes make zipfile and its decompressors raise whatever they come upon.
        raise ValueError("it is no npz file, or damaged") from error


def _array(data: bytes) -> NDArray[np.uint8]:
    # Not NumPy's own reader: it makes room for whatever size the header says, before it looks how much there is.
    shape, by_columns, kind, begin = _header(data)
    if kind != np.uint8:
        raise ValueError(f"its array is {kind} and not uint8")
    content = np.frombuffer(data[begin:], np.uint8)
    if min(shape, default=0) < 0 or math.prod(shape) != len(content):
        raise ValueError("its array has not as many values as it says")
    return content.reshape(shape, order="F" if by_columns else "C")


def _header(data: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Shape, whether it is stored by columns, type, and where the values begin."""
    file = BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, by_columns, kind = read(file)
    except ValueError as error:
        raise ValueError("its array is damaged") from error  # NumPy's own words fill several lines
    return shape, by_columns, kind, file.tell()
