"""An approximate search: vectors with their neighbours as a graph (HNSW), which is walked in place of all rows.

The graph lies beside the data of an index, in `graph.usearch`: a line of JSON that names the folder of data of which it
is and a checksum, and behind it what usearch writes. The first search that asks for it makes it. One of other data is
made anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from praxino.errors import UserError
from praxino.files import written_aside
from praxino.search.exact import Best, Vectors

GRAPH = "graph.usearch"
FORMAT = "praxino_graph"  # under which its first line has the version
VERSION = 1
HASHED = 16  # bytes of the checksum
NEIGHBOURS = 16  # of a vector in the graph
LOOKED_AT_TO_ADD = 128  # candidates while a vector finds its neighbours
# The same of a query, or as many as are wanted. All are ranked anew: half precision lets neighbours change places.
LOOKED_AT_TO_SEARCH = 256
BLOCK = 4096  # vectors that are added at once

Progress = Callable[[int, int], None]


class Graph:
    """Finds most of the rows that are like a query, and has looked at few.

    Args:
        found: usearch's index; its keys are rows.
        vectors: float32 [rows, d], by which what it finds is ranked.
    """

    def __init__(self, found: Any, vectors: Vectors) -> None:
        self.found, self.vectors = found, vectors

    def best_rows(
        self, queries: Sequence[Vectors], most: int, without: Sequence[NDArray[np.int64]]
    ) -> list[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """As `exact.best_rows`, but that some rows may be missing. Similarities are exact, and so is their order.

        Args:
            queries: [clips, d] each, of length 1.
            most: how many rows.
            without: for each query rows that are passed over.
        """
        found = []
        for query, passed in zip(queries, without, strict=True):
            best, looked_at = Best(most), max(most + len(passed), LOOKED_AT_TO_SEARCH)
            best.rows = np.setdiff1d(self._walked(query, min(looked_at, len(self.vectors))), passed)
            found.append(best.exact(self.vectors, query))
        return found

    def _walked(self, query: Vectors, count: int) -> NDArray[np.int64]:
        """The rows that are met first from each clip of a query."""
        matches = self.found.search(query, count, threads=1)
        if len(query) == 1:
            return np.asarray(matches.keys).astype(np.int64)
        keys = [row[:many] for row, many in zip(matches.keys, matches.counts, strict=True)]
        return np.concatenate(keys).astype(np.int64)


def graph_of(folder: Path, data: str, vectors: Vectors, progress: Progress | None = None) -> Graph:
    """The graph of an index; it is read, or made and written where there is none of these data.

    Args:
        folder: of the index.
        data: the name of the folder of data.
        vectors: float32 [rows, d], of length 1, those of the videos that are there.
        progress: called with (vectors that are in it, all of them) while it is made.

    Raises:
        UserError: if usearch is not installed, the graph is damaged or cannot be written, or the vectors are none.
    """
    if not len(vectors):
        raise UserError(f"the index {folder} has no clips, of which a graph could be made")
    path, found = folder / GRAPH, _empty(vectors.shape[1])
    if path.exists() and (content := _content(path, data, len(vectors))) is not None:
        try:
            found.load(content)
        except Exception as error:  # usearch has no exception of its own
            raise _damaged(path, str(error)) from None
    else:
        _write(path, data, len(vectors), _filled(found, folder, vectors, progress))
    return Graph(found, vectors)


def _filled(found: Any, folder: Path, vectors: Vectors, progress: Progress | None) -> bytearray:
    """What usearch writes, after it was given all vectors."""
    from torch import get_num_threads  # which --threads sets

    try:
        for first in range(0, len(vectors), BLOCK):
            block = np.array(vectors[first : first + BLOCK])
            if not np.isfinite(block).all():
                raise UserError(f"the index {folder} is damaged (rows from {first} on hold vectors that are none)")
            found.add(np.arange(first, first + len(block), dtype=np.uint64), block, threads=get_num_threads())
            if progress is not None:
                progress(first + len(block), len(vectors))
        content: bytearray = found.save()
        return content
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"usearch cannot make the graph of {folder}: {error}") from None


def _empty(dim: int) -> Any:
    try:
        from usearch.index import Index
    except ImportError as error:
        raise UserError(f'--approximate needs usearch: pip install "praxino[search]" ({error})') from None
    # Products of vectors of length 1 are their cosines; one that is all zeros has no cosine.
    return Index(
        ndim=dim, metric="ip", dtype="f16", connectivity=NEIGHBOURS, expansion_add=LOOKED_AT_TO_ADD,
        expansion_search=LOOKED_AT_TO_SEARCH,
    )  # fmt: skip


def _write(path: Path, data: str, clips: int, content: bytearray) -> None:
    said = {FORMAT: VERSION, "data": data, "clips": clips, "bytes": len(content), "checksum": _checksum(content)}
    with written_aside(path, shared=True) as aside, aside.open("wb") as file:
        file.write(json.dumps(said).encode() + b"\n")
        file.write(content)


def _content(path: Path, data: str, clips: int) -> memoryview | None:
    """What usearch wrote; None where the graph is of other data, or of another version."""
    try:
        if not path.is_file():  # a pipe would be waited for
            raise OSError("it is no regular file")
        whole = path.read_bytes()
    except OSError as error:
        raise _damaged(path, str(error.strerror or error)) from None
    first, _, _ = whole[: 1 << 12].partition(b"\n")
    try:
        said = json.loads(first)
        version = said[FORMAT]
        if (version, said["data"], said["clips"]) != (VERSION, data, clips):
            return None
        content = memoryview(whole)[len(first) + 1 :]
        fits = (said["bytes"], said["checksum"]) == (len(content), _checksum(content))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _damaged(path, f"its first line cannot be read, {type(error).__name__}") from None
    if not fits:
        raise _damaged(path, "it is not what was written")
    return content


def _checksum(content: Any) -> str:
    return hashlib.blake2b(content, digest_size=HASHED).hexdigest()


def _damaged(path: Path, what: str) -> UserError:
    return UserError(f"the graph {path} is damaged ({what}): remove it, and the next --approximate makes it anew")
