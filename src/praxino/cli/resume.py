"""Goes on with a run that was stopped: praxino resume RUN"""

from __future__ import annotations

from collections.abc import Sequence

from praxino.cli.line import processes
from praxino.cli.line.arguments import refuse_options, required, take_apart
from praxino.cli.line.configured import own_classes_importable
from praxino.cli.line.evaluation import show
from praxino.cli.line.terminal import ended
from praxino.errors import UserError

USAGE = """usage: praxino resume RUN

RUN is the folder of a pretraining or of a fine-tuning; everything else is in its recipe.yaml. A finished run is left
as it is."""
POSITIONAL = ("RUN",)
# Kind of run, as its recipe says -> the module that goes on with it: `recipe_of(folder)` and `resume(folder)`.
KINDS = {
    "pretrain": "praxino.training.start",
    "finetune": "praxino.evaluations.classifying.start",
    "linear": "praxino.evaluations.classifying.start",
}


def run(argv: Sequence[str]) -> int | None:
    """Parses, calls, prints."""
    words = take_apart(argv, POSITIONAL)
    if "help" in words.flags:
        print(USAGE)
        return None
    folder = required(words, POSITIONAL)[0]
    refuse_options(words)
    own_classes_importable()
    from praxino.configuration.classes import imported
    from praxino.training.run import Run
    from praxino.training.start import kind_of

    kind = kind_of(folder)
    if kind not in KINDS:
        raise UserError(f"{folder} holds a run of the kind '{kind}', which this version of praxino does not know")
    devices = imported(f"{KINDS[kind]}.recipe_of")(folder)["devices"]
    if processes.needed(devices):
        return processes.relaunch(["resume", *argv], devices)
    done = imported(f"{KINDS[kind]}.resume")(folder)
    run, result = (done, None) if isinstance(done, Run) else (done.run, done.result)
    if result is not None and run.writes:
        show(result, run.path)
    return ended(run)
