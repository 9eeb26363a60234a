"""Goes on with a run that was stopped: praxino resume RUN"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from praxino.cli.line import processes
from praxino.cli.line.arguments import refuse_options, required, take_apart
from praxino.cli.line.configured import own_classes_importable
from praxino.cli.line.evaluation import show
from praxino.cli.line.terminal import ended
from praxino.cli.line.threads import threads_of
from praxino.errors import UserError

USAGE = """usage: praxino resume RUN [--threads N] [--catalog.root NEW] [--trust my_file]

RUN is the folder of a pretraining, of a fine-tuning or of a tracker's training; everything else is in its recipe.yaml.
A finished run is left as it is. Where the folder of the videos was moved, --catalog.root NEW names its new place (of
lists --catalog.path, too; of what a tracker is trained on --train.root): the same videos have to be there, and the
recipe then says so. --threads N: threads of the CPU of each training process from here on, in the place of those that
the run began with; its recipe stays as it is, and with other threads sums may differ in their last digits. The recipe
of a run that was not begun here, by you and in this very folder, builds nothing but praxino's classes: those of other
packages need --trust my_file."""
POSITIONAL = ("RUN",)
OPTIONS = ("trust", "threads")
# Kind of run, as its recipe says -> the module that goes on with it: `recipe_of(folder)` and `resume(folder, threads)`.
KINDS = {
    "pretrain": "praxino.training.start",
    "finetune": "praxino.evaluations.classifying.start",
    "linear": "praxino.evaluations.classifying.start",
    "tracking": "praxino.evaluations.tracking.start",
}


def run(argv: Sequence[str]) -> int | None:
    """Parses, calls, prints."""
    words = take_apart(argv, POSITIONAL)
    if "help" in words.flags:
        print(USAGE)
        return None
    folder = required(words, POSITIONAL)[0]
    moved = {name: value for name, value in words.options.items() if name.startswith(("catalog.", "train."))}
    refuse_options(words, (*OPTIONS, *moved))
    threads = threads_of(words.options.get("threads"))
    own_classes_importable()
    from praxino.cli.line.encoders import trusted
    from praxino.cli.line.numbers import refuse_out_of_range
    from praxino.cli.line.received import refuse_untrusted_run
    from praxino.configuration.classes import imported
    from praxino.training.moved import refuse_lost
    from praxino.training.run import Run
    from praxino.training.start import kind_of

    kind = kind_of(folder)
    refuse_untrusted_run(folder, trusted(words.options.get("trust")))
    config = imported(f"{KINDS[kind]}.recipe_of")(folder)
    refuse_out_of_range(config)
    if moved:
        argv = _moved(folder, config, moved, argv)
    else:
        refuse_lost(folder, config)
    devices = config["devices"]
    if processes.needed(devices):
        return processes.relaunch(["resume", *argv], devices)
    done = imported(f"{KINDS[kind]}.resume")(folder, threads)
    run, result = (done, None) if isinstance(done, Run) else (done.run, done.result)
    if result is not None and run.writes:
        show(result, run.path)
    return ended(run)


def _moved(folder: str, config: Mapping[str, Any], places: Mapping[str, str], argv: Sequence[str]) -> list[str]:
    """Notes the new places, and gives the command line without them."""
    from praxino.training.moved import move

    if "RANK" in os.environ:
        raise UserError("processes that a launcher has started cannot all write the recipe: call praxino resume alone")
    move(folder, config, places)
    words, rest = list(argv), []
    while words:
        word = words.pop(0)
        if word.partition("=")[0].removeprefix("--") in places:
            if "=" not in word:
                words.pop(0)
        else:
            rest.append(word)
    return rest
