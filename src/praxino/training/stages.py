"""A stretch of training with one optimizer and one schedule; most runs are one stage."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from praxino.errors import UserError, nearest
from praxino.methods.base import Task
from praxino.training.schedules import Constant, Schedule


class Stage:
    """So many epochs, or so many steps, with one optimizer.

    Args:
        optimizer: makes the optimizer from parameter groups.
        epochs: length in epochs; either this or `steps`.
        steps: length in optimizer steps.
        schedule: multiplies each group's own learning rate.
        rate_factors: regular expression -> factor of the learning rate of the parameters whose name it is found in, the
            first one that is: a group of its own. All others have the optimizer's rate. 0: these are not stepped,
            though gradients flow through them. Names are the task's: "backbone.stages.3.0.conv1.weight", "head.0.bias".

    Raises:
        UserError: unless exactly one of `epochs` and `steps` is given, above 0; or if a factor is below 0.
    """

    def __init__(
        self,
        optimizer: Callable[[Iterable], Optimizer],
        epochs: int | None = None,
        steps: int | None = None,
        schedule: Schedule | None = None,
        rate_factors: dict[str, float] | None = None,
    ) -> None:
        if (epochs is None) == (steps is None):
            raise UserError("a stage takes either epochs or steps: give one of the two")
        if (epochs or steps or 0) < 1:
            raise UserError("a stage takes at least one epoch or step")
        for pattern, factor in (rate_factors or {}).items():
            if not (math.isfinite(factor) and factor >= 0):
                raise UserError(f"rate_factors: {pattern!r} has {factor}: a factor is 0 or above, and finite")
        self.optimizer = optimizer
        self.epochs = epochs
        self.steps = steps
        self.schedule = schedule or Constant()
        self.rate_factors = rate_factors

    def length(self, steps_per_epoch: int) -> int:
        """Its length in optimizer steps."""
        return self.steps if self.steps is not None else (self.epochs or 0) * steps_per_epoch

    def make_optimizer(self, task: Task) -> Optimizer:
        """The optimizer of a task's parameters; each group's own rate is remembered for the schedule.

        Raises:
            UserError: if the optimizer refuses its arguments, or a pattern of `rate_factors` is no one's, or nothing is
                left to step.
        """
        factored = _factored(task, self.rate_factors or {})
        optimizer = self._made([group for group, factor in factored if factor])
        factors = [factor for _, factor in factored if factor]
        for group, factor in zip(optimizer.param_groups, factors, strict=True):
            group["own_lr"] = group["lr"] = float(group["lr"]) * factor
        return optimizer

    def with_rates(self, rates: Mapping[str, float]) -> Stage:
        """The stage with other factors, which make these learning rates: each divided by the optimizer's own.

        Args:
            rates: regular expression -> learning rate.

        Raises:
            UserError: if a rate is below 0 or no number, or the optimizer's is 0, of which nothing is a multiple.
        """
        for pattern, rate in rates.items():
            if not (math.isfinite(rate) and rate >= 0):
                raise UserError(f"--rates: {pattern!r} has {rate}: a learning rate is 0 or above, and finite")
        own = float(self._made([{"params": [nn.Parameter(torch.zeros(1))]}]).param_groups[0]["lr"])
        if not own:
            raise UserError("--rates: the optimizer's learning rate is 0, of which no rate is a multiple")
        factors = {pattern: rate / own for pattern, rate in rates.items()}
        return Stage(self.optimizer, self.epochs, self.steps, self.schedule, factors)

    def _made(self, groups: list[dict[str, Any]]) -> Optimizer:
        if not groups:
            raise UserError("rate_factors leaves no parameter to step: give one a factor above 0")
        try:
            return self.optimizer(groups)
        except (TypeError, ValueError) as error:
            raise UserError(f"the stage's optimizer refuses its arguments: {error}") from None

    def set_rates(self, optimizer: Optimizer, step: int, steps_per_epoch: int) -> float:
        """Sets every group's rate for a step of the stage, and returns the first group's."""
        epochs = self.length(steps_per_epoch) / steps_per_epoch
        multiplier = self.schedule(step / steps_per_epoch, epochs)
        for group in optimizer.param_groups:
            group["lr"] = group["own_lr"] * multiplier
        return float(optimizer.param_groups[0]["lr"])


def _factored(task: Task, factors: Mapping[str, float]) -> list[tuple[dict[str, Any], float]]:
    """The task's groups with a factor each; a group of several factors in parts, the factor 1 of the others first."""
    names = {id(parameter): name for name, parameter in task.named_parameters()}
    order = [None, *factors]
    found: list[tuple[dict[str, Any], float]] = []
    used: set[str | None] = set()
    for group in task.parameter_groups():
        parts: dict[str | None, list[nn.Parameter]] = {pattern: [] for pattern in order}
        for parameter in group["params"]:
            parts[_pattern_of(names.get(id(parameter), ""), factors)].append(parameter)
        used |= {pattern for pattern, some in parts.items() if some}
        found += [
            ({**group, "params": some}, 1.0 if pattern is None else factors[pattern])
            for pattern, some in parts.items()
            if some
        ]
    for pattern in factors:
        if pattern not in used:
            one = next((name for name, parameter in task.named_parameters() if parameter.requires_grad), "none")
            raise UserError(
                f"rate_factors: no parameter that is trained is called like {pattern!r}; there is {one}, for one"
            )
    return found


def _pattern_of(name: str, factors: Mapping[str, float]) -> str | None:
    try:
        return next((pattern for pattern in factors if re.search(str(pattern), name)), None)
    except re.error as error:
        raise UserError(f"rate_factors: {error.pattern!r} is no regular expression: {error}") from None


def refuse_unknown_metrics(stages: Sequence[Stage], numbers: Sequence[str]) -> None:
    """Before the first step, what a schedule could only say after the first epoch.

    Args:
        stages: of a training.
        numbers: names of those that its epochs give.

    Raises:
        UserError: if a schedule watches another one; with the nearest.
    """
    for number, stage in enumerate(stages):
        metric = getattr(stage.schedule, "metric", None)
        if metric is not None and metric not in numbers:
            option = f"--stages.{number}.schedule.metric"
            raise UserError(f"{option} {metric}: an epoch gives no such number.{nearest(str(metric), numbers)}")


def refuse_validation(stages: Sequence[Stage], why: str) -> None:
    """For a training that validates nothing.

    Args:
        stages: of the training.
        why: it does not.

    Raises:
        UserError: if a schedule watches a number of the validation; it would end the training after an epoch.
    """
    for number, stage in enumerate(stages):
        metric = str(getattr(stage.schedule, "metric", ""))
        if metric.startswith("validation/"):
            option = f"--stages.{number}.schedule.metric"
            raise UserError(f"{option} {metric}: {why}; pass {option} train/total")


def all_warmup(stages: Sequence[Stage], steps_per_epoch: int) -> str | None:
    """A line where a stage ends before the warm-up of its learning rate does; None where none is so short.

    Args:
        stages: of the run.
        steps_per_epoch: optimizer steps of an epoch.
    """
    for number, stage in enumerate(stages):
        warmup, epochs = getattr(stage.schedule, "warmup", 0.0), stage.length(steps_per_epoch) / steps_per_epoch
        if isinstance(warmup, int | float) and 0 < epochs <= warmup:
            return (
                f"all of stage {number} is warm-up, {epochs:.2g} of {warmup:g} epochs: the learning rate never reaches "
                f"its height. Train longer, or pass --stages.{number}.schedule.warmup 0"
            )
    return None
