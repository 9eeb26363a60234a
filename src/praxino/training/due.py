"""When a checkpoint is due."""

from __future__ import annotations

import time

from praxino import ranks

STEPS = 200  # where neither steps nor minutes are given


class Due:
    """Every so many steps, or when so many minutes have passed since the last checkpoint, whatever comes first.

    Args:
        steps: a checkpoint every so many steps; None: 200, or none where `minutes` is given.
        minutes: a checkpoint so many minutes after the last one, at the next step; None: the clock is not looked at.
    """

    def __init__(self, steps: int | None, minutes: float | None) -> None:
        self.steps = STEPS if steps is None and minutes is None else steps
        self.minutes = minutes
        self.saved()

    def saved(self) -> None:
        """A checkpoint is written now."""
        self._since = time.monotonic()

    def at(self, step: int) -> bool:
        """Whether one is due after so many steps; the same on all ranks, whose clocks differ."""
        if self.steps is not None and step % self.steps == 0:
            return True
        if self.minutes is None:
            return False
        return bool(ranks.broadcast_object(time.monotonic() - self._since >= self.minutes * 60))
