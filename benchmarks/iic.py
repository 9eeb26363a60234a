"""Retrieval and fine-tuning on labelled action clips: SimCLR, CMC and IIC at equal clips through the network.

python benchmarks/iic.py --root DATA --out FOLDER [--seeds 0 1 2] [--jobs 2] [--steps 240] [--epochs 12] [--held_out 0]

DATA is a UCF101 layout with its lists. Each run has one core to itself, its loading included; what is finished already
is not repeated. `--steps` are those of a method that sends two clips of each video through the network; one that sends
three takes two thirds of them. Phases run in this order, `--phases pretrain` and so on picks some: pretrain; finetune
(each encoder, and one from scratch a seed, on residual clips); retrieval (RGB, residual and both joined, of `--clips`
clips a video); table (prints Markdown).
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

import numpy as np

from actions import interval, on_core

METHODS = {  # name -> recipe, further arguments, clips of a video through the network
    "SimCLR on residual": ("simclr_small", "", 2),
    "SimCLR on RGB": ("simclr_small_rgb", "", 2),
    "CMC": ("cmc_small", "", 2),
    "IIC repeat": ("iic_small", "--method.intra Repeat", 3),
    "IIC shuffle": ("iic_small", "--method.intra Shuffle", 3),
}
PHASES = ("pretrain", "finetune", "retrieval", "table")
VIEWS = ("rgb", "residual", "joint")
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
    parser.add_argument("--clips", type=int, default=4, help="of a video in retrieval")
    parser.add_argument("--phases", nargs="+", choices=PHASES, default=PHASES)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    given = parser.parse_args()
    catalog = f"--catalog UCF101 --catalog.root {shlex.quote(given.root)} --catalog.held_out {given.held_out}"
    runs = [(name, seed) for seed in given.seeds for name in given.methods]
    encoders = [folder_of(given.out, *run) for run in runs]
    if "pretrain" in given.phases:
        on_cores(given.jobs, [pretraining(given.out, *run, given.steps, catalog) for run in runs])
    if "finetune" in given.phases:
        scratch = [
            finetuning(
                encoders[0], "residual", given.epochs, seed, catalog, scratch=folder_of(given.out, SCRATCH, seed)
            )
            for seed in given.seeds
        ]
        tuned = [
            finetuning(folder, "residual", given.epochs, seed, catalog)
            for folder, (_, seed) in zip(encoders, runs, strict=True)
        ]
        on_cores(given.jobs, [*scratch, *tuned])
        again = [__file__, "--test", given.root, str(given.held_out)]
        on_cores(given.jobs, [([*again, str(folder)], folder) for _, folder in [*scratch, *tuned]])
    if "retrieval" in given.phases:
        score = [__file__, "--score", given.root, str(given.held_out), str(given.clips)]
        on_cores(given.jobs, [([*score, str(folder), str(folder == encoders[0])], folder) for folder in encoders])
    if "table" in given.phases:
        print(table(given.out, given.methods, given.seeds))


def folder_of(out: Path, method: str, seed: int) -> Path:
    return out / f"{method.lower().replace(' ', '-')}-{seed}"


def pretraining(out: Path, method: str, seed: int, steps: int, catalog: str) -> tuple[list[str], Path]:
    """The command of a pretraining run, and the folder that it leaves."""
    recipe, more, clips = METHODS[method]
    folder = folder_of(out, method, seed)
    words = f"pretrain {recipe} {catalog} {more} --seed {seed} --steps {steps * 2 // clips}"
    words += f" --out {shlex.quote(str(folder))} --threads 1 --workers 1 --device cpu"
    return ["-m", "praxino", *shlex.split(words)], folder


def finetuning(
    encoder: Path, view: str, epochs: int, seed: int, catalog: str, scratch: Path | None = None
) -> tuple[list[str], Path]:
    """The command of a fine-tuning run (from scratch: into the folder `scratch`), and its folder."""
    folder = scratch or encoder / "finetune"
    words = f"evaluate finetune {shlex.quote(str(encoder))} {catalog} --view {view} --epochs {epochs} --seed {seed}"
    words += f" --out {shlex.quote(str(folder))} --threads 1 --workers 1 --device cpu" + (" --scratch" * bool(scratch))
    return ["-m", "praxino", *shlex.split(words)], folder


def on_cores(jobs: int, commands: list[tuple[list[str], Path]]) -> None:
    """Runs commands, each on one core, as many at a time as there are jobs; leaves FOLDER/minutes-COMMAND.json."""
    cores: Queue[int] = Queue()
    for core in sorted(os.sched_getaffinity(0))[:jobs]:
        cores.put(core)

    def work(job: tuple[list[str], Path]) -> None:
        words, folder = job
        scoring = words[0] != "-m"
        done = folder / f"minutes-{words[1].strip('-') if scoring else words[2]}.json"
        if done.exists():
            return
        core = cores.get()
        try:
            begun = not scoring and (folder / "recipe.yaml").exists()
            command = ["-m", "praxino", "resume", str(folder)] if begun else words
            seconds = on_core([sys.executable, *command], core, folder)
            done.write_text(json.dumps(seconds / 60))
        finally:
            cores.put(core)

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(work, commands))


def score(root: str, held_out: str, clips: str, folder: str, baselines: str) -> None:
    """Writes which queries each view of an encoder hits, and both views joined."""
    import praxino
    from praxino.catalogs.ucf101 import UCF101
    from praxino.evaluations.result import write_result
    from praxino.evaluations.retrieval import retrieve

    videos = UCF101(root, held_out=int(held_out))
    encoder = praxino.load_encoder(folder)
    encoder.sampler.clips = int(clips)
    result = retrieve(
        encoder, videos, views=["rgb", "residual"], baselines=baselines == "True", workers=0, device="cpu"
    )
    write_result(Path(folder), "retrieval-rgb-residual", result, videos.classes)
    hits = {"hits": result.per_query, "chance": result.row("chance").values}
    (Path(folder) / "hits.json").write_text(json.dumps(hits))


def test(root: str, held_out: str, folder: str) -> None:
    """Writes which videos a fine-tuned classifier gives their class: the test of the run once more."""
    import praxino
    from praxino.catalogs.ucf101 import UCF101
    from praxino.evaluations.classifying.recognition import recognise

    encoder = praxino.load_encoder(folder)
    result = recognise(encoder, UCF101(root, held_out=int(held_out)), workers=0, device="cpu")
    (Path(folder) / "hits.json").write_text(json.dumps(result.per_query["classifier"]["1"]))


def table(out: Path, methods: list[str], seeds: list[int]) -> str:
    """Means over seeds, their spread, and a bootstrap interval of the mean over queries."""
    first = read(folder_of(out, methods[0], seeds[0]))
    baselines = {name: hits for name, hits in first["hits"].items() if not name.startswith("trained")}
    best = max(
        (name for name in baselines if not name.startswith("untrained")), key=lambda name: np.mean(baselines[name]["1"])
    )
    scratch = [tuned_hits(folder_of(out, SCRATCH, seed)) for seed in seeds]
    lines = ["| feature | @1 | seeds | interval | @5 |", "|---|---|---|---|---|"]
    lines.append(f"| chance | {first['chance']['1']:.1f} | | | {first['chance']['5']:.1f} |")
    lines += [line(name, [hits]) for name, hits in baselines.items()]
    for method in methods:
        runs = [read(folder_of(out, method, seed))["hits"] for seed in seeds]
        lines += [line(f"**{method}**, {view}", [run[f"trained, {view}"] for run in runs]) for view in VIEWS]
    said = [verdict(methods, out, seeds, best, baselines[best]["1"])]
    tuned = [
        "| fine-tuned from | top-1 | seeds | interval | less from scratch, query by query | |",
        "|---|---|---|---|---|---|",
    ]
    tuned.append(tuned_line(SCRATCH, scratch, None))
    for method in methods:
        tuned.append(tuned_line(method, [tuned_hits(folder_of(out, method, s) / "finetune") for s in seeds], scratch))
    costs = ["| | core minutes a run: pretraining | fine-tuning |", "|---|---|---|"]
    for method in methods:
        folders = [folder_of(out, method, seed) for seed in seeds]
        spent = [
            np.mean([minutes(f, "pretrain") for f in folders]),
            np.mean([minutes(f / "finetune", "evaluate") for f in folders]),
        ]
        costs.append(f"| {method} | {spent[0]:.1f} | {spent[1]:.1f} |")
    queries = len(baselines[best]["1"])
    note = f"{queries} queries; percent; the interval: 95 % bootstrap over the queries, of the mean over seeds."
    return "\n".join([*lines, "", *said, "", *tuned, "", *costs, "", note])


def verdict(methods: list[str], out: Path, seeds: list[int], best: str, theirs: list[bool]) -> str:
    """Each method's best view beside the best hand-made feature."""
    lines = [f"| @1 less '{best}', query by query | difference | interval | |", "|---|---|---|---|"]
    for method in methods:
        runs = [read(folder_of(out, method, seed))["hits"] for seed in seeds]
        for view in VIEWS:
            ours = np.mean([run[f"trained, {view}"]["1"] for run in runs], axis=0)
            lines.append(f"| {method}, {view} | {compared(ours, np.array(theirs, float))} |")
    return "\n".join(lines)


def compared(ours: np.ndarray, theirs: np.ndarray) -> str:
    """The difference of two rows of hits, its interval, and whether the rows' own intervals lie apart."""
    low, high = interval(ours - theirs)
    apart = interval(ours)[0] > interval(theirs)[1] or interval(theirs)[0] > interval(ours)[1]
    said = "intervals apart" if apart else "intervals overlap: no difference"
    return f"{100 * np.mean(ours - theirs):+.1f} | [{low:.1f}, {high:.1f}] | {said}"


def line(name: str, hits: list[dict[str, list[bool]]]) -> str:
    fifth = 100 * np.mean([h["5"] for h in hits])
    return f"| {name} | {seeds_of([h['1'] for h in hits])} | {fifth:.1f} |"


def seeds_of(hits: list[list[bool]]) -> str:
    """Mean, each seed, and the interval of the mean."""
    low, high = interval(np.mean(hits, axis=0))
    each = ", ".join(f"{100 * np.mean(h):.1f}" for h in hits) if len(hits) > 1 else ""
    return f"{100 * np.mean(hits):.1f} | {each} | [{low:.1f}, {high:.1f}]"


def tuned_line(name: str, hits: list[list[bool]], scratch: list[list[bool]] | None) -> str:
    against = " | | " if scratch is None else compared(np.mean(hits, axis=0), np.mean(scratch, axis=0))
    difference, low_high, said = (part.strip() for part in against.split("|"))
    return f"| {name} | {seeds_of(hits)} | {difference} {low_high} | {said} |"


def tuned_hits(folder: Path) -> list[bool]:
    return json.loads((folder / "hits.json").read_text())


def read(folder: Path) -> dict:
    return json.loads((folder / "hits.json").read_text())


def minutes(folder: Path, command: str) -> float:
    return json.loads((folder / f"minutes-{command}.json").read_text())


if __name__ == "__main__":
    if sys.argv[1:2] == ["--score"]:
        score(*sys.argv[2:])
    elif sys.argv[1:2] == ["--test"]:
        test(*sys.argv[2:])
    else:
        main()
