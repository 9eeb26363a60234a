"""Goes on with a run that was stopped: praxino resume RUN"""

from __future__ import annotations

from collections.abc import Sequence

from praxino.cli import processes
from praxino.cli.configuration import own_classes_importable
from praxino.cli.finetuning import show
from praxino.cli.mistakes import ended
from praxino.cli.words import refuse_options, required, take_apart

USAGE = """usage: praxino resume RUN

RUN is the folder of a pretraining or of a fine-tuning; everything else is in its recipe.yaml. A finished run is left
as it is."""
POSITIONAL = ("RUN",)


def run(argv: Sequence[str]) -> int | None:
    """Parses, calls, prints."""
    words = take_apart(argv, POSITIONAL)
    if "help" in words.flags:
        print(USAGE)
        return None
    folder = required(words, POSITIONAL)[0]
    refuse_options(words)
    own_classes_importable()
    from praxino.evaluations import finetune_start
    from praxino.training import start

    finetuning = finetune_start.is_finetuning(folder)
    devices = (finetune_start if finetuning else start).recipe_of(folder)["devices"]
    if processes.needed(devices):
        return processes.relaunch(["resume", *argv], devices)
    if not finetuning:
        return ended(start.resume(folder))
    done = finetune_start.resume(folder)
    if done.result is not None and done.run.writes:
        show(done.result, done.run.path)
    return ended(done.run)
