"""What is shown while a command works."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def bar_shown(title: str) -> Iterator[Callable[[int, int], None] | None]:
    """A bar on a terminal, fed by (done, total); None elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def progress_shown(function: Callable[..., Any], title: str) -> Iterator[dict[str, Any]]:
    """A bar for a function that takes `progress`.

    Yields:
        The argument to call the function with.
    """
    if "progress" not in inspect.signature(function).parameters:
        yield {}
        return
    with bar_shown(title) as progress:
        yield {"progress": progress}
