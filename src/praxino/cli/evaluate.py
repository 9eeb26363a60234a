"""Measures an encoder: praxino evaluate retrieval|knn|linear|finetune|... RUN --catalog UCF101 --catalog.root DATA"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from praxino.cli.configuration import configured, own_classes_importable
from praxino.cli.words import required, take_apart
from praxino.errors import UserError, nearest

if TYPE_CHECKING:
    from praxino.methods.encoder import Encoder

USAGE = """praxino evaluate PROTOCOL RUN [--catalog NAME --catalog.root DATA | --videos DIR] [--any.argument VALUE]

PROTOCOL is retrieval, knn, instance (does a clip find its own video? for videos without labels), linear (a linear
classifier on features that stay as they are; with --recipe linear_tclr on clips drawn anew, a run of its own), finetune
(trains on with labels, then tests; it has a --help of its own), recognition (tests what finetune has left), or the
dotted path of a function of your own that takes an encoder and a catalog and gives a
praxino.evaluations.result.Result. RUN is a run's folder or an encoder file. Retrieval, knn and linear take --views
[rgb,residual]: a row for each, and one for both side by side. Without --catalog and --videos the videos are those that
the run was trained on. The result goes into the run's folder. An encoder of your own classes needs --trust my_file:
encoders that come from elsewhere build nothing but praxino's classes."""
POSITIONAL = ("PROTOCOL", "RUN")
NOT_TYPED = ("encoder", "progress")
PROTOCOLS = {
    "retrieval": "praxino.evaluations.retrieval.retrieve",
    "knn": "praxino.evaluations.knn.knn",
    "instance": "praxino.evaluations.instance.find_own_video",
    "linear": "praxino.evaluations.linear.linear",
    "recognition": "praxino.evaluations.recognition.recognise",
}
FINETUNE = "finetune"  # a run of its own: praxino.cli.finetuning
LINEAR = "linear"  # with a recipe it is one, too
RECOGNITION = "recognition"


def run(argv: Sequence[str]) -> int | None:
    """Parses, calls, prints."""
    if FINETUNE in argv[:1] or (LINEAR in argv[:1] and _recipe_asked_for(argv)):
        return importlib.import_module("praxino.cli.finetuning").run(argv)
    words = take_apart(argv, POSITIONAL)
    if "encoder" in words.options and len(words.positional) < len(POSITIONAL):
        words.positional.append(words.options.pop("encoder"))
    if "help" in words.flags and not words.positional:
        print(f"usage: {USAGE}")
        return None
    name, *_ = words.positional if "help" in words.flags else required(words, POSITIONAL)
    if name not in PROTOCOLS and "." not in name:
        raise UserError(f"there is no evaluation '{name}'.{nearest(name, [*PROTOCOLS, FINETUNE])}")
    own_classes_importable()
    if "help" in words.flags:
        from praxino.cli.helping import print_help
        from praxino.training.classes import imported

        print_help(USAGE, imported(PROTOCOLS.get(name, name)), without=NOT_TYPED)
        return None
    measure(name, words.positional[1], words.options)
    return None


def measure(name: str, place: str, options: Mapping[str, str]) -> None:
    """Evaluates what lies at a place, prints the table, and writes it into the run's folder.

    Args:
        name: of a protocol, or the dotted path of one.
        place: a run's folder, or an encoder file.
        options: dotted name -> value as typed; arguments of the protocol, and `trust`.
    """
    from praxino.cli.encoders import catalog_beside, run_folder
    from praxino.cli.showing import progress_shown
    from praxino.evaluations.result import table_lines, write_result
    from praxino.training.classes import imported
    from praxino.training.recipe import instantiate

    protocol = imported(PROTOCOLS.get(name, name))
    beside = catalog_beside(place, "average") if name == RECOGNITION else catalog_beside(place)
    given = {option: value for option, value in options.items() if option != "trust"}
    config = configured(protocol, given, base=beside, without=NOT_TYPED)
    arguments = instantiate(protocol, config)
    encoder, said = _encoder_for(name, place, options.get("trust"))
    with progress_shown(protocol, "reading videos") as shown:
        result = protocol(encoder, **arguments, **shown)
    result.settings |= said
    print(result.title, *table_lines(result), sep="\n")
    folder = run_folder(place)
    if folder:
        seen = [config["view"]] if config.get("view") else config.get("views") or []
        file_name = "-".join([name.rpartition(".")[2], *seen])
        written = write_result(folder, file_name, result, arguments["catalog"].classes, encoder.streams)
        print(f"written: {written}")


def _encoder_for(name: str, place: str, trust: str | None) -> tuple[Encoder, dict[str, str]]:
    """The encoder, and what is said of it beside the result: a fine-tuning is tested whether it is finished or not."""
    from praxino.cli.encoders import loaded_encoder, trusted

    if name != RECOGNITION:
        return loaded_encoder(place, trust), {}
    from praxino.evaluations.finetune_start import classifier_at

    encoder, weights = classifier_at(place, trusted(trust))
    return encoder, {"weights": weights}


def _recipe_asked_for(argv: Sequence[str]) -> bool:
    return any(word.partition("=")[0] == "--recipe" for word in argv)
