"""Everything that a run needs to go on as if nothing had happened, with a checksum.

A checkpoint is torch's own file, a zip archive, with `MARK` and the BLAKE2b checksum of all before it at its end.
Whatever reads torch's files reads it; torch itself looks at no checksum.
"""

from __future__ import annotations

import hashlib
import os
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, cast

import torch

from praxino.errors import UserError
from praxino.files import written_aside
from praxino.training.checkpoint_form import misformed

VERSION = 1
MARK = b"praxino BLAKE2b\n"
DIGEST_BYTES = 32
PIECE_BYTES = 4 << 20
DAMAGED = "it is damaged"
NONE = f"{DAMAGED}, or no checkpoint"


class DamagedCheckpoint(UserError):
    """A file that is no good checkpoint, whatever may be done about it.

    Args:
        path: the file.
        why: in a few words.
    """

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"the checkpoint {path} cannot be read: {why}")


class _Unusable(Exception):
    """Why a file is no good checkpoint, in a few words."""


def save_checkpoint(path: Path, state: dict[str, Any], previous: Path | None = None) -> None:
    """Writes a checkpoint aside, forces it to the disk, then renames it: a kill leaves the old or the new one whole.

    Args:
        path: the file.
        state: what it holds.
        previous: what there is at `path` gets this name first; a kill between the two renames leaves it there.

    Raises:
        UserError: if it cannot be written; what was there stays.
    """
    with written_aside(path) as aside:
        with aside.open("wb") as file:
            _write({"version": VERSION, **state}, file)
            file.flush()
            os.fsync(file.fileno())
        if previous is not None and path.exists():
            os.replace(path, previous)


def load_checkpoint(path: Path, say: Callable[[str], object] | None = None) -> dict[str, Any]:
    """Reads a checkpoint; only tensors and plain data, so no code of a stranger's file is run.

    Args:
        path: the file.
        say: told where it has no checksum, as those of earlier versions.

    Raises:
        DamagedCheckpoint: if the file is damaged, missing or of another version.
        UserError: if it cannot be opened, or the memory does not suffice.
    """
    try:
        if not path.is_file():
            raise _Unusable("it is no regular file" if path.exists() else "there is no such file")
        with path.open("rb") as file:
            checked = _check(file)
            file.seek(0)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of pickles in other forms than torch's own: they are read or refused
                state = torch.load(file, map_location="cpu", weights_only=True)
    except MemoryError:
        raise UserError(f"the checkpoint {path} cannot be read: the memory does not suffice") from None
    except PermissionError as error:
        raise UserError(f"the checkpoint {path} cannot be read: {error.strerror}") from None
    except (OSError, _Unusable) as error:
        raise DamagedCheckpoint(path, getattr(error, "strerror", None) or str(error)) from None
    # A damaged pickle may fail in any way, and torch's own text would advise to read it without a guard.
    except Exception:
        raise DamagedCheckpoint(path, NONE) from None
    version = state.get("version") if isinstance(state, dict) else None
    if not isinstance(version, int) or version != VERSION:
        raise DamagedCheckpoint(path, "it is not one of this version of praxino")
    wrong = misformed(state)
    if wrong:
        raise DamagedCheckpoint(path, wrong)
    if say is not None and not checked:
        say(f"{path} has no checksum, since an earlier version has written it: only those of its parts were looked at")
    return state


def load_either(
    last: Path, previous: Path, say: Callable[[str], object] | None = None
) -> tuple[dict[str, Any], bool] | None:
    """The last checkpoint, or where that is damaged or gone the one before; None if there is none.

    Args:
        last, previous: their files.
        say: told where it is the one before, and of a missing checksum.

    Returns:
        The checkpoint, and whether it is the last one.

    Raises:
        UserError: if none of them can be read.
    """
    if not last.exists() and not previous.exists():
        return None
    try:
        return load_checkpoint(last, say), True
    except DamagedCheckpoint as error:
        if not previous.exists():
            mend = f"there is no {previous.name} to go on from: begin anew, in another --out"
            raise UserError(f"{error}; {mend}") from None
        wrong = str(error)
    try:
        saved = load_checkpoint(previous, say)
    except DamagedCheckpoint as error:
        raise UserError(f"{wrong}; {error}: begin anew, in another --out") from None
    if say is not None:
        say(f"{wrong}: going on from {previous.name}, step {saved['position']['step']}")
    return saved, False


class _Summed:
    """A file that is written to, and the checksum of what was."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.sum = hashlib.blake2b(digest_size=DIGEST_BYTES)
        self.refused: OSError | None = None

    def write(self, piece: bytes | memoryview) -> int:
        self.sum.update(piece)
        try:
            return self.file.write(piece)
        except OSError as error:
            self.refused = error
            raise

    def flush(self) -> None:
        self.file.flush()


def _write(state: dict[str, Any], file: IO[bytes]) -> None:
    summed = _Summed(file)
    try:
        torch.save(state, cast("IO[bytes]", summed))  # it writes and flushes, no more
    except RuntimeError:
        # What torch says of a full disk is that it stands in another place than it had thought.
        if summed.refused is None:
            raise
        raise summed.refused from None
    file.write(MARK + summed.sum.digest())


def _check(file: IO[bytes]) -> bool:
    """Whether there is a checksum, which is then right.

    Raises:
        _Unusable: if the file is damaged.
    """
    size = file.seek(0, os.SEEK_END)
    end = size - len(MARK) - DIGEST_BYTES
    if not size:
        raise _Unusable("it is empty")
    file.seek(max(0, end))
    said = file.read()
    if end < 0 or not said.startswith(MARK):
        _check_parts(file)
        return False
    file.seek(0)
    sum = hashlib.blake2b(digest_size=DIGEST_BYTES)
    while end:
        piece = file.read(min(PIECE_BYTES, end))
        if not piece:
            raise _Unusable(DAMAGED)
        sum.update(piece)
        end -= len(piece)
    if sum.digest() != said[len(MARK) :]:
        raise _Unusable(f"{DAMAGED} (its checksum is another one)")
    return True


def _check_parts(file: IO[bytes]) -> None:
    # A zip archive has a short checksum for each of its parts, also in files of earlier versions.
    file.seek(0)
    if not zipfile.is_zipfile(file):
        raise _Unusable(NONE)
    with zipfile.ZipFile(file) as archive:
        wrong = archive.testzip()
    if wrong:
        raise _Unusable(f"{DAMAGED} (in its part {wrong})")
