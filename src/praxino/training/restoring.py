"""What a checkpoint holds of a run, and from there back to where it stood; what does not fit is one line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.optim import Optimizer

from praxino.errors import UserError, misfit
from praxino.training.checkpoint_form import unlike
from praxino.training.health import Health
from praxino.training.position import Position, Sums
from praxino.training.precision import Scaler
from praxino.training.schedules import Schedule
from praxino.training.stages import Stage

NOT_FINITE = "the last good checkpoint is kept; lower the learning rate, pass --clip_norm 1, or --precision fp32"


def snapshot_of(
    task: nn.Module,
    stage: Stage,
    optimizer: Optimizer,
    scaler: Scaler,
    health: Health,
    at: Position,
    finished: bool = False,
) -> dict[str, Any]:
    """What a checkpoint holds.

    Raises:
        UserError: if a weight is no finite number.
    """
    # A gradient that is not finite does not show in the loss of its own step: it must not get into the last good one.
    if not torch.stack([p.detach().isfinite().all() for p in task.parameters()]).all():
        raise UserError(f"the weights are not finite before step {at.step} of epoch {at.epoch}: {NOT_FINITE}")
    return {
        "task": task.state_dict(),
        "optimizer": optimizer.state_dict(),
        "schedule": _plain(stage.schedule.state_dict(), type(stage.schedule).__name__),
        "scaler": scaler.state_dict(),
        "health": health.state_dict(),
        "position": asdict(at),
        "finished": finished,
    }


def _plain(value: Any, whose: str) -> Any:
    """What a schedule remembers, in types that are read back without running code; numbers of NumPy as Python's."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {key: _plain(item, whose) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_plain(item, whose) for item in value)
    if isinstance(value, str | int | float | None | torch.Tensor):
        return value
    raise UserError(f"{whose}: its state_dict holds a {type(value).__name__}: keep numbers, texts, lists and mappings")


def restore_weights(task: nn.Module, saved: Mapping[str, Any], path: Path) -> None:
    """Gives a task the weights of a checkpoint.

    Args:
        task: what was trained.
        saved: the checkpoint.
        path: of it, for messages.

    Raises:
        UserError: if it is of another network.
    """
    try:
        task.load_state_dict(saved["task"])
    except RuntimeError as error:
        raise UserError(f"{path} is of another network than the recipe's: {misfit(error)}") from None


def restored(
    saved: Mapping[str, Any],
    path: Path,
    task: nn.Module,
    health: Health,
    scaler: Scaler,
    batches: int,
    steps: int,
    stages: int,
) -> Position:
    """Where the run stood; the task, the health check and the loss scaling are as they were then.

    After an epoch's last batch it stood only where a stop was asked for before the end of the epoch.

    Args:
        saved, path, task: as of `restore_weights`.
        health, scaler: of the loop.
        batches, steps: of an epoch.
        stages: how many the recipe has.

    Raises:
        UserError: if the checkpoint is of another recipe.
    """
    restore_weights(task, saved, path)
    with fitting(path, "loss scaling"):
        if unlike(scaler.state_dict(), saved["scaler"]):
            raise ValueError("another precision")
        scaler.load_state_dict(saved["scaler"])
    health.load_state_dict(saved["health"])
    at = Position(**{**saved["position"], "sums": Sums(**saved["position"]["sums"])})
    beyond = at.batch > batches or (at.batch == batches and at.sums.count != steps)
    if beyond or at.stage + (not saved["finished"]) > stages:
        of = f"batch {at.batch} of {batches}, stage {at.stage} of {stages}, both counted from 0"
        raise UserError(f"{path} does not fit the recipe: it stands at {of}")
    return at


def restore_stage(saved: Mapping[str, Any], path: Path, optimizer: Optimizer, schedule: Schedule) -> None:
    """Gives a stage's optimizer and schedule what they remembered.

    Args:
        saved, path: as of `restore_weights`.
        optimizer, schedule: of the stage that the run stood in.

    Raises:
        UserError: if they are not the checkpoint's.
    """
    with fitting(path, "optimizer"):
        groups = saved["optimizer"]["param_groups"]
        for group, other in zip(optimizer.param_groups, groups, strict=True):
            _refuse_other_group(group, other)
        optimizer.load_state_dict(saved["optimizer"])
    with fitting(path, "schedule"):
        if unlike(schedule.state_dict(), saved["schedule"]):
            raise ValueError(f"it remembers other things than {type(schedule).__name__}")
        schedule.load_state_dict(saved["schedule"])


def _refuse_other_group(group: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    for name, value in group.items():
        there = other.get(name)
        if name == "params":
            continue
        # Of switches another version of torch may know other ones.
        if isinstance(value, bool | None) and isinstance(there, bool | None):
            continue
        if there is None or unlike(value, there) or (isinstance(value, tuple) and len(value) != len(there)):
            raise ValueError(f"its {name} is missing or of another type")


@contextmanager
def fitting(path: Path, what: str) -> Iterator[None]:
    """For what reads another's state, be it a user's class: `load_state_dict`, and an optimizer's first step with it.

    Args:
        path: of the checkpoint.
        what: reads it.

    Raises:
        UserError: in place of whatever it runs into.
    """
    try:
        yield
    except (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        lines: Sequence[str] = str(error).splitlines() or [type(error).__name__]
        raise UserError(f"{path} does not fit the recipe: {what}: {lines[0][:200]}") from None
