"""`simclr_small` trained for longer on real clips: seeds pooled, beside hand-made features, with the curve over steps.

    python benchmarks/longer.py RUN [RUN ...] --root DATA [--epochs 17 34 68 119]

Each RUN is another seed's `praxino pretrain simclr_small --catalog UCF101 --catalog.root DATA --precision auto
--stages.0.steps 2500 --keep_epochs 17 --seed N --threads 1 --workers 0`, and DATA a UCF101 layout with its lists. Split
1: the training list answers, the test list asks, ten clips a video. What was scored stands in RUN/longer/ and is not
scored again. An interval is a 95 % bootstrap over the queries, each the mean over the seeds. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import praxino
from demo import interval
from praxino.catalogs.ucf101 import UCF101
from praxino.encoders.encoder import Encoder
from praxino.evaluations.comparison import HANDMADE
from praxino.evaluations.retrieval import retrieve

VIEWS = ["residual", "rgb"]
MAIN = "trained, residual"
TRAINED = (MAIN, "trained, rgb", "trained, joint")
Hits = dict[str, dict[str, NDArray[np.float64]]]  # row -> cut-off -> for each query whether it is met


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--root", required=True)
    parser.add_argument("--epochs", type=int, nargs="*", default=[17, 34, 68, 119])
    given = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # of runs that had not ended
    ended = [scored(run, None, given.root, baselines=run == given.runs[0]) for run in given.runs]
    print(table(ended))
    print("\n| steps | " + " | ".join(f"{row} @1 | seeds" for row in TRAINED) + " |\n|" + "---|" * 7)
    for epoch in given.epochs:
        print(curve_line(steps_of(given.runs[0], epoch), [scored(run, epoch, given.root) for run in given.runs]))
    print(curve_line(steps_of(given.runs[0], None), ended))


def scored(run: Path, epoch: int | None, root: str, baselines: bool = False) -> Hits:
    """The hits of a finished run, or of its copy of the checkpoint after an epoch."""
    file = run / "longer" / f"{'ended' if epoch is None else epoch}.json"
    if not file.exists():
        encoder = Encoder.load(run) if epoch is None else encoder_then(run, epoch)
        how: dict[str, Any] = {"views": VIEWS, "baselines": baselines, "joined": "equally", "workers": 0}
        hits = retrieve(encoder, UCF101(root, 1), k=(1, 5), **how).per_query
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(hits, default=lambda each: np.asarray(each).tolist()))
    found = json.loads(file.read_text())
    return {row: {k: np.array(hit, float) for k, hit in each.items()} for row, each in found.items()}


def encoder_then(run: Path, epoch: int) -> Encoder:
    with tempfile.TemporaryDirectory() as name:
        then = Path(name) / "run"
        shutil.copytree(run, then, ignore=shutil.ignore_patterns("*.ckpt", "encoder.*", "longer", "evaluations"))
        shutil.copy(run / "checkpoints" / f"epoch-{epoch:04d}.ckpt", then / "checkpoints" / "last.ckpt")
        return praxino.load_encoder(then, checkpoint="last")


def steps_of(run: Path, epoch: int | None) -> int:
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    steps = [line for line in lines if line["kind"] == "step"]
    return 1 + max(line["step"] for line in steps if epoch is None or line["epoch"] < epoch)


def table(runs: list[Hits]) -> str:
    lines = ["| feature | @1 | seeds | interval | @5 | residual less this, @1 | interval |", "|" + "---|" * 7]
    main_row = np.mean([run[MAIN]["1"] for run in runs], 0)
    for row in runs[0]:
        alike = row in HANDMADE or row.startswith("untrained")
        taken = runs[:1] if alike else runs
        first, fifth = (np.mean([run[row][k] for run in taken], 0) for k in ("1", "5"))
        seeds = "" if alike else ", ".join(f"{100 * run[row]['1'].mean():.1f}" for run in taken)
        less = [f"{100 * (main_row - first).mean():+.1f}", interval(main_row - first)] if row != MAIN else ["", ""]
        cells = [row, f"{100 * first.mean():.1f}", seeds, interval(first), f"{100 * fifth.mean():.1f}", *less]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def curve_line(steps: int, runs: list[Hits]) -> str:
    cells = [f"{steps:,}"]
    for row in TRAINED:
        each = [100 * run[row]["1"].mean() for run in runs]
        cells += [f"{np.mean(each):.1f}", ", ".join(f"{one:.1f}" for one in each)]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
