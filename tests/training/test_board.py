"""The curves for TensorBoard: the numbers of metrics.jsonl, where it is installed."""

import sys
import types

import pytest

from praxino.training.run import Run
from praxino.training.tensorboard import Board

LINES = [{"kind": "step", "epoch": 0, "step": k, "total": 2.0 - k, "lr": 0.1} for k in (4, 5)]


@pytest.fixture
def written(monkeypatch):
    calls = []

    class Writer:
        def __init__(self, folder, purge_step):
            calls.append((folder, purge_step))

        def add_scalar(self, name, value, step):
            calls.append((name, value, step))

        def flush(self):
            calls.append("flushed")

    fake = types.ModuleType("torch.utils.tensorboard")
    fake.SummaryWriter = Writer
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", fake)
    return calls


def test_the_lines_of_the_metrics_become_curves(tmp_path, written):
    run = Run.create(tmp_path / "run", {})
    assert written == []
    for line in LINES:
        run.add_metrics(line)
    run.save({})
    curves = [("total", -2.0, 4), ("lr", 0.1, 4), ("total", -3.0, 5), ("lr", 0.1, 5)]
    # A resumed run goes on at step 4: what a run that was killed wrote beyond it is taken back.
    assert written == [(str(tmp_path / "run/tensorboard"), 4), *curves, "flushed"]
    assert len(run.metrics()) == 2


def test_without_tensorboard_there_are_only_the_metrics(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    run = Run.create(tmp_path / "run", {})
    run.add_metrics(LINES[0])
    assert len(run.metrics()) == 1
    assert not (tmp_path / "run/tensorboard").exists()


def test_the_real_one(tmp_path):
    pytest.importorskip("tensorboard", reason="TensorBoard is not installed")
    board = Board(tmp_path / "curves")
    board.add(LINES[0])
    board.flush()
    assert list((tmp_path / "curves").glob("events*"))
