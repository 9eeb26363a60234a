"""The curves for TensorBoard: the numbers of metrics.jsonl, where it is installed."""

import sys
import types

import numpy as np
import pytest
import torch

from praxino.clips.dataset import ClipDataset
from praxino.clips.loader import ClipLoader
from praxino.training.fit import fit
from praxino.training.run import Run
from praxino.training.tensorboard import Board
from toys import ToyCatalog, ToySampler, ToyStream, toy_method, toy_stages

LINES = [{"kind": "step", "epoch": 0, "step": k, "total": 2.0 - k, "lr": 0.1} for k in (4, 5)]


@pytest.fixture
def written(monkeypatch):
    calls = []

    class Writer:
        def __init__(self, folder, purge_step):
            calls.append((folder, purge_step))

        def add_scalar(self, name, value, step):
            calls.append((name, value, step))

        def add_image(self, name, pixels, step, dataformats):
            calls.append((name, pixels.shape, pixels.dtype, step, dataformats))

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


def test_a_picture_goes_with_its_step(tmp_path, written):
    board = Board(tmp_path / "curves")
    board.add_picture("inputs/rgb", np.zeros((4, 6, 3), np.uint8), 7)
    assert written == [(str(tmp_path / "curves"), 7), ("inputs/rgb", (4, 6, 3), np.uint8, 7, "HWC")]


def test_networks_are_looked_at_in_epochs_0_1_2_4_8(tmp_path, written):
    """What training computes stays the same, to the bit."""
    states = []
    for name in ("looked", "alone"):
        run = Run.create(tmp_path / name, {})
        if name == "alone":
            run.board._missing = True
        dataset = ClipDataset(ToyCatalog(), ("rgb",), ToySampler(), {"rgb": ToyStream()}, seed=1)
        task = toy_method(dropout=0.3, norm=True)
        fit(task, ClipLoader(dataset, 4, 0), toy_stages(epochs=7), run)
        states.append(task.state_dict())
    pictures = [call for call in written if call[-1] == "HWC"]
    per_epoch = len(ClipLoader(dataset, 4, 0))
    assert {call[0] for call in pictures} == {"inputs/backbone"}
    assert [call[3] for call in pictures] == [epoch * per_epoch for epoch in (0, 1, 2, 4)]
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])


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
    board.add_picture("inputs/rgb", np.zeros((4, 6, 3), np.uint8), 4)
    board.flush()
    assert list((tmp_path / "curves").glob("events*"))
