"""How a command ends: users' mistakes in one line, everything else as it is."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from praxino.errors import UnreadableVideo, UserError

if TYPE_CHECKING:
    from praxino.training.run import Run

INTERRUPTED = 130
USERS_MISTAKE = 2
BROKEN_PIPE = 1


def exit_code_of(command: Callable[[], int | None]) -> int:
    """Runs a command and gives its exit code; a user's mistake is one line on stderr."""
    try:
        code = command() or 0
        sys.stdout.flush()
        return code
    except (UserError, UnreadableVideo) as error:
        print("praxino:", " ".join(str(error).split()), file=sys.stderr)
        return USERS_MISTAKE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # What is still in the buffer would raise once more when Python closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE


def ended(run: Run) -> int:
    """The exit code of a training run: a signal that stopped it, after it has saved, is told from its end."""
    return 0 if run.finished else INTERRUPTED
