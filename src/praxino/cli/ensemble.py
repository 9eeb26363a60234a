"""Joins fine-tuned classifiers: praxino evaluate ensemble FINETUNED FINETUNED [...] --weights 2,2"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

from praxino.cli.line.arguments import refuse_options, take_apart
from praxino.errors import UserError
from praxino.printable import counted, printable

USAGE = """praxino evaluate ensemble FINETUNED FINETUNED [...] [--weights 2,2] [--out FOLDER]

FINETUNED is the folder of a fine-tuning with its test, as `praxino evaluate finetune` leaves it: one of each view, or
of several runs. A video's probabilities are the weighted mean of theirs; videos are joined by their ids, and those that
not all have tested are listed as left out. Without --weights all weigh the same; CoCon weighs RGB and flow by 2, heat
maps and masks by 1. The result goes into the first folder, or into --out, a run's folder."""
MOST = 64  # words: more folders than anybody joins
HASH_BYTES = 4


def run(argv: Sequence[str]) -> None:
    """Parses, calls, prints. `argv` begins with the word ensemble."""
    words = take_apart(argv, ["FINETUNED"] * MOST)
    if "help" in words.flags:
        print(f"usage: {USAGE}")
        return
    refuse_options(words, ("weights", "out"))
    places = words.positional[1:]
    for place in places:
        if not os.path.exists(place):
            raise UserError(f"there is no folder {place}")
        if not os.access(place, os.R_OK | os.X_OK):
            raise UserError(f"{place} cannot be read: Permission denied")
        if not os.path.isfile(os.path.join(place, "recipe.yaml")):
            raise UserError(f"{place} is no folder of a fine-tuning (it holds no recipe.yaml)")
    weights = _numbers(words.options["weights"]) if "weights" in words.options else None
    from praxino.evaluations.classifying.ensemble import ensemble
    from praxino.evaluations.result import table_lines, write_result

    result = ensemble(places, weights)
    print(printable(result.title), *map(printable, table_lines(result)), sep="\n")
    if result.left_out:
        print(f"left out: {counted(len(result.left_out), 'video')} that not all have tested")
    folder = Path(words.options.get("out", places[0]))
    asked = json.dumps([result.settings["fine-tunings"], result.settings["weights"]])
    name = f"ensemble-{hashlib.blake2b(asked.encode(errors='surrogateescape'), digest_size=HASH_BYTES).hexdigest()}"
    print("written:", printable(write_result(folder, name, result, ())))


def _numbers(text: str) -> list[float]:
    try:
        return [float(word) for word in text.strip("[] ").split(",")]
    except ValueError:
        raise UserError(f"--weights {text}: numbers with commas between them, as 2,1") from None
