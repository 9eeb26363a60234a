"""What a search by "more like this" finds: of the query's class, of its own source; and what its index costs.

    python benchmarks/search_classes.py --root DATA --out FOLDER [--timed 60]

DATA is a folder of class folders with names as UCF101 has them; groups are sources. Every video asks by its ten clips,
as `praxino search INDEX --of ID --by video -k 10` does, itself passed over. search@10 is the share of the first ten
videos that are of its class; once more where its own source is passed over, too, since siblings are of the same class
anyway. Beside the built-in encoder as `praxino embed` gives it stand its untrained twin, whose BatchNorm statistics are
taken of these videos, and hand-made features; both less their mean. Vectors lie in FOLDER and are not computed again;
FOLDER/index is an index of the built-in encoder's.

The seconds are those of decoding, pixels and feature for `--timed` videos, each row by itself, one thread, no loading
processes. Prints Markdown; intervals: 95 % bootstrap over the queries.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from praxino import load_encoder
from praxino.catalogs.folder import VideoFolder
from praxino.evaluations.batchnorm import reestimate_batchnorm
from praxino.evaluations.comparison import HANDMADE, WHOLE
from praxino.evaluations.features import extract
from praxino.evaluations.metrics import bootstrap_interval
from praxino.evaluations.untrained import untrained
from praxino.rng import Rng
from praxino.search.embedding import of_length_1
from praxino.search.folder import Header, write_header
from praxino.search.index import Index, open_index
from praxino.search.manifest import Record
from praxino.search.store import write_data

K = 10
VIEWS = ("residual", "rgb")
MAIN = "built-in, joint"
Embeds = dict[str, Callable[[Any], torch.Tensor]]
Scores = dict[str, NDArray[np.float64]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--timed", type=int, default=60, help="videos whose seconds are taken; 0: none")
    given = parser.parse_args()
    torch.set_num_threads(1)
    given.out.mkdir(parents=True, exist_ok=True)
    catalog = VideoFolder(given.root)
    vectors = taken(catalog, given.out / "vectors.npz")
    if not (given.out / "index").exists():
        index_of(given.out / "index", vectors[MAIN])
    groups = np.array([str(catalog[row].group) for row in range(len(catalog))])
    labels = np.array([catalog[row].label for row in range(len(catalog))])
    found = {row: scores(one, labels, groups) for row, one in vectors.items()}
    main_table(found, chances(labels, groups))
    class_table(found, labels, catalog.classes)
    winners(found, labels, catalog.classes)
    if given.timed:
        seconds_table(catalog, given.timed)


def networks(catalog: VideoFolder) -> tuple[Embeds, Any]:
    """What is computed of clips by the row's name, and the encoder."""
    encoder = load_encoder("built-in")
    twins = {view: untrained(encoder) for view in VIEWS}
    reestimate_batchnorm({view: (twin, view) for view, twin in twins.items()}, catalog)
    embeds: Embeds = {}
    for view in VIEWS:
        twins[view].backbone.eval()
        embeds[f"built-in, {view}"] = lambda batch, view=view: encoder.features(batch, view, as_measured=True)
        embeds[f"untrained, {view}"] = lambda batch, view=view: twins[view].features(batch, view)
    for name, function in HANDMADE.items():
        embeds[name] = lambda batch, function=function: function(WHOLE(batch, Rng(0)).flatten(0, 1))
    return embeds, encoder


def how(encoder: Any) -> dict[str, Any]:
    return {"needed": ["rgb"], "sampler": encoder.sampler, "canvas": encoder.canvas, "clips_apart": True}


def taken(catalog: VideoFolder, path: Path) -> dict[str, NDArray[np.float32]]:
    """Vectors [videos, clips, d] of length 1 of each row."""
    if not path.exists():
        embeds, encoder = networks(catalog)
        made = {row: one.vectors for row, one in extract(catalog, embeds, **how(encoder)).items()}
        np.savez(path, **made)
    made = dict(np.load(path))
    for row, one in made.items():
        centred = one if row.startswith("built-in") else one - one.mean((0, 1))
        made[row] = of_length_1(centred.reshape(-1, one.shape[-1])).reshape(one.shape)
    joint = {
        f"{kind}, joint": np.concatenate([made[f"{kind}, {view}"] for view in VIEWS], 2) / np.float32(2**0.5)
        for kind in ("built-in", "untrained")
    }
    order = [f"{kind}, {view}" for kind in ("built-in", "untrained") for view in ("joint", *VIEWS)]
    return {row: {**made, **joint}[row] for row in (*order, *HANDMADE)}


def index_of(folder: Path, vectors: NDArray[np.float32]) -> Index:
    """An index of these vectors, as `praxino embed` leaves it."""
    videos, clips, dim = vectors.shape
    records = [Record(str(number), "done", clips=clips) for number in range(videos)]
    (folder / "data-made").mkdir(parents=True)
    seconds = np.repeat(np.arange(clips, dtype=float)[:, None], 2, 1)
    _, sizes = write_data(folder / "data-made", records, ((one, seconds) for one in vectors), dim)
    write_header(folder, Header("", None, "", None, {}, "", dim, videos * clips, videos, "data-made", sizes))
    return open_index(folder)


def scores(vectors: NDArray[np.float32], labels: NDArray[np.int64], groups: NDArray[Any]) -> Scores:
    """What each query has found, [videos] each, by the column's name."""
    videos, clips, _ = vectors.shape
    rows = np.arange(videos * clips).reshape(videos, clips)
    with tempfile.TemporaryDirectory() as folder:
        index = index_of(Path(folder, "i"), vectors)
        others = list(rows)
        elsewhere = [rows[groups == group].ravel() for group in groups]
        first, apart = (
            np.stack([hits.row // clips for hits in index.search_many(list(vectors), K, "video", without)])
            for without in (others, elsewhere)
        )
    own = groups[first] == groups[:, None]
    return {
        "class": (labels[first] == labels[:, None]).mean(1),
        "class, other sources": (labels[apart] == labels[:, None]).mean(1),
        "own source first": own[:, 0].astype(float),
        "own source among ten": own.any(1).astype(float),
    }


def chances(labels: NDArray[np.int64], groups: NDArray[Any]) -> Scores:
    """What drawing ten of the videos would give, for each query."""
    many = len(labels)
    same = np.array([(labels == label).sum() for label in labels])
    own = np.array([(groups == group).sum() for group in groups])
    none = np.ones(many)
    for draw in range(K):
        none *= (many - own - draw) / (many - 1 - draw)
    return {
        "class": (same - 1) / (many - 1), "class, other sources": (same - own) / (many - own),
        "own source first": (own - 1) / (many - 1), "own source among ten": 1 - none,
    }  # fmt: skip


def said(values: NDArray[np.float64]) -> str:
    low, high = bootstrap_interval(values)
    return f"{100 * values.mean():.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def main_table(found: Mapping[str, Scores], chance: Scores) -> None:
    columns = list(chance)
    print("| feature | " + " | ".join(f"{name}, %" for name in columns) + " |\n|" + "---|" * (len(columns) + 1))
    for row, one in found.items():
        print(f"| {row} | " + " | ".join(said(one[name]) for name in columns) + " |")
    print("| chance | " + " | ".join(f"{100 * chance[name].mean():.1f}" for name in columns) + " |\n")


def class_table(found: Mapping[str, Scores], labels: NDArray[np.int64], classes: tuple[str, ...]) -> None:
    """The share of the class, other sources, by class."""
    print("| class | " + " | ".join(found) + " |\n|" + "---|" * (len(found) + 1))
    for label, name in enumerate(classes):
        cells = [f"{100 * one['class, other sources'][labels == label].mean():.0f}" for one in found.values()]
        print(f"| {name} | " + " | ".join(cells) + " |")
    print()


def winners(found: Mapping[str, Scores], labels: NDArray[np.int64], classes: tuple[str, ...]) -> None:
    """Rows that are ahead of the built-in encoder's joint one, query by query, by an interval above 0."""
    ahead = []
    for row, one in found.items():
        for column in one:
            for name in ("all classes", *classes):
                where = slice(None) if name == "all classes" else labels == classes.index(name)
                gain = one[column][where] - found[MAIN][column][where]
                if gain.any() and bootstrap_interval(gain)[0] > 0 and not row.startswith("built-in"):
                    ahead.append(f"| {row} | {column} | {name} | +{said(gain)} |")
    print("| row that is ahead | of | in | by |\n|---|---|---|---|\n" + "\n".join(ahead or ["| none | | | |"]) + "\n")


def seconds_table(catalog: VideoFolder, many: int) -> None:
    """What vectors cost, each row by itself."""
    embeds, encoder = networks(catalog)
    joint = {"built-in, joint": lambda batch: encoder.features(batch, "joint", as_measured=True)}
    nothing = {"decoding alone": lambda batch: torch.zeros(len(batch.numbers), 1)}
    chosen = sorted({*np.linspace(0, len(catalog) - 1, many).astype(int).tolist()})
    extract(catalog, nothing, rows=chosen[:2], **how(encoder))  # what is loaded once
    print("| feature | processor seconds | clips a second |\n|---|---|---|")
    for row, embed in {**nothing, **joint, **embeds}.items():
        before = time.process_time()
        made = extract(catalog, {row: embed}, rows=chosen, **how(encoder))[row].vectors
        spent = time.process_time() - before
        print(f"| {row} | {spent:.1f} | {made.shape[0] * made.shape[1] / spent:.0f} |", flush=True)
    print(f"\n{len(chosen)} videos, {made.shape[1]} clips each.")


if __name__ == "__main__":
    main()
