"""How fast it goes: a bar on a terminal, plain lines elsewhere, and one warning where loading is what is waited for."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

WAIT_LIMIT = 1 / 3
WAIT_STEPS = 20


class Progress:
    """Measures steps and shows them.

    Args:
        total: optimizer steps of the run.
        done: steps done before a resume.
        show: whether this process shows anything.
        every: seconds between plain lines where there is no terminal.
    """

    def __init__(self, total: int, done: int, show: bool = True, every: float = 30.0) -> None:
        self.total = total
        self.first = done
        self.show = show
        self.every = every
        self.started = time.perf_counter()
        self.last = self.started
        self.waited = 0.0
        self.clips = 0
        self.warned = False
        self.said = self.started
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        if self.show and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
            from rich.progress import Progress as Bar

            columns = (TextColumn("training"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
            self._bar = Bar(*columns, console=Console(stderr=True))
            self._bar.start()
            self._task = self._bar.add_task("", total=self.total, completed=self.first)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def step(self, done: int, clips: int, waited: float, loss: float) -> dict[str, float]:
        """Takes note of one step.

        Args:
            done: steps of the run that are done now.
            clips: clips of this step, over all ranks.
            waited: seconds of it spent waiting for data.
            loss: to show.

        Returns:
            The numbers that depend on the machine.
        """
        now = time.perf_counter()
        seconds, self.last = now - self.last, now
        self.waited += waited
        self.clips += clips
        elapsed = now - self.started
        numbers = {
            "seconds": round(seconds, 4),
            "clips_per_second": round(self.clips / elapsed, 2),
            "wait_share": round(self.waited / elapsed, 4),
            "eta_seconds": round(elapsed / (done - self.first) * (self.total - done), 1),
        }
        self._display(done, loss, numbers, now)
        return numbers

    def waiting_warning(self, done: int, workers: int) -> str | None:
        """One line, once, where more than a third of the time goes into waiting for data."""
        elapsed = time.perf_counter() - self.started
        if self.warned or done - self.first < WAIT_STEPS or self.waited / elapsed <= WAIT_LIMIT:
            return None
        self.warned = True
        return (
            f"{self.waited / elapsed:.0%} of the time is spent waiting for data: pass more --workers (now {workers}), "
            "a smaller --canvas, or re-encode the videos with short groups of pictures"
        )

    def _display(self, done: int, loss: float, numbers: Mapping[str, float], now: float) -> None:
        if not self.show:
            return
        minutes, seconds = divmod(int(numbers["eta_seconds"]), 60)
        text = (
            f"loss {loss:.3f}  {numbers['clips_per_second']:.0f} clips/s  "
            f"waiting {numbers['wait_share']:.0%}  {minutes}:{seconds:02d} left"
        )
        if self._bar is not None:
            self._bar.update(self._task, completed=done, description=text)
        elif now - self.said >= self.every or done == self.total:
            self.said = now
            print(f"step {done}/{self.total}  {text}", file=sys.stderr, flush=True)
