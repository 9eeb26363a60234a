"""Which weights the encoders have: the last ones, or those of the epoch with the lowest mean training loss."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from praxino import ranks
from praxino.batch import ClipBatch
from praxino.encoders.encoder import Encoder
from praxino.methods.base import Losses, Method
from praxino.training.checkpoint import load_checkpoint
from praxino.training.pretrain import pretrain
from toys import ToyBackbone, ToyCatalog, ToySampler, ToyStream, toy_protocol, toy_stages

BATCHES = 3


class Told(Method):
    """Its mean loss of each epoch is as told, its batches' are not; weights change at every step.

    `stop_at`: a kill before that step.
    """

    def __init__(self, means, stop_at=None):
        super().__init__()
        torch.manual_seed(0)
        self.backbone = ToyBackbone()
        self.means = means
        self.stop_at = stop_at
        self.register_buffer("steps", torch.tensor(0))

    def forward(self, batch: ClipBatch, rng) -> Losses:
        if not torch.is_grad_enabled():  # tried out
            return Losses(torch.zeros(()))
        step = int(self.steps)
        if step == self.stop_at:
            raise KeyboardInterrupt
        self.steps += 1
        epoch, place = divmod(step, BATCHES)
        more = (2.0, 0.0, -2.0)[place]  # the last batch alone would choose another epoch
        some = sum(p.sum() for p in self.backbone.parameters())
        told = torch.tensor(self.means[epoch] + more * (1 + epoch))
        return Losses(told + some - some.detach())

    def exports(self, protocol):
        return {"": Encoder.of(self.backbone, protocol)}


def run(out, means, resume=False, stop_at=None, **more):
    arguments = {"stages": toy_stages(epochs=len(means)), "export": "best", **more}
    return pretrain(
        catalog=ToyCatalog(4 * BATCHES), sampler=ToySampler(), method=Told(means, stop_at), protocol=toy_protocol(),
        out=out, streams={"rgb": ToyStream()}, batch_size=4, workers=0, threads=1, device="cpu", keep_epochs=1,
        checkpoint_steps=1, resume=resume, **arguments,
    )  # fmt: skip


def weights(path):
    return Encoder.load(path, trust=("toys",)).backbone.state_dict()


def equal(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def after_epoch(path, epochs):
    task = load_checkpoint(path / f"checkpoints/epoch-{epochs:04d}.ckpt")["task"]
    return {name.removeprefix("backbone."): value for name, value in task.items() if name.startswith("backbone.")}


# Every mean is a sum of halves, so that equal ones are equal to the bit.
@pytest.mark.parametrize(
    "means, best", [([5.0, 3.0, 4.0], 2), ([5.0, 3.0, 3.0, 4.0], 2), ([1.0, 2.0, 3.0], 1), ([3.0, 2.0, 1.0], 3)]
)
def test_the_lowest_mean_and_of_equal_ones_the_first(tmp_path, means, best):
    made = run(tmp_path / "run", means)
    assert [line["train/total"] for line in made.metrics() if line["kind"] == "epoch"] == means
    assert equal(weights(tmp_path / "run"), after_epoch(tmp_path / "run", best))
    others = [epochs for epochs in range(1, len(means) + 1) if epochs != best]
    assert not any(equal(weights(tmp_path / "run"), after_epoch(tmp_path / "run", epochs)) for epochs in others)
    record = Encoder.load(tmp_path / "run", trust=("toys",)).record
    assert (record["weights"], record["epochs"], record["steps"]) == ("best", best, BATCHES * best)


def test_the_last_ones_where_nothing_is_said(tmp_path):
    run(tmp_path / "run", [1.0, 2.0, 3.0], export="last")
    assert equal(weights(tmp_path / "run"), after_epoch(tmp_path / "run", 3))
    assert not (tmp_path / "run/checkpoints/best.ckpt").exists()
    record = Encoder.load(tmp_path / "run", trust=("toys",)).record
    assert (record["weights"], record["epochs"], record["steps"]) == ("last", 3, 3 * BATCHES)


def test_an_epoch_that_is_not_complete_is_not_in_question(tmp_path, capsys):
    run(tmp_path / "run", [5.0, 1.0], stages=toy_stages(steps=BATCHES + 2))
    assert equal(weights(tmp_path / "run"), after_epoch(tmp_path / "run", 1))
    assert "no epoch" not in capsys.readouterr().err


def test_without_a_complete_epoch_the_last_weights_and_a_line(tmp_path, capsys):
    made = run(tmp_path / "run", [5.0], stages=toy_stages(steps=BATCHES - 1))
    last = made.checkpoint()["task"]
    assert all(torch.equal(last[f"backbone.{name}"], value) for name, value in weights(tmp_path / "run").items())
    record = Encoder.load(tmp_path / "run", trust=("toys",)).record
    assert (record["weights"], record["epochs"], record["steps"]) == ("last", 0, BATCHES - 1)
    assert "no epoch was completed, so none is the best: the encoder has the last weights" in capsys.readouterr().err


@pytest.mark.parametrize("stop_at", [4, 6, 7])
def test_a_killed_run_goes_on_to_the_same_best(tmp_path, stop_at):
    """In the best epoch, right after it, and in the one after that."""
    means = [5.0, 3.0, 4.0, 3.5]
    run(tmp_path / "whole", means)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", means, stop_at=stop_at)
    run(tmp_path / "cut", means, resume=True)
    whole, cut = (tmp_path / name / "encoder.safetensors" for name in ("whole", "cut"))
    assert whole.read_bytes() == cut.read_bytes()
    assert equal(weights(tmp_path / "cut"), after_epoch(tmp_path / "whole", 2))


def test_a_kill_before_the_encoder_is_written(tmp_path, monkeypatch):
    """The weights come from the file: the resumed run trains nothing, and its own are the drawn ones."""

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("praxino.training.pretrain.save_encoders", killed)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "run", [5.0, 3.0, 4.0])
    assert run(tmp_path / "run", [5.0, 3.0, 4.0], resume=True).finished
    assert equal(weights(tmp_path / "run"), after_epoch(tmp_path / "run", 2))


@pytest.mark.slow
def test_two_processes(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "GLOO_SOCKET_IFNAME": "lo"}
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command = [sys.executable, *launcher, __file__, str(tmp_path / "run")]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, timeout=240)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    assert equal(weights(tmp_path / "run"), after_epoch(tmp_path / "run", 2))
    encoder = Encoder.load(tmp_path / "run", trust=("toys",))
    assert (encoder.record["epochs"], encoder.record["environment"]["processes"]) == (2, 2)
    assert encoder.statistics["rgb"].centre.any()  # taken by the first, while the other one waits


if __name__ == "__main__":  # each of the two processes
    run(sys.argv[1], [5.0, 3.0, 4.0])
    ranks.leave()
