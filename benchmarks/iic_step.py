"""An IIC training step: ours against the same maths done the original's way, in fp32.

python benchmarks/iic_step.py [--videos 9537] [--batch_size 4] [--size 112] [--width 64] [--repeats 3] [--device cpu]

The original's way: intra-negatives made clip by clip in a Python loop; every candidate's row gathered into
[B, 1 + K, dim] before the inner products, for each view and bank anew; the negatives' forward recorded for a gradient
that never comes. Both ways are one process each with one thread, on the same clips, banks and draws; their losses are
compared before anything is measured. Memory is the peak of the process (on a GPU, of the allocator) less what it holds
before the first step. Then the parts alone: intra-negatives, and the score tables with the banks' update. A ratio is
ours over theirs in the same repeat. On a GPU `--precision bf16` and `--compile` time our step alone. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from praxino.backbones.pooling import pool
from praxino.backbones.r3d import R3D
from praxino.methods.iic import IIC
from praxino.rng import Rng
from praxino.training.precision import autocast
from praxino.views.motion import Repeat, Residual, destroyed, residual
from praxino.views.pipeline import View

FRAMES = 16


class OriginalsWay(IIC):
    """The same maths, as the original arranges it."""

    def objective(self, views: dict[str, Tensor], **drawn: Tensor) -> object:
        one, two, intra = (pool(self.backbone(views[name]), "mean") for name in ("first", "second", "intra"))
        candidates = drawn["candidates"]
        losses = self.contrasted(
            torch.cat([gathered(self.second_bank, one, candidates), gathered(self.intra_bank, one, candidates)], 1),
            torch.cat([gathered(self.first_bank, two, candidates), gathered(self.intra_bank, two, candidates)], 1),
        )
        losses.kept = {"index": drawn["index"], "first": one.detach(), "second": two.detach(), "intra": intra.detach()}
        losses.recorded = intra  # held until the step ends, as the original's variable is
        return losses


def gathered(bank: torch.nn.Module, features: Tensor, candidates: Tensor) -> Tensor:
    """Inner products by way of [B, C, dim]."""
    rows = bank.rows.index_select(0, candidates.reshape(-1)).detach().view(*candidates.shape, -1)
    return torch.bmm(rows, features.unsqueeze(2)).squeeze(2)


def looped(clips: Tensor, frames: Tensor) -> Tensor:
    """Clips that stand still, one after another."""
    made = torch.ones_like(clips)
    for row in range(len(clips)):
        frame = clips[row, :, int(frames[row])].unsqueeze(1)
        made[row] = torch.cat([frame] * clips.shape[2], dim=1)
    return made


def method_of(kind: type[IIC], given: argparse.Namespace) -> IIC:
    torch.manual_seed(0)
    method = kind(R3D(width=given.width), View([]), View([Residual()]))
    method.setup(given.videos, given.batch_size, Rng(0))
    return method.to(given.device).train()


def step_of(kind: type[IIC], given: argparse.Namespace) -> Callable[[int], Tensor]:
    """One training step, by its number."""
    method = method_of(kind, given)
    optimizer = torch.optim.SGD(method.parameter_groups(), 0.01, momentum=0.9, weight_decay=1e-4)
    shape = (given.batch_size, 3, FRAMES, given.size, given.size)
    clips = torch.rand(shape, generator=torch.Generator().manual_seed(0)).to(given.device)
    if given.compile:
        method.backbone.compile()

    def step(number: int) -> Tensor:
        rng = Rng(number)
        index = torch.arange(given.batch_size, device=given.device) + number * given.batch_size
        views = {"first": clips, "second": residual(clips)}
        if kind is IIC:
            views["intra"] = destroyed(clips, method.intra, rng)
        else:
            drawn = method.intra.draw(rng, (len(clips), 1, FRAMES), torch.zeros(0))
            views["intra"] = looped(clips, drawn["frames"].flatten())
        with autocast(given.precision, torch.device(given.device)):
            losses = method.objective(views, index=index, candidates=method.candidates(index, rng))
        optimizer.zero_grad(set_to_none=True)
        losses.total.backward()
        optimizer.step()
        method.after_step(losses.kept)
        return losses.total.detach()

    return step


def one_way(kind: type[IIC], given: argparse.Namespace) -> dict[str, object]:
    """Peak memory and seconds of the steps, in this process."""
    torch.set_num_threads(1)
    step = step_of(kind, given)
    before = memory(given.device)
    losses, seconds = [], []
    for number in range(given.repeats + 1):
        began = clock(given.device)
        losses.append(float(step(number)))
        seconds.append(clock(given.device) - began)
    return {"memory": memory(given.device) - before, "seconds": seconds[1:], "losses": losses}


def memory(device: str) -> float:
    """The largest so far, in MB."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    # Not getrusage: its peak is inherited from the parent process.
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 2**10


def clock(device: str) -> float:
    """Seconds: of this thread's processor time, or of the wall once a GPU is done."""
    if device == "cuda":
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.thread_time()


def parts(given: argparse.Namespace) -> list[str]:
    """Rows of the table: what lies outside of the network, ours and theirs in turns."""
    torch.set_num_threads(1)
    ours, theirs = method_of(IIC, given), method_of(OriginalsWay, given)
    clips = torch.rand(given.batch_size, 3, FRAMES, given.size, given.size, device=given.device)
    features = torch.randn(given.batch_size, ours.backbone.dim, device=given.device)
    index = torch.arange(given.batch_size, device=given.device)
    candidates = ours.candidates(index, Rng(0))
    frames = torch.zeros(given.batch_size, dtype=torch.int64)

    def moved(method: IIC) -> None:
        for bank in (method.first_bank, method.second_bank, method.intra_bank):
            bank.update(index, features, 0.5)

    def our_banks() -> None:
        ours.intra_bank.scores(torch.stack([features, features]), candidates)
        for bank in (ours.second_bank, ours.first_bank):
            bank.scores(features, candidates)
        moved(ours)

    def their_banks() -> None:
        for bank in (theirs.second_bank, theirs.intra_bank, theirs.first_bank, theirs.intra_bank):
            gathered(bank, features, candidates)
        moved(theirs)

    pairs: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "intra-negatives": (lambda: destroyed(clips, Repeat(), Rng(0)).contiguous(), lambda: looped(clips, frames)),
        "score tables and banks": (our_banks, their_banks),
    }
    rows = []
    for name, (our, their) in pairs.items():
        times = [(timed(our, given.device), timed(their, given.device)) for _ in range(3 + 5 * given.repeats)][3:]
        rows.append(row(name, [a for a, _ in times], [b for _, b in times], "s"))
    return rows


def timed(function: Callable[[], object], device: str) -> float:
    began = clock(device)
    function()
    return clock(device) - began


def row(name: str, ours: list[float], theirs: list[float], unit: str) -> str:
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    low, middle, high = min(ratios), statistics.median(ratios), max(ratios)
    numbers = f"{statistics.median(ours):.3g} {unit} | {statistics.median(theirs):.3g} {unit}"
    return f"| {name} | {numbers} | {middle:.2f} | {low:.2f} to {high:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in {"videos": 9537, "batch_size": 4, "size": 112, "width": 64, "repeats": 3}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--way", choices=("ours", "theirs"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.way:
        print(json.dumps(one_way(IIC if given.way == "ours" else OriginalsWay, given)))
        return
    plain = given.precision == "fp32" and not given.compile
    found = {}
    for way in ("ours", "theirs") if plain else ("ours",):
        words = [sys.executable, *sys.argv, "--way", way]
        printed = subprocess.run(words, check=True, capture_output=True, text=True, env={**os.environ}).stdout
        found[way] = json.loads(printed.splitlines()[-1])
    ours = found["ours"]
    if not plain:
        print(f"{statistics.median(ours['seconds']):.3g} s a step, {ours['memory']:.0f} MB")
        return
    theirs = found["theirs"]
    apart = max(abs(a - b) / abs(b) for a, b in zip(ours["losses"], theirs["losses"], strict=True))
    assert apart < 1e-3, f"the two ways do not agree: losses {ours['losses']} and {theirs['losses']}"
    print(f"Losses of {len(ours['losses'])} steps agree to {apart:.1e} of their size.\n")
    print("| | ours | the original's way | ours / theirs | spread |\n|---|---|---|---|---|")
    print(row("peak memory of a step", [ours["memory"]], [theirs["memory"]], "MB"))
    print(row("a whole step", ours["seconds"], theirs["seconds"], "s"))
    print("\n".join(parts(given)))


if __name__ == "__main__":
    main()
