"""A run folder: everything that one run leaves behind."""

from __future__ import annotations

import csv
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

from praxino import ranks
from praxino.encoders.files import WEIGHTS, name_of
from praxino.errors import UserError
from praxino.training.checkpoint import load_checkpoint, save_checkpoint
from praxino.training.tensorboard import Board


@dataclass(frozen=True)
class ListedVideo:
    """A line of videos.csv: row in the run ("" where left out), id, frames, status and reason."""

    row: int | None
    id: str
    frames: int
    status: str
    reason: str


class Run:
    """The files of a run. Only rank 0 writes; what is written whole is written aside first and renamed.

    Args:
        path: the folder.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.writes = ranks.rank() == 0
        self.board = Board(self.path / "tensorboard")

    @classmethod
    def create(cls, path: str | Path, recipe: Mapping[str, Any]) -> Run:
        """Makes the folder with its recipe and environment.

        Raises:
            UserError: if the folder holds a run already, or cannot be made.
        """
        run = cls(path)
        # One process looks, for all: another one might look when the recipe of this very run is there already.
        if ranks.broadcast_object(run.recipe_file.exists()):
            raise UserError(f"{path} holds a run already: go on with 'praxino resume {path}', or pass another --out")
        if run.writes:
            try:
                (run.path / "checkpoints").mkdir(parents=True, exist_ok=True)
                run.write("environment.json", json.dumps(environment(), indent=1) + "\n")
                run.write("recipe.yaml", yaml.safe_dump(dict(recipe), sort_keys=False))
            except OSError as error:
                raise UserError(f"the run folder {path} cannot be made: {error.strerror}") from None
        ranks.barrier()
        return run

    @classmethod
    def open(cls, path: str | Path) -> Run:
        """An existing run.

        Raises:
            UserError: if the folder holds none.
        """
        run = cls(path)
        if not run.recipe_file.is_file():
            raise UserError(f"{path} holds no run (no recipe.yaml): give the folder that --out named")
        return run

    def withdraw(self) -> None:
        """Takes back what `create` and the probe have written, so that the folder holds no run."""
        ranks.barrier()
        if self.writes:
            for name in ("videos.csv", "convolutions.json", "environment.json", "log.txt", "recipe.yaml"):
                (self.path / name).unlink(missing_ok=True)

    @property
    def recipe_file(self) -> Path:
        return self.path / "recipe.yaml"

    @property
    def checkpoint_file(self) -> Path:
        return self.path / "checkpoints" / "last.ckpt"

    @property
    def finished(self) -> bool:
        """Whether training has come to its end and all of its encoders are written: nothing is left to do."""
        checkpoint = self.checkpoint()
        return bool(checkpoint and checkpoint["finished"] and self._encoders_written())

    def _encoders_written(self) -> bool:
        # Each says which ones there are. Those of earlier versions do not: they were single. A file that is missing or
        # damaged is not written: the run goes on to write it.
        written: set[str] = set()
        wanted: set[str] = set()
        for file in self.path.glob("encoder*.json"):
            try:
                wanted |= set(json.loads(file.read_text())["record"].get("encoders", ()))
            except (ValueError, TypeError, KeyError, AttributeError):
                continue
            if file.with_suffix(WEIGHTS).is_file():
                written.add(name_of(file))
        return bool(written) and wanted <= written

    def recipe(self) -> dict[str, Any]:
        """The recipe as run."""
        return yaml.safe_load(self.recipe_file.read_text())

    def write(self, name: str, text: str) -> None:
        """Writes a whole file, aside first."""
        if not self.writes:
            return
        path = self.path / name
        aside = path.with_name(path.name + ".part")
        aside.write_text(text)
        os.replace(aside, path)

    def log(self, line: str) -> None:
        """An event that all ranks see: into log.txt, and onto the screen, once."""
        if self.writes:
            self.log_own(line)

    def log_own(self, line: str) -> None:
        """An event that only this rank sees: into log.txt, and onto the screen of rank 0."""
        with (self.path / "log.txt").open("a") as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}\n")
        if self.writes:
            print(line, file=sys.stderr, flush=True)

    def add_metrics(self, numbers: Mapping[str, Any]) -> None:
        """Appends a line to metrics.jsonl, and to TensorBoard's curves where it is installed."""
        if self.writes:
            with (self.path / "metrics.jsonl").open("a") as file:
                file.write(json.dumps(numbers) + "\n")
            self.board.add(numbers)

    def metrics(self) -> list[dict[str, Any]]:
        """All whole lines of metrics.jsonl."""
        path = self.path / "metrics.jsonl"
        lines = path.read_text().splitlines(keepends=True) if path.exists() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def cut_metrics(self, size: int) -> None:
        """Cuts metrics.jsonl back to what it was at a checkpoint."""
        path = self.path / "metrics.jsonl"
        if self.writes and path.exists():
            os.truncate(path, min(size, path.stat().st_size))

    def metrics_size(self) -> int:
        path = self.path / "metrics.jsonl"
        return path.stat().st_size if path.exists() else 0

    def save(self, state: dict[str, Any], keep_as: Sequence[str] = ()) -> None:
        """Writes checkpoints/last.ckpt, and copies under other names."""
        if not self.writes:
            return
        state = {**state, "metrics_size": self.metrics_size()}
        for name in keep_as:
            save_checkpoint(self.checkpoint_file.with_name(name), state)
        save_checkpoint(self.checkpoint_file, state)
        self.board.flush()

    def checkpoint(self) -> dict[str, Any] | None:
        """The last checkpoint, if there is one."""
        return load_checkpoint(self.checkpoint_file) if self.checkpoint_file.exists() else None

    def write_videos(self, videos: Sequence[ListedVideo]) -> None:
        """Freezes the run's list of videos: the row is the row of a memory bank."""
        path = self.path / "videos.csv"
        aside = path.with_name(path.name + ".part")
        with aside.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["row", "id", "frames", "status", "reason"])
            for v in videos:
                writer.writerow(["" if v.row is None else v.row, v.id, v.frames, v.status, v.reason])
        os.replace(aside, path)

    def videos(self) -> list[ListedVideo] | None:
        """The frozen list; None before the probe has ended."""
        path = self.path / "videos.csv"
        if not path.exists():
            return None
        with path.open(newline="") as file:
            return [
                ListedVideo(int(v["row"]) if v["row"] else None, v["id"], int(v["frames"]), v["status"], v["reason"])
                for v in csv.DictReader(file)
            ]


def environment() -> dict[str, Any]:
    """What a run ran in: versions, machine, the state of the source."""
    import torch

    names = ("praxino", "torch", "numpy", "av", "pillow", "safetensors", "jsonargparse")
    return {
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in names},
        "machine": f"{platform.system()} {platform.machine()}",
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "processes": ranks.world(),
        "commit": source_commit(),
    }


def source_commit() -> str | None:
    """The commit of the source tree that praxino runs from, if it is one."""
    here = Path(__file__).parent
    try:
        asked = subprocess.run(
            ["git", "-C", str(here), "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return asked.stdout.strip()


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
