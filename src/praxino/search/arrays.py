"""The arrays of an index as they lie on the disk."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

VECTORS = "vectors.npy"  # float32 [rows, dim], of length 1
SECONDS = "seconds.npy"  # float64 [rows, 2], of each clip's first and last frame
OWNERS = "owners.npy"  # int64 [rows], each clip's line of the manifest
KINDS = {VECTORS: "<f4", SECONDS: "<f8", OWNERS: "<i8"}
# The beginning of a file of NumPy as it is written here: of these three kinds, row after row.
BEGINNING = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '(?P<kind><f4|<f8|<i8)', 'fortran_order': False, "
    rb"'shape': \((?P<rows>[0-9]{1,15}),(?: (?P<columns>[0-9]{1,9}))?\), \} *\n",
    re.DOTALL,
)
LONGEST_BEGINNING = 1 << 10


def mapped(path: Path) -> NDArray[Any]:
    """An array of a file that `write_data` wrote, of which the system reads what is looked at.

    Not by NumPy's reader, which takes files of other kinds as well, and of damaged ones raises whatever comes.

    Raises:
        OSError: if there is no file.
        ValueError: if it is another one.
    """
    with path.open("rb") as file:
        begin = BEGINNING.match(file.read(LONGEST_BEGINNING))
        size = os.fstat(file.fileno()).st_size
    kind = KINDS[path.name]
    if begin is None or begin["kind"].decode() != kind:
        raise ValueError(f"{path.name} is no array as it was written")
    shape = tuple(int(one) for one in (begin["rows"], begin["columns"]) if one is not None)
    if size != begin.end() + np.dtype(kind).itemsize * math.prod(shape):
        raise ValueError(f"{path.name} has another size than its beginning says")
    if not math.prod(shape):
        return np.zeros(shape, kind)
    return np.memmap(path, kind, "r", begin.end(), shape)
