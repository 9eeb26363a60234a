"""Whether other work takes the machine's cores."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

STAT = Path("/proc/stat")
LEAST_SECONDS = 0.5  # that are looked at
LOADED = 0.5  # of the cores, in the mean of the last minute: a short burst of others is no news
ENOUGH = 0.75  # of a core for each thread is near enough to one


class Spent(NamedTuple):
    """Seconds of the clock, of all processors that were busy, and of this process and its ended children."""

    clock: float
    busy: float
    own: float


class Load:
    """Looks at what the cores do between its making and a question.

    What yields to others (a nice level above 0) does not count, unless this process yields as well. Where the system
    does not tell, nothing is said.
    """

    def __init__(self) -> None:
        self.begun = spent()

    def line(self, threads: int) -> str | None:
        """One line where others leave less than the threads of this process want; else None.

        Args:
            threads: of the CPU, that this process wants to use.
        """
        now = spent()
        cores = os.cpu_count() or 1
        if now is None or self.begun is None or minute() < LOADED * cores:
            return None
        clock, busy, own = (one - other for one, other in zip(now, self.begun, strict=True))
        if clock < LEAST_SECONDS:
            return None
        return told(max(0.0, busy - own) / clock, cores, threads)


def told(taken: float, cores: int, threads: int) -> str | None:
    """The line, if there is one to say.

    Args:
        taken: cores that others keep busy.
        cores: of the machine.
        threads: that are wanted.
    """
    left = max(0.0, cores - taken)
    if left >= ENOUGH * threads:
        return None
    fewer = max(1, round(left))
    mend = f"; fewer threads may be quicker: --threads {fewer}" if fewer < threads else ""
    return (
        f"other work takes about {min(taken, cores):.1f} of the {cores} cores, so this takes longer than it might{mend}"
    )


def spent() -> Spent | None:
    """What has been spent so far; None where the system does not tell."""
    with suppress(OSError, ValueError, IndexError, AttributeError):
        line = STAT.read_text(encoding="ascii").splitlines()[0]
        user, nice, system, _, _, *interrupts = (int(word) for word in line.split()[1:9])
        yielding = nice if os.nice(0) > 0 else 0
        busy = (user + yielding + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")
        times = os.times()
        own = times.user + times.system + times.children_user + times.children_system
        return Spent(time.monotonic(), busy, own)
    return None


def minute() -> float:
    """How many processes wanted to run, on average over the last minute; 0 where the system does not tell."""
    with suppress(OSError, AttributeError):
        return os.getloadavg()[0]
    return 0.0
