"""Going on from the built-in encoder, and from nothing: what retrieval gains in the first minutes on real videos.

    python benchmarks/going_on.py --root DATA --out FOLDER [--steps 90 270] [--seeds 0 1 2] [--start built-in]

Trains `simclr_small` on the training list of split 1 (a UCF101 layout) for each number of steps, once from the weights
of `--start` and once from nothing, and scores the residual view, `rgb` and both joined. Prints Markdown.
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, nargs="+", default=[90, 270])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--start", default="built-in")
    given = parser.parse_args()
    torch.set_num_threads(1)
    print("| steps | begins with | core minutes | " + " | ".join(f"{row} @1 | interval" for row in ROWS) + " |")
    print("|" + "---|" * (3 + 2 * len(ROWS)))
    for steps in given.steps:
        for start in (None, given.start):
            runs = [one_run(given, steps, start, seed) for seed in given.seeds]
            minutes = np.mean([run["minutes"] for run in runs])
            cells = [cell(np.mean([run["hits"][row] for run in runs], 0)) for row in ROWS]
            print(f"| {steps} | {start or 'nothing'} | {minutes:.1f} | {' | '.join(cells)} |", flush=True)


def one_run(given: argparse.Namespace, steps: int, start: str | None, seed: int) -> dict:
    """Trains and scores; what is there already is read."""
    folder = given.out / f"{start or 'nothing'}-{steps}-{seed}"
    file = folder / "hits.json"
    if not file.exists():
        catalog = ["--catalog", "UCF101", "--catalog.root", given.root]
        command = [sys.executable, "-m", "praxino", "pretrain", "simclr_small", *catalog, "--out", str(folder)]
        command += ["--stages.0.steps", str(steps), "--stages.0.schedule.warmup", "0", "--precision", "auto"]
        command += ["--seed", str(seed), "--threads", "1", "--workers", "0"]
        command += ["--start", start] if start else []
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            raise SystemExit(f"failed: {' '.join(command)}")
        encoder = Encoder.load(folder)
        encoder.sampler = EvenClips(4, 8, 2)
        how = {"views": ["residual", "rgb"], "baselines": False, "joined": "equally", "workers": 0}
        hits = retrieve(encoder, UCF101(given.root, 1), **how).per_query
        said = {"minutes": (usage.ru_utime + usage.ru_stime) / 60, "hits": {row: hits[row]["1"] for row in ROWS}}
        file.write_text(json.dumps(said))
    return json.loads(file.read_text())


def cell(hits: np.ndarray) -> str:
    low, high = bootstrap_interval(hits.astype(float), repeats=5000)
    return f"{100 * hits.mean():.1f} | [{100 * low:.1f}, {100 * high:.1f}]"


if __name__ == "__main__":
    main()
