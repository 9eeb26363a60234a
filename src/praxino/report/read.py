"""What a run folder holds, read so that missing or broken pieces are said and not crashed on."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from praxino.built_in import no_run
from praxino.errors import UserError
from praxino.files import read_text
from praxino.report.form import is_evaluation
from praxino.report.markup import finite, plural

KNOWN = ("recipe.yaml", "environment.json", "videos.csv", "metrics.jsonl", "evaluations")


@dataclass(frozen=True)
class ListedVideo:
    """A line of videos.csv; `status` is "ok" for those that were used."""

    id: str
    frames: str
    status: str
    reason: str


@dataclass
class Record:
    """The readable part of a run folder.

    Attributes:
        folder: the run's.
        recipe_text, recipe: as written, and as data; "" and {} where there is none.
        environment: environment.json.
        videos: lines of videos.csv; None before the probe has ended.
        steps, epochs: lines of metrics.jsonl by kind.
        evaluations: file name without ending -> content, what is asked for first at the beginning.
        encoders: names of those that the run has left.
        problems: what could not be read, one sentence each.
    """

    folder: Path
    recipe_text: str = ""
    recipe: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    videos: list[ListedVideo] | None = None
    steps: list[dict[str, Any]] = field(default_factory=list)
    epochs: list[dict[str, Any]] = field(default_factory=list)
    evaluations: dict[str, dict[str, Any]] = field(default_factory=dict)
    encoders: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.folder.resolve().name

    @property
    def used(self) -> list[ListedVideo]:
        return [video for video in self.videos or [] if video.status == "ok"]

    @property
    def left_out(self) -> list[ListedVideo]:
        return [video for video in self.videos or [] if video.status != "ok"]


def read_run(folder: str | Path) -> Record:
    """Reads a run folder.

    Raises:
        UserError: if it is no folder, or holds none of a run's files.
    """
    folder = Path(folder)
    if line := no_run(folder):
        raise UserError(line)
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder: give a run folder, the one that --out named")
    if not any((folder / name).exists() for name in KNOWN):
        raise UserError(f"{folder} holds no run (no recipe.yaml): give the folder that --out named")
    record = Record(folder)
    _read_recipe(record)
    record.environment = _read_json(record, folder / "environment.json")
    _read_videos(record)
    _read_metrics(record)
    record.encoders = _encoders(folder)
    for path in sorted((folder / "evaluations").glob("[!.]*.json"), key=_asked_first):
        content = _read_json(record, path)
        if is_evaluation(content):
            record.evaluations[path.stem] = content
        elif content:
            record.problems.append(f"evaluations/{path.name} is no evaluation of the known form and is left out.")
    return record


def _asked_first(path: Path) -> tuple[int, str]:
    """What a run is first asked for stands first: retrieval, then that of single encoders or of other views."""
    main = path.stem == "retrieval"
    return (0 if main else 1 if path.stem.startswith(("retrieval@", "retrieval-")) else 2), path.stem


def _encoders(folder: Path) -> list[str]:
    """Names of the encoders that the run has left; that of an only one is mostly ""."""
    stems = sorted(path.stem for path in folder.glob("encoder*.safetensors"))
    return [stem.removeprefix("encoder").removeprefix("-") for stem in stems if stem.partition("-")[0] == "encoder"]


def _text(record: Record, path: Path, odd_bytes: bool = False) -> str | None:
    """A file's text; with `odd_bytes` it may hold names that are no UTF-8."""
    if not path.exists():
        return None
    try:
        return read_text(path) if odd_bytes else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        record.problems.append(f"{path.relative_to(record.folder)} cannot be read: {error}.")
        return None


def _read_recipe(record: Record) -> None:
    record.recipe_text = _text(record, record.folder / "recipe.yaml") or ""
    try:
        recipe = yaml.safe_load(record.recipe_text)
    except (yaml.YAMLError, ValueError, RecursionError):  # a date or a number that is none; brackets without end
        record.problems.append("recipe.yaml is no valid YAML; it is shown as it is.")
        return
    record.recipe = recipe if isinstance(recipe, dict) else {}


def _read_json(record: Record, path: Path) -> dict[str, Any]:
    text = _text(record, path)
    if text is None:
        return {}
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        record.problems.append(f"{path.relative_to(record.folder)} is no valid JSON object and is left out.")
        return {}
    return content


def _read_videos(record: Record) -> None:
    text = _text(record, record.folder / "videos.csv", odd_bytes=True)
    if text is None:
        return
    lines = csv.DictReader(io.StringIO(text, newline=""))
    try:
        if not {"id", "frames", "status", "reason"} <= set(lines.fieldnames or ()):
            record.problems.append("videos.csv lacks its heading and is left out.")
            return
        record.videos = [ListedVideo(*(v[name] or "" for name in ("id", "frames", "status", "reason"))) for v in lines]
    except csv.Error as error:
        record.problems.append(f"videos.csv cannot be read and is left out: {error}.")


def _read_metrics(record: Record) -> None:
    lines = list(_metric_lines(record))
    record.steps = [line for line in lines if line.get("kind") == "step"]
    record.epochs = [line for line in lines if line.get("kind") == "epoch"]


def _metric_lines(record: Record) -> Iterator[dict[str, Any]]:
    broken = 0
    for line in (_text(record, record.folder / "metrics.jsonl") or "").splitlines():
        try:
            numbers = json.loads(line)
        except (ValueError, RecursionError):
            numbers = None
        if isinstance(numbers, dict) and isinstance(numbers.get("step"), int) and finite(numbers["step"]) is not None:
            yield numbers
        else:
            broken += 1
    if broken:
        # A run that was killed leaves half a line at the end, and takes it back when it is resumed.
        record.problems.append(f"{plural(broken, 'line')} of metrics.jsonl cannot be read: passed over.")
