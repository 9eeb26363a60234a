"""Retrieval on labelled action clips: SimCLR on residual and on RGB beside untrained, one frame and hand-made features.

python benchmarks/actions.py --root DATA --out FOLDER [--seeds 0 1 2] [--jobs 2] [--held_out 7]

DATA is a UCF101 layout with its lists. Each run has one core to itself, its loading included. Runs that are finished
already are not repeated. `--held_out 7` asks with the last seven groups of the training list instead of the test list:
that is how settings are chosen. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue

import numpy as np

RECIPES = {"residual": "simclr_small", "rgb": "simclr_small_rgb"}
CUTOFFS = ("1", "5")
REPEATS = 5000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--split", type=int, default=1)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--views", nargs="+", default=list(RECIPES))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--held_out", type=int, default=0)
    parser.add_argument("--pretrain", default="", help="further arguments of `praxino pretrain`, in one word")
    given = parser.parse_args()

    catalog = ["--catalog", "UCF101", "--catalog.root", given.root, "--catalog.split", str(given.split)]
    catalog += ["--catalog.held_out", str(given.held_out)]
    cores: Queue[int] = Queue()
    for core in sorted(os.sched_getaffinity(0))[: given.jobs]:
        cores.put(core)
    jobs = [(view, seed) for seed in given.seeds for view in given.views]

    def work(job: tuple[str, int]) -> None:
        core = cores.get()
        try:
            one_run(given.out / f"{job[0]}-{job[1]}", *job, core, catalog, shlex.split(given.pretrain))
        finally:
            cores.put(core)

    with ThreadPoolExecutor(given.jobs) as pool:
        list(pool.map(work, jobs))
    print(table(given.out, given.views, given.seeds))


def one_run(folder: Path, view: str, seed: int, core: int, catalog: list[str], more: list[str]) -> None:
    """Pretrains and scores one seed on one core; leaves FOLDER/hits.json."""
    if (folder / "hits.json").exists():
        return
    praxino = [sys.executable, "-m", "praxino"]
    if (folder / "recipe.yaml").exists():
        command = [*praxino, "resume", str(folder)]
    else:
        command = [*praxino, "pretrain", RECIPES[view], *catalog, "--out", str(folder), "--seed", str(seed)]
        command += ["--threads", "1", "--workers", "1", "--device", "cpu", *more]
    seconds = on_core(command, core, folder)
    on_core([sys.executable, __file__, "--score", str(folder), view, json.dumps(catalog)], core, folder)
    hits = json.loads((folder / "hits.json").read_text()) | {"minutes": seconds / 60}
    (folder / "hits.json").write_text(json.dumps(hits))


def on_core(command: list[str], core: int, folder: Path) -> float:
    """Runs a command on one core; returns its processor seconds, those of its loading process included."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".log").open("a") as log:
        process = subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed: see {folder.with_suffix('.log')}")
    return usage.ru_utime + usage.ru_stime


def score(folder: Path, view: str, catalog: list[str]) -> None:
    """Writes which queries each row of the table hits."""
    import praxino
    from praxino.catalogs.ucf101 import UCF101
    from praxino.evaluations.result import write_result
    from praxino.evaluations.retrieval import retrieve

    given = dict(zip(catalog[::2], catalog[1::2], strict=True))
    videos = UCF101(given["--catalog.root"], int(given["--catalog.split"]), held_out=int(given["--catalog.held_out"]))
    result = retrieve(praxino.load_encoder(folder), videos, view=view, workers=0, device="cpu")
    write_result(folder, f"retrieval-{view}", result, videos.classes)
    data = {"hits": result.per_query, "chance": result.row("chance").values}
    (folder / "hits.json").write_text(json.dumps(data))


def table(out: Path, views: list[str], seeds: list[int]) -> str:
    """Means over seeds, their spread, and a bootstrap interval of the mean over queries."""
    lines = ["| feature | @1 | seeds | interval | @5 | core minutes a run |", "|---|---|---|---|---|---|"]
    first = read(out, views[0], seeds[0])
    lines.append(f"| chance | {first['chance']['1']:.1f} | | | {first['chance']['5']:.1f} | |")
    handmade = [name for name in first["hits"] if name not in ("trained", "untrained", "untrained, one frame")]
    lines += [row(name, [first["hits"][name]], "") for name in handmade]
    best = max(handmade, key=lambda name: np.mean(first["hits"][name]["1"]))
    for view in views:
        runs = [read(out, view, seed) for seed in seeds]
        for name in ("untrained", "untrained, one frame"):
            lines.append(row(f"{name}, {view}", [runs[0]["hits"][name]], ""))
        hits = [run["hits"]["trained"] for run in runs]
        minutes = f"{np.mean([run['minutes'] for run in runs]):.1f}"
        lines.append(row(f"**SimCLR on {view}**", hits, minutes))
        theirs = np.array(first["hits"][best]["1"], float)
        ours = np.mean([h["1"] for h in hits], axis=0)
        overlap = max(interval(ours)[0], interval(theirs)[0]) <= min(interval(ours)[1], interval(theirs)[1])
        low, high = interval(ours - theirs)
        said = "intervals overlap: no difference" if overlap else "intervals apart"
        paired = f"{100 * np.mean(ours - theirs):+.1f} | | [{low:.1f}, {high:.1f}]"
        lines.append(f"| the same less '{best}', query by query ({said}) | {paired} | | |")
    queries = len(first["hits"][best]["1"])
    lines.append(
        f"\n{queries} queries; percent; the interval: 95 % bootstrap over the queries, of the mean over seeds."
    )
    return "\n".join(lines)


def read(out: Path, view: str, seed: int) -> dict:
    return json.loads((out / f"{view}-{seed}" / "hits.json").read_text())


def row(name: str, hits: list[dict[str, list[bool]]], minutes: str) -> str:
    means = {k: [100 * np.mean(h[k]) for h in hits] for k in CUTOFFS}
    low, high = interval(np.mean([h["1"] for h in hits], axis=0))
    each = ", ".join(f"{m:.1f}" for m in means["1"]) if len(hits) > 1 else ""
    first, fifth = np.mean(means["1"]), np.mean(means["5"])
    return f"| {name} | {first:.1f} | {each} | [{low:.1f}, {high:.1f}] | {fifth:.1f} | {minutes} |"


def interval(values: np.ndarray) -> tuple[float, float]:
    """A 95 % percentile bootstrap of the mean, in percent."""
    generator = np.random.default_rng(0)
    means = [values[generator.integers(len(values), size=len(values))].mean() for _ in range(REPEATS)]
    low, high = np.quantile(means, [0.025, 0.975])
    return 100 * float(low), 100 * float(high)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--score"]:
        score(Path(sys.argv[2]), sys.argv[3], json.loads(sys.argv[4]))
    else:
        main()
