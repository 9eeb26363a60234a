"""What is shown while a command works."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def progress_shown(function: Callable[..., Any], title: str) -> Iterator[dict[str, Any]]:
    """A bar on a terminal, fed by the function's `progress(done, total)`; nothing elsewhere.

    Yields:
        The argument to call the function with.
    """
    if "progress" not in inspect.signature(function).parameters or not sys.stderr.isatty():
        yield {}
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield {"progress": lambda done, total: bar.update(task, completed=done, total=total)}
