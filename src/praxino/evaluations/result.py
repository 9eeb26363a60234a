"""What an evaluation leaves in a run's folder: a number with its protocol, baselines, and pictures to look at."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from praxino.catalogs.base import Video
from praxino.clips.dataset import Streams
from praxino.clips.samplers import Sampler
from praxino.errors import UserError
from praxino.evaluations.by_class import ByClass, from_plain, plain
from praxino.evaluations.figures import Curves, Picture, check_pictures, curves_of, plain_curves, write_pictures
from praxino.evaluations.probabilities import ENDING, Probabilities, write_probabilities
from praxino.evaluations.thumbnails import Played, Thumbnails
from praxino.files import written_aside
from praxino.folders import folder_aside
from praxino.telling import column_title, telling, untold


@dataclass
class Row:
    """One line of a result's table: values by column, in percent, with intervals where they were taken."""

    name: str
    values: dict[str, float]
    intervals: dict[str, list[float]] = field(default_factory=dict)
    note: str = ""


@dataclass
class Neighbours:
    """A query and its nearest videos, for the gallery of pictures.

    Attributes:
        query: the video.
        found: (video, cosine similarity, whether it is a hit), nearest first.
        name: whose they are, where several encoders answer the same query; theirs follow each other in a result.
    """

    query: Video
    found: list[tuple[Video, float, bool]]
    name: str = ""


@dataclass
class Result:
    """A protocol's outcome.

    Attributes:
        protocol: "retrieval", "knn", "instance".
        title: for people.
        settings: everything that the number depends on.
        columns: of the table, in order.
        rows: chance, baselines, the encoder.
        neighbours: queries with what they found.
        left_out: (id, reason).
        per_query: row name -> column -> hit of each query; what intervals and comparisons are made of.
        pictures: to be shown below the table.
        curves: charts, to be shown there, too.
        probabilities: of each video of a classifier's test, which are written beside the result.
        below: lines that a terminal shows below the table: of each sequence, of what was odd.
        played: which clips of the neighbours move in the report; None: none does.
        by_class: the headline, class by class, where there are labels.
    """

    protocol: str
    title: str
    settings: dict[str, Any]
    columns: list[str]
    rows: list[Row]
    neighbours: list[Neighbours] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    per_query: dict[str, dict[str, Any]] = field(default_factory=dict)
    pictures: list[Picture] = field(default_factory=list)
    curves: list[Curves] = field(default_factory=list)
    probabilities: Probabilities | None = None
    below: list[str] = field(default_factory=list)
    played: Played | None = None
    by_class: ByClass | None = None

    def row(self, name: str) -> Row:
        """The row of this name."""
        return next(row for row in self.rows if row.name == name)


def write_result(
    folder: str | Path, name: str, result: Result, classes: Sequence[str], streams: Streams | None = None
) -> Path:
    """Writes `evaluations/NAME.json` into a run's folder, and beside it its pictures and those of its neighbours.

    All pictures are written aside first, so that a failure leaves what was there.

    Args:
        folder: the run's.
        name: file name without its ending; of a run with several encoders "retrieval@rgb".
        result: what was measured.
        classes: names of the classes, by label.
        streams: readers, as of `load_clips`.

    Raises:
        ValueError: if a picture or a curve of the result is none.
        UserError: if the folder cannot be written to.
    """
    folder = Path(folder)
    check_pictures(result.pictures)
    curves = [plain_curves(one) for one in result.curves]
    frames = folder / "evaluations" / f"{name}-frames"
    path = frames.with_name(f"{name}.json")
    if result.probabilities is not None:
        write_probabilities(frames.with_name(f"{name}{ENDING}"), result.probabilities)
    with written_aside(path) as path_aside, folder_aside(frames) as aside:
        data = {
            "protocol": result.protocol,
            "title": result.title,
            "settings": result.settings,
            "columns": result.columns,
            "rows": [asdict(row) for row in result.rows],
            "gallery": _gallery(
                result, classes, Thumbnails(aside, frames.relative_to(folder), streams or {}, _sampler(result))
            ),
            "pictures": write_pictures(aside, frames.relative_to(folder), result.pictures),
            "curves": curves,
            "by_class": plain(result.by_class),
            "left_out": [{"id": id, "reason": reason} for id, reason in result.left_out],
        }
        path_aside.write_text(json.dumps(data, indent=1, default=_number) + "\n", encoding="utf-8")
    return path


def _number(value: Any) -> Any:
    """A number of NumPy or torch as JSON has it."""
    if callable(getattr(value, "item", None)):
        return value.item()
    raise TypeError(f"a result holds numbers, texts, lists and mappings, no {type(value).__name__}")


def _sampler(result: Result) -> Sampler | None:
    return result.played.sampler if result.played else None


def _gallery(result: Result, classes: Sequence[str], thumbnails: Thumbnails) -> list[dict[str, Any]]:
    asks, answers = (result.played.query, result.played.found) if result.played else (None, None)

    def shown(video: Video, clip: int | None) -> dict[str, Any]:
        label = classes[video.label] if video.label is not None and video.label < len(classes) else None
        return {"id": video.id, "label": label, **thumbnails.of(video, clip)}

    return [
        {
            **({"name": one.name} if one.name else {}),
            "query": shown(one.query, asks),
            "neighbours": [
                {**shown(video, answers), "similarity": round(similarity, 4), "hit": bool(hit)}
                for video, similarity, hit in one.found
            ],
        }
        for one in result.neighbours
    ]


def read_result(folder: str | Path, name: str) -> Result:
    """The table and the curves of what `write_result` wrote, without its pictures and without the single queries.

    Raises:
        UserError: if it is not there, or damaged.
    """
    path = Path(folder) / "evaluations" / f"{name}.json"
    if not path.is_file():
        raise UserError(f"{path} is missing: the evaluation has to be made once more")
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        rows = [Row(**row) for row in said["rows"]]
        left_out = [(one["id"], one["reason"]) for one in said["left_out"]]
        curves = [curves_of(one) for one in said.get("curves") or []]  # results of earlier versions have none
        classes = from_plain(said.get("by_class"))
        table = said["protocol"], said["title"], said["settings"], said["columns"], rows
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise UserError(f"{path} is damaged: the evaluation has to be made once more") from None
    return Result(*table, left_out=left_out, curves=curves, by_class=classes)


def table_lines(result: Result) -> list[str]:
    """The table as plain lines for a terminal, and what stands below it."""
    if not result.rows or not result.columns:
        return list(result.below)
    width = max(len(row.name) for row in result.rows)
    by_chance = next((row.values for row in result.rows if row.name == "chance"), {})
    columns = telling(result.columns, by_chance)
    heads = {column: f"{column_title(column):>6}" for column in columns}
    lines = [f"{'':{width}}  " + "  ".join(heads.values())]
    for row in result.rows:
        numbers = {c: f"{row.values[c]:.1f}" if c in row.values else "-" for c in columns}
        cells = "  ".join(f"{numbers[column]:>{len(head)}}" for column, head in heads.items())
        first = columns[0]
        interval = row.intervals.get(first)
        lines.append(
            f"{row.name:{width}}  {cells}"
            + (f"   [{interval[0]:.1f}, {interval[1]:.1f}] at {first}" if interval else "")
        )
    without = untold(result.columns, by_chance)
    return lines + ([without] if without else []) + result.below


def best_handmade(result: Result, handmade: Mapping[str, Any], column: str) -> Row | None:
    """The best hand-made row, if it beats the trained encoder in a column."""
    rows = [row for row in result.rows if row.name in handmade]
    best = max(rows, key=lambda row: row.values[column], default=None)
    return best if best and best.values[column] > result.row("trained").values[column] else None
