"""Whether the demo's trained row is ahead of every hand-made one: over several seeds, query by query.

    praxino demo --seed 0 --out FOLDER/0 && praxino demo --seed 1 --out FOLDER/1 && praxino demo --seed 2 --out FOLDER/2
    python benchmarks/demo.py FOLDER/0 FOLDER/1 FOLDER/2 [--flow]

Each run rendered its own videos, so that the queries of all runs are different ones and are pooled. The interval is a
95 % bootstrap over the queries; that of a difference is over the queries' differences. `--flow` adds a feature that is
made for classes like these, and needs OpenCV: the mean optical flow in 4x4 cells. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, normalize

from praxino.batch import ClipBatch
from praxino.catalogs.listfile import ListFile
from praxino.encoders.encoder import Encoder
from praxino.evaluations.comparison import HANDMADE
from praxino.evaluations.features import extract
from praxino.evaluations.metrics import bootstrap_interval, retrieval
from praxino.evaluations.retrieval import retrieve
from praxino.streams.flow import DISFlow

ROWS = ("untrained", "untrained, one frame", *HANDMADE, "trained")
CELLS, BOUND = 4, 20.0


def mean_flow(batch: ClipBatch) -> Tensor:
    """The mean flow of each cell, of length 1 for a clip: [clips, 2 * 16]."""
    levels = batch.streams["flow"].clips()[:, 0].float()  # [clips, T, H, W, 2]
    flow = (levels - 127.5).mean(1).permute(0, 3, 1, 2)
    return normalize(adaptive_avg_pool2d(flow, CELLS).flatten(1), dim=1)


def hits_of_flow(encoder: Encoder, catalog: ListFile) -> dict[str, NDArray[np.bool_]]:
    how = {"sampler": encoder.sampler, "streams": {"flow": DISFlow(bound=BOUND)}, "canvas": encoder.canvas}
    parts = [
        extract(catalog.part(name), {"flow": mean_flow}, ["flow"], **how)["flow"]  # type: ignore[arg-type]
        for name in ("test", "train")
    ]
    asks, answers = parts
    found = retrieval(asks.vectors, answers.vectors, asks.labels, answers.labels, k=(1, 5))
    return {"1": found.hits[:, 0], "5": found.hits[:, 1]}


def hits_of(folder: Path, flow: bool) -> dict[str, dict[str, NDArray[np.bool_]]]:
    encoder = Encoder.load(folder)
    catalog = ListFile(str(folder / "videos/train.txt"), test=str(folder / "videos/test.txt"))
    result = retrieve(encoder, catalog, k=(1, 5), view="residual", workers=0, device="cpu")
    found = {name: {k: np.array(hit) for k, hit in result.per_query[name].items()} for name in ROWS}
    return {**found, **({"mean optical flow, 4x4 cells": hits_of_flow(encoder, catalog)} if flow else {})}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--flow", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    runs = [hits_of(folder, given.flow) for folder in given.folders]
    trained = np.concatenate([run["trained"]["1"] for run in runs]).astype(float)
    print("| feature | @1 | seeds | interval | @5 | trained less this | interval |\n|---|---|---|---|---|---|---|")
    for name in runs[0]:
        first, fifth = (np.concatenate([run[name][k] for run in runs]).astype(float) for k in ("1", "5"))
        each = ", ".join(f"{100 * run[name]['1'].mean():.1f}" for run in runs)
        cells = [f"{100 * first.mean():.1f}", each, interval(first), f"{100 * fifth.mean():.1f}"]
        less = trained - first
        cells += [f"{100 * less.mean():+.1f}", interval(less)] if name != "trained" else ["", ""]
        print(f"| {name} | {' | '.join(cells)} |")
    print(f"\n{len(trained)} queries")


def interval(values: NDArray[np.float64]) -> str:
    low, high = bootstrap_interval(values, repeats=5000)
    return f"[{100 * low:.1f}, {100 * high:.1f}]"


if __name__ == "__main__":
    main()
