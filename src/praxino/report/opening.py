"""The top of the page: what the run is, and the few numbers that one looks for first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from praxino.report import tables, training_curves
from praxino.report.markup import finite, plural, short, text
from praxino.report.read import Record
from praxino.telling import column_title

EVALUATIONS = {
    "retrieval": "Retrieval",
    "knn": "kNN",
    "instance": "Own video found",
    "linear": "Linear classifier",
    "finetune": "Fine-tuned",
    "recognition": "Recognition",
    "probe": "Probe",
    "agreement": "Agreement",
    "tracking": "Tracking",
}
NO_SCORE = ("views",)  # pictures, and how much of them is there
Fact = tuple[str, str, str]


def summary(record: Record) -> str:
    """What the run is, in a sentence or two."""
    recipe, kind = record.recipe, _kind(record.recipe)
    catalog = recipe.get("train") or recipe.get("catalog")  # a tracker follows on other videos than it learns from
    arguments = catalog.get("init_args") if isinstance(catalog, dict) else None
    arguments = arguments if isinstance(arguments, dict) else {}
    place = next((arguments[key] for key in ("root", "path") if arguments.get(key)), "")
    where = f" on the videos of {_class(catalog)}{f' ({place})' if place else ''}" if catalog else ""
    begun = "" if record.steps else " No step has been taken yet."
    if kind == "pretrain":
        return f"{_class(recipe.get('method')) or 'A method'}, trained without labels{where}.{begun}"
    start = "from scratch" if recipe.get("scratch") else f"from {recipe.get('encoder') or 'an encoder'}"
    what = {
        "linear": "A linear classifier with labels",
        "finetune": "Fine-tuning with labels",
        "tracking": "A siamese head that is trained with boxes to track",
    }
    return f"{what.get(kind, f'A run of the kind “{kind}”')}, {start},{where}.{begun}"


def facts(record: Record) -> str:
    """The few numbers that one looks for first."""
    cells = "".join(
        f"<div><dt>{text(name)}</dt><dd>{text(value)}<small>{text(aside)}</small></dd></div>"
        for name, value, aside in gathered(record)
    )
    return f'<dl class="facts">{cells}</dl>' if cells else ""


def gathered(record: Record) -> list[Fact]:
    """The same as (name, value, aside)."""
    made = [fact for evaluation in _leading(record) for fact in _score(evaluation)]
    if len(record.encoders) > 1:
        names = ", ".join(name or "without a name" for name in record.encoders)
        made.append(("Encoders", f"{len(record.encoders)}", names))
    if record.videos is not None:
        left_out = len(record.left_out)
        made.append(("Videos", f"{len(record.used):,}", f"{left_out:,} left out" if left_out else "none left out"))
    if record.steps:
        steps = max(line["step"] for line in record.steps) + 1
        made.append(("Steps", f"{steps:,}", f"{plural(len(record.epochs), 'whole epoch')}"))
        made += _losses(record)
        made.append(("Training time", _duration(record), "of the steps alone"))
    return made


def _kind(recipe: Mapping[str, Any]) -> str:
    """Which kind of run: under `kind`; earlier the word under `protocol`, and none for a pretraining."""
    said = recipe.get("kind", recipe.get("protocol"))
    return said if isinstance(said, str) else "pretrain"


def _class(value: Any) -> str:
    """The last word of a class path in a recipe."""
    path = value.get("class_path") if isinstance(value, dict) else value
    return str(path or "").rpartition(".")[2]


def _leading(record: Record) -> list[Mapping[str, Any]]:
    """The evaluation that is asked for first; of a run with several encoders, that of each."""
    leading: dict[str, Mapping[str, Any]] = {}
    for one in record.evaluations.values():
        if one.get("protocol") in NO_SCORE:
            continue
        first = next(iter(leading.values()), one)
        if one.get("protocol") == first.get("protocol"):
            leading.setdefault(_encoder(one), one)
    return list(leading.values())


def _encoder(evaluation: Mapping[str, Any]) -> str:
    return str((evaluation.get("settings") or {}).get("encoder") or "")


def _score(evaluation: Mapping[str, Any]) -> list[Fact]:
    column = next(iter(evaluation.get("columns") or []), None)
    rows = evaluation.get("rows") or []
    trained = tables.trained(rows, column) if column else None
    if column is None or trained is None:
        return []
    chance = tables.best([row for row in rows if tables.kind(row) == "chance"], column)
    aside = f"chance: {tables.value(chance, column):.1f} %" if chance else "the trained network"
    protocol = str(evaluation.get("protocol", "score"))
    of = f", {_encoder(evaluation)}" if _encoder(evaluation) else ""
    title = f"{EVALUATIONS.get(protocol, protocol)} {column_title(column)}{of}"
    return [(title, f"{tables.value(trained, column):.1f} %", aside)]


def _losses(record: Record) -> list[Fact]:
    """Of the training, as its moving mean; of the held-out videos, with the lowest."""
    made: list[Fact] = []
    for curve in training_curves.curves(record.steps, record.epochs):
        if curve.key == "total" and curve.points:
            smooth = training_curves.smoothed(curve.points)
            made.append(("Loss", short(smooth[-1][1]), f"from {short(smooth[0][1])}"))
            held_out = [y for _, y in curve.beside["validation"].points] if "validation" in curve.beside else []
            if held_out:
                made.append(("Validation loss", short(held_out[-1]), f"lowest: {short(min(held_out))}"))
    return made


def _duration(record: Record) -> str:
    spent = sum(finite(line.get("seconds")) or 0.0 for line in record.steps)
    minutes, seconds = divmod(round(spent), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {seconds:02d} s"
