"""What a terminal gets: a bar, one line for a mistake of the user's, an exit code."""

from __future__ import annotations

import inspect
import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from praxino.bars import bar_shown
from praxino.errors import UnreadableVideo, UserError
from praxino.printable import printable

if TYPE_CHECKING:
    from praxino.training.run import Run

INTERRUPTED = 130
USERS_MISTAKE = 2
BROKEN_PIPE = 1


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
    except OSError as error:
        # A folder that one may not enter, or a name too long, is found out wherever a path is first looked at.
        if error.filename is None:
            raise
        print("praxino:", printable(f"{os.fsdecode(error.filename)}: {error.strerror}"), file=sys.stderr)
        return USERS_MISTAKE


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
