"""One evaluation of what lies at a place, by a protocol's name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from praxino.cli.configuration import configured

if TYPE_CHECKING:
    from praxino.methods.encoder import Encoder

NOT_TYPED = ("encoder", "progress")
PROTOCOLS = {
    "retrieval": "praxino.evaluations.retrieval.retrieve",
    "knn": "praxino.evaluations.knn.knn",
    "instance": "praxino.evaluations.instance.find_own_video",
    "linear": "praxino.evaluations.linear.linear",
    "recognition": "praxino.evaluations.recognition.recognise",
}
RECOGNITION = "recognition"


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
