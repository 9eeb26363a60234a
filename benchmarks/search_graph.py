"""What an approximate search finds of what the exact one finds, how quick it is, and what its graph costs.

    python benchmarks/search_graph.py [--vectors 100000] [--dim 512] [--index DIR]

The first: made-up vectors of length 1 around centres, a centre for each hundred of them; the second: those of an index.
Clips of it ask, themselves passed over. Recall@10 is the share of the ten nearest clips, by the exact search, that are
among the ten that the graph gives. One thread. Prints Markdown.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from praxino.evaluations.metrics import bootstrap_interval
from praxino.search.exact import best_rows
from praxino.search.graph import GRAPH, Graph, graph_of
from praxino.search.index import open_index

K = 10
QUERIES = 200
BATCH = 32
A_CENTRE = 100  # vectors around it
SPREAD = 0.7  # of a vector around its centre, both of length 1 before they are added


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--index")
    given = parser.parse_args()
    torch.set_num_threads(1)
    heads = (
        "vectors",
        "recall@10, %",
        "graph made, s",
        "read, s",
        "graph, MB",
        "vectors, MB",
        "exact, ms",
        "graph, ms",
    )
    more = (f"exact, ms a query of {BATCH}", f"graph, ms a query of {BATCH}")
    print("| " + " | ".join((*heads, *more)) + " |\n|" + "---|" * (len(heads) + len(more)))
    if given.vectors:
        row(f"{given.vectors:,} made up, {given.dim} numbers", made_up(given.vectors, given.dim))
    if given.index:
        vectors = np.array(open_index(given.index).vectors)
        row(f"{len(vectors):,} of videos, {vectors.shape[1]} numbers", vectors)


def made_up(rows: int, dim: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(0)
    centres = of_length_1(rng.standard_normal((max(1, rows // A_CENTRE), dim), np.float32))
    made = np.empty((rows, dim), np.float32)
    for first in range(0, rows, 10_000):
        some = made[first : first + 10_000]
        near = centres[rng.integers(0, len(centres), len(some))]
        some[:] = of_length_1(near + SPREAD * of_length_1(rng.standard_normal(some.shape, np.float32)))
    return made


def of_length_1(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def row(name: str, vectors: NDArray[np.float32]) -> None:
    """Makes a graph, asks, and prints a row of the table."""
    asked = np.random.default_rng(1).choice(len(vectors), QUERIES, replace=False)
    queries, without = [vectors[one : one + 1] for one in asked], [np.array([one]) for one in asked]
    with tempfile.TemporaryDirectory() as folder:
        graph, made = timed(lambda: graph_of(Path(folder), "data-made", vectors))
        size = Path(folder, GRAPH).stat().st_size
        graph, read = timed(lambda: graph_of(Path(folder), "data-made", vectors))
    assert isinstance(graph, Graph)
    exact, walked = best_rows(vectors, queries, K, without), graph.best_rows(queries, K, without)
    shares = [len(set(one[0]) & set(other[0])) / K for one, other in zip(exact, walked, strict=True)]
    low, high = bootstrap_interval(np.array(shares))
    recall = f"{100 * np.mean(shares):.1f} [{100 * low:.1f}, {100 * high:.1f}]"
    alone = [
        sum(timed(lambda one=one, look=look: look([queries[one]], K, [without[one]]))[1] for one in range(20)) / 20
        for look in (lambda *words: best_rows(vectors, *words), graph.best_rows)
    ]
    together = [
        timed(lambda look=look: look(queries[:BATCH], K, without[:BATCH]))[1] / BATCH
        for look in (lambda *words: best_rows(vectors, *words), graph.best_rows)
    ]
    times = [f"{1000 * one:.2f}" for one in (*alone, *together)]
    cells = [name, recall, f"{made:.1f}", f"{read:.2f}", f"{size / 1e6:.0f}", f"{vectors.nbytes / 1e6:.0f}", *times]
    print("| " + " | ".join(cells) + " |", flush=True)


def timed(do: Callable[[], Any]) -> tuple[Any, float]:
    """What comes of it, and its processor seconds."""
    before = time.process_time()
    return do(), time.process_time() - before


if __name__ == "__main__":
    main()
