"""What a test says of each video: the probability of each class, kept beside the result so that tests can be joined."""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from praxino.errors import UserError
from praxino.files import written_aside

ENDING = "-probabilities.npz"  # behind the result's name
ARRAYS = ("ids", "labels", "classes", "probabilities")
MOST_BYTES = 1 << 30  # of all arrays: those of Kinetics-700's test with its 70,000 videos have 210 MiB
SUM_TOLERANCE = 1e-3  # float32 sums of thousands of classes


@dataclass(eq=False)
class Probabilities:
    """Class probabilities of some videos.

    Attributes:
        ids: of the videos.
        labels: int64 [videos].
        classes: names of the classes.
        values: float32 [videos, classes], each row summing to 1.
    """

    ids: list[str]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    values: NDArray[np.float32]


def write_probabilities(path: Path, said: Probabilities) -> None:
    """Writes them, aside first.

    Raises:
        UserError: if they cannot be written.
    """
    with written_aside(path) as aside, open(aside, "wb") as file:
        np.savez_compressed(
            file, ids=np.array(said.ids, np.str_), labels=said.labels, classes=np.array(said.classes, np.str_),
            probabilities=said.values,
        )  # fmt: skip


def read_probabilities(folder: Path) -> Probabilities:
    """Those of the one test that lies in a run's folder.

    Raises:
        UserError: if there is none, or several, or its file is damaged.
    """
    try:
        # Not by glob, which takes a folder that may not be read for an empty one.
        names = os.listdir(folder / "evaluations")
    except FileNotFoundError:
        names = []
    except OSError as error:
        raise UserError(f"{folder / 'evaluations'} cannot be read: {error.strerror}") from None
    found = sorted(folder / "evaluations" / name for name in names if name.endswith(ENDING))
    if not found:
        raise UserError(
            f"{folder} holds no test of a classifier with its probabilities: praxino evaluate recognition {folder} "
            "makes it (praxino resume, where the fine-tuning is not finished)"
        )
    if len(found) > 1:
        own = [path for path in found if path.name in (f"finetune{ENDING}", f"linear{ENDING}")]
        if len(own) != 1:
            listed = ", ".join(path.name.removesuffix(ENDING) for path in found)
            raise UserError(f"{folder} holds several tests ({listed}), and which one is meant does not follow")
        found = own
    return _read(found[0])


def _read(path: Path) -> Probabilities:
    _refuse_unreadable(path)
    try:
        with zipfile.ZipFile(path) as archive:
            # A damaged file, or one that was made for it, may unpack to more than the memory holds.
            if sum(one.file_size for one in archive.infolist()) > MOST_BYTES:
                raise ValueError("it is too large")
        with np.load(path, allow_pickle=False) as file:
            held: dict[str, NDArray[Any]] = {name: file[name] for name in ARRAYS}
        ids, classes = held["ids"].astype(str).tolist(), tuple(held["classes"].astype(str).tolist())
        labels, values = held["labels"].astype(np.int64), held["probabilities"].astype(np.float32)
    except Exception:
        # Damaged bytes make NumPy, zipfile and its decompressors raise whatever they come upon.
        raise UserError(f"{path} is damaged, or no file of probabilities: make the test once more") from None
    fits = values.shape == (len(ids), len(classes)) and labels.shape == (len(ids),) and len(ids) > 0
    if not fits or not ((labels >= 0) & (labels < len(classes))).all():
        raise UserError(f"{path} is damaged: its ids, labels, classes and probabilities do not fit together")
    # Written so that numbers that are not finite are refused, too.
    if not ((values >= 0).all() and (np.abs(values.sum(1, dtype=np.float64) - 1) < SUM_TOLERANCE).all()):
        raise UserError(f"{path} is damaged: a video's probabilities are 0 or more, and their sum is 1")
    if len(set(ids)) < len(ids):
        raise UserError(f"{path} holds a video twice")
    return Probabilities(ids, labels, classes, values)


def _refuse_unreadable(path: Path) -> None:
    # To open a pipe would be to wait for its other end.
    if not path.is_file():
        raise UserError(f"{path} is no regular file: make the test once more")
    try:
        path.open("rb").close()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
