"""A CycleContrast step on one process and on two (gloo) at the same global batch: its time, and whether queues agree.

python benchmarks/cyclecontrast_ranks.py (--root VIDEOS | --images FOLDER) [--videos 256] [--width 16] [--size 112]
    [--batch_size 32] [--steps 8] [--repeats 3] [--threads 1]

Ours with its defaults: queues of 65,536 and 81,920 rows, own keys left out, BatchNorm in four mixed parts of the global
batch: four in one process, two in each of two. Views, network, losses, queues, SGD; batches are read before. The runs
take turns, with `--threads` of torch in each process; the time of a step is by the clock, and in processor time of the
process that takes most, the median of `--steps` steps after the first. A ratio is two processes over one in the same
repeat: median (least to greatest).

Both processes must have the same queues, pointers and networks to the bit after the steps; anything else stops the
benchmark. One process mixes its clips here as two do, so that the same ones are normalised together: then its losses
and queues differ by rounding alone, which grows from step to step, and how far they are apart is printed. Prints
Markdown. What pictures there are: as of `cyclecontrast_step.py`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from cyclecontrast_pictures import dataset_of, found, view_of, written
from praxino import ranks
from praxino.backbones.resnet2d import ResNet18
from praxino.clips.loader import ClipLoader
from praxino.methods.cyclecontrast import CycleContrast
from praxino.rng import Rng
from praxino.training.step_numbers import kept_of
from tclr_step import row

PARTS = 4
NUMBERS = {"videos": 256, "width": 16, "size": 112, "batch_size": 32, "steps": 8, "repeats": 3, "threads": 1}
OWN = ("running_mean", "running_var", "num_batches_tracked")  # of BatchNorm: each process's own


class AsTwo(CycleContrast):
    """One process with the mixture that two have, each of which has its keys first, then its candidates."""

    def keys(self, clips: Tensor, order: Tensor) -> Tensor:
        places = torch.arange(len(clips)).view(2, 2, -1)  # keys or candidates, process, clip
        return super().keys(clips, places.transpose(0, 1).flatten()[order])


def trained(given: argparse.Namespace) -> dict[str, Any]:
    """Seconds and losses of the steps, the state after them, and whether all processes have the same one."""
    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    kind = CycleContrast if ranks.world() > 1 else AsTwo
    method = kind(ResNet18(given.width), view_of(given.size), batchnorm_parts=PARTS // ranks.world())
    method.setup(given.videos, given.batch_size, Rng(0))
    module = DistributedDataParallel(method, broadcast_buffers=False) if ranks.world() > 1 else method
    optimizer = torch.optim.SGD(
        method.parameter_groups(), 0.06 * given.batch_size / 512, momentum=0.9, weight_decay=1e-4
    )
    loader = ClipLoader(dataset_of(given.videos_found), given.batch_size, 0, ranks.rank(), ranks.world())
    coming = loader.batches()
    batches = [next(coming) for _ in range(given.steps + 1)]
    seconds, losses = [], []
    for number, batch in enumerate(batches):
        ranks.barrier()
        began = time.perf_counter(), time.process_time()
        method.before_step()
        made = module(batch, Rng(0, "step", number, rank=ranks.rank(), ranks=ranks.world()))
        optimizer.zero_grad(set_to_none=True)
        made.total.backward()
        optimizer.step()
        method.after_step(kept_of([made]))
        losses.append(float(made.total.detach()))
        spent = time.perf_counter() - began[0], time.process_time() - began[1]
        seconds.append([max(values) for values in zip(*ranks.gather_objects(spent), strict=True)])
    state = {name: value for name, value in method.state_dict().items() if not name.endswith(OWN)}
    everyone = ranks.gather_objects(state)
    equal = all(torch.equal(value, other[name]) for other in everyone for name, value in state.items())
    return {"seconds": seconds[1:], "losses": losses, "state": state, "equal": equal}


def run(processes: int, given: argparse.Namespace, out: Path) -> dict[str, Any]:
    """The same by so many processes."""
    words = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", __file__]
    words += [f"--{name}={getattr(given, name)}" for name in (*NUMBERS, "images")] + [f"--out={out}"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(words, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return torch.load(out, weights_only=True)


def measure(given: argparse.Namespace, out: Path) -> None:
    """Prints the table."""
    seconds: dict[int, list[list[float]]] = {2: [], 1: []}
    for _ in range(given.repeats):
        made = {processes: run(processes, given, out) for processes in seconds}
        assert made[2]["equal"], "the two processes have other queues or keys' networks"
        for processes, one in made.items():
            seconds[processes].append([statistics.median(values) for values in zip(*one["seconds"], strict=True)])
    two, one = made[2], made[1]
    apart = [abs(a - b) / b for a, b in zip(two["losses"], one["losses"], strict=True)]
    queues = [name for name in two["state"] if "queue" in name]
    rows = max(float((two["state"][name] - one["state"][name]).abs().max()) for name in queues)
    assert apart[0] < 1e-4, f"the losses of two processes are {two['losses']}, of one {one['losses']}"
    print("| | two processes | one process | two / one |\n|---|---|---|---|")
    for kind, name in enumerate(("a step by the clock", "a step, processor time of a process")):
        print(row(name, "s", *([values[kind] for values in seconds[processes]] for processes in (2, 1))))
    print(f"\nThe {len(two['state'])} tensors of two processes (queues, pointers, networks) are equal to the bit after")
    print(f"{len(apart)} steps, in each of {given.repeats} runs. From one process's, the first loss is {apart[0]:.0e}")
    print(f"of its size apart, the last one {apart[-1]:.0e}, and the queues {rows:.0e}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--root", help="folder of video files")
    source.add_argument("--images", type=Path, help="folder of pictures")
    for name, default in NUMBERS.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.out:
        given.videos_found = found(given.images, given.videos)
        ranks.start(torch.device("cpu"))
        made = trained(given)
        if ranks.rank() == 0:
            torch.save(made, given.out)
        ranks.barrier()
        ranks.leave()
        return
    with tempfile.TemporaryDirectory() as folder:
        if given.root:
            given.images = Path(folder)
            written(given.root, given.images, given.videos)
        measure(given, Path(folder) / "made.pt")


if __name__ == "__main__":
    main()
