"""Writes a run's report, one self-contained page: praxino report RUN; or holds several runs against each other."""

from __future__ import annotations

from collections.abc import Sequence

from praxino.cli.line.arguments import refuse_options, required, take_apart
from praxino.printable import printable

USAGE = """usage: praxino report RUN [RUN ...] [--out FILE.html]

RUN is a run's folder; report.html in it shows the curves, the evaluations with pictures, what was left out, and the
recipe. Several runs stand side by side on one page, comparison.html in the current folder: what each is, their results
in one table, their curves in one chart, and what differs in their recipes. --out writes the page to another file."""
MOST = 32  # runs on a page: more than anybody can tell apart
POSITIONAL = ("RUN",)


def run(argv: Sequence[str]) -> None:
    """Parses, calls, prints."""
    words = take_apart(argv, POSITIONAL * MOST)
    if "help" in words.flags:
        print(USAGE)
        return
    required(words, POSITIONAL)
    refuse_options(words, ("out",))
    folders, out = words.positional, words.options.get("out")
    from praxino.report.page import write_report
    from praxino.report.side_by_side import write_comparison

    written = write_report(folders[0], out) if len(folders) == 1 else write_comparison(folders, out)
    print(printable(str(written)))
