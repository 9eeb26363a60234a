"""One evaluation of what lies at a place: made, printed, and written into the run's folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from praxino.cli.line.configured import configured

if TYPE_CHECKING:
    from praxino.encoders.encoder import Encoder
    from praxino.evaluations.result import Result

NOT_TYPED = ("encoder", "progress")
EVALUATIONS = {
    "retrieval": "praxino.evaluations.retrieval.retrieve",
    "knn": "praxino.evaluations.nearest_neighbours.knn",
    "instance": "praxino.evaluations.instance.find_own_video",
    "linear": "praxino.evaluations.classifying.linear.linear",
    "recognition": "praxino.evaluations.classifying.recognition.recognise",
}
RECOGNITION = "recognition"


def measure(name: str, place: str, options: Mapping[str, str]) -> None:
    """Evaluates what lies at a place, prints the table, and writes it into the run's folder.

    Args:
        name: of an evaluation, or the dotted path of one.
        place: a run's folder, `RUN:rgb` of one with several encoders, or an encoder file.
        options: dotted name -> value as typed; arguments of the evaluation, and `trust`.
    """
    from praxino.cli.line.encoders import catalog_beside, encoder_name, run_folder
    from praxino.cli.line.terminal import progress_shown
    from praxino.configuration.classes import imported
    from praxino.configuration.complete import instantiate
    from praxino.evaluations.result import table_lines, write_result

    evaluate = imported(EVALUATIONS.get(name, name))
    beside = catalog_beside(place, "average") if name == RECOGNITION else catalog_beside(place)
    given = {option: value for option, value in options.items() if option != "trust"}
    config = configured(evaluate, given, base=beside, without=NOT_TYPED)
    arguments = instantiate(evaluate, config)
    encoder, said = _encoder_for(name, place, options.get("trust"))
    with progress_shown(evaluate, "reading videos") as shown:
        result = evaluate(encoder, **arguments, **shown)
    which = encoder_name(place)
    if which:
        said["encoder"] = which.removeprefix("@")
        result.title += f"; encoder {said['encoder']}"
    result.settings |= said
    print(result.title, *table_lines(result), sep="\n")
    folder = run_folder(place)
    if folder:
        seen = [config["view"]] if config.get("view") else config.get("views") or []
        file_name = "-".join([name.rpartition(".")[2] + which, *seen])
        written = write_result(folder, file_name, result, arguments["catalog"].classes, encoder.streams)
        print(f"written: {written}")


def show(result: Result, folder: Path) -> None:
    """Prints a test's table, and where the fine-tuning lies."""
    from praxino.evaluations.result import table_lines

    print(result.title, *table_lines(result), sep="\n")
    print(f"in {folder}")


def _encoder_for(name: str, place: str, trust: str | None) -> tuple[Encoder, dict[str, str]]:
    """The encoder, and what is said of it beside the result: a fine-tuning is tested whether it is finished or not."""
    from praxino.cli.line.encoders import loaded_encoder, trusted

    if name != RECOGNITION:
        return loaded_encoder(place, trust), {}
    from praxino.evaluations.classifying.start import classifier_at

    encoder, weights = classifier_at(place, trusted(trust))
    return encoder, {"weights": weights}
