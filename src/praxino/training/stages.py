"""A stretch of training with one optimizer and one schedule; most runs are one stage."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from torch.optim import Optimizer

from praxino.errors import UserError
from praxino.training.schedules import Constant, Schedule


class Stage:
    """So many epochs, or so many steps, with one optimizer.

    Args:
        optimizer: makes the optimizer from parameter groups.
        epochs: length in epochs; either this or `steps`.
        steps: length in optimizer steps.
        schedule: multiplies each group's own learning rate.

    Raises:
        UserError: unless exactly one of `epochs` and `steps` is given, above 0.
    """

    def __init__(
        self,
        optimizer: Callable[[Iterable], Optimizer],
        epochs: int | None = None,
        steps: int | None = None,
        schedule: Schedule | None = None,
    ) -> None:
        if (epochs is None) == (steps is None):
            raise UserError("a stage takes either epochs or steps: give one of the two")
        if (epochs or steps or 0) < 1:
            raise UserError("a stage takes at least one epoch or step")
        self.optimizer = optimizer
        self.epochs = epochs
        self.steps = steps
        self.schedule = schedule or Constant()

    def length(self, steps_per_epoch: int) -> int:
        """Its length in optimizer steps."""
        return self.steps if self.steps is not None else (self.epochs or 0) * steps_per_epoch

    def make_optimizer(self, groups: list[dict[str, Any]]) -> Optimizer:
        """The optimizer of these groups; each group's own rate is remembered for the schedule.

        Raises:
            UserError: if the optimizer refuses its arguments.
        """
        try:
            optimizer = self.optimizer(groups)
        except (TypeError, ValueError) as error:
            raise UserError(f"the stage's optimizer refuses its arguments: {error}") from None
        for group in optimizer.param_groups:
            group["own_lr"] = float(group["lr"])
        return optimizer

    def set_rates(self, optimizer: Optimizer, step: int, steps_per_epoch: int) -> float:
        """Sets every group's rate for a step of the stage, and returns the first group's."""
        epochs = self.length(steps_per_epoch) / steps_per_epoch
        multiplier = self.schedule(step / steps_per_epoch, epochs)
        for group in optimizer.param_groups:
            group["lr"] = group["own_lr"] * multiplier
        return float(optimizer.param_groups[0]["lr"])


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
