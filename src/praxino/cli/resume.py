"""Goes on with a run that was stopped: praxino resume RUN"""

from __future__ import annotations

from collections.abc import Sequence

from praxino.cli import processes
from praxino.cli.configuration import own_classes_importable
from praxino.cli.mistakes import ended
from praxino.cli.words import refuse_options, required, take_apart

USAGE = """usage: praxino resume RUN

RUN is a run's folder; everything else is in its recipe.yaml. A finished run is left as it is."""
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
    from praxino.training.start import recipe_of, resume

    devices = recipe_of(folder)["devices"]
    if processes.needed(devices):
        return processes.relaunch(["resume", *argv], devices)
    return ended(resume(folder))
