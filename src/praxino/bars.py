"""How far something is: a bar on a terminal, elsewhere a line every half minute."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SECONDS_BETWEEN_LINES = 30.0


@contextmanager
def bar_shown(title: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal, fed by (done, total); elsewhere a line now and then."""
    if not sys.stderr.isatty():
        yield _Lines(title)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


class _Lines:
    """A line every half minute: a log, or a person who looks into it, wants to know that it goes on."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.said = time.monotonic()
        self.first: tuple[float, int] | None = None

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        since, from_there = self.first = self.first or (now, done)
        if done and now - self.said >= SECONDS_BETWEEN_LINES:
            self.said = now
            left = ""
            # Of the first there is no telling: before it come the start of loading processes and what is asked once.
            if done > from_there:
                minutes, seconds = divmod(round((now - since) / (done - from_there) * (total - done)), 60)
                left = f", {minutes}:{seconds:02d} left"
            print(f"{self.title}: {done} of {total}{left}", file=sys.stderr, flush=True)
