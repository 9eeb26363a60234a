"""DPC, CoCon of two and of four views, and SimCLR of each view, with one network, measured on labelled clips.

python benchmarks/cocon.py --root DATA --out FOLDER [--seeds 0 1 2] [--jobs 1] [--clips 1600] [--epochs 2]
    [--maps VIEWS --methods "CoCon of four"]

DATA is a UCF101 layout with its lists. `--clips` are those that each run sends through each of its networks. VIEWS is
what `praxino prepare` left: CoCon of four views needs it. Pretrained on DATA's training list without labels; scored
on its test list by retrieval and by fine-tuning of each view, and of several together: probabilities averaged. Each
run has one core to itself, its loading included; what is finished already is not repeated. `--held_out 4` asks with
the last four groups of the training list instead of the test list: that is how settings are chosen. Phases: pretrain,
score, finetune, table (prints Markdown).
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path

import numpy as np

from iic import compared, folder_of, minutes, on_cores, read, seeds_of, tuned_hits

CLIPS = 2  # of a video in tests
FOUR = ("rgb", "flow", "segmentation", "keypoints")
METHODS = {  # name -> recipe, clips of a batch through each network, views
    "DPC": ("dpc_small", 16, ("rgb",)),
    "CoCon": ("cocon_small", 16, ("rgb", "flow")),
    "SimCLR rgb": ("cocon_simclr_rgb.yaml", 32, ("rgb",)),
    "SimCLR flow": ("cocon_simclr_flow.yaml", 32, ("flow",)),
    "CoCon of four": ("cocon_small_four_views", 16, FOUR),
}
PHASES = ("pretrain", "score", "finetune", "table")
MAPS = {"segmentation": "Masks", "keypoints": "HeatMaps"}
# Whose untrained and freshly begun networks stand beside, of which views.
SCRATCH = {"SimCLR rgb": ("rgb",), "SimCLR flow": ("flow",), "CoCon of four": FOUR}
# What is put together: (method, view) of each.
JOINT = {
    "CoCon, rgb and flow": (("CoCon", "rgb"), ("CoCon", "flow")),
    "SimCLR, rgb and flow": (("SimCLR rgb", "rgb"), ("SimCLR flow", "flow")),
    "CoCon of four, rgb and flow": (("CoCon of four", "rgb"), ("CoCon of four", "flow")),
    "CoCon of four, all": tuple(("CoCon of four", view) for view in FOUR),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--clips", type=int, default=1600, help="of a run through each of its networks")
    parser.add_argument("--epochs", type=int, default=2, help="of fine-tuning")
    parser.add_argument("--held_out", type=int, default=0)
    parser.add_argument("--phases", nargs="+", choices=PHASES, default=PHASES)
    parser.add_argument("--maps", type=Path, help="what `praxino prepare` left")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=[m for m in METHODS if m != "CoCon of four"])
    given = parser.parse_args()
    catalog = f"--catalog UCF101 --catalog.root {shlex.quote(given.root)} --catalog.held_out {given.held_out}"
    for seed in given.seeds:  # seed by seed, so that what is there at any time is whole
        runs = [(name, seed) for name in given.methods]
        if "pretrain" in given.phases:
            on_cores(given.jobs, [pretraining(given.out, *run, given.clips, catalog, given.maps) for run in runs])
        if "score" in given.phases:
            how = [__file__, "--score", given.root, str(given.held_out)]
            scored = []
            for name, _ in runs:
                for view in METHODS[name][2]:
                    folder = folder_of(given.out, name, seed)
                    first = seed == given.seeds[0] and name in SCRATCH
                    scored.append(([*how, str(folder), view, str(first)], folder / f"score-{view}"))
            on_cores(given.jobs, scored)
        if "finetune" in given.phases:
            on_cores(given.jobs, tunings(given, seed, catalog))
            again = [__file__, "--test", given.root, str(given.held_out)]
            tuned = [folder for _, folder in tunings(given, seed, catalog)]
            on_cores(given.jobs, [([*again, str(folder)], folder / "tested") for folder in tuned])
    if "table" in given.phases:
        print(table(given.out, given.methods, given.seeds))


def pretraining(
    out: Path, method: str, seed: int, clips: int, catalog: str, maps: Path | None
) -> tuple[list[str], Path]:
    """The command of a pretraining run, and the folder that it leaves."""
    recipe, batch, _ = METHODS[method]
    beside = Path(__file__).with_name(recipe)
    folder = folder_of(out, method, seed)
    words = f"pretrain {shlex.quote(str(beside)) if beside.exists() else recipe} {catalog} --seed {seed}"
    # The score takes statistics of its own.
    words += f" --steps {clips // batch} --protocol.reestimate_batchnorm false --protocol.centred false"
    words += f" --protocol.sampler.clips {CLIPS}"
    for view in MAPS.keys() & METHODS[method][2]:
        words += f" --streams.{view} {MAPS[view]} --streams.{view}.root {shlex.quote(str(maps / view))}"
    words += f" --out {shlex.quote(str(folder))} --threads 1 --workers 1 --device cpu"
    return ["-m", "praxino", *shlex.split(words)], folder


def encoder_place(out: Path, method: str, seed: int, view: str) -> str:
    folder = folder_of(out, method, seed)
    return f"{folder}:{view}" if method.startswith("CoCon") else str(folder)


def tuned_folder(out: Path, method: str, seed: int, view: str) -> Path:
    return folder_of(out, method, seed) / f"finetune-{view}"


def scratch_folder(out: Path, seed: int, view: str) -> Path:
    return folder_of(out, f"{view} from scratch", seed)


def tunings(given: argparse.Namespace, seed: int, catalog: str) -> list[tuple[list[str], Path]]:
    """The commands of a seed's fine-tunings, and the folders that they leave."""
    wanted = []
    for name in given.methods:
        for view in METHODS[name][2]:
            place = encoder_place(given.out, name, seed, view)
            wanted.append((place, tuned_folder(given.out, name, seed, view), ""))
            if view in SCRATCH.get(name, ()):
                wanted.append((place, scratch_folder(given.out, seed, view), "--scratch"))
    commands = []
    for place, folder, more in wanted:
        words = f"evaluate finetune {shlex.quote(place)} {catalog} --epochs {given.epochs} --seed {seed} {more}"
        words += f" --head.norm true --validation 0 --batch_size 16 --out {shlex.quote(str(folder))}"
        words += " --threads 1 --workers 1 --device cpu"
        commands.append((["-m", "praxino", *shlex.split(words)], folder))
    return commands


def score(root: str, held_out: str, folder: str, view: str, baselines: str) -> None:
    """Writes which queries find their class, and the features themselves, so that views can be joined."""
    from praxino.catalogs.ucf101 import UCF101
    from praxino.encoders.encoder import load_encoders
    from praxino.evaluations.retrieval import retrieve

    videos = UCF101(root, held_out=int(held_out))
    encoders = load_encoders(folder)
    encoder = encoders[view] if view in encoders else encoders[""]
    result = retrieve(
        encoder, videos, view=view, baselines=baselines == "True", reestimate_batchnorm=True, centred=True, workers=0,
        device="cpu",
    )  # fmt: skip
    hits = {"hits": result.per_query, "chance": result.row("chance").values}
    place = Path(folder) / f"score-{view}"
    place.mkdir(exist_ok=True)
    (place / "hits.json").write_text(json.dumps(hits))


def test(root: str, held_out: str, folder: str) -> None:
    """Writes each test video's probabilities by a fine-tuned classifier, and whether it is right."""
    import praxino
    from praxino.catalogs.ucf101 import UCF101
    from praxino.evaluations.classifying.recognition import video_logits

    encoder = praxino.load_encoder(folder)
    videos = UCF101(root, held_out=int(held_out)).part("test")
    found = video_logits(encoder, videos, next(iter(encoder.views)), "softmax", workers=0)
    np.savez(Path(folder) / "probabilities.npz", ids=found.ids, labels=found.labels, p=np.exp(found.vectors))
    hits = (found.vectors.argmax(1) == found.labels).tolist()
    (Path(folder) / "hits.json").write_text(json.dumps(hits))
    (Path(folder) / "tested").mkdir(exist_ok=True)


def table(out: Path, methods: list[str], seeds: list[int]) -> str:
    """Means over seeds, their spread, and bootstrap intervals over the test videos."""
    pairs = [(name, view) for name in methods for view in METHODS[name][2]]
    scored = {pair: [read(folder_of(out, pair[0], s) / f"score-{pair[1]}") for s in seeds] for pair in pairs}
    rows: dict[str, list] = {}
    for (name, view), runs in scored.items():
        if name in SCRATCH:
            others = {row: hits["1"] for row, hits in runs[0]["hits"].items() if not row.startswith("trained")}
            rows |= {f"{row}, {view}": hits for row, hits in others.items() if row.startswith("untrained")}
            rows |= {row: hits for row, hits in others.items() if view == "rgb" and not row.startswith("untrained")}
    lines = ["| retrieval | @1 | seeds | interval |", "|---|---|---|---|"]
    lines.append(f"| chance | {next(iter(scored.values()))[0]['chance']['1']:.1f} | | |")
    lines += [f"| {row} | {seeds_of([hits])} |" for row, hits in rows.items()]
    ours = {pair: [run["hits"]["trained"]["1"] for run in runs] for pair, runs in scored.items()}
    lines += [f"| **{name}**, {view} | {seeds_of(hits)} |" for (name, view), hits in ours.items()]
    lines += ["", "| @1, video by video | difference | interval | |", "|---|---|---|---|"]
    best = max((row for row in rows if not row.startswith("untrained")), key=lambda row: np.mean(rows[row]))
    for (name, view), hits in ours.items():
        for row in (f"untrained, {view}", best):
            lines.append(
                f"| {name}, {view} less '{row}' | {compared(np.mean(hits, axis=0), np.array(rows[row], float))} |"
            )
    parts = ["\n".join(lines), tuned_table(out, pairs, seeds)]
    parts.append("Percent; the interval: 95 % bootstrap over the test videos, of the mean over seeds.")
    costs = ["| core minutes a run | pretraining | fine-tuning of a view |", "|---|---|---|"]
    for name, view in pairs:
        spent = [np.mean([minutes(folder_of(out, name, s), "pretrain") for s in seeds])]
        spent.append(np.mean([minutes(tuned_folder(out, name, s, view), "evaluate") for s in seeds]))
        costs.append(f"| {name}, {view} | {spent[0]:.1f} | {spent[1]:.1f} |")
    return "\n\n".join([*parts, "\n".join(costs)])


def tuned_table(out: Path, pairs: list[tuple[str, str]], seeds: list[int]) -> str:
    tuned = {pair: [tuned_folder(out, pair[0], seed, pair[1]) for seed in seeds] for pair in pairs}
    scratch = {
        view: [scratch_folder(out, seed, view) for seed in seeds]
        for name, view in pairs
        if view in SCRATCH.get(name, ())
    }
    lines = ["| fine-tuned from | top-1 | seeds | interval |", "|---|---|---|---|"]
    found = {f"{view} from scratch": [tuned_hits(f) for f in folders] for view, folders in scratch.items()}
    for views in (("rgb", "flow"), FOUR):
        if scratch.keys() >= set(views):
            folders = zip(*(scratch[view] for view in views), strict=True)
            found[f"{' and '.join(views)} from scratch"] = [joined(*some) for some in folders]
    for pair, folders in tuned.items():
        found[", ".join(pair)] = [tuned_hits(folder) for folder in folders]
    for name, parts in JOINT.items():
        if all(part in tuned for part in parts):
            found[name] = [joined(*folders) for folders in zip(*(tuned[part] for part in parts), strict=True)]
    lines += [f"| {name} | {seeds_of(hits)} |" for name, hits in found.items()]
    lines += ["", "| top-1, video by video | difference | interval | |", "|---|---|---|---|"]
    means = {name: np.mean(hits, axis=0) for name, hits in found.items()}
    for name, hits in means.items():
        against = f"{name.rpartition(', ')[2]} from scratch"
        if name not in JOINT and against in means:
            lines.append(f"| {name} less from scratch | {compared(hits, means[against])} |")
    joint = [name for name in JOINT if name in means]
    joint += [name for name in ("rgb and flow from scratch", f"{' and '.join(FOUR)} from scratch") if name in means]
    lines += [
        f"| {one} less {other} | {compared(means[one], means[other])} |"
        for k, other in enumerate(joint)
        for one in joint[k + 1 :]
    ]
    return "\n".join(lines)


def joined(*folders: Path) -> list[bool]:
    """Which videos the mean of the probabilities gives their class; they are joined by id."""
    tests = [np.load(folder / "probabilities.npz") for folder in folders]
    rows = [{id: row for row, id in enumerate(test["ids"])} for test in tests]
    p = sum(test["p"][[row[id] for id in tests[0]["ids"]]] for test, row in zip(tests, rows, strict=True))
    return (p.argmax(1) == tests[0]["labels"]).tolist()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--score"]:
        score(*sys.argv[2:])
    elif sys.argv[1:2] == ["--test"]:
        test(*sys.argv[2:])
    else:
        main()
