"""Trains a classifier on an encoder and tests it: praxino evaluate finetune RUN --catalog UCF101 --catalog.root DATA"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from praxino.cli.line import processes
from praxino.cli.line.arguments import Words, help_of, required, take_apart
from praxino.cli.line.configured import configured, own_classes_importable
from praxino.cli.line.evaluation import RECOGNITION, measure, say_what_is_measured, show, with_its_place
from praxino.cli.line.terminal import INTERRUPTED
from praxino.errors import UserError

if TYPE_CHECKING:
    from praxino.evaluations.result import Result

USAGE = """praxino evaluate finetune RUN [--catalog NAME --catalog.root DATA] [--recipe NAME] [--epochs N]
           [--split 1 2 3] [--scratch] [--test_only] [--any.argument VALUE] [--print_config]

RUN is a pretraining run's folder, RUN:rgb of one with several encoders, an encoder file, or built-in, the encoder that
comes with praxino. Without --catalog the videos are those that the run was trained on. The fine-tuning is a run of its
own, in RUN/finetune-split1 (of built-in in the current folder) or --out, that `praxino resume` goes on with. --recipe
is finetune (the default), finetune_iic, finetune_iic_flow, finetune_tclr, finetune_ucf101_frames, or a YAML file of
your own. --split takes several: each is a run, and their mean is printed. --scratch draws the network's weights anew.
--test_only trains nothing: RUN is then the folder of a fine-tuning, finished or not, or an encoder with a classifier.

praxino evaluate linear RUN --recipe linear_tclr, or linear_imagenet, is the same with a network that stays as it is:
only the classifier is trained, in RUN/linear-split1. (Without --recipe it is no run: features are taken once, and the
options are others.)"""
FLAGS = ("scratch", "test_only", "print_config")
FILLED = {
    "catalog": "(default: the run's)",
    "out": "(default: a folder of its own in RUN: finetune, finetune-split1, ...)",
}


def run(argv: Sequence[str]) -> int | None:
    """Parses, calls, prints; `argv` begins with "finetune" or "linear"."""
    kind = argv[0]
    words = take_apart(_splits_joined(argv), (kind, "RUN"), FLAGS)
    from praxino.cli.line.encoders import trusted
    from praxino.cli.line.help import print_class_help, print_help
    from praxino.evaluations.classifying.finetune import finetune
    from praxino.evaluations.classifying.start import OUTSIDE

    own_classes_importable()
    if "help" in words.flags:
        print_help(USAGE, finetune, without=OUTSIDE, filled=FILLED)
        return None
    if help_of(words.options):
        print_class_help(finetune, words.options)
        return None
    place = required(words, (kind, "RUN"))[1]
    if "test_only" in words.flags:
        _test(place, words)
        return None
    trust = trusted(words.options.pop("trust", None))
    configs, placed = _configs(kind, place, words, trust)
    if "print_config" in words.flags:
        print(with_its_place({"kind": kind, **configs[0]}, placed), end="")
        return None
    if processes.needed(configs[0]["devices"]):
        return processes.relaunch(["evaluate", *argv], configs[0]["devices"])
    return _trained(place, trust, configs)


def _splits_joined(argv: Sequence[str]) -> list[str]:
    """`--split 1 2 3` as `--split 1,2,3`."""
    words: list[str] = []
    for word in argv:
        inside = word.isdecimal() and len(words) > 1 and words[-2] == "--split" and not words[-1].startswith("--")
        words[-1:] = [f"{words[-1]},{word}"] if inside else [*words[-1:], word]
    return words


def _configs(kind: str, place: str, words: Words, trust: tuple[str, ...]) -> tuple[list[dict[str, Any]], bool]:
    """The complete arguments, one a split; and whether a place for them is named."""
    from praxino.cli.line.encoders import catalog_beside, encoder_name, run_folder
    from praxino.configuration.documents import read
    from praxino.configuration.recipes import recipe_file
    from praxino.evaluations.classifying.defaults import rates_as_factors
    from praxino.evaluations.classifying.finetune import finetune
    from praxino.evaluations.classifying.outcome import kind as kind_of
    from praxino.evaluations.classifying.start import BESIDE, OUTSIDE

    recipe = recipe_file(words.options.pop("recipe", "finetune"))
    splits = [split.strip() for split in words.options.pop("split", "").strip("[] ").split(",")]
    options = words.options | dict.fromkeys(words.flags & {"scratch"}, "true")
    _refuse_options_of_features_taken_once(kind, options)
    placed = "out" in options or "out" in read(recipe)
    configs = []
    beside = catalog_beside(place, function=finetune, options=options, trust=trust)
    for split in splits:
        more = {"catalog.split": split} if split else {}
        base = {**beside, "out": "."}
        config = configured(finetune, options | more, recipe, base=base, without=OUTSIDE, kind=kind, beside=BESIDE)
        if config["rates"] is not None:
            config = rates_as_factors(config)
            print("--rates: written as the stages' rate_factors, each rate divided by the optimizer's", file=sys.stderr)
        if kind_of(config["frozen"]) != kind:
            raise UserError(f"--frozen {config['frozen']} is not for 'praxino evaluate {kind}': a network that "
                            "stays as it is is 'praxino evaluate linear RUN --recipe linear_tclr'")  # fmt: skip
        folder = run_folder(place) or Path(place).parent
        name = _folder_name(kind + encoder_name(place), config)
        if len(splits) > 1 and placed:
            config["out"] = str(Path(config["out"]) / name)
        elif not placed:
            config["out"] = str((folder / name).absolute())
        configs.append(config)
    return configs, placed


def _refuse_options_of_features_taken_once(kind: str, options: Mapping[str, str]) -> None:
    from praxino.configuration.signatures import arguments_of
    from praxino.evaluations.classifying.finetune import finetune
    from praxino.evaluations.classifying.linear import linear

    others = arguments_of(linear).keys() - arguments_of(finetune).keys() if kind == "linear" else ()
    for name in options:
        if name in others:
            raise UserError(f"--{name} is for 'praxino evaluate linear' without --recipe, on features taken once")


def _folder_name(what: str, config: Mapping[str, Any]) -> str:
    split = config["catalog"]["init_args"].get("split")
    parts = [what if split is None else f"{what}-split{split}"]
    parts += [config["view"]] if config["view"] else []
    parts += ["scratch"] if config["scratch"] else []
    return "-".join([*parts, f"seed{config['seed']}"] if config["seed"] else parts)


def _trained(place: str, trust: tuple[str, ...], configs: Sequence[Mapping[str, Any]]) -> int | None:
    from praxino.cli.line.received import refuse_untrusted_run
    from praxino.evaluations.classifying.start import start, start_or_resume

    found: list[Result] = []
    for config in configs:
        # Of several some may be there already, of a command that was stopped.
        if len(configs) > 1:
            refuse_untrusted_run(config["out"], trust)
        done = (start if len(configs) == 1 else start_or_resume)(place, trust, config, say_what_is_measured)
        if done.result is None:
            return INTERRUPTED
        if done.run.writes:
            show(done.result, done.run.path)
        found.append(done.result)
    if len(found) > 1 and done.run.writes:
        _show_mean(found)
    return None


def _show_mean(results: Sequence[Result]) -> None:
    columns = results[0].columns
    rows = [result.rows[-1].values for result in results]
    means = [f"{column}: {sum(row[column] for row in rows) / len(rows):.1f}" for column in columns]
    print(f"mean of {len(results)} splits: {', '.join(means)}")


def _test(place: str, words: Words) -> None:
    if words.flags - {"test_only"}:
        raise UserError("--test_only trains nothing: --scratch and --print_config do not go with it")
    split = words.options.pop("split", None)
    measure(RECOGNITION, place, words.options | ({"catalog.split": split} if split else {}))
