"""Lists the recipes that come with praxino"""

from __future__ import annotations

from collections.abc import Sequence

from praxino.cli.configuration import recipe_files
from praxino.cli.words import refuse_options, take_apart

USAGE = """usage: praxino recipes

Lists the names that `praxino pretrain` takes; `praxino pretrain NAME --print_config` shows all of one."""


def run(argv: Sequence[str]) -> None:
    """Parses, calls, prints."""
    words = take_apart(argv, ())
    refuse_options(words)
    if "help" in words.flags:
        print(USAGE)
        return
    files = recipe_files()
    column = max(map(len, files)) + 2
    for name, path in files.items():
        first = path.read_text(encoding="utf-8").partition("\n")[0]
        print(f"{name:<{column}}{first.removeprefix('#').strip()}")
