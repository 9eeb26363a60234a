"""Finds the same footage in several videos: praxino duplicates vectors/ --out pairs.html"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from praxino.cli.line.arguments import help_of, required, take_apart
from praxino.printable import counted, printable

if TYPE_CHECKING:
    from praxino.search.index import Index
    from praxino.search.pairs import Duplicates

USAGE = """praxino duplicates INDEX [--out pairs.html] [--catalog NAME --catalog.root DIR]

INDEX is a folder that 'praxino embed [RUN] --videos DIR --out INDEX/' has made. Printed are pairs of its videos that
show the same footage: encoded anew, scaled, cropped a little, mirrored, or cut out of a longer file. Two lines for
each pair: its number, the share of the shorter video's frames that agree, the bits (of 63) in which these differ on
average, whether one is mirrored, and each video with the seconds that agree. --out writes a page with frames of both.
--catalog NAME, such as UCF101, says which videos are for training and which for testing: pairs between the two come
first. --threads N: of the CPU, by itself as many as it has cores."""
POSITIONAL = ("INDEX",)
NOT_TYPED = ("index", "progress")
NAMED = 20  # of the videos that are gone


def run(argv: Sequence[str]) -> None:
    """Parses, calls, prints."""
    words = take_apart(argv, POSITIONAL)
    from praxino.cli.line.configured import configured, own_classes_importable
    from praxino.cli.line.help import print_class_help, print_help
    from praxino.cli.line.terminal import progress_shown
    from praxino.cli.line.threads import use_threads
    from praxino.configuration.complete import instantiate
    from praxino.search.duplicates import find_duplicates
    from praxino.search.index import open_index
    from praxino.search.page import refuse_out

    if help_of(words.options):
        own_classes_importable()
        print_class_help(find_duplicates, words.options)
        return
    if "help" in words.flags:
        print_help(USAGE, find_duplicates, without=NOT_TYPED)
        return
    place, options = required(words, POSITIONAL)[0], words.options
    use_threads(options.pop("threads", None))
    out = options.pop("out", None)
    if out is not None:
        refuse_out(out, "pairs")
    arguments = instantiate(find_duplicates, configured(find_duplicates, options, without=NOT_TYPED))
    index = open_index(place)
    with progress_shown(find_duplicates, "comparing videos") as shown:
        found = find_duplicates(index, **arguments, **shown)
    # The page first: who reads the first lines only, as `| head` does, ends the command with them.
    page = None if out is None else _write(index, found, out, arguments["root"])
    _print(found, arguments["catalog"] is not None)
    if page is not None:
        print(printable(page))


def _write(index: Index, found: Duplicates, out: str, root: str | None) -> Path:
    from praxino.bars import bar_shown
    from praxino.search.pairs_page import write_pairs

    with bar_shown("reading frames") as progress:
        return write_pairs(index, found, out, root, progress)


def _print(found: Duplicates, listed: bool) -> None:
    print(f"{counted(found.compared, 'candidate')} compared", file=sys.stderr)
    if listed:
        print(f"between training and test: {counted(found.crossing, 'pair')}")
    if not found:
        print("no pairs")
    else:
        print(f"pair  share  bits  mirrored       from         to  {'list   ' if listed else ''}video")
    for number, pair in enumerate(found, 1):
        for one in (pair.one, pair.other):
            part = f"{one.part or '-':<7}" if listed else ""
            print(
                printable(
                    f"{number:4d}  {pair.share:5.2f} {pair.distance:5.1f}  {'yes' if pair.mirrored else 'no':>8} "
                    f"{one.start:10.2f} {one.end:10.2f}  {part}{one.video}"
                )
            )
    if found.gone:
        more = f" and {len(found.gone) - NAMED} others" if len(found.gone) > NAMED else ""
        print(printable(f"gone: {counted(len(found.gone), 'video')}: {', '.join(found.gone[:NAMED])}{more}"))
    for id, reason in found.left_out:
        print(printable(f"left out: {id}: {reason}"))
