"""The share of a CPU run spent waiting for data, by the number of loading processes; and the demo's time.

python benchmarks/waiting.py [--videos DIR] [--steps 40] [--workers 0 1 2] [--demo]

Without DIR it renders the demo's videos. All settings run one after another on the same videos; the first steps, which
fill the loaders, are not counted.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

UNCOUNTED = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--recipe", default="simclr_small")
    parser.add_argument("--demo", action="store_true", help="also times `praxino demo` from nothing")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        videos = given.videos or rendered(Path(folder))
        print(
            "| workers | clips/s | against the first | share waiting | seconds a step (median, 10-90 %) |\n"
            "|---|---|---|---|---|"
        )
        first = None
        for workers in given.workers:
            out = Path(folder) / f"run-{workers}"
            praxino(
                "pretrain", given.recipe, "--videos", videos, "--out", str(out),
                "--steps", str(given.steps + UNCOUNTED),
                "--workers", str(workers), "--threads", str(given.threads), "--device", "cpu", "--max_left_out", "1",
            )  # fmt: skip
            lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
            speed, share, seconds = counted([line for line in lines if line["kind"] == "step"])
            first = first or speed
            low, middle, high = np.quantile(seconds, [0.1, 0.5, 0.9])
            print(
                f"| {workers} | {speed:.1f} | {speed / first:.2f} | {share:.0%} | "
                f"{middle:.2f} ({low:.2f}-{high:.2f}) |",
                flush=True,
            )
        if given.demo:
            began = time.perf_counter()
            praxino("demo", "--out", str(Path(folder) / "demo"))
            print(f"\n`praxino demo` from nothing: {time.perf_counter() - began:.0f} s")


def counted(steps: list[dict[str, float]]) -> tuple[float, float, np.ndarray]:
    """Clips a second, share waiting, seconds of each step, without the first steps; the lines hold running means."""
    elapsed = np.cumsum([line["seconds"] for line in steps])
    clips = np.array([line["clips_per_second"] for line in steps]) * elapsed
    waited = np.array([line["wait_share"] for line in steps]) * elapsed
    time_counted, clips_counted, waited_counted = (v[-1] - v[UNCOUNTED - 1] for v in (elapsed, clips, waited))
    return clips_counted / time_counted, waited_counted / time_counted, np.diff(elapsed)[UNCOUNTED - 1 :]


def rendered(folder: Path) -> str:
    from praxino.demo.render import render

    return str(render(folder / "videos", videos=240))


def praxino(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "praxino", *arguments], check=True, capture_output=True)


if __name__ == "__main__":
    main()
