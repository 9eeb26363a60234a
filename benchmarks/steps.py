"""A training step of each small recipe, and of the large networks: an earlier checkout against this one, per core.

    python benchmarks/steps.py --videos DIR --before EARLIER/src [--recipes simclr_small ...] [--repeats 5]
    python benchmarks/steps.py --backbones R3D C3D --before EARLIER/src
    python benchmarks/steps.py --retrieval simclr_small --videos DIR --before EARLIER/src

Both sides are a process each with one thread, which live through the whole measurement and are asked in turn: a batch
is loaded in the process itself, then comes the step (views, forward, backward, optimizer). Times are the process's CPU
time, user and system; a ratio is before over after of the same turn, so above 1 means that this checkout is faster.
Each side runs the recipe as its own checkout has it, on the same videos with the same draws. Without `--before` this
checkout stands alone. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[1] / "src"
SMALL = (
    "simclr_demo", "simclr_small", "simclr_small_rgb", "simclr_small_frames", "cmc_small", "iic_small", "tclr_small",
    "moco_small", "moco_r3d_small", "cyclecontrast_small", "dpc_small", "cocon_small",
)  # fmt: skip
BACKBONES = ("R3D", "DilatedR3D", "R3D18", "R21D", "R21D18", "C3D")


def cpu() -> float:
    return time.process_time()


def made(name: str, videos: str) -> tuple[Any, dict[str, Any]]:
    """The catalog, and what a recipe builds."""
    from praxino.catalogs.folder import VideoFolder
    from praxino.configuration.complete import complete, instantiate
    from praxino.configuration.documents import read
    from praxino.configuration.earlier import as_now
    from praxino.configuration.recipes import recipe_file
    from praxino.described import describe
    from praxino.training.pretrain import pretrain
    from praxino.training.start import OUTSIDE

    catalog = VideoFolder(videos)
    given = as_now(read(recipe_file(name))) | {"catalog": describe(catalog), "out": "none"}
    return catalog, instantiate(pretrain, complete(pretrain, given, without=OUTSIDE))


def retrieval_turns(name: str, videos: str) -> Iterator[dict[str, float]]:
    """CPU seconds of the features of 24 videos, with all baselines: what retrieval takes but for the comparison."""
    from praxino.encoders.encoder import Encoder
    from praxino.evaluations.comparison import compared_features
    from praxino.evaluations.joint import members_of

    catalog, built = made(name, videos)
    some = [catalog[row] for row in range(0, len(catalog), len(catalog) // 24)][:24]
    members = members_of(Encoder.of(built["method"].backbone, built["protocol"]))
    while True:
        began = cpu()
        compared_features(members, some, some[:1], workers=0, reestimate_batchnorm=False)
        yield {"features": cpu() - began}


def recipe_steps(name: str, videos: str) -> Iterator[dict[str, float]]:
    """CPU seconds of a batch's loading, its views, and the rest of the step, again and again."""
    from praxino.clips.dataset import BatchKey, ClipDataset
    from praxino.rng import Rng
    from praxino.views.pipeline import View

    catalog, built = made(name, videos)
    method, size = built["method"], built["batch_size"]
    dataset = ClipDataset(catalog, method.streams, built["sampler"], built["streams"], built["canvas"])
    method.setup(len(catalog), size, Rng(0))
    optimizer = built["stages"][0].make_optimizer(method.train())
    spent = {"views": 0.0}
    called = View.__call__

    def timed(*args: Any, **kwargs: Any) -> Any:
        began = cpu()
        made = called(*args, **kwargs)
        spent["views"] += cpu() - began
        return made

    View.__call__ = timed  # type: ignore[method-assign]
    for step in range(1_000_000):
        began = cpu()
        batch = dataset[BatchKey(step, 0, size, 0, size)]
        loaded = cpu()
        spent["views"] = 0.0
        method.before_step()
        losses = method(batch, Rng(0, "step", step, 0))
        optimizer.zero_grad(set_to_none=True)
        losses.total.backward()
        optimizer.step()
        method.after_step(losses.kept)
        yield {"loading": loaded - began, "views": spent["views"], "network": cpu() - loaded - spent["views"]}


def backbone_steps(name: str, width: int, size: int, clips: int) -> Iterator[dict[str, float]]:
    """CPU seconds of a forward and backward, and of a forward in evaluation mode."""
    import inspect

    import torch

    import praxino.backbones as backbones

    made = getattr(backbones, name)
    options = {"channels_last": True} if "channels_last" in inspect.signature(made).parameters else {}
    network = made(width=width, **options)
    x = torch.randn(clips, 3, 16, size, size)
    while True:
        network.train()
        began = cpu()
        network(x).mean().backward()
        trained = cpu()
        network.eval()
        with torch.no_grad():
            network(x)
        yield {"training": trained - began, "evaluation": cpu() - trained}


def serve(given: dict[str, Any]) -> None:
    """Makes one turn for each line on stdin, and prints its times."""
    import torch

    torch.set_num_threads(1)
    kinds = {"recipe": recipe_steps, "backbone": backbone_steps, "retrieval": retrieval_turns}
    ((kind, how),) = given.items()
    turns = kinds[kind](**how)
    for _ in sys.stdin:
        print(json.dumps(next(turns)), flush=True)


def asker(source: Path, given: dict[str, Any]) -> tuple[subprocess.Popen[str], Callable[[], dict[str, float]]]:
    """A process that runs `serve` with a checkout's source, and what asks it for a turn."""
    child = subprocess.Popen(
        [sys.executable, __file__, "--serve", json.dumps(given)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True, env={**os.environ, "PYTHONPATH": str(source), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert child.stdin is not None
    assert child.stdout is not None

    def ask() -> dict[str, float]:
        child.stdin.write("\n")  # type: ignore[union-attr]
        child.stdin.flush()  # type: ignore[union-attr]
        line = child.stdout.readline()  # type: ignore[union-attr]
        if not line:
            raise SystemExit(f"the process with {source} ended: {child.wait()}")
        times: dict[str, float] = json.loads(line)
        return times

    return child, ask


def compared(given: dict[str, Any], before: Path | None, repeats: int) -> Iterator[str]:
    """Cells of a table: for each part and for all, seconds after, and before over after with its range."""
    sides = [asker(source, given) for source in (before, HERE) if source is not None]
    turns = [[ask() for _, ask in sides] for _ in range(repeats + 2)][2:]  # the first ones set up
    for child, _ in sides:
        child.terminate()
    for part in [*turns[0][0], "all"]:
        times = [[sum(one.values()) if part == "all" else one[part] for one in turn] for turn in turns]
        cell = f"{statistics.median(turn[-1] for turn in times):.3f}"
        if before is not None:
            ratios = [turn[0] / turn[1] for turn in times if turn[1] > 0]
            cell += f" ({statistics.median(ratios):.2f}, {min(ratios):.2f}-{max(ratios):.2f})" if ratios else ""
        yield cell


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--serve", type=json.loads)
    parser.add_argument("--videos")
    parser.add_argument("--before", type=Path)
    parser.add_argument("--recipes", nargs="*", default=SMALL)
    parser.add_argument("--backbones", nargs="*")
    parser.add_argument("--retrieval", nargs="*")
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--size", type=int, default=112)
    parser.add_argument("--clips", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    if args.serve:
        serve(args.serve)
        return
    if args.backbones is not None:
        print("| network | training | evaluation | all |\n|---|---|---|---|")
        sizes = {"width": args.width, "size": args.size, "clips": args.clips}
        jobs = {name: {"backbone": {"name": name, **sizes}} for name in args.backbones or BACKBONES}
    elif args.retrieval is not None:
        print("| recipe | features | all |\n|---|---|---|")
        jobs = {name: {"retrieval": {"name": name, "videos": args.videos}} for name in args.retrieval}
    else:
        print("| recipe | loading | views | network | all |\n|---|---|---|---|---|")
        jobs = {name: {"recipe": {"name": name, "videos": args.videos}} for name in args.recipes}
    for name, given in jobs.items():
        print(f"| `{name}` | {' | '.join(compared(given, args.before, args.repeats))} |", flush=True)


if __name__ == "__main__":
    main()
