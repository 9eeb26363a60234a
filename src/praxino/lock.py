"""One process that writes in a folder: a lock that the system releases with its process."""

from __future__ import annotations

import errno
import os
import socket
import weakref
from pathlib import Path

from praxino.errors import UserError
from praxino.files import writing

NAME = ".lock"
TAKEN = (errno.EACCES, errno.EAGAIN)


def lock(folder: Path, owner: object, does: str = "trains in", told: Path | None = None) -> bool:
    """Locks a folder for this process, until `owner` is gone or the process has ended, however it ends.

    It is the lock of a process, which children do not inherit: `flock` would be held on by loading processes that
    outlive a killed one for seconds. The same process may lock a folder twice.

    Args:
        folder: what is locked.
        owner: what holds the lock.
        does: what this process does with the folder, for the message that another one gets.
        told: what that message names; None: the folder.

    Returns:
        False where the disk or the system knows no locks: nothing is locked then.

    Raises:
        UserError: if another process has the folder, or it cannot be written to.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return False
    path = folder / NAME
    while True:
        with writing(path):
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(handle, 200).decode("utf-8", "replace").strip()
            os.close(handle)
            if error.errno in TAKEN:
                who = holder or "unknown"
                raise UserError(f"another process {does} {told or folder} ({who}): wait for its end") from None
            return False
        if _is_still(path, handle):
            break
        os.close(handle)  # a start that failed has withdrawn this file meanwhile
    weakref.finalize(owner, os.close, handle)
    _sign(handle)
    return True


def _is_still(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


def _sign(handle: int) -> None:
    try:
        os.ftruncate(handle, 0)
        os.write(handle, f"process {os.getpid()} of {socket.gethostname()}\n".encode())
    except OSError:
        pass  # a full disk: the lock holds without a name
