"""An open reader across processes, and its memory."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import videos
from praxino.catalogs.base import Video
from praxino.streams.video import VideoFile


def as_video(path: Path | str) -> Video:
    return Video(Path(path).name, {"rgb": str(path)})


def _read_in_child(reader, queue):
    pixels, present = reader.read([7, 31])
    queue.put(([videos.number(frame) for frame in pixels], present.all()))
    reader.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
@pytest.mark.parametrize("threads", [1, 2])
def test_fork_while_a_reader_is_open(tmp_path, threads):
    path = videos.write(tmp_path / "a.mp4", 40, gop=250)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    with VideoFile(threads=threads).open(as_video(path)) as reader:
        reader.read([12])
        children = [context.Process(target=_read_in_child, args=(reader, queue)) for _ in range(3)]
        for child in children:
            child.start()
        # The parent goes on with its own handle meanwhile.
        assert [videos.number(frame) for frame in reader.read([30, 5])[0]] == [30, 5]
        try:
            got = [queue.get(timeout=30) for _ in children]
            for child in children:
                child.join(timeout=30)
                assert child.exitcode == 0
        finally:
            for child in children:
                child.kill()
    assert got == [([7, 31], True)] * 3


def test_pickling_drops_the_handle(tmp_path):
    path = videos.write(tmp_path / "a.mp4", 20)
    with VideoFile().open(as_video(path)) as reader:
        reader.read([5])
        with pickle.loads(pickle.dumps(reader)) as other:
            assert [videos.number(frame) for frame in other.read([6, 2])[0]] == [6, 2]


def test_no_more_memory_than_the_wanted_frames(tmp_path):
    """Python's own memory (the result and each frame's array) stays near the size of what is returned."""
    path = videos.write(tmp_path / "a.mp4", 120, size=(128, 192), gop=250)
    with VideoFile().open(as_video(path)) as reader:
        reader.read([0])
        tracemalloc.start()
        pixels, _ = reader.read(np.arange(0, 120, 12))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 1.5 * pixels.nbytes
