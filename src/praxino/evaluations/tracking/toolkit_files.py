"""Results of a tracker in the files of the field's toolkits (got10k), a number of which counts positions from 1."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from praxino.catalogs.box_files import read_boxes
from praxino.errors import UserError
from praxino.files import write_text

Form = Literal["otb", "got10k"]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ToolkitFiles:
    """A folder of results, in which every tracker has a folder of its own.

    By the form of OTB `<tracker>/<sequence>.txt` has a box in each line, `x,y,width,height` with three decimals, the
    corner counted from 1, and `<tracker>/times/<sequence>_time.txt` the seconds of each frame with eight. By that of
    GOT-10k they are `<tracker>/<sequence>/<sequence>_001.txt` and `<tracker>/<sequence>/<sequence>_time.txt`.

    Attributes:
        folder: what the toolkit calls `results/OTB2015` or `results/GOT-10k`.
        form: whose.
    """

    folder: Path
    form: Form = "otb"

    def refuse_what_is_there(self, own: Collection[str] = ()) -> None:
        """Raises UserError if the folder holds anything: an earlier result would stand beside a new one as its own.

        Args:
            own: the `fingerprint` of what may be there all the same, since it is to be replaced.

        Raises:
            UserError: also if the folder cannot be read.
        """
        try:
            if not self.folder.exists() or (self.folder.is_dir() and not any(self.folder.iterdir())):
                return
            known = bool(own) and self.fingerprint() in own
        except OSError as error:
            raise UserError(f"{self.folder} cannot be read: {error.strerror or error}") from None
        if not known:
            raise UserError(f"{self.folder} is there already, and results are never mixed: name another folder")

    def fingerprint(self) -> str:
        """What no other folder has: of the names of all files and folders in it, and of what is in the files."""
        found = hashlib.blake2b(digest_size=16)
        for path in sorted(self.folder.rglob("*")):
            content = path.read_bytes() if path.is_file() else b""
            found.update(os.fsencode(f"{path.relative_to(self.folder)}\0{path.is_file()} {len(content)}\0") + content)
        return found.hexdigest()

    def write(self, tracker: str, sequence: str, boxes: Floats, seconds: Floats) -> None:
        """Writes what a tracker made of a sequence.

        Args:
            tracker: its name; blanks become underscores.
            sequence: its id.
            boxes: float64 [frames, 4], corners counted from 0.
            seconds: float64 [frames].

        Raises:
            UserError: if a file cannot be written.
        """
        boxes_at, seconds_at = self._paths(tracker, sequence)
        write_text(seconds_at, "".join(f"{second:.8f}\n" for second in seconds))
        write_text(boxes_at, "".join(",".join(numbers) + "\n" for numbers in _written(boxes)))

    def read(self, tracker: str, sequence: str) -> Floats:
        """The boxes of a file, float64 [frames, 4], corners counted from 0.

        Raises:
            UserError: if it cannot be read, or is damaged.
        """
        return read_boxes(self._paths(tracker, sequence)[0])

    def _paths(self, tracker: str, sequence: str) -> tuple[Path, Path]:
        folder = self.folder / folder_name(tracker)
        if self.form == "otb":
            return folder / f"{sequence}.txt", folder / "times" / f"{sequence}_time.txt"
        return folder / sequence / f"{sequence}_001.txt", folder / sequence / f"{sequence}_time.txt"


def folder_name(tracker: str) -> str:
    """What a tracker's folder is called."""
    return tracker.replace(" ", "_").replace("/", "_")


def as_written(boxes: Floats) -> Floats:
    """Boxes as a file has them, with three decimals: what is scored is what the files say.

    Args:
        boxes: float64 [frames, 4], corners counted from 0.

    Returns:
        The same, rounded.
    """
    rounded = np.array([[float(number) for number in row] for row in _written(boxes)], np.float64).reshape(-1, 4)
    rounded[:, :2] -= 1
    return rounded


def _written(boxes: Floats) -> list[list[str]]:
    """The numbers of each line; a corner counts from 1."""
    return [[f"{number:.3f}" for number in row] for row in boxes + np.array([1, 1, 0, 0], np.float64)]
