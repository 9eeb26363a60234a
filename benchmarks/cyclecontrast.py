"""Single frames: MoCo, CycleContrast and SimCLR at equal frames through the network, measured on actions and pictures.

python benchmarks/cyclecontrast.py --root DATA --images PICTURES --out FOLDER [--seeds 0 1 2] [--jobs 1]
    [--frames 384000]

DATA is a UCF101 layout with its lists, PICTURES an image folder with train/ and val/. `--frames` are those that each
run sends through its networks: CycleContrast sends three of a video (query, key, candidate), the others two. Pretrained
on the frames of DATA's training list, without labels; scored on its test list by retrieval and by linear evaluation of
ten frames a video, and by linear evaluation on PICTURES. Each run has one core to itself, its loading included; what is
finished already is not repeated. `--held_out 4` asks with the last four groups of the training list instead of the test
list: that is how settings are chosen (`--arguments "..."` goes to each pretraining). Phases: pretrain, score, table
(prints Markdown).
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path

import numpy as np

from iic import compared, folder_of, minutes, on_cores, read, seeds_of

METHODS = {  # name -> recipe, frames of a batch through the networks
    "SimCLR": ("simclr_small_frames", 64 * 2),
    "MoCo": ("moco_small", 64 * 2),
    "CycleContrast": ("cyclecontrast_small", 64 * 3),
}
TABLES = {"hits": "retrieval on actions, @1", "linear": "linear on actions", "images": "linear on pictures"}
PHASES = ("pretrain", "score", "table")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", required=True)
    parser.add_argument("--images")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--frames", type=int, default=384_000, help="of a run through its networks")
    parser.add_argument("--held_out", type=int, default=0)
    parser.add_argument("--arguments", default="", help="further ones of each pretraining, in one word")
    parser.add_argument("--phases", nargs="+", choices=PHASES, default=PHASES)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    given = parser.parse_args()
    catalog = f"--catalog UCF101 --catalog.root {shlex.quote(given.root)} --catalog.held_out {given.held_out}"
    runs = [(name, seed) for seed in given.seeds for name in given.methods]
    if "pretrain" in given.phases:
        more = f"{catalog} {given.arguments}"
        on_cores(given.jobs, [pretraining(given.out, *run, given.frames, more) for run in runs])
    if "score" in given.phases:
        score = [__file__, "--score", given.root, str(given.held_out), given.images or ""]
        folders = [folder_of(given.out, *run) for run in runs]
        on_cores(given.jobs, [([*score, str(folder), str(folder == folders[0])], folder) for folder in folders])
    if "table" in given.phases:
        print(table(given.out, given.methods, given.seeds))


def pretraining(out: Path, method: str, seed: int, frames: int, more: str) -> tuple[list[str], Path]:
    """The command of a pretraining run, and the folder that it leaves."""
    recipe, batch = METHODS[method]
    folder = folder_of(out, method, seed)
    words = f"pretrain {recipe} {more} --seed {seed} --steps {frames // batch}"
    words += f" --out {shlex.quote(str(folder))} --threads 1 --workers 1 --device cpu"
    return ["-m", "praxino", *shlex.split(words)], folder


def score(root: str, held_out: str, images: str, folder: str, baselines: str) -> None:
    """Writes which queries find their class, and which test videos and pictures a linear classifier gives theirs."""
    import praxino
    from praxino.catalogs import UCF101, ImageFolder
    from praxino.evaluations.classifying.linear import linear
    from praxino.evaluations.result import write_result
    from praxino.evaluations.retrieval import retrieve

    videos = UCF101(root, held_out=int(held_out))
    encoder = praxino.load_encoder(folder)
    given = {"view": "rgb", "baselines": baselines == "True", "workers": 0, "device": "cpu"}
    results = {"hits": retrieve(encoder, videos, **given), "linear": linear(encoder, videos, **given)}
    if images:
        encoder.sampler.clips = 1
        results["images"] = linear(encoder, ImageFolder(images), **given)
    for name, result in results.items():
        write_result(Path(folder), f"{name}-rgb", result, videos.classes)
    hits = {name: result.per_query for name, result in results.items()}
    chance = {name: result.row("chance").values["1"] for name, result in results.items()}
    (Path(folder) / "hits.json").write_text(json.dumps({**hits, "chance": chance}))


def table(out: Path, methods: list[str], seeds: list[int]) -> str:
    """Means over seeds, their spread, and bootstrap intervals over what was tested."""
    trained = {method: [read(folder_of(out, method, seed)) for seed in seeds] for method in methods}
    first = trained[methods[0]][0]
    parts = [one_table(kind, said, trained, first) for kind, said in TABLES.items() if kind in first]
    lines = ["| core minutes a run | |", "|---|---|"]
    for method in methods:
        lines.append(f"| {method} | {np.mean([minutes(folder_of(out, method, s), 'pretrain') for s in seeds]):.1f} |")
    note = "Percent; the interval: 95 % bootstrap over the test videos or pictures, of the mean over seeds."
    return "\n\n".join([*parts, "\n".join(lines), note])


def one_table(kind: str, said: str, trained: dict[str, list[dict]], first: dict) -> str:
    others = {name: hits["1"] for name, hits in first[kind].items() if not name.startswith("trained")}
    ours = {method: [run[kind]["trained"]["1"] for run in runs] for method, runs in trained.items()}
    lines = [f"| {said} | mean | seeds | interval |", "|---|---|---|---|"]
    lines.append(f"| chance | {first['chance'][kind]:.1f} | | |")
    lines += [f"| {name} | {seeds_of([hits])} |" for name, hits in others.items()]
    lines += [f"| **{method}** | {seeds_of(hits)} |" for method, hits in ours.items()]
    handmade = {name: hits for name, hits in others.items() if not name.startswith("untrained")}
    rivals = {"untrained": others["untrained"]}
    if handmade:
        best = max(handmade, key=lambda name: np.mean(handmade[name]))
        rivals[best] = handmade[best]
    lines += ["", f"| {said}, one by one | difference | interval | |", "|---|---|---|---|"]
    means = {method: np.mean(hits, axis=0) for method, hits in ours.items()}
    for method, hits in means.items():
        lines += [f"| {method} less '{name}' | {compared(hits, np.array(o, float))} |" for name, o in rivals.items()]
    names = list(means)
    for place, method in enumerate(names):
        lines += [f"| {method} less {other} | {compared(means[method], means[other])} |" for other in names[:place]]
    return "\n".join(lines)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--score"]:
        score(*sys.argv[2:])
    else:
        main()
