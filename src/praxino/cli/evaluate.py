"""Measures an encoder: praxino evaluate retrieval|knn|linear|finetune|... RUN --catalog UCF101 --catalog.root DATA"""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from praxino.cli.line.arguments import help_of, required, take_apart
from praxino.cli.line.configured import own_classes_importable
from praxino.cli.line.evaluation import EVALUATIONS, NOT_TYPED, evaluation_called, measure, print_config
from praxino.errors import UserError, nearest

USAGE = """praxino evaluate EVALUATION RUN [--catalog NAME --catalog.root DATA | --videos DIR] [--any.argument VALUE]

EVALUATION is retrieval, knn, instance (does a clip find its own video? for videos without labels), linear (a linear
classifier on features that stay as they are; with --recipe linear_tclr on clips drawn anew, a run of its own),
finetune (trains on with labels, then tests; it has a --help of its own), recognition (tests what finetune has left),
ensemble (joins several of these; it has a --help of its own), probe (a ridge classifier, and clusters held against the
labels), agreement (of a run with several encoders: do they find the same videos alike?), views (pictures of a few clips
as the encoders see them), tracking (does what an encoder sees follow an object? with --catalog OTB and the like), or
the dotted path of a function of your own that takes an encoder (or, as its argument `encoders`, all of a run by name)
and a catalog and gives a praxino.evaluations.result.Result. RUN is a run's folder,
RUN:rgb of one with several encoders, an encoder file, or built-in, the encoder that comes with praxino; probe,
agreement and views take RUN as all of them.
Retrieval, knn, linear and probe take --views [rgb,residual]: a row for each, and one for both side by side. Without
--catalog and --videos the videos are those that the run was trained on. The result goes into the run's folder, that of
built-in into the current one; --out FOLDER names another. An encoder file without a run writes none unless it is given.
--print_config prints what would be asked, in full. --checkpoint last measures the encoder of a run that has not
finished, out of its last checkpoint. An encoder of your own classes needs --trust my_file: encoders that come from
elsewhere build nothing but praxino's classes. --threads N: threads of the CPU, by itself as many as it has cores; fewer
where it does other work, too."""
POSITIONAL = ("EVALUATION", "RUN")
FILLED = {"catalog": "(default: the run's)"}
FINETUNE = "finetune"  # a run of its own: praxino.cli.finetune
ENSEMBLE = "ensemble"  # of several folders: praxino.cli.ensemble
LINEAR = "linear"  # with a recipe it is one, too
TRACKING = "tracking"  # and so is this, with one or with sequences to train on
FLAGS = ("help", "h", "print_config", "scratch", "test_only")  # options without a value, of any evaluation


def run(argv: Sequence[str]) -> int | None:
    """Parses, calls, prints."""
    argv = _name_first(argv)
    if ENSEMBLE in argv[:1]:
        return importlib.import_module("praxino.cli.ensemble").run(argv)
    if FINETUNE in argv[:1] or (LINEAR in argv[:1] and _recipe_asked_for(argv)):
        return importlib.import_module("praxino.cli.finetune").run(argv)
    if TRACKING in argv[:1]:
        tracking = importlib.import_module("praxino.cli.tracking")
        if _recipe_asked_for(argv) or _asked_for(argv, "--train"):
            return tracking.run(argv)
        tracking.refuse_options_of_a_training(argv)
    words = take_apart(argv, POSITIONAL, ("print_config",))
    if "encoder" in words.options and len(words.positional) < len(POSITIONAL):
        words.positional.append(words.options.pop("encoder"))
    if "help" in words.flags and not words.positional:
        print(f"usage: {USAGE}")
        return None
    asks_help = "help" in words.flags or help_of(words.options)
    name, *_ = required(words, POSITIONAL[:1] if asks_help else POSITIONAL)
    if name not in EVALUATIONS and "." not in name:
        raise UserError(f"there is no evaluation '{name}'.{nearest(name, [*EVALUATIONS, FINETUNE, ENSEMBLE])}")
    own_classes_importable()
    if "help" in words.flags:
        from praxino.cli.line.help import print_help

        print_help(USAGE, evaluation_called(name), without=NOT_TYPED, filled=FILLED)
        return None
    if help_of(words.options):
        from praxino.cli.line.help import print_class_help

        print_class_help(evaluation_called(name), words.options)
        return None
    if "print_config" in words.flags:
        print_config(name, words.positional[1], words.options)
    else:
        measure(name, words.positional[1], words.options)
    return None


def _name_first(argv: Sequence[str]) -> Sequence[str]:
    """The same words with the evaluation before the options that may stand before it."""
    at = 0
    while at < len(argv) and argv[at].startswith("-"):
        alone = "=" in argv[at] or argv[at].lstrip("-").replace("-", "_") in FLAGS
        at += 1 if alone else 2
    return argv if at >= len(argv) else [argv[at], *argv[:at], *argv[at + 1 :]]


def _recipe_asked_for(argv: Sequence[str]) -> bool:
    return _asked_for(argv, "--recipe")


def _asked_for(argv: Sequence[str], option: str) -> bool:
    return any(word.partition("=")[0] == option for word in argv)
