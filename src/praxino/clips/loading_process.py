"""What a loading process does besides loading: it hands on mistakes and shared memory, and ends when it has to."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Generic, NoReturn, Protocol, TypeVar

from torch import Tensor
from torch.utils.data import get_worker_info

from praxino.errors import UserError

Item = TypeVar("Item", covariant=True)

GRACE_SECONDS = 30
HANDING_SECONDS = 0.1
SHARED_MEMORY = "/dev/shm"
PAGE = 4096


class _Items(Protocol[Item]):
    def __getitem__(self, key: Any, /) -> Item: ...


class Handed(Generic[Item]):
    """A data set whose items, and users' mistakes, come out of a loading process whole.

    Args:
        items: the data set: an item for each key.
        tensors: what an item holds of tensors: they are moved to shared memory here, where a lack of room is an error.
            In the thread in which a queue does it, the error is printed, the item lost, and waited for without end.
        ready: items that are held ready at once, of all processes.
    """

    def __init__(
        self, items: _Items[Item], tensors: Callable[[Item], Sequence[Tensor]] | None = None, ready: int = 0
    ) -> None:
        self.items = items
        self.tensors = tensors
        self.ready = ready
        self.loading = False

    def __getitem__(self, key: Any) -> Item | UserError:
        try:
            return self._made(key)
        except _Left:
            self._end()

    def _made(self, key: Any) -> Item | UserError:
        try:
            self.loading = True
            item = self.items[key]
            if self.tensors is not None and get_worker_info() is not None:
                # All are ready at the latest when the loop pauses. The first one speaks for the others.
                share(self.tensors(item), self.ready)
                self.ready = 0
            return item
        except UserError as mistake:
            return mistake  # an exception would come out of a loading process with a traceback as its text
        finally:
            self.loading = False

    def begin(self, worker: int) -> None:
        """What is done first in a loading process: it leaves signals to the loop, and ends with its parent.

        A terminal's Ctrl-C, or a scheduler's SIGTERM, reaches every process: the loop finishes its step, and needs this
        one for some seconds more. Not for ever: whoever ends a process by SIGTERM may wait for it. SIGALRM ends it at
        once.
        """
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGALRM, self._leave)
        signal.signal(signal.SIGTERM, lambda *_: signal.alarm(GRACE_SECONDS))
        threading.Thread(target=_end_with_the_parent, daemon=True).start()

    def _leave(self, *_: object) -> None:
        if not self.loading:
            self._end()
        raise _Left  # what is half written is cleared away first

    def _end(self) -> NoReturn:
        # A batch that was announced is still fetched: the thread that pins memory would end with a traceback.
        time.sleep(HANDING_SECONDS)
        # With status 0: PyTorch raises in the middle of the loop where a loading process has ended otherwise.
        os._exit(0)


class _Left(BaseException):
    """This process is to end, whatever it is loading."""


def _end_with_the_parent() -> None:
    # PyTorch looks between two batches only: a reader that hangs would outlive a run that was killed.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)


def share(tensors: Sequence[Tensor], ready: int = 0) -> None:
    """Moves a batch's tensors to shared memory, where the training process finds them.

    Args:
        tensors: of the batch.
        ready: how many such batches there have to be room for.

    Raises:
        UserError: if there is no room, or the system refuses.
    """
    needed = sum(-(-tensor.nbytes // PAGE) * PAGE for tensor in tensors)
    free, size = room()
    if needed > free:
        raise no_room(f"a batch takes {_mib(needed)}, and {_mib(free)} of {_mib(size)} are free")
    if ready * needed > size:
        raise no_room(f"{ready} batches of {_mib(needed)} are held ready, and it has {_mib(size)}")
    try:
        for tensor in tensors:
            tensor.share_memory_()
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        if "No space left" in reason:  # another process was quicker
            raise no_room(f"a batch takes {_mib(needed)}") from None
        raise UserError(
            f"a batch cannot be put into shared memory ({reason}): pass --workers 0; where too many files are open, "
            "'ulimit -n' raises the limit"
        ) from None


def room() -> tuple[float, float]:
    """Bytes of shared memory that are free, and all; without a limit where there is no such folder."""
    try:
        found = os.statvfs(SHARED_MEMORY)
    except OSError:
        return float("inf"), float("inf")
    return found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize


def no_room(what: str) -> UserError:
    """One line for a shared memory that is too small."""
    return UserError(
        f"shared memory ({SHARED_MEMORY}) is too small for the loading processes ({what}): pass --prefetch 1, fewer "
        "--workers, or --workers 0; a container gets more by --shm-size (docker run --shm-size 8g)"
    )


def _mib(count: float) -> str:
    return f"{count / 2**20:.1f} MiB"
