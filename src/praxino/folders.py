"""Folders that are there whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from praxino.files import writing
from praxino.lock import lock


class _Owner:
    """Holds a lock for as long as it is there."""


@contextmanager
def folder_aside(folder: Path) -> Iterator[Path]:
    """An empty folder to fill, which takes the place of `folder` at the end; on failure `folder` is as it was.

    It lies in a hidden folder of ours beside, `.NAME.praxino`, where no other process writes meanwhile; what a killed
    one has left there is used or removed. A link stays one: what it leads to is replaced.

    Raises:
        UserError: if it cannot be written, or another process writes it.
    """
    place = Path(os.path.realpath(folder))
    ours = place.with_name(f".{place.name}.praxino")
    new, before = ours / "new", ours / "before"
    owner = _Owner()
    with writing(folder):
        ours.mkdir(parents=True, exist_ok=True)
    lock(ours, owner, "writes", folder)
    try:
        with writing(folder):
            if before.exists() and not place.exists():  # a kill came between the two renames
                os.replace(before, place)
            shutil.rmtree(new, ignore_errors=True)
            shutil.rmtree(before, ignore_errors=True)
            new.mkdir()
            yield new
            _take_place(new, place, before)
    finally:
        if place.exists() or not before.exists():
            shutil.rmtree(ours, ignore_errors=True)
        del owner


def _take_place(new: Path, place: Path, before: Path) -> None:
    try:
        if place.exists():
            os.replace(place, before)
        os.replace(new, place)
    except BaseException:  # an interrupt, too
        if before.exists() and not place.exists():
            os.replace(before, place)
        raise
