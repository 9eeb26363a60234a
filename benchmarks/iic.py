"""Retrieval and fine-tuning on labelled action clips: SimCLR, CMC and IIC at equal clips through the network.

python benchmarks/iic.py --root DATA --out FOLDER [--seeds 0 1 2] [--jobs 2] [--steps 240] [--epochs 12] [--held_out 0]

DATA is a UCF101 layout with its lists. Each run has one core to itself, its loading included; what is finished already
is not repeated. `--steps` are those of a method that sends two clips of each video through the network; one that sends
three takes two thirds of them. Phases run in this order, `--phases pretrain` and so on picks some: pretrain; retrieval
(residual, RGB, joint), finetune (each encoder, and one from scratch a seed), table (prints Markdown).
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue

from actions import on_core

METHODS = {  # name -> recipe, further arguments, clips of a video through the network
    "SimCLR on residual": ("simclr_small", "", 2),
    "SimCLR on RGB": ("simclr_small_rgb", "", 2),
    "CMC": ("cmc_small", "", 2),
    "IIC repeat": ("iic_small", "--method.intra Repeat", 3),
    "IIC shuffle": ("iic_small", "--method.intra Shuffle", 3),
}
PHASES = ("pretrain", "retrieval", "finetune", "table")
VIEWS = ("residual", "rgb", "joint")
SCRATCH = "from scratch"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--steps", type=int, default=240)
    parser.add_argument("--epochs", type=int, default=12, help="of fine-tuning")
    parser.add_argument("--held_out", type=int, default=0)
    parser.add_argument("--phases", nargs="+", choices=PHASES, default=PHASES)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    given = parser.parse_args()
    catalog = f"--catalog UCF101 --catalog.root {shlex.quote(given.root)} --catalog.held_out {given.held_out}"
    runs = [(name, seed) for seed in given.seeds for name in given.methods]
    if "pretrain" in given.phases:
        on_cores(given.jobs, [pretraining(given.out, *run, given.steps, catalog) for run in runs])


def folder_of(out: Path, method: str, seed: int) -> Path:
    return out / f"{method.lower().replace(' ', '-')}-{seed}"


def pretraining(out: Path, method: str, seed: int, steps: int, catalog: str) -> tuple[list[str], Path]:
    """The command of a pretraining run, and the folder that it leaves."""
    recipe, more, clips = METHODS[method]
    folder = folder_of(out, method, seed)
    words = f"pretrain {recipe} {catalog} {more} --seed {seed} --steps {steps * 2 // clips}"
    words += f" --out {shlex.quote(str(folder))} --threads 1 --workers 1 --device cpu"
    return ["-m", "praxino", *shlex.split(words)], folder


def on_cores(jobs: int, commands: list[tuple[list[str], Path]]) -> None:
    """Runs commands, each on one core, as many at a time as there are jobs; leaves FOLDER/minutes-COMMAND.json."""
    cores: Queue[int] = Queue()
    for core in sorted(os.sched_getaffinity(0))[:jobs]:
        cores.put(core)

    def work(job: tuple[list[str], Path]) -> None:
        words, folder = job
        done = folder / f"minutes-{words[2]}.json"
        if done.exists():
            return
        core = cores.get()
        try:
            begun = (folder / "recipe.yaml").exists()
            command = ["-m", "praxino", "resume", str(folder)] if begun else words
            seconds = on_core([sys.executable, *command], core, folder)
            done.write_text(json.dumps(seconds / 60))
        finally:
            cores.put(core)

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(work, commands))


if __name__ == "__main__":
    main()
