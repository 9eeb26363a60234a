"""Waiting for loading processes, with an end: one that died, hangs or has no room is one line, and none stays."""

from __future__ import annotations

import multiprocessing
import multiprocessing.util
import os
import signal
import threading
import time
import weakref
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.process import BaseProcess
from multiprocessing.queues import Queue
from types import FrameType
from typing import Any, Generic, TypeVar

from torch.utils.data import DataLoader

from praxino.clips.loading_process import Handed, no_room
from praxino.clips.patience import LOOK_SECONDS, PATIENCE_SECONDS, Patience
from praxino.errors import UserError

Item = TypeVar("Item")

INTERRUPT_SECONDS = 10.0
END_SECONDS = 2.0
SOCKET_NAME = len("/listener-01234567")
LONGEST_SOCKET = 103  # bytes of a path; Linux takes 107


class Stopped(KeyboardInterrupt):
    """A signal came while a batch was waited for, and the batch has not come since."""


class Awaited(Generic[Item]):
    """What a data set makes of keys, in their order, by loading processes that start at once.

    Waiting for one has an end. A SIGTERM or SIGINT that is only noted ends it after some seconds (`Stopped`). So does
    a hanging reader: none of the processes has computed for anything of `patience` seconds. However long a batch takes,
    a process that decodes shows it; time in which this process stood still does not count.

    Args:
        items: the data set; in loading processes its `begin` is called.
        keys: in their order.
        workers: loading processes; 0: the data set is asked in this process, and may take its time.
        patience: seconds.
        more: of `DataLoader`.

    Raises:
        UserError: if loading processes cannot be started; and from `next`, if one ended or hangs, or the data set says
            so.
    """

    def __init__(
        self, items: Handed[Item], keys: Any, workers: int, patience: float = PATIENCE_SECONDS, **more: Any
    ) -> None:
        if workers:
            more |= {"num_workers": workers, "worker_init_fn": items.begin, "timeout": LOOK_SECONDS}
        loader: DataLoader[Item | UserError] = DataLoader(
            items,  # type: ignore[arg-type]
            batch_size=None,
            sampler=keys,
            collate_fn=_as_is,
            **more,
        )
        processes, threads = set(multiprocessing.active_children()), set(threading.enumerate())
        try:
            if workers:
                # Made here, it is removed here: what they make of their own would stay when they end at once.
                _refuse_long(multiprocessing.util.get_temp_dir())
                _try_queues(workers)
            self._source: Iterator[Item | UserError] | None = iter(loader)
        except OSError as error:
            _end(set(multiprocessing.active_children()) - processes, os.getpid())
            raise _not_started(error) from None
        self._workers = tuple(set(multiprocessing.active_children()) - processes)
        self._threads = tuple(set(threading.enumerate()) - threads)
        self._patience = Patience(patience, self._workers)
        self._ended = weakref.finalize(self, _end, self._workers, os.getpid(), self._source)

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        if self._source is None:
            raise StopIteration
        try:
            with _interruptible():
                item = self._waited(self._source)
        except BaseException:
            self.close()
            raise
        if isinstance(item, UserError):
            self.close()
            raise item
        return item

    def close(self) -> None:
        """Ends the loading processes."""
        self._ended()
        self._source = None

    def _waited(self, source: Iterator[Item | UserError]) -> Item | UserError:
        self._patience.begin()
        while True:
            try:
                return next(source)
            except (RuntimeError, OSError, EOFError) as error:
                mistake = lost_process(error) if self._workers else None
                if not self._workers or (mistake is None and not str(error).startswith("DataLoader timed out")):
                    raise
            if mistake is not None:
                raise self._lost() or mistake
            if not all(thread.is_alive() for thread in self._threads):
                raise _lost("the thread that receives their batches ended")
            self._patience.look()

    def _lost(self) -> UserError | None:
        # PyTorch does not always know by what: its handler may come too late.
        codes = {worker.pid: worker.exitcode for worker in self._workers if worker.exitcode is not None}
        killed = {pid: signal.Signals(-code) for pid, code in codes.items() if code < 0}
        if signal.SIGBUS in killed.values() or not killed:
            return None
        return _lost(", ".join(f"process {pid} was ended by {number.name}" for pid, number in killed.items()))


def lost_process(error: Exception) -> UserError | None:
    """The line for an error that PyTorch raises where a loading process has ended, wherever the main one was then.

    Args:
        error: any.

    Returns:
        None for an error of another kind.
    """
    said = " ".join(str(error).split()).rstrip(".")
    if said.startswith("Caught"):
        return None  # of the data set itself
    if isinstance(error, RuntimeError) and "out of shared memory" in said:
        return no_room(said.partition(". ")[0])
    if isinstance(error, RuntimeError) and said.startswith(("DataLoader worker", "Pin memory thread", "Too many open")):
        return _lost(said)
    if isinstance(error, ConnectionError | EOFError):
        return _lost(said or type(error).__name__)  # it ended between saying that a batch is there and handing it over
    return None


def _lost(said: str) -> UserError:
    return UserError(
        f"a loading process is lost ({said}). If it was killed, the machine's memory may be too small: pass fewer "
        "--workers or --prefetch 1; --workers 0 loads without such processes"
    )


def _refuse_long(folder: str) -> None:
    # Batches are handed over through a socket in it. Where that cannot be made, PyTorch prints so, and waits.
    if len(os.fsencode(folder)) + SOCKET_NAME > LONGEST_SOCKET:
        raise UserError(
            f"the folder for temporary files has too long a name for loading processes ({folder}): set TMPDIR to a "
            "shorter one, such as /tmp, or pass --workers 0"
        )


def _try_queues(workers: int) -> None:
    # Where PyTorch's own iterator finds no room, it prints an error of its clean-up besides the one that it raises.
    queues: list[Queue[None]] = [multiprocessing.Queue() for _ in range(workers + 2)]
    for queue in queues:
        queue.close()


def _not_started(error: OSError) -> UserError:
    said = error.strerror or str(error)
    if "No space left" in said:
        return no_room(said)
    return UserError(f"loading processes cannot be started ({said}): pass fewer --workers, or --workers 0")


@contextmanager
def _interruptible() -> Iterator[None]:
    """A signal that a handler only notes raises `Stopped` after some seconds: the step may yet be finished until then.

    A timer, and no look at a flag: the wait may be inside a read that does not come back.
    """
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    noted = {number: handler for number, handler in handlers.items() if callable(handler)}
    if not noted or threading.current_thread() is not threading.main_thread():
        yield
        return
    alarm: list[Any] = []

    def late(number: int, frame: FrameType | None) -> None:
        raise Stopped

    def note(number: int, frame: FrameType | None) -> None:
        noted[signal.Signals(number)](number, frame)
        if not alarm:
            alarm.append(signal.signal(signal.SIGALRM, late))
            signal.setitimer(signal.ITIMER_REAL, INTERRUPT_SECONDS)

    try:
        for number in noted:
            signal.signal(number, note)
        yield
    finally:
        if alarm:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, alarm[0])
        for number, handler in noted.items():
            signal.signal(number, handler)


def _end(workers: Collection[BaseProcess], owner: int, source: object = None) -> None:
    """Ends loading processes: by themselves if they can, else by SIGKILL; none is left, nor a wait for one.

    Args:
        workers: the processes.
        owner: the process that started them.
        source: PyTorch's iterator, which is not asked for anything any more.
    """
    if not workers or os.getpid() != owner:  # a copy of the loader in a process that was forked later
        return
    # PyTorch's handler would raise for a process that was killed.
    mine = threading.current_thread() is threading.main_thread()
    handler = signal.signal(signal.SIGCHLD, signal.SIG_DFL) if mine else None
    end = time.monotonic() + END_SECONDS
    try:
        for worker in workers:
            with suppress(ProcessLookupError):
                if worker.is_alive() and worker.pid is not None:
                    os.kill(worker.pid, signal.SIGALRM)
        for worker in workers:
            worker.join(max(0.0, end - time.monotonic()))
    finally:
        for worker in workers:
            worker.kill()
        if source is not None:
            # PyTorch sets this event as the iterator goes. A process that ended while it looked at it has taken its
            # lock along, which would be waited for without end; and nobody else looks at it any more.
            vars(source)["_workers_done_event"] = threading.Event()
        for worker in workers:
            worker.join(END_SECONDS)
        if handler is not None:
            signal.signal(signal.SIGCHLD, handler)


def _as_is(item: Any) -> Any:
    return item
