"""Several runs on one page: what they are, their results in one table, their curves in one chart, what differs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from praxino.errors import UserError
from praxino.files import told_apart
from praxino.report import run_curves, tables
from praxino.report.document import checked, document, write_page
from praxino.report.markup import note, plain, table, text
from praxino.report.opening import gathered, summary
from praxino.report.page import evaluations_to_make
from praxino.report.read import Record, read_run

NAME = "comparison.html"
LONGEST = 120  # characters of a recipe's value
# Of a result's settings: which do not make another question.
ASIDE = ("encoder", "weights", "batchnorm re-estimated on clips")
MISSING = "–"


def write_comparison(folders: Sequence[str | Path], out: str | Path | None = None) -> Path:
    """Writes a page that holds runs against each other.

    Args:
        folders: of two runs or more.
        out: the file, with the ending .html; None: `comparison.html` in the current folder.

    Returns:
        The file.

    Raises:
        UserError: if a folder holds no run or is named twice, or the file cannot be written, or is there and no report.
    """
    refuse_twice(folders)
    path = checked(NAME if out is None else out)
    return write_page(path, page([read_run(folder) for folder in folders]))


def refuse_twice(folders: Sequence[str | Path]) -> None:
    """Refuses a run that is named twice.

    Raises:
        UserError: that names it.
    """
    places = [Path(folder).resolve() for folder in folders]
    twice = next((folder for folder, place in zip(folders, places, strict=True) if places.count(place) > 1), None)
    if twice is not None:
        raise UserError(f"{twice} is named twice: give each run once")


def page(records: Sequence[Record]) -> str:
    """The whole document."""
    runs = dict(zip(told_apart([record.folder for record in records]), records, strict=True))
    parts = {
        "runs": ("Runs", _runs(runs)),
        "results": ("Results", _results(runs)),
        "training": ("Training", run_curves.draw({name: (one.steps, one.epochs) for name, one in runs.items()})),
        "differences": ("What differs in the recipes", _differences(runs)),
    }
    lead = "".join(f'<p class="lead"><b>{text(name)}</b>: {text(summary(one))}</p>' for name, one in runs.items())
    foot = "Made from the files of the run folders. The pictures of each run stand in its own report."
    return document(" and ".join(runs), "runs side by side", lead, parts, foot)


def _runs(runs: Mapping[str, Record]) -> str:
    """The few numbers of each that one looks for first, and what could not be read."""
    facts = {name: {fact: (value, aside) for fact, value, aside in gathered(one)} for name, one in runs.items()}
    rows = []
    for fact in dict.fromkeys(fact for own in facts.values() for fact in own):
        said = [own.get(fact) for own in facts.values()]
        rows.append((fact, *(f"{one[0]} ({one[1]})" if one else MISSING for one in said)))
    broken = [f"{name}: {sentence}" for name, one in runs.items() for sentence in one.problems]
    return table(("", *runs), rows, even=True) + "".join(map(note, broken))


def _results(runs: Mapping[str, Record]) -> str:
    """A card for each question that any of the runs was asked, under the name of its file."""
    names = dict.fromkeys(name for one in runs.values() for name in one.evaluations)
    cards = [_result(name, {run: one.evaluations.get(name) for run, one in runs.items()}) for name in names]
    return "".join(cards) or note(f"No evaluation yet. To make one: {evaluations_to_make('RUN')}")


def _result(name: str, found: Mapping[str, Mapping[str, Any] | None]) -> str:
    made = {run: one for run, one in found.items() if one is not None}
    first = next(iter(made.values()))
    columns = list(dict.fromkeys(column for one in made.values() for column in one.get("columns") or []))
    rows = [row for row_name in _row_names(made) for row in _rows_of(row_name, made)]
    lacking = [run for run, one in found.items() if one is None]
    said = [f"Not asked of {', '.join(lacking)}."] if lacking else []
    said += _asked_otherwise(made)
    body = tables.scores(columns, rows) if columns and rows else note("This evaluation holds no table.")
    return (
        f'<article class="card"><h3>{text(first.get("title") or name)}</h3>'
        f"{''.join(map(note, said))}{_told(made, columns)}{body}</article>"
    )


def _row_names(made: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(str(row.get("name")) for one in made.values() for row in one.get("rows") or []))


def _rows_of(name: str, made: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The row of this name of each run; runs whose numbers are the same share one."""
    rows: list[dict[str, Any]] = []
    for run, one in made.items():
        for row in (row for row in one.get("rows") or [] if str(row.get("name")) == name):
            key = [row.get("values"), row.get("intervals")]
            same = next((other for other in rows if [other.get("values"), other.get("intervals")] == key), None)
            if same is None:
                rows.append({**row, "note": run})
            else:
                same["note"] += f", {run}"
    return rows


def _asked_otherwise(made: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """In which settings the runs' questions differ: then their numbers are of different things."""
    settings = {run: one.get("settings") or {} for run, one in made.items()}
    keys = dict.fromkeys(key for own in settings.values() for key in own if key not in ASIDE)
    said = {key: [plain(own[key]) if key in own else "not said" for own in settings.values()] for key in keys}
    told = ", ".join(f"{key} ({'; '.join(ways)})" for key, ways in said.items() if len(set(ways)) > 1)
    if not told:
        return []
    return [f"Not quite the same question; these settings differ: {told}."]


def _told(made: Mapping[str, Mapping[str, Any]], columns: Sequence[str]) -> str:
    """How far the trained networks stand from the first run's."""
    if not columns or len(made) < 2:
        return ""
    column = columns[0]
    trained = {run: tables.trained(one.get("rows") or [], column) for run, one in made.items()}
    known = {run: row for run, row in trained.items() if row is not None}
    if len(known) < 2:
        return ""
    (base, first), *others = known.items()
    said = []
    for run, row in others:
        apart = (tables.value(row, column) or 0.0) - (tables.value(first, column) or 0.0)
        side = "level with" if abs(apart) < 0.05 else f"{abs(apart):.1f} points {'above' if apart > 0 else 'below'}"
        caution = "; the intervals overlap, so no difference is shown" if tables.overlap(row, first, column) else ""
        said.append(f"<li>{text(f'{run} is {side} {base} {tables.at(column)}{caution}.')}</li>")
    return f'<ul class="findings">{"".join(said)}</ul>'


def _differences(runs: Mapping[str, Record]) -> str:
    flat = {name: dict(_flat(one.recipe)) for name, one in runs.items()}
    keys = dict.fromkeys(key for own in flat.values() for key in own if key != "out")
    rows = [
        (key, *(own.get(key, MISSING) for own in flat.values()))
        for key in keys
        if len({own.get(key) for own in flat.values()}) > 1
    ]
    return table(("argument", *runs), rows, even=True) if rows else note("Nothing: the recipes are the same.")


def _flat(value: Any, key: str = "") -> list[tuple[str, str]]:
    """A recipe by dotted names, as the command line takes them."""
    if isinstance(value, dict) and "class_path" in value:
        name, inner = str(value["class_path"]).rpartition(".")[2], value.get("init_args")
        return [(key, name), *(_flat(inner, key) if isinstance(inner, dict) and inner else [])]
    if isinstance(value, dict) and value:
        return [pair for name, one in value.items() for pair in _flat(one, f"{key}.{name}".lstrip("."))]
    if isinstance(value, list) and any(isinstance(one, dict) for one in value):
        return [pair for number, one in enumerate(value) for pair in _flat(one, f"{key}.{number}")]
    return [(key, _plain(value)[:LONGEST])]


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)
