"""Files that are there whole or not at all, and the encoding of ours."""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from praxino.errors import UserError


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """What the operating system refuses within it is one line about `path`.

    Raises:
        UserError: in place of an OSError.
    """
    try:
        yield
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}") from None


def told_apart(folders: Sequence[Path], taken: Collection[str] = ()) -> list[str]:
    """What several folders are called: by their names; where a name is another's, too, with the folder above.

    Args:
        folders: each another one.
        taken: names that none may have. Where the folders above do not tell them apart either, it is the whole path.
    """
    whole = [folder.resolve() for folder in folders]
    longer = ["/".join(path.parts[-2:]) for path in whole]
    if len(set(longer)) < len(longer):
        longer = [str(path) for path in whole]
    counts = Counter([*(path.name for path in whole), *taken])
    return [path.name if counts[path.name] == 1 else more for path, more in zip(whole, longer, strict=True)]


def make_folder(path: Path) -> None:
    """Makes a folder for what a command leaves, with those above it.

    Raises:
        UserError: if a file is in its way, or it cannot be made.
    """
    for place in (path, *path.parents):
        if place.is_symlink() and not place.exists():
            raise UserError(f"{place} is a link to {os.readlink(place)}, where nothing is: pass another --out")
        if place.exists() and not place.is_dir():
            raise UserError(f"{place} is a file, and a folder is needed there: pass another --out")
    with writing(path):
        path.mkdir(parents=True, exist_ok=True)


@contextmanager
def written_aside(path: Path, shared: bool = False) -> Iterator[Path]:
    """A path to write to, which is renamed to `path` at the end; on failure nothing is left.

    Args:
        path: the file; folders above it are made.
        shared: several processes may write the file at the same time; each writes aside under a name of its own.

    Raises:
        UserError: if it cannot be written, or something else than a file has its place.
    """
    aside = path.with_name(f"{path.name}.{os.getpid()}.part" if shared else f"{path.name}.part")
    try:
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists() and not path.is_file():
                raise UserError(f"{path} cannot be written: it is {'a folder' if path.is_dir() else 'no regular file'}")
            yield aside
            os.replace(aside, path)
    finally:
        # A disk that refuses to be cleaned has refused to be written, which has been said.
        with suppress(OSError):
            aside.unlink(missing_ok=True)


def encoded(text: str) -> bytes:
    """The bytes of a text file of ours: UTF-8.

    Names of files need not be UTF-8. A byte that is none comes from the system as half a surrogate pair, and is written
    as the byte that it was; any other half, which no name of a file has, as its number.
    """
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace")


def read_text(path: Path) -> str:
    """A text file of ours, the ends of its lines as they are.

    Raises:
        OSError: if it cannot be read, or is no regular file: a pipe would be waited for, and a device has no end.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    return path.read_bytes().decode("utf-8", "surrogateescape")


def write_text(path: Path, text: str, shared: bool = False) -> None:
    """Writes a text file of ours, aside first.

    Args:
        path, shared: as of `written_aside`.
        text: all of it.

    Raises:
        UserError: as of `written_aside`.
    """
    with written_aside(path, shared) as aside:
        aside.write_bytes(encoded(text))


def append_text(path: Path, text: str) -> None:
    """Appends to a text file of ours.

    Raises:
        UserError: if it cannot be written.
    """
    with writing(path), path.open("ab") as file:
        file.write(encoded(text))
