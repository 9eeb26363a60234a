"""Writes a run's report, one self-contained page: praxino report RUN"""

from __future__ import annotations

from collections.abc import Sequence

from praxino.cli.line.arguments import refuse_options, required, take_apart

USAGE = """usage: praxino report RUN

RUN is a run's folder; report.html in it shows the curves, the evaluations with pictures, what was left out, and the
recipe."""
POSITIONAL = ("RUN",)


def run(argv: Sequence[str]) -> None:
    """Parses, calls, prints."""
    words = take_apart(argv, POSITIONAL)
    if "help" in words.flags:
        print(USAGE)
        return
    folder = required(words, POSITIONAL)[0]
    refuse_options(words)
    from praxino.report.page import write_report

    print(write_report(folder))
