"""The report of a run: one HTML file that needs nothing but itself."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from praxino.report import evaluation_curves, followers, gallery, pictures, tables, training_curves
from praxino.report.document import checked, document, write_page
from praxino.report.markup import definitions, folded, note, plural, table, text
from praxino.report.opening import facts, summary
from praxino.report.read import ListedVideo, Record, read_run

NAME = "report.html"
LISTED = 500


def write_report(folder: str | Path, out: str | Path | None = None) -> Path:
    """Writes the report of a run, aside first: curves, evaluations, pictures, what was left out, recipe.

    What the run does not hold (yet) is said on the page.

    Args:
        folder: the run's.
        out: the file, with the ending .html; None: `report.html` in the folder.

    Returns:
        The file.

    Raises:
        UserError: if the folder holds no run, or the file cannot be written, or `out` is there and no report.
    """
    record = read_run(folder)
    return write_page(record.folder / NAME if out is None else checked(out), page(record))


def page(record: Record) -> str:
    """The whole document."""
    parts = {
        "results": ("Results", results(record)),
        "training": ("Training", training(record)),
        "neighbours": ("Nearest neighbours", neighbours(record)),
        "videos": ("Videos and what was left out", videos(record)),
        "recipe": ("Recipe and environment", recipe(record)),
    }
    head = f'<p class="lead">{text(summary(record))}</p>{facts(record)}{problems(record)}'
    return document(record.name, "report of a run", head, parts, footer(record))


def problems(record: Record) -> str:
    """Files of the run that could not be read, for people."""
    if not record.problems:
        return ""
    said = "".join(f"<li>{text(sentence)}</li>" for sentence in record.problems)
    return f'<div class="card problems"><h3>Not everything could be read</h3><ul>{said}</ul></div>'


def evaluations_to_make(run: str) -> str:
    """The commands of a first evaluation of a run, by its name: with labels, and without."""
    return f"praxino evaluate retrieval {run}; of videos without labels: praxino evaluate instance {run}"


def results(record: Record) -> str:
    """The tables of all evaluations, with their curves and pictures, and the runs that began with this one."""
    drawn = "".join(
        tables.draw(content, name, evaluation_curves.draw(content) + pictures.draw(record.folder, content))
        for name, content in record.evaluations.items()
    )
    if not drawn:
        drawn = note(f"No evaluation yet. To make one: {evaluations_to_make(_named(record))}")
    return drawn + followers.draw(record)


def training(record: Record) -> str:
    """The curves."""
    drawn = training_curves.curves(record.steps, record.epochs)
    if not drawn:
        return note("No curves: metrics.jsonl holds no step yet.")
    explained = "Light: every step. Strong: the moving mean over a twentieth of the run."
    if not any(training_curves.is_smoothed(curve) for curve in drawn):
        explained = "Every step as it came: too few for a moving mean."
    if any(curve.beside for curve in drawn):
        explained += " Dashed, with marks: videos that nothing is learnt from, after each epoch."
    steps = training_curves.steps_of(drawn)
    charts = "".join(training_curves.draw(curve, steps) for curve in drawn)
    return f'{note(explained)}<div class="charts">{charts}</div>'


def neighbours(record: Record) -> str:
    """Queries beside their nearest neighbours."""
    room = gallery.Room()
    drawn = [gallery.draw(record.folder, content, name, room) for name, content in record.evaluations.items()]
    shown = "".join(drawn) or note("No pictures: no evaluation of this run has a gallery.")
    if not record.encoders:
        return shown
    made = f"praxino embed {_named(record)} --videos DIR --out vectors/"
    return shown + note(f"For all of your videos on a map, by this encoder: {made}, then praxino browse vectors/")


def _named(record: Record) -> str:
    """The run's encoder as a command takes it; of several the first."""
    return f"{record.folder}:{record.encoders[0]}" if len(record.encoders) > 1 else str(record.folder)


def videos(record: Record) -> str:
    """How many videos were used, what was left out and why, and remarks on those that were used."""
    if record.videos is None:
        return note("No list of videos yet: videos.csv is written when the probe of the videos ends.")
    counts = Counter(video.status for video in record.left_out)
    said = f"{plural(len(record.used), 'video')} of {len(record.videos):,} used."
    if not counts:
        said += " None was left out."
    reasons = folded("Left out", _listed(record.left_out), _counted(counts)) if counts else ""
    remarked = [video for video in record.used if video.reason]
    if remarked:
        reasons += folded("Used, with a remark", _listed(remarked), plural(len(remarked), "video"))
    return f"<p>{text(said)}</p>{reasons}"


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {status or 'without a status'}" for status, count in counts.most_common())


def _listed(listed: list[ListedVideo]) -> str:
    rows = [(video.id, video.frames, video.status, video.reason) for video in listed[:LISTED]]
    more = note(f"And {len(listed) - LISTED:,} more in videos.csv.") if len(listed) > LISTED else ""
    return table(("video", "frames", "status", "reason"), rows) + more


def recipe(record: Record) -> str:
    """What ran, and in what."""
    ran = f'<pre tabindex="0">{text(record.recipe_text)}</pre>' if record.recipe_text else note("No recipe.yaml.")
    rows: list[tuple[str, Any]] = []
    for key, value in record.environment.items():
        rows += [(f"{key}: {k}", v) for k, v in value.items()] if isinstance(value, dict) else [(key, value)]
    around = definitions(rows) if rows else note("No environment.json.")
    return folded("Recipe, as run", ran, "recipe.yaml") + folded("Environment", around, "environment.json")


def footer(record: Record) -> str:
    """What made the page, and of which run."""
    packages = record.environment.get("packages")
    version = packages.get("praxino") if isinstance(packages, dict) else None
    ran = f" The run was made by praxino {version}." if version else ""
    return f"Made from the files of the run folder, all in this one file.{ran}"
