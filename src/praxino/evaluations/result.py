"""What an evaluation leaves in a run's folder: a number with its protocol, baselines, and pictures to look at."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from praxino.catalogs.base import Video
from praxino.clips.dataset import Streams
from praxino.errors import UnreadableVideo, UserError
from praxino.streams.base import Canvas, Stream
from praxino.streams.choose import stream_of

PICTURES = 4


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
    """

    query: Video
    found: list[tuple[Video, float, bool]]


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
    """

    protocol: str
    title: str
    settings: dict[str, Any]
    columns: list[str]
    rows: list[Row]
    neighbours: list[Neighbours] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    per_query: dict[str, dict[str, Any]] = field(default_factory=dict)

    def row(self, name: str) -> Row:
        """The row of this name."""
        return next(row for row in self.rows if row.name == name)


def write_result(
    folder: str | Path, name: str, result: Result, classes: Sequence[str], streams: Streams | None = None
) -> Path:
    """Writes `evaluations/NAME.json` into a run's folder, and the pictures of its neighbours beside it.

    Args:
        folder: the run's.
        name: file name without its ending.
        result: what was measured.
        classes: names of the classes, by label.
        streams: readers, as of `load_clips`.
    """
    folder = Path(folder)
    (folder / "evaluations").mkdir(parents=True, exist_ok=True)
    frames = folder / "evaluations" / f"{name}-frames"
    aside = frames.with_name(frames.name + ".part")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    pictures = _Pictures(aside, frames.relative_to(folder), streams or {})

    def shown(video: Video) -> dict[str, Any]:
        label = classes[video.label] if video.label is not None and video.label < len(classes) else None
        return {"id": video.id, "label": label, "frames": pictures.of(video)}

    gallery = [
        {
            "query": shown(one.query),
            "neighbours": [
                {**shown(video), "similarity": round(similarity, 4), "hit": bool(hit)}
                for video, similarity, hit in one.found
            ],
        }
        for one in result.neighbours
    ]
    data = {
        "protocol": result.protocol,
        "title": result.title,
        "settings": result.settings,
        "columns": result.columns,
        "rows": [asdict(row) for row in result.rows],
        "gallery": gallery,
        "left_out": [{"id": id, "reason": reason} for id, reason in result.left_out],
    }
    shutil.rmtree(frames, ignore_errors=True)
    os.replace(aside, frames)
    path = folder / "evaluations" / f"{name}.json"
    path_aside = path.with_name(path.name + ".part")
    path_aside.write_text(json.dumps(data, indent=1) + "\n")
    os.replace(path_aside, path)
    return path


def read_result(folder: str | Path, name: str) -> Result:
    """The table of what `write_result` wrote, without its pictures and without the single queries.

    Raises:
        UserError: if it is not there.
    """
    path = Path(folder) / "evaluations" / f"{name}.json"
    if not path.is_file():
        raise UserError(f"{path} is missing: the evaluation has to be made once more")
    said = json.loads(path.read_text())
    rows = [Row(**row) for row in said["rows"]]
    left_out = [(one["id"], one["reason"]) for one in said["left_out"]]
    return Result(said["protocol"], said["title"], said["settings"], said["columns"], rows, left_out=left_out)


class _Pictures:
    """JPEG frames of videos, each video once."""

    def __init__(self, folder: Path, shown_as: Path, streams: Streams) -> None:
        self.folder, self.shown_as, self.streams = folder, shown_as, streams
        self.made: dict[str, list[str]] = {}

    def of(self, video: Video) -> list[str]:
        if video.id not in self.made:
            self.made[video.id] = self._make(video)
        return self.made[video.id]

    def _make(self, video: Video) -> list[str]:
        from PIL import Image

        stream = stream_of(video, "rgb", self.streams)
        if not isinstance(stream, Stream):
            return []
        try:
            with stream.open(video, Canvas(short_side=96)) as reader:
                last = len(reader.times) - 1
                wanted = np.linspace(last * 0.2, last * 0.8, PICTURES).astype(np.int64)
                pixels, _ = reader.read(wanted)
        except UnreadableVideo:
            return []
        names = [f"{len(self.made):03d}-{k}.jpg" for k in range(PICTURES)]
        for name, frame in zip(names, pixels, strict=True):
            Image.fromarray(frame).save(self.folder / name, quality=80)
        return [(self.shown_as / name).as_posix() for name in names]


def table_lines(result: Result) -> list[str]:
    """The table as plain lines, for a terminal."""
    width = max(len(row.name) for row in result.rows)
    heads = {column: f"{'@' + column if column.isdecimal() else column:>6}" for column in result.columns}
    lines = [f"{'':{width}}  " + "  ".join(heads.values())]
    for row in result.rows:
        numbers = {c: f"{row.values[c]:.1f}" if c in row.values else "-" for c in result.columns}
        cells = "  ".join(f"{numbers[column]:>{len(head)}}" for column, head in heads.items())
        first = result.columns[0]
        interval = row.intervals.get(first)
        lines.append(
            f"{row.name:{width}}  {cells}"
            + (f"   [{interval[0]:.1f}, {interval[1]:.1f}] at {first}" if interval else "")
        )
    return lines


def best_handmade(result: Result, handmade: Mapping[str, Any], column: str) -> Row | None:
    """The best hand-made row, if it beats the trained encoder in a column."""
    rows = [row for row in result.rows if row.name in handmade]
    best = max(rows, key=lambda row: row.values[column], default=None)
    return best if best and best.values[column] > result.row("trained").values[column] else None
