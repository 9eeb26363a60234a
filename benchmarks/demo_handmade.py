"""The best settings of the demo's hand-made features, chosen on other seeds than those that are reported.

    python benchmarks/demo_handmade.py FOLDER [--choose 10 11 12] [--report 0 1 2]

Renders the demo's videos of each seed into FOLDER/N/videos (those that a demo with `--out FOLDER/N` has rendered are
used), and scores every setting of every feature: cells of the grid, bins of a colour, frames of a clip, root or none.
What is best at k = 1 on the seeds to choose on is scored on those to report. Prints Markdown. No network is trained.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, adaptive_avg_pool3d

from demo import interval
from praxino.batch import ClipBatch
from praxino.catalogs.listfile import ListFile
from praxino.clips.samplers import EvenClips
from praxino.demo.render import render
from praxino.evaluations.comparison import WHOLE
from praxino.evaluations.features import extract
from praxino.evaluations.metrics import retrieval
from praxino.rng import Rng
from praxino.streams.base import Canvas

CELLS, BINS = (2, 4, 8, 16), (2, 4, 8)
CLIPS = {
    "4 clips of 8 frames, every second": (4, 8, 2),
    "4 of 16, every one": (4, 16, 1),
    "1 of 32, every one": (1, 32, 1),
}
Hits = NDArray[np.float64]


def one_frame(clips: Tensor, cells: int) -> Tensor:
    return adaptive_avg_pool2d(clips[:, :, clips.shape[2] // 2], cells).flatten(1)


def mean_frame(clips: Tensor, cells: int) -> Tensor:
    return adaptive_avg_pool2d(clips.mean(2), cells).flatten(1)


def colours(clips: Tensor, bins: int, root: bool) -> Tensor:
    level = (clips * bins).long().clamp(0, bins - 1)
    pixels = ((level[:, 0] * bins + level[:, 1]) * bins + level[:, 2]).flatten(1)
    shares = torch.nn.functional.one_hot(pixels, bins**3).float().mean(1) if bins < 4 else counted(pixels, bins**3)
    return shares.sqrt() if root else shares


def counted(pixels: Tensor, bins: int) -> Tensor:
    counts = torch.zeros(len(pixels), bins)
    return counts.scatter_add_(1, pixels, torch.ones(pixels.shape)) / pixels.shape[1]


def difference(clips: Tensor, cells: int, root: bool) -> Tensor:
    found = adaptive_avg_pool2d((clips[:, :, 1:] - clips[:, :, :-1]).abs().mean(2), cells).flatten(1)
    return found.sqrt() if root else found


def spectrum(clips: Tensor, cells: int, root: bool) -> Tensor:
    of_cells = adaptive_avg_pool3d(clips, (clips.shape[2], cells, cells))
    magnitude = torch.fft.rfft((of_cells[:, :, 1:] - of_cells[:, :, :-1]).float(), dim=2).abs().mean(1).flatten(2)
    found = torch.cat((magnitude.mean(2), magnitude.std(2), magnitude.amax(2)), 1)
    return found.sqrt() if root else found


def settings() -> Iterator[tuple[str, str, Callable[[Tensor], Tensor]]]:
    """Feature, setting in words, function."""
    for cells in CELLS:
        grid = f"{cells}x{cells} cells"
        yield "one frame", grid, partial(one_frame, cells=cells)
        yield "mean frame", grid, partial(mean_frame, cells=cells)
        for root in (True, False):
            said = f"{grid}, {'root' if root else 'no root'}"
            yield "frame difference", said, partial(difference, cells=cells, root=root)
            yield "temporal spectrum", said, partial(spectrum, cells=cells, root=root)
    for bins in BINS:
        for root in (True, False):
            yield (
                "colour histogram",
                f"{bins} bins, {'root' if root else 'no root'}",
                partial(colours, bins=bins, root=root),
            )


class Looked:
    """A function of clips as one of batches; the pixels of a batch are made once for all."""

    batch: ClipBatch | None = None
    clips: Tensor

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        self.function = function

    def __call__(self, batch: ClipBatch) -> Tensor:
        if batch is not Looked.batch:
            Looked.batch, Looked.clips = batch, WHOLE(batch, Rng(0)).flatten(0, 1)
        return self.function(Looked.clips)


def hits_of(folder: Path, seed: int) -> dict[tuple[str, str], Hits]:
    """For each feature and setting whether each query's nearest video is of its class."""
    videos = render(folder / str(seed) / "videos", seed=seed)
    catalog = ListFile(str(videos / "train.txt"), test=str(videos / "test.txt"))
    found = {}
    for said, (clips, frames, stride) in CLIPS.items():
        embeds = {f"{name}|{setting}, {said}": Looked(function) for name, setting, function in settings()}
        how = {"sampler": EvenClips(clips, frames, stride), "canvas": {"rgb": Canvas(short_side=48, even=True)}}
        asks, answers = (extract(catalog.part(part), embeds, ["rgb"], **how) for part in ("test", "train"))
        for row in embeds:
            mean = answers[row].vectors.mean(0)
            pair = asks[row].vectors - mean, answers[row].vectors - mean
            hits = retrieval(*pair, asks[row].labels, answers[row].labels, k=(1,)).hits[:, 0]
            found[tuple(row.split("|", 1))] = hits.astype(float)
    return found  # type: ignore[return-value]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--choose", type=int, nargs="+", default=[10, 11, 12])
    parser.add_argument("--report", type=int, nargs="+", default=[0, 1, 2])
    given = parser.parse_args()
    torch.set_num_threads(1)
    chosen_on, reported = (
        joined([hits_of(given.folder, seed) for seed in seeds]) for seeds in (given.choose, given.report)
    )
    seeds, reported_on = (", ".join(map(str, some)) for some in (given.choose, given.report))
    print(f"| feature | settings tried | best on seeds {seeds} | @1 there | @1 on seeds {reported_on} | interval |")
    print("|---|---|---|---|---|---|")
    for name in dict.fromkeys(name for name, _ in chosen_on):
        tried = {setting: hits.mean() for (feature, setting), hits in chosen_on.items() if feature == name}
        best = max(tried, key=tried.__getitem__)
        hits = reported[name, best]
        figures = f"{100 * tried[best]:.1f} | {100 * hits.mean():.1f} | {interval(hits)}"
        print(f"| {name} | {len(tried)} | {best} | {figures} |")


def joined(runs: list[dict[tuple[str, str], Hits]]) -> dict[tuple[str, str], Hits]:
    return {row: np.concatenate([run[row] for run in runs]) for row in runs[0]}


if __name__ == "__main__":
    main()
