"""Going on from the built-in encoder, and from nothing: what retrieval gains in the first minutes on real videos.

    python benchmarks/going_on.py --root DATA --out FOLDER [--steps 90 270] [--seeds 0 1 2] [--start built-in]

Trains `simclr_small` on the training list of split 1 (a UCF101 layout) for each number of steps, once from the weights
of `--start` and once from nothing, and scores the residual view, `rgb` and both joined. 0 steps: what is begun with, as
it is. A folder in FOLDER for each run, and what is measured already is read. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch

from praxino.catalogs.ucf101 import UCF101
from praxino.clips.samplers import EvenClips
from praxino.encoders.encoder import Encoder
from praxino.evaluations.metrics import bootstrap_interval
from praxino.evaluations.retrieval import retrieve

ROWS = ("trained, residual", "trained, rgb", "trained, joint")
Taken = dict[tuple[int, str | None], list[dict]]  # (steps, begins with) -> a run for each seed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, nargs="+", default=[90, 270])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--start", default="built-in")
    given = parser.parse_args()
    torch.set_num_threads(1)
    taken = {
        (steps, start): [one_run(given, steps, start, seed) for seed in given.seeds]
        for steps in given.steps
        for start in ((None, given.start) if steps else (given.start,))
    }
    print(table(taken), "\n", less_table(taken, given), sep="")


def table(taken: Taken) -> str:
    """Each number of steps from each beginning: the mean over seeds with its interval, and the seeds."""
    head = " | ".join(f"{row} @1 | interval | seeds" for row in ROWS)
    lines = [f"| steps | begins with | core minutes | {head} |", "|" + "---|" * (3 + 3 * len(ROWS))]
    for (steps, start), runs in taken.items():
        minutes = np.mean([run["minutes"] for run in runs])
        cells = []
        for row in ROWS:
            hits = stacked(runs, row)
            seeds = ", ".join(f"{100 * one.mean():.1f}" for one in hits)
            cells.append(f"{100 * hits.mean():.1f} | {interval(hits.mean(0))} | {seeds}")
        lines.append(f"| {steps} | {start or 'nothing'} | {minutes:.1f} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def less_table(taken: Taken, given: argparse.Namespace) -> str:
    """How far a start is ahead of none, query by query."""
    lines = [f"| {given.start} less nothing | {' | '.join(ROWS)} |", "|" + "---|" * (1 + len(ROWS))]
    for steps in (steps for steps in given.steps if steps):
        less = [stacked(taken[steps, given.start], row) - stacked(taken[steps, None], row) for row in ROWS]
        cells = [f"{100 * one.mean():+.1f} {interval(one.mean(0))}" for one in less]
        lines.append(f"| {steps} steps | {' | '.join(cells)} |")
    return "\n".join(lines)


def stacked(runs: list[dict], row: str) -> np.ndarray:
    """float64 [seeds, queries]: 1 where the nearest video is of the same class."""
    return np.array([run["hits"][row] for run in runs], float)


def interval(values: np.ndarray) -> str:
    low, high = bootstrap_interval(values, repeats=5000)
    return f"[{100 * low:.1f}, {100 * high:.1f}]"


def one_run(given: argparse.Namespace, steps: int, start: str | None, seed: int) -> dict:
    """Trains and scores; what is there already is read."""
    folder = given.out / f"{start or 'nothing'}-{steps}-{seed}"
    file = folder / "hits.json"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        minutes = train(given, steps, start, seed, folder) if steps else 0.0
        encoder = Encoder.load(folder if steps else given.start)
        encoder.sampler = EvenClips(4, 8, 2)
        how = {"views": ["residual", "rgb"], "baselines": False, "joined": "equally", "workers": 0}
        hits = retrieve(encoder, UCF101(given.root, 1), **how).per_query
        file.write_text(json.dumps({"minutes": minutes, "hits": {row: hits[row]["1"] for row in ROWS}}))
    return json.loads(file.read_text())


def train(given: argparse.Namespace, steps: int, start: str | None, seed: int, folder: Path) -> float:
    """Minutes of a processor that it took."""
    catalog = ["--catalog", "UCF101", "--catalog.root", given.root]
    command = [sys.executable, "-m", "praxino", "pretrain", "simclr_small", *catalog, "--out", str(folder)]
    command += ["--stages.0.steps", str(steps), "--stages.0.schedule.warmup", "0", "--precision", "auto"]
    command += ["--seed", str(seed), "--threads", "1", "--workers", "0"]
    command += ["--start", start] if start else []
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"failed: {' '.join(command)}")
    return (usage.ru_utime + usage.ru_stime) / 60


if __name__ == "__main__":
    main()
