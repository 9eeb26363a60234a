"""What loading processes come to, seen from the process that started them: errors, starts, ends and patience."""

import errno
import os
import sys
import threading
import time

import pytest
import torch

from praxino.cli.line.terminal import exit_code_of
from praxino.clips import loading_process, patience, waiting
from praxino.clips.dataset import ClipDataset
from praxino.clips.in_turn import loaded_videos
from praxino.clips.loader import ClipLoader
from praxino.clips.loading_process import Handed
from praxino.clips.waiting import Awaited, lost_process
from praxino.errors import UserError
from toys import ToyCatalog, ToyReader, ToySampler, ToyStream


def loader(stream, workers=2, **more):
    return ClipLoader(ClipDataset(ToyCatalog(), ("rgb",), ToySampler(), {"rgb": stream}, seed=5), 4, workers, **more)


def test_shared_memory_that_another_process_fills(monkeypatch):
    """There was room when it was looked at."""

    def full(tensor):
        raise RuntimeError("unable to allocate shared memory(shm) for file </torch_1>: No space left on device (28)")

    monkeypatch.setattr(torch.Tensor, "share_memory_", full)
    with pytest.raises(UserError, match=r"is too small for the loading processes.*--shm-size"):
        next(loader(ToyStream()).batches())


def test_too_many_open_files(monkeypatch):
    def refuse(tensor):
        raise RuntimeError(
            "unable to open shared memory object </torch_1> in read-write mode: Too many open files (24)"
        )

    monkeypatch.setattr(torch.Tensor, "share_memory_", refuse)
    with pytest.raises(UserError, match=r"cannot be put into shared memory.*Too many open files.*ulimit -n"):
        next(loader(ToyStream()).batches())


def test_without_a_folder_of_shared_memory_there_is_no_limit(monkeypatch):
    monkeypatch.setattr(loading_process, "SHARED_MEMORY", "/nowhere")
    assert loading_process.room() == (float("inf"), float("inf"))
    next(loader(ToyStream()).batches())


@pytest.mark.parametrize(
    "number, said", [(errno.ENOSPC, "--shm-size"), (errno.EAGAIN, "cannot be started .*temporarily unavailable")]
)
def test_processes_that_cannot_be_started(monkeypatch, number, said):
    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(waiting, "iter", refuse, raising=False)
    with pytest.raises(UserError, match=said):
        loader(ToyStream()).batches()


class Holding:
    """Its items are made by a process that then holds the lock of the event by which PyTorch ends it."""

    def __getitem__(self, key):
        frame = sys._getframe()
        while "done_event" not in frame.f_locals:
            frame = frame.f_back
        frame.f_locals["done_event"]._cond.acquire()
        return key


@pytest.mark.parametrize("how", ["closed", "gone"])
def test_a_process_that_ends_with_a_lock_is_not_waited_for(how):
    """It may be ended at any time, so also while it looks whether it shall end."""
    batches = [Awaited(Handed(Holding()), [0, 1], 1)]
    assert next(batches[0]) == 0
    ended = threading.Thread(target=batches[0].close if how == "closed" else batches.clear, daemon=True)
    ended.start()
    ended.join(60)
    assert not ended.is_alive()


class Busy(ToyStream):
    """Computes for some seconds before a video is there."""

    def open(self, video, canvas=None):
        end = time.process_time() + 0.8
        while time.process_time() < end:
            pass
        return ToyReader(video.id, 20)


def test_what_computes_is_waited_for():
    """A batch takes more than three seconds of computing, and the patience is two."""
    batches = loader(Busy(), 1, prefetch=1, patience=2).batches()
    assert len(next(batches)) == 4
    batches.close()


class SleepsBut(ToyStream):
    def open(self, video, canvas=None):
        if video.id == "video01":
            raise UserError("the first mistake")
        time.sleep(1000)


def test_a_users_mistake_comes_down_at_once():
    """The other process is in the middle of a video: it was waited for, and at the interpreter's end once more."""
    videos = loaded_videos(ToyCatalog(), ("rgb",), ToySampler(), {"rgb": SleepsBut()}, {}, range(1, 9), workers=2)
    workers = videos._workers
    began = time.monotonic()
    with pytest.raises(UserError, match=r"^the first mistake$"):
        next(videos)
    assert not any(worker.is_alive() for worker in workers)
    assert time.monotonic() - began < 4
    assert list(videos) == []


def test_what_is_dropped_ends_its_processes():
    batches = loader(SleepsBut(("video",))).batches()
    workers = batches._workers
    del batches
    assert not any(worker.is_alive() for worker in workers)


def test_looks_count_and_not_the_clock(monkeypatch):
    """A machine that was halted for an hour is no reader that hangs; where nothing can be measured, it takes longer."""
    kept = patience.Patience(5, [object()])
    for computed, looks in ((lambda worker: 1.0, 5), (lambda worker: None, 50)):
        monkeypatch.setattr(patience, "_computed", computed)
        kept.begin()
        for _ in range(looks - 1):
            kept.look()
        with pytest.raises(UserError, match=f"for {looks} seconds"):
            kept.look()


@pytest.mark.parametrize(
    "error, said",
    [
        (RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed. "), "lost.*is killed by signal: Killed"),
        (RuntimeError("DataLoader worker (pid(s) 7, 8) exited unexpectedly"), "lost.*7, 8. exited unexpectedly"),
        (
            RuntimeError("DataLoader worker (pid 7) is killed by signal: Bus error. It is possible that dataloader's "
                         "workers are out of shared memory. Please try to raise your shared memory limit."),
            "shared memory.*is too small.*Bus error.*--shm-size",
        ),
        (RuntimeError("Pin memory thread exited unexpectedly"), "lost"),
        (ConnectionRefusedError(111, "Connection refused"), "lost.*Connection refused"),
        (EOFError(), "lost.*EOFError"),
        (RuntimeError("Caught RuntimeError in DataLoader worker process 0."), None),
        (ConnectionResetError("Caught ConnectionResetError in DataLoader worker process 0."), None),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), None),
        (ValueError("DataLoader worker"), None),
    ],
)  # fmt: skip
def test_what_pytorch_says_of_lost_processes(error, said):
    mistake = lost_process(error)
    if said is None:
        assert mistake is None
    else:
        with pytest.raises(UserError, match=said):
            raise mistake


def test_a_process_that_is_lost_in_the_middle_of_a_step_is_one_line(capsys):
    """PyTorch raises wherever the training process is."""

    def step():
        raise RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed. ")

    assert exit_code_of(step) == 2
    assert capsys.readouterr().err.startswith("praxino: a loading process is lost (DataLoader worker (pid 7) is killed")


class Wrong(ToyStream):
    def open(self, video, canvas=None):
        raise RuntimeError("a mistake of a stream's author")


@pytest.mark.parametrize("workers", [0, 1])
def test_an_authors_mistake_keeps_its_traceback(workers):
    with pytest.raises(RuntimeError, match="a mistake of a stream's author"):
        next(loader(Wrong(), workers).batches())


def test_without_processes_there_is_nothing_to_lose():
    def items(key):
        raise ConnectionResetError("of the reader's own")

    batches = Awaited(
        loading_process.Handed(type("Items", (), {"__getitem__": lambda self, key: items(key)})()), [1], 0
    )
    with pytest.raises(ConnectionResetError, match="of the reader's own"):
        next(batches)
