"""A stop that is asked for at an epoch's end saves what is trained, and the run goes on with the look that is due."""

import os
import signal

import pytest
import torch

from praxino.clips.waiting import Stopped
from praxino.training.checkpoint import load_checkpoint
from praxino.training.pretrain import pretrain
from praxino.training.schedules import Plateau
from praxino.training.validation import Validation
from toys import ToyCatalog, ToySampler, ToyStream, toy_method, toy_protocol, toy_stages

NAMED = ("kind", "epoch", "step", "total", "lr", "train/total", "validation/total", "replaced_videos")


def run(out, resume=False):
    """Two steps an epoch; a video that breaks is an epoch's number, too."""
    return pretrain(
        ToyCatalog(16), ToySampler(), toy_method(dropout=0.3, norm=True),
        toy_stages(epochs=3, schedule=Plateau(patience=0)), toy_protocol(), out,
        streams={"rgb": ToyStream(("02", "07"))}, batch_size=4, workers=0, threads=1, device="cpu", validation=0.3,
        validation_by="video", export="best", checkpoint_steps=100, resume=resume,
    )  # fmt: skip


def numbers(run):
    return [{name: line[name] for name in NAMED if name in line} for line in run.metrics()]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return run(tmp_path_factory.mktemp("whole") / "run")


def signalled(monkeypatch, epoch):
    """SIGTERM comes in the epoch's last step."""
    forward, steps = type(toy_method()).forward, []

    def forward_signalled(self, batch, rng):
        if self.training and torch.is_grad_enabled():
            steps.append(1)
            if len(steps) == 2 * (epoch + 1):
                os.kill(os.getpid(), signal.SIGTERM)
        return forward(self, batch, rng)

    monkeypatch.setattr(type(toy_method()), "forward", forward_signalled)


def given_up(monkeypatch, looks):
    """After so many looks a batch of held-out videos is waited for when the signal comes, and does not come."""
    look = Validation._of_an_epoch

    def waited(self):
        if self.looks == looks:
            raise Stopped
        self.looks += 1
        return look(self)

    monkeypatch.setattr(Validation, "_of_an_epoch", waited)
    monkeypatch.setattr(Validation, "looks", 0, raising=False)


@pytest.mark.parametrize("stop", [signalled, given_up])
@pytest.mark.parametrize("epoch", [0, 2])
def test_it_is_saved_and_gone_on_with(tmp_path, monkeypatch, whole, stop, epoch):
    stop(monkeypatch, epoch)
    cut = run(tmp_path / "run")
    assert not cut.finished
    at = cut.checkpoint()["position"]
    assert (at["epoch"], at["batch"], at["step"]) == (epoch, 2, 2 * (epoch + 1))
    assert [line["epoch"] for line in cut.metrics() if line["kind"] == "epoch"] == list(range(epoch))
    monkeypatch.undo()
    again = run(tmp_path / "run", resume=True)
    assert again.finished
    assert numbers(again) == numbers(whole)
    one, other = (load_checkpoint(made.checkpoint_file) for made in (whole, again))
    assert all(torch.equal(one["task"][name], other["task"][name]) for name in one["task"])
    assert one["position"] == other["position"]
    assert (whole.path / "encoder.safetensors").read_bytes() == (again.path / "encoder.safetensors").read_bytes()


def test_it_may_be_stopped_there_once_more(tmp_path, monkeypatch, whole):
    signalled(monkeypatch, 1)
    run(tmp_path / "run")
    monkeypatch.undo()
    given_up(monkeypatch, 0)
    assert not run(tmp_path / "run", resume=True).finished
    monkeypatch.undo()
    assert numbers(run(tmp_path / "run", resume=True)) == numbers(whole)
