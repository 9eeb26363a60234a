"""Files of vectors: NumPy's .npz, or a table in Parquet."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from praxino.errors import UserError
from praxino.files import written_aside

ENDINGS = (".npz", ".parquet")


def refuse_out(given: str, out: Path) -> None:
    """Refuses a place where vectors cannot be written, before hours of embedding.

    Args:
        given: as typed.
        out: the same as a path.

    Raises:
        UserError: that says what to pass in its place, or what to install.
    """
    if not out.parent.is_dir():
        raise UserError(f"the folder {out.parent} does not exist: make it, or pass another --out")
    if given.endswith(("/", os.sep)):
        raise UserError(f"{given} names a folder, an index, which index_videos writes: pass --out {out}.npz")
    if out.is_dir():
        raise UserError(f"{out} is a folder: pass --out {out / 'vectors.npz'}, or --out {given}/ for an index")
    if out.suffix.lower() not in ENDINGS:
        other = out.with_suffix(".npz")
        raise UserError(f"{out} ends neither in .npz nor in .parquet, the formats that are written: pass --out {other}")
    if out.exists() and not out.is_file():
        raise UserError(f"{out} is no file that can be written: pass another --out")
    if not os.access(out.parent, os.W_OK):
        raise UserError(f"{out} cannot be written: the folder {out.parent} is read-only for you")
    if out.suffix.lower() == ".parquet":
        _parquet()


def write_vectors(out: Path, vectors: NDArray[np.float32], columns: dict[str, NDArray[Any]]) -> None:
    """Writes vectors, and what is known of each: in an .npz as arrays, in a table as columns and the column `vectors`.

    Args:
        out: the file; its ending says in which form.
        vectors: [clips, d].
        columns: name -> [clips].

    Raises:
        UserError: if it cannot be written.
    """
    with written_aside(out) as aside, aside.open("wb") as file:
        if out.suffix.lower() == ".parquet":
            _write_table(file, vectors, columns)
        else:
            np.savez(file, vectors=vectors, **columns)  # type: ignore[arg-type]


def _write_table(file: IO[bytes], vectors: NDArray[np.float32], columns: dict[str, NDArray[Any]]) -> None:
    arrow, parquet = _parquet()
    rows = arrow.FixedSizeListArray.from_arrays(arrow.array(vectors.reshape(-1)), vectors.shape[1])
    # A name that is no text (a byte of a file's name that is not UTF-8) has no place in a table.
    said = {
        name: [str(word).encode("utf-8", "surrogateescape").decode("utf-8", "replace") for word in column]
        if column.dtype.kind == "U"
        else column
        for name, column in columns.items()
    }
    parquet.write_table(arrow.table({**said, "vectors": rows}), file)


def _parquet() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise UserError(f'a .parquet file needs pyarrow: pip install "praxino[parquet]" ({error})') from None
    return pyarrow, parquet
