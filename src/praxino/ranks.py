"""The processes of one run, and what they exchange. Without `torch.distributed` everything here is the identity."""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from praxino.errors import UserError

Device = Literal["auto", "cpu", "cuda"]
Value = TypeVar("Value")
LONGEST_DAYS = 100  # that one process waits for another one's work: as long as that one lives


def world() -> int:
    """How many processes there are."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """This process's number, from 0."""
    return dist.get_rank() if dist.is_available() and dist.is_initialized() else 0


class Ended(UserError):
    """Another process is gone: there is nobody left to agree with."""


class _GatherRows(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.rows = len(x)
        x = x.contiguous()
        parts = [torch.empty_like(x) for _ in range(world())]
        dist.all_gather(parts, x)
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        # Every rank computes the same loss of all rows, so the sum is `world` times the gradient; the mean that
        # DistributedDataParallel takes over the ranks afterwards makes it exact.
        # A copy, because autograd may hand the same tensor to others, and the sum is taken in place.
        # In single precision at least: half of it loses digits, or overflows, with each process.
        kind = torch.promote_types(grads[0].dtype, torch.float32)
        total = grads[0].to(kind, copy=True, memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total[rank() * ctx.rows : (rank() + 1) * ctx.rows].to(grads[0].dtype)


def gather_rows(x: Tensor) -> Tensor:
    """The rows of all ranks in rank order, with gradient: [n, ...] -> [n * world, ...]; every rank gives as many."""
    return x if world() == 1 else _GatherRows.apply(x)


def broadcast_object(value: Any) -> Any:
    """Rank 0's value, on every rank."""
    if world() == 1:
        return value
    box = [value]
    dist.broadcast_object_list(box, src=0)
    return box[0]


def gather_objects(value: Any) -> list[Any]:
    """The values of all ranks, in rank order, on every rank."""
    if world() == 1:
        return [value]
    values: list[Any] = [None] * world()
    dist.all_gather_object(values, value)
    return values


def agreed(action: Callable[[], Value]) -> Value:
    """What each rank does by itself, and a user's mistake of one is told by all: one alone would be waited for.

    Raises:
        UserError: the first rank's that has one.
    """
    value: Value | None = None
    said = None
    try:
        value = action()
    except UserError as error:
        said = str(error)
    for mistake in gather_objects(said):
        if mistake is not None:
            raise UserError(mistake)
    return value  # type: ignore[return-value]


def mean_over_ranks(x: Tensor) -> Tensor:
    """The mean of a detached tensor over the ranks."""
    if world() == 1:
        return x
    x = x.clone()
    dist.all_reduce(x)
    return x / world()


def broadcast_buffers(module: nn.Module) -> None:
    """Gives a module rank 0's buffers, in place: the ones that a checkpoint holds."""
    if world() > 1:
        for buffer in module.buffers():
            dist.broadcast(buffer, src=0)


def barrier() -> None:
    """Waits for all ranks."""
    if world() > 1:
        dist.barrier()


@contextmanager
def first_alone() -> Iterator[None]:
    """What rank 0 does by itself within it may take hours: the others wait for its end, for as long as it takes.

    At an ordinary barrier they give up after minutes. A process that ends meanwhile, however it does, ends the wait at
    once: its connections are closed. One whose machine is lost with them is the launcher's to notice.

    Raises:
        Ended: if another process has ended before it came to the end.
    """
    if world() == 1:
        yield
        return
    group = dist.new_group(backend="gloo", timeout=timedelta(days=LONGEST_DAYS))
    yield
    try:
        dist.barrier(group)
    except RuntimeError:
        raise Ended("another process of this run has ended before its time: what it has printed says why") from None
    dist.destroy_process_group(group)


def by_the_first(action: Callable[[], Value]) -> Value:
    """What rank 0 does for all, for as long as it takes (`first_alone`): its value, which is pickled, on every rank.

    Raises:
        UserError: rank 0's, on every rank.
    """
    value: Value | None = None
    said = None
    with first_alone():
        if rank() == 0:
            try:
                value = action()
            except UserError as error:
                said = str(error)
    value, said = broadcast_object((value, said))
    if said is not None:
        raise UserError(said)
    return value


def start(device: torch.device) -> None:
    """Joins the other processes where a launcher (`--devices`, torchrun, Slurm's srun) says that there are any."""
    if dist.is_initialized():
        return
    for name, value in slurm_variables(os.environ).items():
        os.environ.setdefault(name, value)
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")


def leave(code: int = 0) -> None:
    """Ends this process, if it is one of several, without what an interpreter does at its end.

    There PyTorch's threads of a process group abort it now and then, although all is done: its launcher would report a
    failure and stop the others.
    """
    if world() > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def slurm_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """What torchrun would set, from what srun sets; empty outside of an srun step of several tasks.

    A batch script has most of Slurm's variables, too, without being one of several tasks: only a step counts its own.
    """
    tasks = environment.get("SLURM_STEP_NUM_TASKS", "1")
    if int(tasks) < 2 or "SLURM_PROCID" not in environment:
        return {}
    hosts = environment.get("SLURM_STEP_NODELIST", "127.0.0.1")
    first = re.sub(r"\[([^\],-]+)[^\]]*\]", r"\1", re.split(r",(?![^\[]*\])", hosts)[0])
    return {
        "RANK": environment["SLURM_PROCID"],
        "LOCAL_RANK": environment.get("SLURM_LOCALID", "0"),
        "WORLD_SIZE": tasks,
        "MASTER_ADDR": first,
        "MASTER_PORT": str(20000 + int(environment.get("SLURM_JOB_ID", "0")) % 20000),
    }


def local_world() -> int:
    """How many processes share this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


QUOTA = Path("/sys/fs/cgroup/cpu.max")


def cores() -> int:
    """How many cores this process may use: in a container or a job, fewer than the machine has."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(there, _quota() or there)


def _quota() -> int | None:
    """The cores' time that Linux gives a container (`docker --cpus`, Kubernetes), rounded up; None: all of it."""
    try:
        quota, period = QUOTA.read_text(encoding="ascii").split()
        return max(1, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError, ZeroDivisionError):  # "max", or there is no such file
        return None


def local_rank() -> int:
    """This process's number on its machine."""
    return int({**slurm_variables(os.environ), **os.environ}.get("LOCAL_RANK", "0"))


def pick_device(name: Device) -> torch.device:
    """The device of this process.

    Raises:
        UserError: if a GPU is asked for and there is none, or fewer than processes.
    """
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise UserError("--device cuda: there is no GPU that torch can use here; pass --device cpu or auto")
    if local_rank() >= torch.cuda.device_count():
        raise UserError(
            f"process {local_rank() + 1} of this machine finds {torch.cuda.device_count()} GPUs: lower --devices"
        )
    target = torch.device("cuda", local_rank())
    torch.cuda.set_device(target)
    return target
