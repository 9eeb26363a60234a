"""Arrays of structs in MATLAB 5 files: as much of the format as a list of synsets takes.

The format is The MathWorks' "MAT-File Format": a header of 128 bytes, then elements, each a tag (its type, and how many
bytes) and its data, padded to 8 bytes. A variable is an element of the type matrix, or one that zlib has compressed.
"""

from __future__ import annotations

import math
import os
import stat
import struct
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from praxino.errors import UserError

# Of a file, also unpacked, and of a variable. Nothing that is meant here comes near; a few bytes can become gigabytes.
MOST_BYTES = 1 << 26
MOST_PARTS = 1 << 16
HEADER = 128
VERSION = struct.pack("<H", 0x0100) + b"IM"
MATRIX, COMPRESSED = 14, 15
STRUCT, TEXT, NUMBERS = 2, 4, range(6, 16)
NUMBER_TYPES = {1: "i1", 2: "u1", 3: "<i2", 4: "<u2", 5: "<i4", 6: "<u4", 7: "<f4", 9: "<f8", 12: "<i8", 13: "<u8"}
TEXT_TYPES = {1: "ascii", 2: "latin-1", 4: "utf-16-le", 16: "utf-8", 17: "utf-16-le"}


class _Element(NamedTuple):
    type: int
    data: memoryview


class _Matrix(NamedTuple):
    kind: int
    dimensions: tuple[int, ...]
    name: str
    content: list[_Element]


def read_structs(path: str | Path, variable: str, fields: int) -> list[tuple[str | float, ...]]:
    """The first fields of each struct of an array, in its order: texts and single numbers.

    Args:
        path: a MATLAB 5 file (versions 5 to 7.2).
        variable: name of the array.
        fields: how many of each struct's fields.

    Raises:
        UserError: if it cannot be read, or is anything else.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise ValueError("it is no regular file")
        with open(path, "rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise ValueError(f"it is larger than {MOST_BYTES >> 20} MiB")
        return _structs(_variable(data, variable), fields)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from None
    except (ValueError, struct.error, zlib.error) as error:
        reason = "it breaks off" if isinstance(error, struct.error) else error
        raise UserError(f"cannot read {path} as a MATLAB 5 file with {variable}: {reason}") from None


def _variable(data: bytes, name: str) -> _Matrix:
    if data[HEADER - 4 : HEADER] != VERSION:
        newer = data.startswith(b"MATLAB 7.3")
        raise ValueError("it is of MATLAB 7.3: save it with -v7" if newer else "it does not begin as one")
    names, left = [], MOST_BYTES
    for element in _elements(memoryview(data)[HEADER:]):
        if element.type == COMPRESSED:
            whole = _inflated(element.data, left)
            left -= len(whole)
            element = next(_elements(whole), _Element(0, whole))
        if element.type == MATRIX:
            found = _matrix(element.data, parts=3).name
            if found == name:
                return _matrix(element.data)
            names.append(found)
    raise ValueError(f"it holds {', '.join(names) or 'nothing'}")


def _inflated(data: memoryview, most: int) -> memoryview:
    stream = zlib.decompressobj()
    whole = stream.decompress(data, most + 1)
    if not stream.eof or len(whole) > most:
        raise ValueError("it breaks off, or unpacks to more than it may")
    return memoryview(whole)


def _elements(data: memoryview) -> Iterator[_Element]:
    at = 0
    while at < len(data):
        type, size = struct.unpack_from("<II", data, at)
        begin, step = at + 8, 8 + size
        if type >> 16:  # up to 4 bytes are in the tag itself
            type, size = type & 0xFFFF, type >> 16
            begin, step = at + 4, 8
        elif type != COMPRESSED:
            step += -size % 8
        if begin + size > len(data) or (step == 8 and size > 4):
            raise ValueError("it breaks off")
        yield _Element(type, data[begin : begin + size])
        at += step


def _matrix(data: memoryview, parts: int | None = None) -> _Matrix:
    """The matrix of an element; of its parts only the first so many, if that is said. The third is its name."""
    if not data:
        return _Matrix(NUMBERS[0], (0, 0), "", [])  # an empty one may have no parts
    found = list(islice(_elements(data), parts or MOST_PARTS + 1))
    if not 3 <= len(found) <= MOST_PARTS:
        raise ValueError("a matrix has not all of its parts, or more than it may")
    flags, sizes, name, *content = found
    kind = struct.unpack_from("<I", flags.data)[0] & 0xFF
    dimensions = np.frombuffer(sizes.data, "<i4").tolist()
    return _Matrix(kind, tuple(dimensions), bytes(name.data).decode("ascii"), content)


def _structs(matrix: _Matrix, fields: int) -> list[tuple[str | float, ...]]:
    if matrix.kind != STRUCT or len(matrix.content) < 2:
        raise ValueError(f"{matrix.name} is no array of structs")
    width, names, *values = matrix.content
    count = math.prod(matrix.dimensions)
    of_each = len(names.data) // max(1, int(np.frombuffer(width.data, "<i4").sum()))
    if of_each < max(1, fields) or min(matrix.dimensions, default=-1) < 0 or count * of_each != len(values):
        raise ValueError(f"{matrix.name} has not {fields} fields of {count} structs")
    return [
        tuple(_value(value, f"field {k + 1} of struct {row + 1}") for k, value in enumerate(values[at : at + fields]))
        for row, at in enumerate(range(0, len(values), of_each))
    ]


def _value(element: _Element, which: str) -> str | float:
    if element.type != MATRIX:
        raise ValueError(f"{which} is no matrix")
    matrix = _matrix(element.data)
    content = matrix.content[0] if matrix.content else _Element(0, memoryview(b""))
    if matrix.kind == TEXT and content.type in TEXT_TYPES and matrix.dimensions[:1] == (1,):
        return bytes(content.data).decode(TEXT_TYPES[content.type])
    if matrix.kind in NUMBERS and content.type in NUMBER_TYPES and len(matrix.content) == 1:
        numbers = np.frombuffer(content.data, NUMBER_TYPES[content.type])
        if len(numbers) == 1:
            return float(numbers[0])
    raise ValueError(f"{which} is neither one line of text nor one number")
