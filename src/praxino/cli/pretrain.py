"""Trains on videos without their labels: praxino pretrain RECIPE --videos DIR --out RUN"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from praxino.cli.line import processes
from praxino.cli.line.arguments import help_of, take_apart
from praxino.cli.line.configured import configured, own_classes_importable
from praxino.cli.line.terminal import ended
from praxino.configuration.recipes import recipe_file
from praxino.errors import UserError
from praxino.printable import printable

USAGE = """praxino pretrain RECIPE [--videos DIR] [--out RUN] [--epochs N | --steps N] [--any.argument VALUE]

RECIPE is a name that `praxino recipes` lists, or a YAML file. --videos DIR, or one file, is --catalog VideoFolder
--catalog.root DIR; --cut 60 beside it makes every minute of a long video an item of its own.
--start built-in begins with the weights of the small encoder that comes with praxino, --start RUN with a run's.
--epochs and --steps are those of the only stage. Arguments of arguments go by dotted names: --method.backbone.width 32,
--method.view.operations.0.size 56. --method.help SimCLR says what a class takes. --print_config prints
all of the recipe, and ends."""
POSITIONAL = ("RECIPE",)
FILLED = {
    **dict.fromkeys(("catalog", "sampler", "method", "stages", "protocol"), "(required, if not in the recipe)"),
    "out": "(default: the recipe's; runs/RECIPE of those that come along)",
}


def run(argv: Sequence[str]) -> int | None:
    """Parses, calls, prints."""
    words = take_apart(argv, POSITIONAL, ("print_config",))
    asks_help = "help" in words.flags or help_of(words.options)
    if not words.positional and not asks_help:
        raise UserError("RECIPE is missing: 'praxino recipes' lists those that come along; simclr_small is a first one")
    recipe = None if asks_help else recipe_file(words.positional[0])
    from praxino import ranks
    from praxino.cli.line.help import print_class_help, print_help
    from praxino.configuration.documents import as_yaml
    from praxino.training.pretrain import pretrain
    from praxino.training.start import OUTSIDE, start

    if "help" in words.flags:
        print_help(USAGE, pretrain, without=OUTSIDE, filled=FILLED)
        return None
    if asks_help:
        own_classes_importable()
        print_class_help(pretrain, words.options)
        return None
    printing = "print_config" in words.flags
    config = configured(pretrain, words.options, recipe, without=OUTSIDE, partial=printing)
    if printing:
        print(as_yaml(config), end="")
        return None
    if processes.needed(config["devices"]):
        return processes.relaunch(["pretrain", *argv], config["devices"])
    run = start(config)
    if run.finished and ranks.rank() == 0:
        place = printable(shlex.quote(str(config["out"])))
        print(f"to look at it: praxino report {place}")
        print(f"for its vectors of videos: praxino embed {place} --videos DIR --out vectors.npz")
    return ended(run)
