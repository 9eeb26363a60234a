"""What a run folder holds, read so that missing or broken pieces are said and not crashed on."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from praxino.errors import UserError

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
        evaluations: file name without ending -> content, by name.
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
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder: give a run folder, the one that --out named")
    if not any((folder / name).exists() for name in KNOWN):
        raise UserError(f"{folder} holds no run (no recipe.yaml): give the folder that --out named")
    record = Record(folder)
    _read_recipe(record)
    record.environment = _read_json(record, folder / "environment.json")
    _read_videos(record)
    _read_metrics(record)
    # What the run is first asked for stands first.
    for path in sorted((folder / "evaluations").glob("*.json"), key=lambda path: (path.stem != "retrieval", path.stem)):
        content = _read_json(record, path)
        if _is_evaluation(content):
            record.evaluations[path.stem] = content
        elif content:
            record.problems.append(f"evaluations/{path.name} is no evaluation of the known form and is left out.")
    return record


def _is_evaluation(content: dict[str, Any]) -> bool:
    """Whether the parts that are given have the form that the page relies on."""
    gallery = content.get("gallery") or []
    lists = [content.get(key) or [] for key in ("rows", "left_out")] + [gallery]
    if not content or not all(isinstance(part, list) and all(isinstance(i, dict) for i in part) for part in lists):
        return False
    columns = content.get("columns") or []
    tables = [row.get(key) or {} for row in content.get("rows") or [] for key in ("values", "intervals")]
    shown = [one for match in gallery for one in (match.get("query"), *(match.get("neighbours") or []))]
    return (
        isinstance(columns, list)
        and all(isinstance(column, str) for column in columns)
        and all(isinstance(part, dict) for part in (*tables, *shown, content.get("settings") or {}))
    )


def _text(record: Record, path: Path) -> str | None:
    if not path.exists():
        return None
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        record.problems.append(f"{path.relative_to(record.folder)} cannot be read: {error}.")
        return None


def _read_recipe(record: Record) -> None:
    record.recipe_text = _text(record, record.folder / "recipe.yaml") or ""
    try:
        recipe = yaml.safe_load(record.recipe_text)
    except yaml.YAMLError:
        record.problems.append("recipe.yaml is no valid YAML; it is shown as it is.")
        return
    record.recipe = recipe if isinstance(recipe, dict) else {}


def _read_json(record: Record, path: Path) -> dict[str, Any]:
    text = _text(record, path)
    if text is None:
        return {}
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        record.problems.append(f"{path.relative_to(record.folder)} is no valid JSON object and is left out.")
        return {}
    return content


def _read_videos(record: Record) -> None:
    text = _text(record, record.folder / "videos.csv")
    if text is None:
        return
    lines = csv.DictReader(text.splitlines())
    if not {"id", "frames", "status", "reason"} <= set(lines.fieldnames or ()):
        record.problems.append("videos.csv lacks its heading and is left out.")
        return
    record.videos = [ListedVideo(v["id"] or "", v["frames"] or "", v["status"] or "", v["reason"] or "") for v in lines]


def _read_metrics(record: Record) -> None:
    lines = list(_metric_lines(record))
    record.steps = [line for line in lines if line.get("kind") == "step"]
    record.epochs = [line for line in lines if line.get("kind") == "epoch"]


def _metric_lines(record: Record) -> Iterator[dict[str, Any]]:
    broken = 0
    for line in (_text(record, record.folder / "metrics.jsonl") or "").splitlines():
        try:
            numbers = json.loads(line)
        except ValueError:
            numbers = None
        if isinstance(numbers, dict) and isinstance(numbers.get("step"), int):
            yield numbers
        else:
            broken += 1
    if broken:
        # A run that was killed leaves half a line at the end, and takes it back when it is resumed.
        record.problems.append(f"{broken} line(s) of metrics.jsonl cannot be read and are passed over.")
