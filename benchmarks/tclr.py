"""Retrieval, linear evaluation and fine-tuning on labelled action clips: SimCLR, IIC and TCLR at equal clips.

python benchmarks/tclr.py --root DATA --out FOLDER [--seeds 0 1 2] [--jobs 2] [--clips 15360] [--epochs 12]

DATA is a UCF101 layout with its lists. `--clips` are those that each run sends through the network: TCLR sends ten of a
video, SimCLR two, IIC three. All is on RGB clips. Each run has one core to itself, its loading included; what is
finished already is not repeated. Phases run in this order, `--phases pretrain` and so on picks some: pretrain; score
(retrieval and linear evaluation, of `--test_clips` clips a video, each by the feature that its recipe takes); finetune
(each encoder, and both networks from scratch); table (prints Markdown). `--held_out 7` asks with the last seven groups
of the training list instead of the test list: that is how settings are chosen.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from iic import compared, finetuning, folder_of, minutes, on_cores, read, seeds_of, tuned_hits

SMALL, DILATED = "R3D", "DilatedR3D"
LIKE_TCLR = "--method.backbone DilatedR3D --method.backbone.width 16 --method.backbone.temporal_strides [1,2,1,1]"
METHODS = {  # name -> recipe, further arguments, clips of a batch through the network, network, feature in retrieval
    "SimCLR": ("simclr_small_rgb", "", 32 * 2, SMALL, "max"),
    "SimCLR dilated": ("simclr_small_rgb", LIKE_TCLR, 32 * 2, DILATED, "max"),
    "IIC": ("iic_small", "", 32 * 3, SMALL, "max"),
    "TCLR": ("tclr_small", "", 16 * 10, DILATED, "time"),
}
PHASES = ("pretrain", "score", "finetune", "table")
FEW = ("1", "5", "10")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--clips", type=int, default=15360, help="of a pretraining run through the network")
    parser.add_argument("--epochs", type=int, default=12, help="of fine-tuning")
    parser.add_argument("--held_out", type=int, default=0)
    parser.add_argument("--test_clips", type=int, default=4, help="of a video in retrieval and linear evaluation")
    parser.add_argument("--phases", nargs="+", choices=PHASES, default=PHASES)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    given = parser.parse_args()
    catalog = f"--catalog UCF101 --catalog.root {shlex.quote(given.root)} --catalog.held_out {given.held_out}"
    runs = [(name, seed) for seed in given.seeds for name in given.methods]
    if "pretrain" in given.phases:
        on_cores(given.jobs, [pretraining(given.out, *run, given.clips, catalog) for run in runs])
    if "score" in given.phases:
        score = [__file__, "--score", given.root, str(given.held_out), str(given.test_clips)]
        firsts = firsts_of(twin, given.out, given.methods, given.seeds[0]).values()
        folders = [folder_of(given.out, *run) for run in runs]
        on_cores(given.jobs, [([*score, str(folder), str(folder in firsts)], folder) for folder in folders])
    if "finetune" in given.phases:
        tuned = [finetuning(folder_of(given.out, *run), "rgb", given.epochs, run[1], catalog) for run in runs]
        for name, encoder in firsts_of(network, given.out, given.methods, given.seeds[0]).items():
            for seed in given.seeds:
                folder = scratch_of(given.out, name, seed)
                tuned.append(finetuning(encoder, "rgb", given.epochs, seed, catalog, folder))
        on_cores(given.jobs, tuned)
        again = [str(Path(__file__).with_name("iic.py")), "--test", given.root, str(given.held_out)]
        on_cores(given.jobs, [([*again, str(folder)], folder) for _, folder in tuned])
    if "table" in given.phases:
        print(table(given.out, given.methods, given.seeds))


def network(method: str) -> str:
    return METHODS[method][3]


def twin(method: str) -> str:
    """What an untrained network is told by: its features are those of the method that it stands beside."""
    return f"{METHODS[method][3]} by {METHODS[method][4]}"


def firsts_of(kind: Callable[[str], str], out: Path, methods: list[str], seed: int) -> dict[str, Path]:
    """Kind of method -> the first run of it."""
    firsts: dict[str, Path] = {}
    for name in methods:
        firsts.setdefault(kind(name), folder_of(out, name, seed))
    return firsts


def scratch_of(out: Path, network: str, seed: int) -> Path:
    return folder_of(out, f"{network} from scratch", seed)


def pretraining(out: Path, method: str, seed: int, clips: int, catalog: str) -> tuple[list[str], Path]:
    """The command of a pretraining run, and the folder that it leaves."""
    recipe, more, batch, *_ = METHODS[method]
    folder = folder_of(out, method, seed)
    words = f"pretrain {recipe} {catalog} {more} --seed {seed} --steps {clips // batch}"
    words += f" --out {shlex.quote(str(folder))} --threads 1 --workers 1 --device cpu"
    return ["-m", "praxino", *shlex.split(words)], folder


def score(root: str, held_out: str, clips: str, folder: str, baselines: str) -> None:
    """Writes which queries find their class, and which test videos a linear classifier gives their class."""
    import praxino
    from praxino.catalogs.ucf101 import UCF101
    from praxino.evaluations.classifying.linear import linear
    from praxino.evaluations.result import write_result
    from praxino.evaluations.retrieval import retrieve

    videos = UCF101(root, held_out=int(held_out))
    encoder = praxino.load_encoder(folder)
    encoder.sampler.clips = int(clips)
    given = {"view": "rgb", "baselines": baselines == "True", "workers": 0, "device": "cpu"}
    found = retrieve(encoder, videos, **given)
    write_result(Path(folder), "retrieval-rgb", found, videos.classes)
    classified = linear(encoder, videos, labels_per_class=[int(few) for few in FEW], **given)
    write_result(Path(folder), "linear-rgb", classified, videos.classes)
    hits = {"hits": found.per_query, "linear": classified.per_query, "chance": found.row("chance").values}
    (Path(folder) / "hits.json").write_text(json.dumps(hits))


def table(out: Path, methods: list[str], seeds: list[int]) -> str:
    """Means over seeds, their spread, and bootstrap intervals over the test videos; of fine-tuning where it was run."""
    firsts = {name: read(folder) for name, folder in firsts_of(twin, out, methods, seeds[0]).items()}
    trained = {method: [read(folder_of(out, method, seed)) for seed in seeds] for method in methods}
    note = "Percent; the interval: 95 % bootstrap over the test videos, of the mean over seeds."
    parts = [retrieval_table(firsts, trained), linear_table(firsts, trained)]
    if all((folder_of(out, method, seed) / "finetune" / "hits.json").exists() for method in methods for seed in seeds):
        parts += [tuned_table(out, methods, seeds), cost_table(out, methods, seeds)]
    return "\n\n".join([*parts, note])


def rows_of(firsts: dict[str, dict], kind: str) -> dict[str, dict[str, list]]:
    """Name -> hits of what was not trained: hand-made features once, and each untrained twin."""
    rows: dict[str, dict[str, list]] = {}
    for whose, run in firsts.items():
        for name, hits in run[kind].items():
            if not name.startswith("trained"):
                rows[f"{name}, {whose}" if name.startswith("untrained") else name] = hits
    return rows


def best_of(rows: dict[str, dict[str, list]]) -> str:
    return max((name for name in rows if not name.startswith("untrained")), key=lambda name: np.mean(rows[name]["1"]))


def retrieval_table(firsts: dict[str, dict], trained: dict[str, list[dict]]) -> str:
    rows, chance = rows_of(firsts, "hits"), next(iter(firsts.values()))["chance"]
    lines = ["| retrieval | @1 | seeds | interval | @5 |", "|---|---|---|---|---|"]
    lines.append(f"| chance | {chance['1']:.1f} | | | {chance['5']:.1f} |")
    all_rows = {name: [hits] for name, hits in rows.items()}
    all_rows |= {f"**{method}**": [run["hits"]["trained"] for run in runs] for method, runs in trained.items()}
    lines += [
        f"| {name} | {seeds_of([h['1'] for h in hits])} | {100 * np.mean([h['5'] for h in hits]):.1f} |"
        for name, hits in all_rows.items()
    ]
    ours = {method: [run["hits"]["trained"]["1"] for run in runs] for method, runs in trained.items()}
    return "\n".join([*lines, "", differences(ours, rows, "@1")])


def linear_table(firsts: dict[str, dict], trained: dict[str, list[dict]]) -> str:
    rows = rows_of(firsts, "linear")
    few = [f"{labels} a class" for labels in FEW]
    lines = [f"| linear | all labels | seeds | interval | {' | '.join(few)} |", "|---|---|---|---|" + "---|" * len(few)]
    all_rows = {name: [hits] for name, hits in rows.items()}
    all_rows |= {f"**{method}**": [run["linear"]["trained"] for run in runs] for method, runs in trained.items()}
    for name, hits in all_rows.items():
        curve = " | ".join(f"{100 * np.mean([h[column] for h in hits]):.1f}" for column in few)
        lines.append(f"| {name} | {seeds_of([h['1'] for h in hits])} | {curve} |")
    ours = {method: [run["linear"]["trained"]["1"] for run in runs] for method, runs in trained.items()}
    return "\n".join([*lines, "", differences(ours, rows, "top-1")])


def differences(ours: dict[str, list[list]], rows: dict[str, dict[str, list]], what: str) -> str:
    """Each method beside its untrained network, and beside the best hand-made feature, video by video."""
    best = best_of(rows)
    lines = [f"| {what}, video by video | difference | interval | |", "|---|---|---|---|"]
    for method, hits in ours.items():
        for name in (f"untrained, {twin(method)}", best):
            theirs = np.array(rows[name]["1"], float)
            lines.append(f"| {method} less '{name}' | {compared(np.mean(hits, axis=0), theirs)} |")
    if "TCLR" in ours:
        for method in (method for method in ours if method != "TCLR"):
            both = np.mean(ours["TCLR"], axis=0), np.mean(ours[method], axis=0)
            lines.append(f"| TCLR less {method} | {compared(*both)} |")
    return "\n".join(lines)


def tuned_table(out: Path, methods: list[str], seeds: list[int]) -> str:
    """Each method beside its network from scratch, and TCLR beside the other methods."""
    scratch = {
        name: [tuned_hits(scratch_of(out, name, seed)) for seed in seeds]
        for name in firsts_of(network, out, methods, seeds[0])
    }
    tuned = {method: [tuned_hits(folder_of(out, method, s) / "finetune") for s in seeds] for method in methods}
    lines = [
        "| fine-tuned from | top-1 | seeds | interval | less its network from scratch | interval | |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [f"| {name} from scratch | {seeds_of(hits)} | | | |" for name, hits in scratch.items()]
    for method, hits in tuned.items():
        against = np.mean(scratch[network(method)], axis=0)
        lines.append(f"| {method} | {seeds_of(hits)} | {compared(np.mean(hits, axis=0), against)} |")
    return "\n".join(lines)


def cost_table(out: Path, methods: list[str], seeds: list[int]) -> str:
    lines = ["| core minutes a run | pretraining | fine-tuning |", "|---|---|---|"]
    for method in methods:
        folders = [folder_of(out, method, seed) for seed in seeds]
        pretrained = np.mean([minutes(folder, "pretrain") for folder in folders])
        tuned = np.mean([minutes(folder / "finetune", "evaluate") for folder in folders])
        lines.append(f"| {method} | {pretrained:.1f} | {tuned:.1f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--score"]:
        score(*sys.argv[2:])
    else:
        main()
