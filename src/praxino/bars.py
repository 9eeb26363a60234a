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
        self.begun = self.said = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if done and now - self.said >= SECONDS_BETWEEN_LINES:
            self.said = now
            minutes, seconds = divmod(round((now - self.begun) / done * (total - done)), 60)
            print(f"{self.title}: {done} of {total}, {minutes}:{seconds:02d} left", file=sys.stderr, flush=True)
