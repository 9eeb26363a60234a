"""One evaluation of what lies at a place: made, printed, and written into the run's folder."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from praxino.built_in import FILE, is_built_in
from praxino.cli.line.configured import configured
from praxino.errors import UserError
from praxino.files import make_folder
from praxino.load import Load
from praxino.printable import printable

if TYPE_CHECKING:
    from praxino.catalogs.base import Catalog
    from praxino.encoders.encoder import Encoder
    from praxino.evaluations.result import Result

NOT_TYPED = ("encoder", "encoders", "progress")
EVALUATIONS = {
    "retrieval": "praxino.evaluations.retrieval.retrieve",
    "knn": "praxino.evaluations.nearest_neighbours.knn",
    "instance": "praxino.evaluations.instance.find_own_video",
    "linear": "praxino.evaluations.classifying.linear.linear",
    "recognition": "praxino.evaluations.classifying.recognition.recognise",
    "probe": "praxino.evaluations.classifying.probe.probe",
    "agreement": "praxino.evaluations.agreement.compare_encoders",
    "views": "praxino.evaluations.views_shown.show_views",
    "tracking": "praxino.evaluations.tracking.measure.track_sequences",
}
BESIDE = ("trust", "threads", "checkpoint")  # options that are no arguments of an evaluation
OUT = "out"  # neither is this, unless one of the user's own has such an argument
RECOGNITION = "recognition"
TRACKING = "tracking"
TRACKER = "tracker"  # an argument of that


def measure(name: str, place: str, options: Mapping[str, str]) -> None:
    """Evaluates what lies at a place, prints the table, and writes it into the run's folder.

    Args:
        name: of an evaluation, or the dotted path of one.
        place: a run's folder, `RUN:rgb` of one with several encoders, an encoder file, or `built-in`.
        options: dotted name -> value as typed; arguments of the evaluation, `trust`, `threads`, `checkpoint`, and
            `out`, a folder in the place of the run's.
    """
    from praxino.cli.line.encoders import encoder_part, results_folder, trusted
    from praxino.cli.line.naming import result_name
    from praxino.cli.line.terminal import progress_shown
    from praxino.cli.line.threads import use_threads
    from praxino.configuration.complete import instantiate
    from praxino.encoders.files import checksum_of_file
    from praxino.evaluations.measured import measured_line, parts_asked
    from praxino.evaluations.result import table_lines, write_result

    name = next((short for short, path in EVALUATIONS.items() if path == name), name)
    evaluate = evaluation_called(name)
    trust = trusted(options.get("trust"))
    checkpoint = options.get("checkpoint")
    given = _of_evaluation(evaluate, options)
    folder = Path(options[OUT]) if OUT in options and OUT not in given else results_folder(place)
    if folder:
        make_folder(folder)
    use_threads(options.get("threads"))
    load = Load()
    beside = _beside(name, place, evaluate, given, trust)
    config = configured(evaluate, given, base=beside, without=NOT_TYPED)
    arguments = instantiate(evaluate, config)
    measured, encoder, said = _measured(name, place, evaluate, trust, checkpoint)
    said["measured on"] = measured_line(arguments["catalog"], parts_asked(evaluate, config))
    print("videos:", printable(said["measured on"]), flush=True)
    _say_if_busy(load)
    with progress_shown(evaluate, "reading videos") as bar:
        result = evaluate(measured, **arguments, **bar)
    which = encoder_part(place) + (f"@step{encoder.record['steps']}" if checkpoint else "")
    if which:
        said["encoder"] = which.removeprefix("@")
        result.title += f"{' E' if result.title.endswith('?') else '; e'}ncoder {said['encoder']}"
    plain = _plain_question(name, place, evaluate, trust)
    file_name, differs = result_name(name, which, config, plain, encoder.description())
    if differs:
        said["asked otherwise"] = ", ".join(f"{one} {in_words(value)}" for one, value in differs.items())
    if is_built_in(place):
        said["weights"] = f"of the checksum {checksum_of_file(FILE)}"
    result.settings |= said
    print(printable(result.title), *map(printable, table_lines(result)), sep="\n")
    if folder:
        written = write_result(folder, file_name, result, arguments["catalog"].classes, encoder.streams)
        print("written:", printable(written))
        print(f"to look at it: praxino report {printable(shlex.quote(str(folder)))}")


def with_its_place(config: Mapping[str, Any], placed: bool) -> str:
    """The text of a training's recipe; a folder that is only the usual one, in that of its run, as a remark.

    Args:
        config: complete.
        placed: whether the user has named the folder. A recipe that names the usual one would fit no other run.
    """
    from praxino.configuration.documents import as_yaml

    if placed:
        return as_yaml(config)
    remark = f"# out: {printable(config['out'])}"
    return f"{remark}\n{as_yaml({name: value for name, value in config.items() if name != 'out'})}"


def in_words(value: Any) -> str:
    """A setting as it would be typed; an object by its class and its arguments."""
    if not isinstance(value, dict) or "class_path" not in value:
        return json.dumps(value)
    given = ", ".join(f"{name} {in_words(one)}" for name, one in (value.get("init_args") or {}).items())
    return str(value["class_path"]).rpartition(".")[2] + (f" ({given})" if given else "")


def print_config(name: str, place: str, options: Mapping[str, str]) -> None:
    """Prints the complete arguments of an evaluation, and measures nothing.

    Args:
        name, place, options: as of `measure`.
    """
    from praxino.cli.line.encoders import trusted
    from praxino.configuration.documents import as_yaml

    evaluate, trust = evaluation_called(name), trusted(options.get("trust"))
    given = _of_evaluation(evaluate, options)
    base = _beside(name, place, evaluate, given, trust)
    print(as_yaml(configured(evaluate, given, base=base, without=NOT_TYPED, partial=True)), end="")


def _of_evaluation(evaluate: Callable[..., Any], options: Mapping[str, str]) -> dict[str, str]:
    """The options that are arguments of an evaluation."""
    from praxino.configuration.signatures import arguments_of

    beside = BESIDE if OUT in arguments_of(evaluate) else (*BESIDE, OUT)
    return {option: value for option, value in options.items() if option not in beside}


def evaluation_called(name: str) -> Callable[..., Any]:
    """The function of an evaluation, by its name or its dotted path.

    Raises:
        UserError: if there is none, or it takes no catalog.
    """
    from praxino.configuration.classes import imported
    from praxino.configuration.signatures import arguments_of

    found = imported(EVALUATIONS.get(name, name))
    if not callable(found):
        raise UserError(f"{name} is no function: an evaluation takes an encoder and a catalog")
    if "catalog" not in arguments_of(found):
        raise UserError(f"{name} takes no argument 'catalog': an evaluation takes an encoder and a catalog")
    return found


def _beside(
    name: str, place: str, evaluate: Callable[..., Any], options: Mapping[str, str], trust: tuple[str, ...]
) -> dict[str, Any]:
    """What the run says of an evaluation of it."""
    from praxino.cli.line.encoders import catalog_beside

    others = ("average", "clip_sampler") if name == RECOGNITION else ()
    found = catalog_beside(place, *others, function=evaluate, options=options, trust=trust)
    if name == TRACKING and any(option.partition(".")[0] == TRACKER for option in options):
        found[TRACKER] = _tracker_at(place, trust)
    return found


def _tracker_at(place: str, trust: tuple[str, ...]) -> dict[str, Any]:
    """The tracker at a place as a configuration: a typed number takes the place of its own, and the others stay."""
    from praxino.described import class_path, describe
    from praxino.evaluations.tracking.tracker import Tracker

    tracker = Tracker.load(place, trust=trust)
    return {"class_path": class_path(Tracker), "init_args": describe(tracker.told)}


def _plain_question(name: str, place: str, evaluate: Callable[..., Any], trust: tuple[str, ...]) -> dict[str, Any]:
    """The arguments of the same evaluation without options; without the run's catalog, where that is of no use."""
    base = {}
    # A catalog that is not trusted, or no longer fits, is another one than that which has just been measured.
    with suppress(UserError):
        base = _beside(name, place, evaluate, {}, trust)
        return configured(evaluate, {}, base=base, without=NOT_TYPED, partial=True)
    base.pop("catalog", None)
    return configured(evaluate, {}, base=base, without=NOT_TYPED, partial=True)


def say_what_is_measured(catalog: Catalog) -> None:
    """The first line of a fine-tuning, from the first process."""
    from praxino import ranks
    from praxino.evaluations.measured import measured_line

    if ranks.rank() == 0:
        print("videos:", printable(measured_line(catalog, {})), flush=True)


def show(result: Result, folder: Path) -> None:
    """Prints a test's table, and where the fine-tuning lies."""
    from praxino.evaluations.result import table_lines

    print(printable(result.title), *map(printable, table_lines(result)), sep="\n")
    print("in", printable(folder))


def _measured(
    name: str, place: str, evaluate: Callable[..., Any], trust: tuple[str, ...], checkpoint: str | None
) -> tuple[Any, Encoder, dict[str, str]]:
    """The encoder; or all at the place by name, where the evaluation's first argument is `encoders`; or its tracker.

    The encoder itself, of all the first, since those of a run have one protocol. And what is said of it beside the
    result: a fine-tuning is tested whether it is finished or not.
    """
    from praxino.cli.line.encoders import encoder_now, loaded_encoder, loaded_encoders, run_folder
    from praxino.configuration.signatures import arguments_of

    if checkpoint is not None:
        return _as_it_is_now(name, evaluate, encoder_now(place, trust, checkpoint))
    if next(iter(arguments_of(evaluate)), "") == "encoders":
        encoders = loaded_encoders(place, trust)
        return encoders, next(iter(encoders.values())), {}
    if name == TRACKING:
        from praxino.evaluations.tracking.tracker import Tracker

        encoder = loaded_encoder(place, trust)
        return Tracker.of(encoder, place, trust), encoder, {}
    if name != RECOGNITION:
        encoder = loaded_encoder(place, trust)
        return encoder, encoder, {}
    from praxino.cli.line.received import refuse_untrusted_packages
    from praxino.evaluations.classifying.start import classifier_at

    folder = run_folder(place)
    if folder:
        refuse_untrusted_packages(folder / "recipe.yaml", trust)
    encoder, weights = classifier_at(place, trust)
    return encoder, encoder, {"weights": weights}


def _say_if_busy(load: Load) -> None:
    import torch

    if sys.stderr.isatty() and not torch.cuda.is_available() and (line := load.line(torch.get_num_threads())):
        print(line, file=sys.stderr)


def _as_it_is_now(name: str, evaluate: Callable[..., Any], encoder: Encoder) -> tuple[Any, Encoder, dict[str, str]]:
    """What is measured of an encoder of an unfinished run."""
    from praxino.configuration.signatures import arguments_of

    if name == TRACKING or next(iter(arguments_of(evaluate)), "") == "encoders":
        raise UserError(f"--checkpoint takes one encoder, and 'praxino evaluate {name}' needs a run that has finished")
    return encoder, encoder, {"weights": str(encoder.record["weights"])}
