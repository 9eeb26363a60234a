"""Goes on with a run that was stopped: praxino resume RUN"""

from __future__ import annotations

from collections.abc import Sequence

from praxino.cli.line import processes
from praxino.cli.line.arguments import refuse_options, required, take_apart
from praxino.cli.line.configured import own_classes_importable
from praxino.cli.line.evaluation import show
from praxino.cli.line.terminal import ended

USAGE = """usage: praxino resume RUN [--trust my_file]

RUN is the folder of a pretraining, of a fine-tuning or of a tracker's training; everything else is in its recipe.yaml.
A finished run is left as it is. The recipe of a run that was not begun here, by you and in this very folder, builds
nothing but praxino's classes: those of other packages need --trust my_file."""
POSITIONAL = ("RUN",)
# Kind of run, as its recipe says -> the module that goes on with it: `recipe_of(folder)` and `resume(folder)`.
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
    refuse_options(words, ("trust",))
    own_classes_importable()
    from praxino.cli.line.encoders import trusted
    from praxino.cli.line.numbers import refuse_out_of_range
    from praxino.cli.line.received import refuse_untrusted_run
    from praxino.configuration.classes import imported
    from praxino.training.run import Run
    from praxino.training.start import kind_of

    kind = kind_of(folder)
    refuse_untrusted_run(folder, trusted(words.options.get("trust")))
    config = imported(f"{KINDS[kind]}.recipe_of")(folder)
    refuse_out_of_range(config)
    devices = config["devices"]
    if processes.needed(devices):
        return processes.relaunch(["resume", *argv], devices)
    done = imported(f"{KINDS[kind]}.resume")(folder)
    run, result = (done, None) if isinstance(done, Run) else (done.run, done.result)
    if result is not None and run.writes:
        show(result, run.path)
    return ended(run)
