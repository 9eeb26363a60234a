"""Lists the recipes that come with praxino"""

from __future__ import annotations

from collections.abc import Sequence

from praxino.cli.line.arguments import refuse_options, take_apart
from praxino.configuration.recipes import recipe_folders

USAGE = """usage: praxino recipes

Lists the names that `praxino pretrain` and `praxino evaluate ... --recipe` take, by system; `praxino pretrain NAME
--print_config` shows all of one."""


def run(argv: Sequence[str]) -> None:
    """Parses, calls, prints."""
    words = take_apart(argv, ())
    refuse_options(words)
    if "help" in words.flags:
        print(USAGE)
        return
    folders = recipe_folders()
    column = max(len(name) for files in folders.values() for name in files) + 2
    for system, files in folders.items():
        print(f"{system}:")
        for name, path in files.items():
            first = path.read_text(encoding="utf-8").partition("\n")[0]
            print(f"  {name:<{column}}{first.removeprefix('#').strip()}")
