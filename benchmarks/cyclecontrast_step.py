"""A CycleContrast step: ours against the same maths and pictures done the original's way, in fp32, on real pictures.

python benchmarks/cyclecontrast_step.py (--root VIDEOS | --images FOLDER) [--videos 256] [--network ResNet18]
    [--width 16] [--size 112] [--batch_size 32] [--rows 64] [--repeats 7] [--steps 12] [--workers 1] [--threads 1]

Everything is as published but the network's width, the size and the batch: two heads, queues of 65,536 and 81,920 rows
of 128 numbers, a support of 16,384 drawn anew, one candidate, which is MoCo's positive too, momentum 0.999, SGD. Ours
runs with the published options (BatchNorm over whole batches, a video's own keys among its negatives), and with its own
defaults (four mixed parts, own keys left out), which is more work. The original's way: `cyclecontrast_original.py`,
`cyclecontrast_pictures.py`.

`--images`: pictures below a folder; names that differ in a last `_` and six digits alone, as R2V2's, are one video.
`--root`: four frames each of so many `--videos` are cut out of the video files below it first, and written as R2V2 is.

First it is made sure that the ways agree: views of the same draws to the bit, losses and queues of three steps within
rounding. Then, the ways taking turns, each row is timed in processor time of one thread, with nothing loaded elsewhere;
the draws of a step are ours for all ways. Peaks of memory are of a process each, less what it holds before its first
step. A row is by the clock, with `--threads` of torch and `--workers` loading processes, from the start of these to the
end of `--steps` steps. A ratio is ours over theirs in the same repeat: median (least to greatest). Prints Markdown.
"""

from __future__ import annotations

import argparse
import importlib
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from torch.utils.data import default_collate

from cyclecontrast_original import OriginalsWay
from cyclecontrast_pictures import Pictures, compare_views, dataset_of, found, opened, view_of, written
from iic_step import timed
from praxino.clips.loader import ClipLoader
from praxino.methods.base import Losses
from praxino.methods.cyclecontrast import CycleContrast, drawn_candidates
from praxino.methods.moco import key_order
from praxino.rng import Rng
from tclr_step import row

WAYS = ("ours", "defaults", "theirs")
PUBLISHED: dict[str, Any] = {"batchnorm_parts": 1, "exclude_own": False, "split": "each"}
NUMBERS = {"videos": 256, "width": 16, "size": 112, "batch_size": 32, "rows": 64, "repeats": 7, "steps": 12}
Step = Callable[[int], object]


def method_of(way: str, given: argparse.Namespace, network: str | None = None, width: int | None = None) -> Any:
    torch.manual_seed(0)
    backbone = getattr(importlib.import_module("praxino.backbones"), network or given.network)(width or given.width)
    kind = OriginalsWay if way == "theirs" else CycleContrast
    method = kind(backbone, view_of(given.size), **({} if way == "defaults" else PUBLISHED))
    method.setup(given.videos, given.batch_size, Rng(0))
    return method.train()


def stepped(method: CycleContrast, videos: int, forward: Callable[[int], Losses]) -> Callable[[int], Tensor]:
    """A training step, by its number, of a forward of so many videos."""
    optimizer = torch.optim.SGD(method.parameter_groups(), 0.06 * videos / 512, momentum=0.9, weight_decay=1e-4)

    def step(number: int) -> Tensor:
        method.before_step()
        losses = forward(number)
        optimizer.zero_grad(set_to_none=True)
        losses.total.backward()
        optimizer.step()
        method.after_step(losses.kept)
        return losses.total.detach()

    return step


def drawn_of(method: CycleContrast, candidates: Tensor, rng: Rng) -> dict[str, Tensor]:
    """What is random about a step besides its views: the same for all ways."""
    picked = {name: drawn_candidates(rng.child(name), candidates) for name in ("back", "positive")}
    return {"split": method.drawn_split(rng.child("split"), candidates.device), **picked}


def objective_of(method: CycleContrast, views: dict[str, Tensor], index: Tensor, number: int) -> Losses:
    rng = Rng(number)
    candidates = views["candidates"]
    order = key_order(rng, len(index) * (1 + candidates.shape[1]), candidates.device)
    return method.objective(views, order=order, index=index, **drawn_of(method, candidates, rng))


def on_views(method: CycleContrast, given: argparse.Namespace) -> Callable[[int], Tensor]:
    """Network, losses, queues and SGD, on views of real pictures that are there already."""
    dataset = dataset_of(given.found)
    batch = dataset[ClipLoader(dataset, given.batch_size).key(0, 0)]
    views = {name: view_of(given.size)(batch, Rng(name), slice(0, 1)).squeeze(1) for name in ("query", "key")}
    views["candidates"] = view_of(given.size)(batch, Rng("candidates"), slice(1, None))

    def forward(number: int) -> Losses:
        index = (batch.index + number * given.batch_size) % given.videos
        return objective_of(method, views, index, number)

    return stepped(method, given.batch_size, forward)


def on_pictures(method: CycleContrast, given: argparse.Namespace, workers: int = 0) -> tuple[Step, Callable[[], None]]:
    """The same from files on; and what ends its loading processes."""
    if not isinstance(method, OriginalsWay):
        coming = ClipLoader(dataset_of(given.found), given.batch_size, workers).batches()
        forward = lambda number: method(next(coming), Rng(number))  # noqa: E731
        return stepped(method, given.batch_size, forward), coming.close
    batches = endless(Pictures(given.found, given.size).loader(given.batch_size, workers))

    def forward(number: int) -> Losses:
        (query, key), index, _, candidates = next(batches)
        views = {"query": query.unsqueeze(2), "key": key.unsqueeze(2), "candidates": candidates.unsqueeze(3)}
        return objective_of(method, views, index, number)

    return stepped(method, given.batch_size, forward), batches.close


def endless(loader: Any) -> Iterator[Any]:
    while True:
        yield from loader


def losses_alone(way: str, given: argparse.Namespace, rows: int) -> Step:
    """The draw of the support, the losses, their gradient and the queues, of so many embeddings."""
    method, generator = method_of(way, given, "ResNet18", 4), torch.Generator().manual_seed(0)

    def unit(*shape: int) -> Tensor:
        return F.normalize(torch.randn(*shape, 128, generator=generator), dim=-1)

    queries, keys, candidates = unit(2, rows).requires_grad_(), unit(2, rows), unit(2, rows, 1)

    def step(number: int) -> None:
        index = (torch.arange(rows) + number * rows) % given.videos
        drawn = drawn_of(method, candidates[0], Rng(number))
        losses = method.cycle_contrasted(queries, keys, candidates, index=index, **drawn)
        torch.autograd.grad(losses.total, queries)
        method.after_step(losses.kept)

    return step


PEAKS: dict[str, Callable[[str, argparse.Namespace], Step]] = {
    "a step with its pictures": lambda way, given: on_pictures(method_of(way, given), given)[0],
    "its network, losses, queues and SGD": lambda way, given: on_views(method_of(way, given), given),
    "losses and queues alone": lambda way, given: losses_alone(way, given, given.rows),
}


def peak(given: argparse.Namespace) -> float:
    """MB that two steps take beyond what is held before them, in this process."""
    step = PEAKS[given.peak](given.way, given)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = held("VmRSS")
    for number in range(2):
        step(number)
    return held("VmHWM") - before


def held(name: str) -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition(f"{name}:")[2].split()[0]) / 2**10


def agree(given: argparse.Namespace) -> str:
    """How nearly the ways are the same; stops where they are not."""
    dataset = dataset_of(given.found)
    compare_views(dataset[ClipLoader(dataset, given.batch_size).key(0, 0)], given.size)
    mine, theirs = (method_of(way, given) for way in ("ours", "theirs"))
    steps = [on_views(method, given) for method in (mine, theirs)]
    losses = [
        [float(step(number)) for number in range(3)] for step in steps
    ]  # of more, rounding grows a hundredfold each
    apart = max(abs(a - b) / b for a, b in zip(*losses, strict=True))
    pairs = ((mine.queue, theirs.columns), (mine.cycle_queue, theirs.cycle_columns))
    rows = max(float((queue.keys.T - columns).abs().max()) for queue, columns in pairs)
    assert apart < 1e-3, f"the ways do not agree: losses {losses}"
    assert rows < 1e-3, f"the ways do not agree: the queues differ by {rows}"
    return f"views are equal to the bit, losses of 3 steps to {apart:.0e} of their size, the queues to {rows:.0e}"


def steps(given: argparse.Namespace) -> None:
    """Rows of whole steps, and of what is not the network."""
    line(given, "a step with its pictures", [on_pictures(method_of(way, given), given)[0] for way in WAYS])
    line(given, "its network, losses, queues and SGD", [on_views(method_of(way, given), given) for way in WAYS])
    for rows in dict.fromkeys((given.batch_size, given.rows)):
        line(given, f"losses and queues alone, {rows} videos", [losses_alone(way, given, rows) for way in WAYS])


def pictures(given: argparse.Namespace) -> None:
    """Rows of a batch's pictures: read and made views, and made views alone."""
    dataset, theirs = dataset_of(given.found), Pictures(given.found, given.size)
    loader = ClipLoader(dataset, given.batch_size)
    keys = [loader.key(0, batch) for batch in range(len(loader))]
    there, images = dataset[keys[0]], [opened(paths[0]) for paths in given.found[: given.batch_size]] * 3

    def ours(exact: bool, read: bool) -> Step:
        view = view_of(given.size, exact)

        def made(number: int) -> list[Tensor]:
            batch = dataset[keys[number % len(keys)]] if read else there
            return [view(batch, Rng(number, k), slice(k % 2, k % 2 + 1)) for k in range(3)]

        return made

    def read(number: int) -> list[Any]:
        return default_collate([theirs[row] for row in range(given.batch_size)])

    def by_pillow(number: int) -> Tensor:
        return torch.stack([theirs.seen(image) for image in images])

    line(given, "a step's pictures, read and made views", [ours(True, True), ours(False, True), read])
    line(given, "views alone", [ours(True, False), ours(False, False), by_pillow])


def line(given: argparse.Namespace, name: str, ways: Sequence[Step]) -> None:
    """Prints one row; the first repeat warms up."""
    repeats = [[timed(lambda: step(k), "cpu") for step in ways] for k in range(1 + given.repeats)]  # noqa: B023
    print(row(name, "s", *zip(*repeats[1:], strict=True)), flush=True)


def by_the_clock(method: CycleContrast, given: argparse.Namespace) -> float:
    """Seconds a step, loading processes at work beside."""
    began = time.perf_counter()
    step, end = on_pictures(method, given, given.workers)
    for number in range(given.steps):
        step(number)
    seconds = (time.perf_counter() - began) / given.steps
    end()
    return seconds


def peak_of(name: str, way: str, given: argparse.Namespace) -> list[float]:
    words = [f"--{option}={getattr(given, option)}" for option in (*NUMBERS, "network", "images")]
    words = [sys.executable, __file__, *words, f"--peak={name}", f"--way={way}"]
    return [float(subprocess.run(words, check=True, capture_output=True, text=True).stdout)]


def measure(given: argparse.Namespace) -> None:
    """Prints the tables."""
    pixels = Image.open(given.found[0][0]).size
    print(f"{given.videos} videos, the first picture of {pixels[0]}x{pixels[1]}; {agree(given)}.\n")
    title("our defaults", "defaults")
    steps(given)
    for name in PEAKS:
        print(row(f"peak memory of {name}", "MB", *(peak_of(name, way, given) for way in WAYS)), flush=True)
    torch.set_num_threads(given.threads)
    methods = [method_of(way, given) for way in WAYS]
    repeats = [[by_the_clock(method, given) for method in methods] for _ in range(given.repeats)]
    said = f"a step by the clock, threads {given.threads}, workers {given.workers}"
    print(row(said, "s", *zip(*repeats, strict=True)) + "\n")
    torch.set_num_threads(1)
    title("ours, `exact=False`", "not exact")
    pictures(given)


def title(second: str, short: str) -> None:
    print(f"| | ours | {second} | the original's way | ours / theirs | {short} / theirs |")
    print("|---|---|---|---|---|---|", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--root", help="folder of video files")
    source.add_argument("--images", type=Path, help="folder of pictures")
    parser.add_argument("--network", default="ResNet18")
    for name, default in {**NUMBERS, "workers": 1, "threads": 1}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--peak", choices=PEAKS, help=argparse.SUPPRESS)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    torch.set_num_threads(1)
    random.seed(0)
    with tempfile.TemporaryDirectory() as folder:
        if given.root:
            given.images = Path(folder)
            written(given.root, given.images, given.videos)
        given.found = found(given.images, given.videos)
        given.videos = len(given.found)
        print(peak(given)) if given.way else measure(given)


if __name__ == "__main__":
    main()
