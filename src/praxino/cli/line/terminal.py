"""What a terminal gets: a bar, one line for a mistake of the user's, an exit code."""

from __future__ import annotations

import inspect
import io
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from praxino.errors import UnreadableVideo, UserError
from praxino.printable import printable

if TYPE_CHECKING:
    from praxino.training.run import Run

INTERRUPTED = 130
USERS_MISTAKE = 2
BROKEN_PIPE = 1
SECONDS_BETWEEN_LINES = 30.0


def exit_code_of(command: Callable[[], int | None]) -> int:
    """Runs a command and gives its exit code; a user's mistake is one line on stderr."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names need not be what a terminal can show
    try:
        with _lost_processes_told():
            code = command() or 0
        sys.stdout.flush()
        return code
    except (UserError, UnreadableVideo) as error:
        print("praxino:", printable(" ".join(str(error).split())), file=sys.stderr)
        return USERS_MISTAKE
    except KeyboardInterrupt:
        print("praxino: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # What is still in the buffer would raise once more when Python closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE


@contextmanager
def _lost_processes_told() -> Iterator[None]:
    # PyTorch raises wherever the main process is when a loading process is killed, be it in the middle of a step.
    try:
        yield
    except RuntimeError as error:
        waiting = sys.modules.get("praxino.clips.waiting")
        mistake = waiting.lost_process(error) if waiting else None
        if mistake is None:
            raise
        raise mistake from None


def ended(run: Run) -> int:
    """The exit code of a training run: a signal that stopped it, after it has saved, is told from its end."""
    return 0 if run.finished else INTERRUPTED


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


@contextmanager
def progress_shown(function: Callable[..., Any], title: str) -> Iterator[dict[str, Any]]:
    """A bar, or lines, for a function that takes `progress`.

    Yields:
        The argument to call the function with.
    """
    if "progress" not in inspect.signature(function).parameters:
        yield {}
        return
    with bar_shown(title) as progress:
        yield {"progress": progress}
