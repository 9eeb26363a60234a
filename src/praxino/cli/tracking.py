"""Trains a siamese head on an encoder, and follows objects by it.

praxino evaluate tracking RUN --train GOT10k --train.root DATA --catalog OTB --catalog.root DATA
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from praxino.cli.line import processes
from praxino.cli.line.arguments import Words, help_of, required, take_apart
from praxino.cli.line.configured import configured, own_classes_importable
from praxino.cli.line.evaluation import show, with_its_place
from praxino.cli.line.terminal import ended
from praxino.errors import UserError
from praxino.printable import printable

if TYPE_CHECKING:
    from praxino.catalogs.base import Catalog, Part

USAGE = """praxino evaluate tracking RUN --train NAME --train.root DATA [--catalog NAME --catalog.root DATA]
           [--recipe NAME] [--epochs N] [--scratch] [--any.argument VALUE] [--print_config]

RUN is a pretraining run's folder, RUN:rgb of one with several encoders, an encoder file, or built-in. A siamese head is
trained on its network, which stays as it is, with the sequences of --train: OTB, GOT10k or VOT. Then the objects in
those of --catalog are followed; without --catalog none are. It is a run of its own, in RUN/tracking or --out, that
`praxino resume` goes on with. --recipe is tracking (the default), tracking_cyclecontrast, or a YAML file of your own.
--scratch draws the network's weights anew.

Without --train and --recipe nothing is trained: `praxino evaluate tracking --help`."""
KIND = "tracking"
POSITIONAL = (KIND, "RUN")
FLAGS = ("scratch", "print_config")
FILLED = {"out": "(default: a folder of its own in RUN)"}


def run(argv: Sequence[str]) -> int | None:
    """Parses, calls, prints; `argv` begins with "tracking"."""
    words = take_apart(argv, POSITIONAL, FLAGS)
    from praxino.cli.line.encoders import trusted
    from praxino.cli.line.help import print_class_help, print_help
    from praxino.evaluations.tracking.start import OUTSIDE, start
    from praxino.evaluations.tracking.train import train_tracker

    own_classes_importable()
    if "help" in words.flags:
        print_help(USAGE, train_tracker, without=OUTSIDE, filled=FILLED)
        return None
    if help_of(words.options):
        print_class_help(train_tracker, words.options)
        return None
    place = required(words, POSITIONAL)[1]
    trust = trusted(words.options.pop("trust", None))
    config, placed = _config(place, words)
    if "print_config" in words.flags:
        print(with_its_place({"kind": KIND, **config}, placed), end="")
        return None
    if processes.needed(config["devices"]):
        return processes.relaunch(["evaluate", *argv], config["devices"])
    done = start(place, trust, config, _say_what_is_used)
    if done.result is not None and done.run.writes:
        show(done.result, done.run.path)
    return ended(done.run)


def refuse_options_of_a_training(argv: Sequence[str]) -> None:
    """Refuses what only a training takes, where nothing is trained.

    Raises:
        UserError: naming the first such option.
    """
    names = [word.removeprefix("--").partition("=")[0] for word in argv if word.startswith("--")]
    if not set(names) - {"help", "catalog", "catalog.root"}:
        return  # without a look at any signature, which imports torch
    from praxino.configuration.signatures import arguments_of
    from praxino.evaluations.tracking.measure import track_sequences
    from praxino.evaluations.tracking.train import train_tracker

    only = arguments_of(train_tracker).keys() - arguments_of(track_sequences).keys() - {"threads"}
    for name in names:
        if name.partition(".")[0] in only:
            raise UserError(f"--{name} is an option of a head's training, and without --train nothing is trained: pass "
                            "--train OTB --train.root DIR, too, or leave it out")  # fmt: skip


def _say_what_is_used(train: Catalog, catalog: Catalog | None, part: Part) -> None:
    """The first lines, from the first process: which sequences are trained on, and which ones followed."""
    from praxino import ranks
    from praxino.evaluations.measured import measured_line

    if ranks.rank() == 0:
        print("trained on:", printable(measured_line(train, {"train": "train"})), flush=True)
        if catalog is not None:
            print("followed:", printable(measured_line(catalog, {"part": part})), flush=True)


def _config(place: str, words: Words) -> tuple[dict[str, Any], bool]:
    """The complete arguments; and whether a place for the run is named."""
    from praxino.cli.line.encoders import encoder_name, run_folder
    from praxino.configuration.documents import read
    from praxino.configuration.recipes import recipe_file
    from praxino.evaluations.tracking.start import BESIDE, OUTSIDE
    from praxino.evaluations.tracking.train import train_tracker

    recipe = recipe_file(words.options.pop("recipe", KIND))
    options = words.options | dict.fromkeys(words.flags & {"scratch"}, "true")
    base = {"out": "."}
    config = configured(train_tracker, options, recipe, base=base, without=OUTSIDE, kind=KIND, beside=BESIDE)
    placed = "out" in options or "out" in read(recipe)
    if not placed:
        folder = run_folder(place) or Path(place).parent
        parts = [f"{KIND}{encoder_name(place)}", *(["scratch"] if config["scratch"] else [])]
        name = "-".join([*parts, f"seed{config['seed']}"] if config["seed"] else parts)
        config["out"] = str((folder / name).absolute())
    return config, placed
