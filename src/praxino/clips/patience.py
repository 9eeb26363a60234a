"""Whether loading processes hang: not by the time that a batch takes, but by what they compute."""

from __future__ import annotations

import os
from collections.abc import Sequence
from multiprocessing.process import BaseProcess

from praxino.errors import UserError

LOOK_SECONDS = 1.0
PATIENCE_SECONDS = 40.0  # and the exit comes within a minute
SIGN_SECONDS = 0.05  # a process that only asks for work takes a tenth of it within the patience
UNMEASURED = 10  # times the patience, where the system does not say how much a process computes


class Patience:
    """How long loading processes have not computed anything to speak of.

    Args:
        seconds: after which they are taken to hang.
        workers: the processes.
    """

    def __init__(self, seconds: float, workers: Sequence[BaseProcess]) -> None:
        self.seconds = seconds
        self.workers = workers
        self.begin()

    def begin(self) -> None:
        self.quiet = 0.0
        self.before: list[float | None] = []

    def look(self) -> None:
        """Called after each `LOOK_SECONDS` of waiting: looks count, not the clock, which runs on in a halted machine.

        Raises:
            UserError: if it is at its end.
        """
        self.quiet += LOOK_SECONDS
        now = [_computed(worker) for worker in self.workers]
        self.before = self.before or now
        pairs = [(a, b) for a, b in zip(self.before, now, strict=True) if a is not None and b is not None]
        if any(b - a >= SIGN_SECONDS for a, b in pairs):
            self.quiet, self.before = 0.0, now
        limit = self.seconds if len(pairs) == len(now) else self.seconds * UNMEASURED
        if self.quiet >= limit:
            raise UserError(
                f"no loading process has done anything for {self.quiet:.0f} seconds, and one is waited for: a video "
                "cannot be read to its end, as where a network's disk does not answer. See that all can be read; "
                "--workers 0 waits for as long as it takes"
            )


def _computed(worker: BaseProcess) -> float | None:
    """Seconds of computing of a process with all its threads; None where the system does not say."""
    try:
        with open(f"/proc/{worker.pid}/stat", "rb") as file:
            words = file.read().rpartition(b")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return None
