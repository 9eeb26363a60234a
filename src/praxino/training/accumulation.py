"""How many batches make one optimizer step: a number of them, or the rule that CoCon's code has come to have."""

from __future__ import annotations

from typing import Literal, NamedTuple

from praxino.errors import UserError, check_numbers

Accumulate = int | Literal["cocon"]
INTERVAL = 4  # of CoCon's rule


class Share(NamedTuple):
    """What belongs to one optimizer step.

    Attributes:
        batches: whose gradients it holds.
        unstepped: batches after it, at the epoch's end, that are looked at and of which no step comes.
    """

    batches: int
    unstepped: int


class Accumulation:
    """The optimizer steps of an epoch.

    Args:
        rule: so many batches a step, whose gradients are averaged; or "cocon": its code means to step every fourth
            batch, and steps at all but every fourth. The gradient of batches 0, 4, 8, ... is added to the next one's;
            nothing is divided, and what the epoch's last batch leaves is dropped.
        batches: of an epoch; a multiple of a number.
        interval: of "cocon".

    Raises:
        UserError: if the rule is neither, or an epoch would have no step.
    """

    def __init__(self, rule: Accumulate, batches: int, interval: int = INTERVAL) -> None:
        check_accumulate(rule)
        self.rule = rule
        self.batches = batches
        self.interval = interval
        if not self.steps:
            raise UserError(f"--accumulate {rule}: an epoch of {batches} batches would have no optimizer step")

    @property
    def steps(self) -> int:
        """Optimizer steps of an epoch."""
        if isinstance(self.rule, int):
            return self.batches // self.rule
        return self.batches - -(-self.batches // self.interval)

    @property
    def divisor(self) -> int:
        """By what the loss of each batch is divided."""
        return self.rule if isinstance(self.rule, int) else 1

    def at(self, batch: int) -> Share:
        """The step whose first batch is this one."""
        if isinstance(self.rule, int):
            return Share(self.rule, 0)
        batches = 1 if batch % self.interval else 2
        after = batch + batches
        return Share(batches, int(after == self.batches - 1 and after % self.interval == 0))


def check_accumulate(rule: Accumulate) -> None:
    """Refuses what is no rule.

    Raises:
        UserError: unless it is a number above 0, or "cocon".
    """
    if isinstance(rule, str):
        if rule != "cocon":
            raise UserError(f"--accumulate {rule}: it is a number of batches, or 'cocon'")
    else:
        check_numbers(accumulate=rule)


def most_batches(rule: Accumulate) -> int:
    """How many batches a step holds at most."""
    return rule if isinstance(rule, int) else 2
