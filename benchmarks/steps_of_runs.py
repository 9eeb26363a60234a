"""A step of whole trainings, an earlier checkout against this one with `--precision auto`, on one core in turns.

    taskset -c 0 python benchmarks/steps_of_runs.py --videos DIR --before EARLIER/src [--recipes ...] [--repeats 3]

Each side is `praxino pretrain RECIPE --videos DIR --threads 1 --workers 0` of its own checkout, loading included; the
earlier one as its recipe says, this one in whatever precision it finds right. A step is the median of the run's steps
without the first ones, as metrics.jsonl has them; a ratio is before over after of the same turn. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parents[1] / "src"
RECIPES = ("simclr_small", "cmc_small", "iic_small", "tclr_small", "moco_r3d_small")
FIRST = 8  # steps in which caches fill and layers choose their ways


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", required=True)
    parser.add_argument("--before", type=Path, required=True)
    parser.add_argument("--recipes", nargs="+", default=RECIPES)
    parser.add_argument("--steps", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    print("| recipe | seconds a step before | now | precision now | before / now, by turn |\n|---|---|---|---|---|")
    for recipe in given.recipes:
        turns = []
        for _ in range(given.repeats):
            before, _ = step(given.before, recipe, given.videos, given.steps, [])
            turns.append((before, *step(HERE, recipe, given.videos, given.steps, ["--precision", "auto"])))
        medians = [statistics.median(turn[side] for turn in turns) for side in (0, 1)]
        ratios = ", ".join(f"{turn[0] / turn[1]:.2f}" for turn in turns)
        print(f"| `{recipe}` | {medians[0]:.3f} | {medians[1]:.3f} | {turns[0][2]} | {ratios} |", flush=True)


def step(source: Path, recipe: str, videos: str, steps: int, more: list[str]) -> tuple[float, str]:
    """The median seconds of a run's steps, and its precision."""
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "run"
        command = [sys.executable, "-m", "praxino", "pretrain", recipe, "--videos", videos, "--out", str(out)]
        command += ["--stages.0.steps", str(steps), "--threads", "1", "--workers", "0", *more]
        done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(source)}, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"failed: {' '.join(command)}\n{done.stderr}")
        lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
        precision = next(
            line for line in (out / "recipe.yaml").read_text().splitlines() if line.startswith("precision")
        )
    seconds = [line["seconds"] for line in lines if line["kind"] == "step"]
    return statistics.median(seconds[FIRST:]), precision.split()[-1]


if __name__ == "__main__":
    main()
