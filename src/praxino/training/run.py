"""A run folder: everything that one run leaves behind."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from praxino import lock, ranks
from praxino.built_in import no_run
from praxino.configuration.documents import read
from praxino.encoders.files import all_written
from praxino.errors import UserError
from praxino.files import append_text, make_folder, read_text, write_text, writing
from praxino.printable import one_line, printable
from praxino.training.checkpoint import load_either, save_checkpoint
from praxino.training.environment import environment
from praxino.training.listed import ListedVideo, read_list, write_list
from praxino.training.tensorboard import Board


class Run:
    """The files of a run. Only rank 0 writes; what is written whole is written aside first and renamed.

    Args:
        path: the folder.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.writes = ranks.rank() == 0
        self._made = False  # by this process, which then takes the folder back with what is in it
        self._damaged = False  # the last checkpoint, which then must not take the place of the one before
        self._logged: set[str] = set()
        self.board = Board(self.path / "tensorboard")

    @classmethod
    def create(cls, path: str | Path, recipe: Mapping[str, Any], owner: object | None = None) -> Run:
        """Makes the folder with its recipe and environment.

        Args:
            path: the folder.
            recipe: what is written as recipe.yaml.
            owner: holds the folder's lock; None: it is not locked.

        Raises:
            UserError: if the folder holds a run already, is locked, or cannot be made.
        """
        run = cls(path)
        run.by_the_first(lambda: run._begin(recipe, owner))
        return run

    def _begin(self, recipe: Mapping[str, Any], owner: object | None) -> None:
        self._refuse_another()
        self._made = not self.path.exists()
        make_folder(self.path / "checkpoints")
        if owner is not None:
            self._lock(owner)
            self._refuse_another()  # that has begun meanwhile
        try:
            self.write("environment.json", json.dumps(environment(), indent=1) + "\n")
            self.write("recipe.yaml", yaml.safe_dump(dict(recipe), sort_keys=False))
        except UserError:
            self.withdraw(agreed=False)
            raise

    def _refuse_another(self) -> None:
        if self.recipe_file.exists():
            mend = f"go on with 'praxino resume {self.path}', or pass another --out"
            raise UserError(f"{self.path} holds a run already: {mend}")

    def by_the_first(self, action: Callable[[], object]) -> None:
        """Rank 0 does it, for all, however long it takes; a user's mistake that comes up then is told by all."""
        ranks.by_the_first(action)

    @classmethod
    def open(cls, path: str | Path) -> Run:
        """An existing run.

        Raises:
            UserError: if the folder holds none.
        """
        run = cls(path)
        if not run.recipe_file.is_file():
            whole, colon, name = str(path).rpartition(":")
            if colon and (Path(whole) / "recipe.yaml").is_file():
                raise UserError(f"{whole} is the run, which is meant as a whole: leave out ':{name}'")
            if line := no_run(run.path):
                raise UserError(line)
            raise UserError(f"{path} holds no run (no recipe.yaml): give the folder that --out named")
        return run

    def lock(self, owner: object) -> None:
        """Keeps other trainers out of the folder, until `owner` is gone or the process has ended.

        Raises:
            UserError: if another process trains in it.
        """
        self.by_the_first(lambda: self._lock(owner))

    def _lock(self, owner: object) -> None:
        if not lock.lock(self.path, owner):
            self.log(f"the disk of {self.path} knows no locks: do not train in this folder twice at the same time")

    def withdraw(self, agreed: bool = True) -> None:
        """Takes back what `create` and the probe have written, so that the folder holds no run.

        Args:
            agreed: all ranks do so.
        """
        if agreed:
            ranks.barrier()
        if self.writes:
            for name in (
                "videos.csv",
                "convolutions.json",
                "start.json",
                "environment.json",
                "log.txt",
                "recipe.yaml",
                lock.NAME,
            ):
                with suppress(OSError):
                    (self.path / name).unlink(missing_ok=True)
            with suppress(OSError):
                self.checkpoint_file.parent.rmdir()  # where it is empty
                if self._made:
                    self.path.rmdir()

    @property
    def recipe_file(self) -> Path:
        return self.path / "recipe.yaml"

    @property
    def checkpoint_file(self) -> Path:
        return self.path / "checkpoints" / "last.ckpt"

    @property
    def previous_file(self) -> Path:
        return self.checkpoint_file.with_name("previous.ckpt")

    @property
    def videos_file(self) -> Path:
        return self.path / "videos.csv"

    @property
    def finished(self) -> bool:
        """Whether training has come to its end and all of its encoders are written: nothing is left to do."""
        # The encoders first: they are looked at in no time, and a checkpoint may be large.
        return all_written(self.path) and bool((checkpoint := self.checkpoint()) and checkpoint["finished"])

    def recipe(self) -> dict[str, Any]:
        """The recipe as run.

        Raises:
            UserError: if it cannot be read.
        """
        return read(self.recipe_file)

    def write(self, name: str, text: str) -> None:
        """Writes a whole file, aside first."""
        if self.writes:
            write_text(self.path / name, text)

    def log(self, line: str) -> None:
        """An event that all ranks see: into log.txt, and onto the screen, once."""
        if self.writes:
            self.log_own(line)

    def log_own(self, line: str) -> None:
        """An event that only this rank sees: into log.txt, and onto the screen of rank 0."""
        append_text(self.path / "log.txt", f"{time.strftime('%Y-%m-%d %H:%M:%S')} {one_line(line)}\n")
        if self.writes:
            print(printable(line), file=sys.stderr, flush=True)

    def log_own_once(self, line: str) -> None:
        """As `log_own`; a line that this object has logged so before is left out."""
        if line not in self._logged:
            self._logged.add(line)
            self.log_own(line)

    def add_metrics(self, numbers: Mapping[str, Any]) -> None:
        """Appends a line to metrics.jsonl, and to TensorBoard's curves where it is installed."""
        if self.writes:
            append_text(self.path / "metrics.jsonl", json.dumps(numbers) + "\n")
            self.board.add(numbers)

    def metrics(self) -> list[dict[str, Any]]:
        """All whole lines of metrics.jsonl."""
        path = self.path / "metrics.jsonl"
        lines = read_text(path).splitlines(keepends=True) if path.exists() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def cut_metrics(self, size: int) -> None:
        """Cuts metrics.jsonl back to what it was at a checkpoint."""
        path = self.path / "metrics.jsonl"
        if self.writes and path.exists():
            with writing(path):
                os.truncate(path, min(size, path.stat().st_size))

    def metrics_size(self) -> int:
        path = self.path / "metrics.jsonl"
        return path.stat().st_size if path.exists() else 0

    def save(self, state: dict[str, Any], keep_as: Sequence[str] = ()) -> None:
        """Writes checkpoints/last.ckpt, and copies under other names; the last one before it is kept as previous.ckpt.

        Raises:
            UserError: if it cannot be written; the last good one stays.
        """
        if not self.writes:
            return
        state = {**state, "metrics_size": self.metrics_size()}
        for name in keep_as:
            save_checkpoint(self.checkpoint_file.with_name(name), state)
        save_checkpoint(self.checkpoint_file, state, None if self._damaged else self.previous_file)
        self._damaged = False
        self.board.flush()

    def checkpoint(self, say: Callable[[str], object] | None = None) -> dict[str, Any] | None:
        """The last checkpoint, or where that is damaged or gone the one before; None if there is none.

        Args:
            say: told where it is the one before, or has no checksum.

        Raises:
            UserError: if there is none that can be read.
        """
        found = load_either(self.checkpoint_file, self.previous_file, say)
        self._damaged = found is not None and not found[1]
        return found[0] if found else None

    def write_videos(self, videos: Iterable[ListedVideo]) -> None:
        """Freezes the run's list of videos: the row is the row of a memory bank."""
        write_list(self.videos_file, videos)

    def videos(self) -> Iterator[ListedVideo]:
        """The frozen list, line by line; `videos_file` is not there before the probe has ended.

        Raises:
            UserError: if it cannot be read, or is damaged.
        """
        return read_list(self.videos_file)
