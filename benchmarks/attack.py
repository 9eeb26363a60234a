"""Attacks praxino with damaged videos, odd files, crafted checkpoints and encoders, and counts what becomes of them.

python benchmarks/attack.py [--seed 0] [--mutations 2200] [--share 1] [--part videos files checkpoints]

Each input is made and judged in a process that is given up where one takes too long. The columns:

- clean: the right frames, however they are asked for; of a run the weights, of an encoder the vectors that it would
  have had.
- damaged: the same of a damaged file; of a run that goes on from the checkpoint before.
- unreadable: refused, with a reason of one line.
- as told: a checkpoint with a right checksum, or a description, that says other things, and is taken at its word.
- no checksum: weights of an encoder without a checksum that are other ones, which nothing tells.
- skipped: cannot be made here.
- exceptions, hangs, other pixels (or weights): there must be none; else they are listed, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import os
import sys
import tempfile
import traceback
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

sys.path.extend(str(Path(__file__).resolve().parents[1] / folder) for folder in ("tests", "tests/streams"))

import mutated

import attack_inputs
from attack_files import damaged_copy, embedded, odd_file

COLUMNS = ("clean", "damaged", "unreadable", "as told", "no checksum", "skipped", "exceptions", "hangs", "other pixels")
WRONG = COLUMNS[-3:]
PARTS = ("videos", "files", "checkpoints")
SECONDS = 120
Judged = tuple[str, Any]  # a column, and what there is to be said of it


def judged(work: Callable[[Any], Judged], item: Any) -> Judged:
    """What becomes of an item, whatever it raises."""
    try:
        return work(item)
    except NotImplementedError as error:
        return "skipped", str(error)
    except AssertionError:
        return "other pixels", traceback.format_exc()
    except BaseException:
        return "exceptions", traceback.format_exc()


def served(work: Callable[[Any], Judged], items: Sequence[Any], answers: Any) -> None:
    """What a process does: judges the items one by one, and sends what it finds."""
    warnings.simplefilter("ignore")
    for item in items:
        answers.send(judged(work, item))


def in_time(work: Callable[[Any], Judged], items: Iterable[Any], seconds: float = SECONDS) -> Iterator[Judged]:
    """Judges items in a process of its own. Where one takes too long or kills it, another one goes on with the next.

    Args:
        work: judges an item; can be sent to another process.
        items: likewise.
        seconds: the longest time for one of them.
    """
    context = multiprocessing.get_context("spawn")
    left = deque(items)
    while left:
        here, there = context.Pipe(duplex=False)
        process = context.Process(target=served, args=(work, list(left), there), daemon=True)
        process.start()
        there.close()
        answers = True
        while left and answers:
            try:
                answers = here.poll(seconds)
                found = here.recv() if answers else ("hangs", f"after {seconds} s")
            except EOFError:
                answers = False
                process.join()
                found = ("exceptions", f"its process has ended with {process.exitcode}")
            left.popleft()
            yield found
        process.kill()
        process.join()
        here.close()


def crafted(item: tuple[str, str, int], seed: int, folder: Path) -> Judged:
    """One crafted checkpoint or encoder; `item` is which, its kind, its number."""
    import attack_checkpoints

    which, kind, number = item
    run = Path(tempfile.mkdtemp(dir=folder)) / "run"
    return getattr(attack_checkpoints, which)(kind, number, seed, folder, run)


def prepared(folder: Path) -> Judged:
    """The runs that are spoilt later."""
    from attack_checkpoints import prepare

    prepare(folder)
    return "clean", ""


class Table:
    """Prints a line for each kind, and remembers what is wrong."""

    def __init__(self, verbose: bool) -> None:
        self.verbose, self.all, self.wrong = verbose, Counter[str](), list[str]()
        print("| what | inputs |", " | ".join(COLUMNS), "|\n|---|" + "---|" * (len(COLUMNS) + 1))

    def add(self, what: str, names: Sequence[object], found: Iterable[Judged]) -> list[Judged]:
        """Counts what is found of things of one kind."""
        kept = []
        for name, (column, said) in zip(names, found, strict=True):
            kept.append((column, said))
            if column in WRONG:
                self.wrong.append(f"{what}, {name}: {column}\n{said}")
            if self.verbose:
                print(what, name, column, said, sep=" | ", file=sys.stderr)
        counts = Counter(column for column, _ in kept)
        self.all += counts
        self.line(what, counts)
        return kept

    def line(self, what: str, counts: Counter[str]) -> None:
        """One line of the table."""
        print(f"| {what} | {counts.total()} |", " | ".join(str(counts[name]) for name in COLUMNS), "|", flush=True)


def attack(given: argparse.Namespace, folder: Path) -> Table:
    """All parts that are asked for."""
    table = Table(given.verbose)

    def some(items: Iterable[Any]) -> list[Any]:
        every = list(items)
        return [every[k] for k in np.linspace(0, len(every) - 1, max(1, round(given.share * len(every)))).astype(int)]

    if "videos" in given.part:
        for row, kind in enumerate(mutated.KINDS):
            numbers = range(row, given.mutations, len(mutated.KINDS))
            data = mutated.made(kind, folder).read_bytes()
            work = partial(damaged_copy, kind=kind, data=data, folder=folder, seed=given.seed)
            table.add(f"damaged {kind}", numbers, in_time(work, numbers))
    if "files" in given.part:
        below = folder / "odd"
        below.mkdir()
        files, refused = {}, set()
        for group, kinds in attack_inputs.KINDS.items():
            names = some(kinds)
            work = partial(odd_file, group=group, folder=below)
            for kind, (column, said) in zip(names, table.add(group, names, in_time(work, names)), strict=True):
                if column not in (*WRONG, "skipped"):
                    files[kind] = said
                    refused |= {kind} if column == "unreadable" else set()
        work = partial(embedded, files=files, refused=refused, folder=below)
        for way in ("embed_videos", "praxino embed"):
            table.add(f"all of them, {way}", [way], in_time(work, [way], 5 * SECONDS))
    if "checkpoints" in given.part:
        import attack_checkpoints

        table.add("runs and an encoder to be spoilt", ["runs"], in_time(prepared, [folder]))

        counts = {"checkpoint": attack_checkpoints.CHECKPOINTS, "encoder": attack_checkpoints.ENCODERS}
        kinds = [(which, kind, some(range(count))) for which in counts for kind, count in counts[which].items()]
        items = [(which, kind, number) for which, kind, numbers in kinds for number in numbers]
        found = in_time(partial(crafted, seed=given.seed, folder=folder), items)
        for which, kind, numbers in kinds:
            table.add(f"{which}: {kind}", numbers, itertools.islice(found, len(numbers)))
    table.line("all", table.all)
    return table


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mutations", type=int, default=2200, help="damaged copies of videos, of all kinds together")
    parser.add_argument("--share", type=float, default=1, help="of the other inputs, one a kind at least")
    parser.add_argument("--part", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--verbose", action="store_true", help="what becomes of each input, on stderr")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PRAXINO_CACHE"] = str(Path(folder) / "cache")
        table = attack(given, Path(folder))
    for wrong in table.wrong:
        print(f"\n{wrong}")
    return 1 if table.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
