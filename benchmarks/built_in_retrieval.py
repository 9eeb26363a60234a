"""What the built-in encoder is worth on real videos that it has never seen, beside hand-made and untrained features.

    python benchmarks/built_in_retrieval.py --root DATA --out FOLDER RUN [RUN ...] [--splits 1 2 3] [--held_out 4]

DATA is a UCF101 layout with its lists; each RUN is a training of another seed. For each split the gallery is the
training list and the test list asks. `--held_out 4` asks with the last four groups of the training list instead: that
is how settings are chosen. Features lie in FOLDER, a file for each run and split, and are not computed again. Prints
Markdown: retrieval, each row's difference query by query, the same by class, and a ridge classifier on few labels.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from praxino.catalogs.ucf101 import UCF101
from praxino.clips.samplers import EvenClips
from praxino.encoders.encoder import Encoder
from praxino.evaluations.comparison import HANDMADE, compared_features
from praxino.evaluations.features import evens_out, extract
from praxino.evaluations.joint import members_of
from praxino.evaluations.metrics import bootstrap_interval, retrieval

VIEWS = ("residual", "rgb")
MAIN = "trained, joint"
HOME = "trained, joint, as `embed` gives it"
LABELS = (1, 2, 5, 10, 20)
DRAWS = 10
Features = dict[str, NDArray[Any]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+")
    parser.add_argument("--root", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--splits", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--held_out", type=int, default=0)
    parser.add_argument("--clips", type=int, default=4, help="of each video")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--few", action="store_true", help="also the classifier on few labels")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    given.out.mkdir(parents=True, exist_ok=True)
    first = [features(given.runs[0], split, given, baselines=True) for split in given.splits]
    taken = [first]
    for run in given.runs[1:]:
        # Hand-made rows are the same for all runs, and so are those of the untrained twin, whose seed is fixed.
        own = [features(run, split, given, baselines=False) for split in given.splits]
        taken.append([{**base, **found} for base, found in zip(first, own, strict=True)])
    classes = UCF101(given.root, given.splits[0], held_out=given.held_out).classes
    print(retrieval_table(taken))
    print("\n" + class_table(taken, classes))
    print("\n" + mistaken_table(taken, classes))
    if given.few:
        print("\n" + few_labels_table(taken))


def features(run: str, split: int, given: argparse.Namespace, baselines: bool) -> Features:
    """Arrays by "ROW|part", and the labels of both parts."""
    path = given.out / f"{Path(run).name}-{split}-{given.held_out}.npz"
    if not path.exists():
        encoder = Encoder.load(run)
        encoder.sampler = EvenClips(given.clips, 8, 2)
        catalog = UCF101(given.root, split, held_out=given.held_out)
        parts = catalog.part("train"), catalog.part("test")
        taken = compared_features(
            members_of(encoder, views=VIEWS), *parts, baselines=baselines, joined="equally", workers=0
        )
        made: Features = {}
        for part, rows in (("gallery", taken.gallery), ("queries", taken.queries)):
            made |= {f"{row}|{part}": each.vectors for row, each in rows.items()}
            made[part] = rows[MAIN].labels
        for part, videos in zip(("gallery", "queries"), parts, strict=True):
            made[f"{HOME}|{part}"] = taken_home(encoder, videos)
        np.savez(path, **made)
    return dict(np.load(path))


def taken_home(encoder: Encoder, videos: Any) -> NDArray[np.float32]:
    """Both views as `embed` gives them, of the length 1 each, and the mean over the clips; [videos, d]."""

    def embed(batch: Any) -> torch.Tensor:
        parts = [encoder.features(batch, view, as_measured=True) for view in VIEWS]
        return torch.cat([torch.nn.functional.normalize(part) for part in parts], 1)

    encoder.backbone.eval()
    padded = all(evens_out(encoder.view(view)) for view in VIEWS)
    how = {"needed": ["rgb"], "sampler": encoder.sampler, "canvas": encoder.canvas, "padded": padded}
    return extract(videos, {"both": embed}, **how)["both"].vectors


def hits(found: Features, row: str) -> NDArray[np.bool_]:
    """[queries, 2]: among the first, among the first five."""
    vectors = found[f"{row}|queries"], found[f"{row}|gallery"]
    return retrieval(*vectors, found["queries"], found["gallery"], (1, 5)).hits


def rows_of(found: Features) -> list[str]:
    return [name.removesuffix("|queries") for name in found if name.endswith("|queries")]


def retrieval_table(taken: list[list[Features]]) -> str:
    """Each row, and how far the trained joint one is ahead of it, query by query."""
    got = {row: np.stack([pooled(run, row) for run in taken]).astype(float) for row in rows_of(taken[0][0])}
    alike = {*HANDMADE, *(row for row in got if row.startswith("untrained"))}
    lines = [
        "| feature | @1 | seeds | interval | @5 | joint less this, @1 | interval | @5 | interval |",
        "|" + "---|" * 9,
    ]
    for row, one in got.items():
        mean, seeds = one.mean(0), ", ".join(f"{100 * each[:, 0].mean():.1f}" for each in one)
        cells = [f"{100 * mean[:, 0].mean():.1f}", "" if row in alike else seeds, interval(mean[:, 0])]
        cells.append(f"{100 * mean[:, 1].mean():.1f}")
        for column in (0, 1):
            less = (got[MAIN] - one).mean(0)[:, column]
            cells += ["", ""] if row == MAIN else [f"{100 * less.mean():+.1f}", interval(less)]
        lines.append(f"| {row} | {' | '.join(cells)} |")
    queries = len(next(iter(got.values()))[0])
    return "\n".join(lines) + f"\n\n{queries} queries of {len(taken[0])} splits, {len(taken)} seeds"


def pooled(run: list[Features], row: str) -> NDArray[np.bool_]:
    return np.concatenate([hits(found, row) for found in run])


def class_table(taken: list[list[Features]], classes: tuple[str, ...]) -> str:
    """@1 by class: the joint row, each view, and the best hand-made one of the table."""
    labels = np.concatenate([found["queries"] for found in taken[0]])
    shown = (MAIN, *(f"trained, {view}" for view in VIEWS), "untrained, joint", *HANDMADE)
    got = {row: np.mean([pooled(run, row)[:, 0] for run in taken], 0) for row in shown}
    lines = ["| class | " + " | ".join(shown) + " |", "|" + "---|" * (len(shown) + 1)]
    for label, name in enumerate(classes):
        cells = [f"{100 * got[row][labels == label].mean():.0f}" for row in shown]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def mistaken_table(taken: list[list[Features]], classes: tuple[str, ...]) -> str:
    """Of each class, what the nearest video of the joint row is of where it is of another."""
    counts = np.zeros((len(classes), len(classes)), int)
    for found in (found for run in taken for found in run):
        vectors = found[f"{MAIN}|queries"], found[f"{MAIN}|gallery"]
        first = retrieval(*vectors, found["queries"], found["gallery"], (1,)).neighbours[:, 0]
        np.add.at(counts, (found["queries"], found["gallery"][first]), 1)
    lines = ["| class | right | found instead |", "|---|---|---|"]
    for label, name in enumerate(classes):
        shares = 100 * counts[label] / counts[label].sum()
        others = [other for other in np.argsort(-shares) if other != label and shares[other] >= 5][:3]
        said = ", ".join(f"{classes[other]} {shares[other]:.0f}" for other in others)
        lines.append(f"| {name} | {shares[label]:.0f} | {said} |")
    return "\n".join(lines)


def few_labels_table(taken: list[list[Features]]) -> str:
    """A ridge classifier on n labelled videos a class, drawn ten times; on all of them last."""
    rows = (MAIN, "trained, residual", "trained, rgb", "untrained, joint", *HANDMADE)
    lines = ["| feature | " + " | ".join(f"{n} a class" for n in LABELS) + " | all |", "|" + "---|" * (len(LABELS) + 2)]
    for row in rows:
        cells = [few(taken, row, n) for n in (*LABELS, None)]
        lines.append(f"| {row} | {' | '.join(cells)} |")
    return "\n".join(lines)


def few(taken: list[list[Features]], row: str, each: int | None) -> str:
    from sklearn.linear_model import RidgeClassifier

    accuracies = []
    for run in taken if row.startswith("trained") else taken[:1]:
        for found in run:
            x, y = (unit(found[f"{row}|{part}"]) for part in ("gallery", "queries"))
            for draw in range(1 if each is None else DRAWS):
                rows = drawn(found["gallery"], each, draw)
                fitted = RidgeClassifier().fit(x[rows], found["gallery"][rows])
                accuracies.append(100 * (fitted.predict(y) == found["queries"]).mean())
    return f"{np.mean(accuracies):.1f} ({np.std(accuracies):.1f})"


def drawn(labels: NDArray[np.int64], each: int | None, seed: int) -> NDArray[np.int64]:
    if each is None:
        return np.arange(len(labels))
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.permutation(np.flatnonzero(labels == label))[:each] for label in np.unique(labels)])


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def interval(values: NDArray[np.float64]) -> str:
    low, high = bootstrap_interval(values, repeats=5000)
    return f"[{100 * low:.1f}, {100 * high:.1f}]"


if __name__ == "__main__":
    main()
