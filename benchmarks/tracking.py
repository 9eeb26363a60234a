"""Following objects by frozen networks: MoCo, CycleContrast and an untrained one, without and with a trained head.

python benchmarks/tracking.py --otb OTB --encoders RUNS --out FOLDER [--seeds 0 1 2] [--jobs 1] [--steps 150]

OTB is a folder of sequences in OTB's layout; RUNS is what `benchmarks/cyclecontrast.py` left, with moco-0,
cyclecontrast-0 and so on. Without a head all sequences are followed; with one, each by a head that has been trained on
the others, `--steps` steps of 8 pairs. The untrained network is that of the MoCo runs, its weights drawn anew for each
seed. Each job has one core to itself; what is finished already is not repeated. Phases: free, heads, table (prints
Markdown).
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from actions import interval
from iic import folder_of, on_cores

METHODS = ("MoCo", "CycleContrast", "untrained")
PHASES = ("free", "heads", "table")
MIL = "MIL of OpenCV"
STILL = "box that never moves"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--otb", required=True)
    parser.add_argument("--encoders", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--phases", nargs="+", choices=PHASES, default=PHASES)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    given = parser.parse_args()
    runs = [(name, seed) for seed in given.seeds for name in given.methods]
    if "free" in given.phases:
        handmade = [(f"--{name}", given.out / name) for name in ("mil", "still")]
        jobs = [([__file__, what, given.otb, str(folder)], folder) for what, folder in handmade]
        on_cores(given.jobs, [*jobs, *(job(given, "--free", *run) for run in runs)])
    if "heads" in given.phases:
        on_cores(given.jobs, [job(given, "--heads", *run) for run in runs])
    if "table" in given.phases:
        print(table(given.out, given.methods, given.seeds))


def job(given: argparse.Namespace, what: str, method: str, seed: int) -> tuple[list[str], Path]:
    encoder = folder_of(given.encoders, "MoCo" if method == "untrained" else method, seed)
    folder = folder_of(given.out, method, seed)
    said = [given.otb, str(folder), str(encoder), str(method == "untrained"), str(seed), str(given.steps)]
    return [__file__, what, *said], folder


def handmade(what: str, otb: str, folder: str) -> None:
    """Writes how well a tracker follows that needs no network."""
    from praxino.catalogs.otb import OTB
    from praxino.evaluations.tracking.baselines import StillBox, mil
    from praxino.evaluations.tracking.measure import compare_trackers

    result = compare_trackers({"it": mil() if what == "--mil" else StillBox()}, OTB(otb), shown=0)
    write(Path(folder) / "free.json", result)


def free(otb: str, folder: str, place: str, drawn: str, seed: str, _: str) -> None:
    """Writes how well an encoder follows without a head."""
    import praxino
    from praxino.catalogs.otb import OTB
    from praxino.evaluations.tracking.measure import compare_trackers
    from praxino.evaluations.tracking.tracker import Tracker
    from praxino.evaluations.untrained import untrained

    encoder = praxino.load_encoder(place)
    tracker = Tracker(untrained(encoder, int(seed)) if drawn == "True" else encoder)
    write(Path(folder) / "free.json", compare_trackers({"it": tracker}, OTB(otb), shown=0))


def heads(otb: str, folder: str, place: str, drawn: str, seed: str, steps: str) -> None:
    """Writes how well an encoder follows each sequence with a head that has been trained on the others."""
    import praxino
    from praxino.catalogs.otb import OTB
    from praxino.configuration.complete import instantiate
    from praxino.evaluations.tracking.prepared import usual_stages
    from praxino.evaluations.tracking.train import train_tracker
    from praxino.training.stages import Stage

    found: dict[str, list] = {}
    for name in [video.id for video in OTB(otb)]:
        said = {**usual_stages()[0]["init_args"], "epochs": None, "steps": int(steps)}
        held_out = OTB(otb, held_out=[name])
        done = train_tracker(
            praxino.load_encoder(place), held_out, Path(folder) / f"head-{name}", held_out, scratch=drawn == "True",
            stages=[Stage(**instantiate(Stage, said))], baselines=False, seed=int(seed), workers=1, threads=1,
            device="cpu",
        )  # fmt: skip
        assert done.result is not None
        for key, values in next(iter(done.result.per_query.values())).items():
            found.setdefault(key, []).extend(values)
    (Path(folder) / "heads.json").write_text(json.dumps(found))


def write(path: Path, result) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result.per_query["it"]))


def table(out: Path, methods: list[str], seeds: list[int]) -> str:
    """AUC and precision of each row over all sequences, and the AUC of each sequence; means over seeds."""
    rows = {
        STILL: [out / "still" / "free.json"],
        MIL: [out / "mil" / "free.json"],
        **{
            f"{method}, {words}": [folder_of(out, method, seed) / f"{kind}.json" for seed in seeds]
            for kind, words in (("free", "no head"), ("heads", "trained head"))
            for method in methods
        },
    }
    found = {
        row: [json.loads(path.read_text()) for path in paths]
        for row, paths in rows.items()
        if all(path.exists() for path in paths)
    }
    names = found[STILL][0]["sequence"]
    head = ["", "AUC", "each seed", "interval", "P@20", *names]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for row, runs in found.items():
        each = np.array([[run["AUC"][run["sequence"].index(name)] for name in names] for run in runs])
        precision = np.mean([np.mean(run["P@20"]) for run in runs])
        low, high = interval(each.mean(0) / 100)
        seen = ", ".join(f"{mean:.1f}" for mean in each.mean(1)) if len(runs) > 1 else ""
        by_name = " | ".join(f"{value:.1f}" for value in each.mean(0))
        lines.append(f"| {row} | {each.mean():.1f} | {seen} | [{low:.1f}, {high:.1f}] | {precision:.1f} | {by_name} |")
    said = "AUC of each sequence on the right. Interval: 95 % bootstrap over the sequences, of the mean over seeds."
    return "\n".join([*lines, "", said])


if __name__ == "__main__":
    works = {"--free": free, "--heads": heads}
    if sys.argv[1:2] in (["--mil"], ["--still"]):
        handmade(*sys.argv[1:])
    elif sys.argv[1:2] and sys.argv[1] in works:
        works[sys.argv[1]](*sys.argv[2:])
    else:
        main()
