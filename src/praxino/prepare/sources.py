"""What views are made of: whether a file is still the same, whose places are apart, and which versions make them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Any

from praxino import __version__
from praxino.catalogs.base import Files
from praxino.configuration.signatures import arguments_of, is_path
from praxino.described import describe
from praxino.errors import UserError
from praxino.streams.base import Derived
from praxino.streams.frames import pictures_in
from praxino.streams.places import place_of
from praxino.streams.stretch import whole

# What decides about bytes: decoding, scaling, and what the usual providers compute with.
LIBRARIES = (
    "av", "numpy", "pillow", "opencv-python-headless", "opencv-python", "opencv-contrib-python-headless",
    "opencv-contrib-python", "ai-edge-litert",
)  # fmt: skip


def identity(files: Files) -> dict[str, int]:
    """What tells a file, or a video's pictures, from later ones: number, bytes, time of the last change.

    Without an answer, {}, where nothing is there; then it cannot be read either.
    """
    files = whole(files)
    try:
        paths = [files] if isinstance(files, str) else [path for path in files if os.path.exists(path)]
        if isinstance(files, str) and os.path.isdir(files):
            paths = [os.path.join(files, name) for name in pictures_in(files)]
        found = [os.stat(path) for path in paths]
    except OSError:
        return {}
    latest = max((one.st_mtime_ns for one in found), default=0)
    return {"files": len(found), "bytes": sum(one.st_size for one in found), "mtime_ns": latest}


def refuse_shared_places(ids: Iterable[str], left: Collection[str] = ()) -> None:
    """Refuses videos whose files would lie in one folder, or one's in a folder of the other's, or outside of the root.

    Args:
        ids: of all videos, those that have been made before, too.
        left: those of them that have been made before and are no longer among the videos.

    Raises:
        UserError: names the first two.
    """
    owners: dict[str, str] = {}
    for id in ids:
        place = place_of(id)
        if not place or ".." in PurePosixPath(place).parts:
            raise UserError(f"the id {id!r} names no place below a folder: let --catalog.root hold all videos")
        other = owners.setdefault(place, id)
        if other != id and other in left:
            raise UserError(
                f"{id} would have the folder {place}, which was made of {other}, and that is not among the videos now: "
                "rename the video, or pass another --out"
            )
        if other != id:
            raise UserError(
                f"{other} and {id} would share the folder {place}: rename one of them, or name videos by a list "
                "(--catalog ListFile)"
            )
    for place, id in owners.items():
        for above in PurePosixPath(place).parents:
            if str(above) in owners:
                raise UserError(
                    f"the folder of {id} would lie in that of {owners[str(above)]}, {above}: rename one of them, or "
                    "name videos by a list (--catalog ListFile)"
                )


def described(provider: Derived) -> dict[str, Any]:
    """A provider as plain data. Of an argument that is a file stands its name and its content's hash, not its place.

    Raises:
        UserError: if it does not keep its arguments, or such a file cannot be read.
    """
    try:
        done = describe(provider)
    except TypeError as error:
        raise UserError(str(error)) from None
    for name, argument in arguments_of(type(provider)).items():
        value = done["init_args"].get(name)
        if is_path(argument.hint) and isinstance(value, str) and os.path.isfile(value):
            try:
                with open(value, "rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError as error:
                raise UserError(f"--{name}: {value} cannot be read: {error.strerror}") from None
            done["init_args"][name] = {"file": Path(value).name, "sha256": digest}
    return dict(done)


def versions() -> dict[str, str]:
    """praxino's version, and those of the libraries that are installed."""
    found = {"praxino": __version__}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
