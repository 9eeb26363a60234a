"""The command line. It imports no torch before a command needs it."""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from collections.abc import Sequence

from praxino import __version__
from praxino.cli.line.terminal import exit_code_of
from praxino.errors import UserError, nearest

COMMANDS = (
    "pretrain",
    "resume",
    "evaluate",
    "embed",
    "search",
    "duplicates",
    "browse",
    "track",
    "prepare",
    "convert",
    "report",
    "demo",
    "recipes",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command line and gives its exit code: 0, 2 for a user's mistake, 130 when interrupted."""
    words = list(sys.argv[1:] if argv is None else argv)
    # Before torch is imported. Threads that spin while they wait take the cores from what they wait for, where other
    # processes want them, too: a step of 2.4 s of CPU time then takes up to 29 s. On a quiet machine nothing is lost.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    _libraries_quiet()
    code = exit_code_of(lambda: dispatch(words))
    if "praxino.ranks" in sys.modules:
        sys.modules["praxino.ranks"].leave(code)
    return code


def _libraries_quiet() -> None:
    """No warnings of libraries to whoever cannot mend their cause; what concerns videos we say ourselves."""
    warnings.filterwarnings("ignore", message="This DataLoader will create")
    warnings.filterwarnings("ignore", message=".*pin_memory.*")
    warnings.filterwarnings("ignore", module=r"PIL\.")


def dispatch(words: list[str]) -> int | None:
    """Hands the words to their command.

    Raises:
        UserError: if there is no such command.
    """
    if not words or words[0] in ("-h", "--help", "help"):
        print(overview())
        return None
    command, *rest = words
    if command == "--version":
        print(f"praxino {__version__}")
        return None
    if command not in COMMANDS:
        raise UserError(f"there is no command '{command}'.{nearest(command, COMMANDS)}")
    return importlib.import_module(f"praxino.cli.{command}").run(rest)


def overview() -> str:
    """What `praxino --help` prints: each command with the first line of its file."""
    lines = [f"praxino {__version__}: self-supervised contrastive learning of video representations", ""]
    for command in COMMANDS:
        about = (importlib.import_module(f"praxino.cli.{command}").__doc__ or "").splitlines()[0]
        lines.append(f"  praxino {command:<11}{about}")
    lines += ["", "praxino COMMAND --help says more. praxino demo needs nothing else and takes some minutes."]
    return "\n".join(lines)
