"""Learning-rate schedules: multipliers of each parameter group's own rate, as functions of the absolute position."""

from __future__ import annotations

import bisect
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from praxino.errors import UserError, check_arguments


class Schedule:
    """A multiplier of each group's own learning rate. A new one overrides `__call__`.

    Being a function of the absolute position, it needs nothing to resume; what does depend on the past (a plateau's
    counter) is kept in `state_dict`.
    """

    def __call__(self, epoch: float, epochs: float) -> float:
        """The multiplier.

        Args:
            epoch: position in the stage, in epochs: epoch + step / steps, from 0.
            epochs: the stage's length in epochs.
        """
        raise NotImplementedError

    def observe(self, metrics: Mapping[str, float]) -> None:
        """At an epoch's end, with its numbers ("train/total", "validation/total", ...)."""

    def finished(self) -> bool:
        """True ends the stage early."""
        return False

    def state_dict(self) -> dict[str, Any]:
        """What depends on the past."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores what `state_dict` gave."""


class Constant(Schedule):
    """The rate as it is."""

    def __call__(self, epoch: float, epochs: float) -> float:
        return 1.0


class Cosine(Schedule):
    """Half a cosine from 1 to `final`, after a linear warm-up.

    Args:
        warmup: length of the warm-up in epochs; the first step has a multiplier above 0.
        final: multiplier at the end, 0 to 1.
        per: "step" moves at each step, "epoch" at each epoch's start (as MoCo and CycleContrast do).

    Raises:
        UserError: if a number is out of range, or `per` is neither.
    """

    def __init__(self, warmup: float = 0.0, final: float = 0.0, per: str = "step") -> None:
        if per not in ("step", "epoch"):
            raise UserError(f"Cosine: per is 'step' or 'epoch', not {per!r}")
        check_arguments(self, 0, warmup=warmup)
        check_arguments(self, 0, 1, final=final)
        self.warmup = warmup
        self.final = final
        self.per = per

    def __call__(self, epoch: float, epochs: float) -> float:
        at = float(math.floor(epoch)) if self.per == "epoch" else epoch
        if at < self.warmup:
            first = 1.0 if self.per == "epoch" else 1e-3  # of an epoch that all of it has one multiplier of
            return (at + first) / (self.warmup + first)
        share = min(1.0, (at - self.warmup) / max(epochs - self.warmup, 1e-12))
        return self.final + (1 - self.final) * 0.5 * (1 + math.cos(math.pi * share))


class Exponential(Schedule):
    """The same factor each epoch: final ** (epoch / epochs). The tracker of CycleContrast goes from 1e-3 towards 1e-5.

    Args:
        final: multiplier at the end, above 0; the last epoch begins one factor before it.
        per: "step" moves at each step, "epoch" at each epoch's start (as that tracker's does).
    """

    def __init__(self, final: float = 0.01, per: Literal["step", "epoch"] = "step") -> None:
        if not 0 < final < math.inf:
            raise UserError(f"Exponential: final is above 0, and finite, not {final}")
        if per not in ("step", "epoch"):
            raise UserError(f"Exponential: per is 'step' or 'epoch', not {per!r}")
        self.final = final
        self.per = per

    def __call__(self, epoch: float, epochs: float) -> float:
        return self.final ** ((math.floor(epoch) if self.per == "epoch" else epoch) / epochs)


class Step(Schedule):
    """Multiplied by `factor` at each milestone.

    Args:
        milestones: epochs, counted from 0, at whose start the rate changes. (IIC steps at the END of its epochs
            45, 90, 125 and 160, counted from 1: these same numbers.)
        factor: of each change.
    """

    def __init__(self, milestones: Sequence[int], factor: float = 0.1) -> None:
        check_arguments(self, 0, factor=factor)
        self.milestones = list(milestones)
        self.factor = factor

    def __call__(self, epoch: float, epochs: float) -> float:
        return self.factor ** bisect.bisect_right(sorted(self.milestones), epoch)


class Plateau(Schedule):
    """Multiplied by `factor` when a metric has not improved for more than `patience` epochs.

    The rule of `torch.optim.lr_scheduler.ReduceLROnPlateau` with a relative threshold and no cooldown.

    Args:
        metric: the name of the epoch's number to watch; smaller is better.
        factor: of each reduction.
        patience: epochs without improvement that are let pass.
        threshold: an improvement is below best * (1 - threshold).
        minimum: smallest multiplier.

    Raises:
        UserError: if a number is out of range.
    """

    def __init__(
        self,
        metric: str = "validation/total",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        minimum: float = 0.0,
    ) -> None:
        check_arguments(self, 0, 1, factor=factor, threshold=threshold, minimum=minimum)
        check_arguments(self, 0, patience=patience)
        self.metric = metric
        self.factor = factor
        self.patience = patience
        self.threshold = threshold
        self.minimum = minimum
        self._best = math.inf
        self._waited = 0
        self._multiplier = 1.0

    def __call__(self, epoch: float, epochs: float) -> float:
        return self._multiplier

    def observe(self, metrics: Mapping[str, float]) -> None:
        value = _watched(self, self.metric, metrics)
        if value < self._best * (1 - self.threshold):
            self._best = value
            self._waited = 0
        else:
            self._waited += 1
        if self._waited > self.patience:
            self._multiplier = max(self._multiplier * self.factor, self.minimum)
            self._waited = 0

    def state_dict(self) -> dict[str, Any]:
        return {"best": self._best, "waited": self._waited, "multiplier": self._multiplier}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._best, self._waited, self._multiplier = state["best"], state["waited"], state["multiplier"]


class CountedPlateau(Schedule):
    """Multiplied by `factor` when a metric was above its best in `patience` epochs since the last reduction.

    The rule of TCLR's programs. Its pretraining watches the training loss after a table of five warm-up epochs; its
    linear evaluation never forgets a bad epoch (`reset=False`) and ends once the rate has become too small. Other than
    with `Plateau` an epoch that is just as good as the best counts neither way, and the reduction comes with the
    `patience`-th bad epoch and not after it.

    Args:
        metric: the name of the epoch's number to watch; smaller is better.
        factor: of each reduction.
        patience: bad epochs that make a reduction. They are counted during the warm-up as well.
        warmup: multipliers of the first epochs, one each.
        reset: a new best sets the count of bad epochs back to 0. TCLR's linear evaluation: false.
        finish_below: ends the stage after one epoch with a multiplier below this; 0: never.

    Raises:
        UserError: if a number is out of range, or the warm-up is longer than the patience allows.
    """

    def __init__(
        self,
        metric: str = "train/total",
        factor: float = 0.1,
        patience: int = 9,
        warmup: Sequence[float] = (),
        reset: bool = True,
        finish_below: float = 0.0,
    ) -> None:
        check_arguments(self, 0, 1, factor=factor)
        check_arguments(self, 1, patience=patience)
        if patience < len(warmup) - 1:
            raise UserError(
                f"patience {patience}: {len(warmup)} epochs of warm-up may count past it, after which the rate would "
                f"never fall: pass at least {len(warmup) - 1}"
            )
        self.metric = metric
        self.factor = factor
        self.patience = patience
        self.warmup = list(warmup)
        self.reset = reset
        self.finish_below = finish_below
        self._best = math.inf
        self._bad = 0
        self._reductions = 0
        self._epochs = 0
        self._finished = False

    def __call__(self, epoch: float, epochs: float) -> float:
        at = math.floor(epoch)
        return self.warmup[at] if at < len(self.warmup) else self.factor**self._reductions

    def observe(self, metrics: Mapping[str, float]) -> None:
        value = _watched(self, self.metric, metrics)
        self._finished = self(self._epochs, self._epochs) < self.finish_below
        if value > self._best:
            self._bad += 1
        elif value < self._best:
            self._best = value
            self._bad = 0 if self.reset else self._bad
        self._epochs += 1
        if self._epochs >= len(self.warmup) and self._bad == self.patience:
            self._reductions += 1
            self._bad = 0

    def finished(self) -> bool:
        return self._finished

    def state_dict(self) -> dict[str, Any]:
        return {
            "best": self._best, "bad": self._bad, "reductions": self._reductions, "epochs": self._epochs,
            "finished": self._finished,
        }  # fmt: skip

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._best, self._bad, self._reductions = state["best"], state["bad"], state["reductions"]
        self._epochs, self._finished = state["epochs"], state["finished"]


def _watched(schedule: Schedule, metric: str, metrics: Mapping[str, float]) -> float:
    if metric not in metrics:
        given = ", ".join(sorted(name for name in metrics if "/" in name))
        raise UserError(f"{type(schedule).__name__} watches '{metric}', and an epoch gives {given}: pass its metric")
    return metrics[metric]
