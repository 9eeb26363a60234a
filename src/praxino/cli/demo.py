"""Shows the whole way in minutes, with nothing else at hand: praxino demo [--videos DIR]"""

from __future__ import annotations

from collections.abc import Sequence

from praxino.cli.line.arguments import take_apart
from praxino.cli.line.configured import configured

USAGE = """praxino demo [--videos DIR] [--out DIR] [--seed N] [--steps N]

Renders a small labelled set of videos (or takes your own), pretrains without labels, measures, and
writes report.html."""
NOT_TYPED = ("bars", "say")


def run(argv: Sequence[str]) -> None:
    """Parses, calls, prints."""
    words = take_apart(argv, ())
    from praxino.bars import bar_shown
    from praxino.cli.line.help import print_help
    from praxino.configuration.complete import instantiate
    from praxino.demo.run import demo

    if "help" in words.flags:
        print_help(USAGE, demo, without=NOT_TYPED)
        return
    config = configured(demo, words.options, without=NOT_TYPED)
    demo(**instantiate(demo, config), bars=bar_shown)
