"""The contracts carry a method with a momentum encoder and a queue: on one process, on two, and after a kill."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from momentum_script import momentum, train

from praxino.clips.dataset import ClipDataset
from praxino.clips.loader import ClipLoader
from praxino.errors import UserError
from praxino.rng import Rng
from praxino.training.checkpoint import load_checkpoint
from toys import ToyCatalog, ToySampler, ToyStream, toy_stages

HERE = Path(__file__).parent


def test_two_processes_have_the_same_queue_and_keys_to_the_bit(tmp_path):
    """And they are one: float32 sums of another order differ by about 1e-7 of their terms."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": f"{HERE.parent}{os.pathsep}{HERE}"}
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command += [str(HERE / "momentum_script.py"), str(tmp_path / "two")]
    environment["GLOO_SOCKET_IFNAME"] = "lo"
    done = subprocess.run(command, env=environment, check=False, capture_output=True, timeout=240)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    two = torch.load(tmp_path / "two/out.pt", weights_only=True)
    assert two["equal"]
    method = momentum()
    made = train(tmp_path / "one", method=method)
    totals = [line["total"] for line in made.metrics() if line["kind"] == "step"]
    assert two["totals"] == pytest.approx(totals, rel=1e-5)
    for name, value in method.state_dict().items():
        assert torch.allclose(two["state"][name].double(), value.double(), atol=1e-5), name


def test_the_queue_and_the_keys_by_hand(tmp_path):
    """Three steps of the loop, and the same written out."""
    made = train(tmp_path / "run", stages=toy_stages(steps=3))
    task = load_checkpoint(made.checkpoint_file)["task"]
    method = momentum()
    method.setup(12, 4, Rng(0, "setup"))
    optimizer = torch.optim.AdamW(method.backbone.parameters(), lr=3e-3)
    dataset = ClipDataset(ToyCatalog(12), ("rgb",), ToySampler(), {"rgb": ToyStream()}, seed=0)
    batches = ClipLoader(dataset, 4).batches()
    queue = method.queue.clone()
    for step in range(3):
        for key, query in zip(method.key_backbone.parameters(), method.backbone.parameters(), strict=True):
            key.data = 0.9 * key.data + (1 - 0.9) * query.data
        losses = method(next(batches), Rng(0, "step", 0, step))
        optimizer.zero_grad()
        losses.total.backward()
        optimizer.step()
        for row, key in enumerate(losses.kept["keys"]):
            queue[(4 * step + row) % 8] = key
        method.queue.copy_(queue)
    assert torch.allclose(task["queue"], queue, atol=1e-6)
    assert int(task["pointer"]) == 12 % 8
    for name, value in method.key_backbone.state_dict().items():
        assert torch.allclose(task[f"key_backbone.{name}"], value, atol=1e-6)
    assert all(p.grad is None for p in method.key_backbone.parameters())


@pytest.mark.parametrize("stop_at", [2, 3, 5])
def test_a_killed_run_goes_on_with_its_queue(tmp_path, monkeypatch, stop_at):
    whole = train(tmp_path / "whole")
    before, steps = type(momentum()).before_step, []

    def killed(self):
        steps.append(1)
        if len(steps) > stop_at:
            raise KeyboardInterrupt
        before(self)

    monkeypatch.setattr(type(momentum()), "before_step", killed)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "cut")
    monkeypatch.undo()
    cut = train(tmp_path / "cut", resume=True)
    one, other = (load_checkpoint(made.checkpoint_file)["task"] for made in (whole, cut))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_it_cannot_be_validated_unless_it_says_how(tmp_path):
    with pytest.raises(UserError, match="Momentum remembers its training videos and cannot be validated on others"):
        train(tmp_path / "run", validation=0.4)

    class Validated(type(momentum())):
        def validated(self, batch, rng):
            return self(batch, rng)

    torch.manual_seed(0)
    parts = momentum()
    method = Validated(parts.backbone, parts.key_backbone, parts.view)
    made = train(tmp_path / "run", method=method, validation=0.4)
    assert "validation/contrastive" in [line for line in made.metrics() if line["kind"] == "epoch"][-1]


def test_a_checkpoint_does_not_grow_with_the_catalog(tmp_path):
    """Ten thousand times a byte would show; a number with more digits is a few bytes."""
    many = {"catalog": ToyCatalog(10_000), "stages": toy_stages(steps=3)}
    sizes = [train(tmp_path / str(k), **more).checkpoint_file.stat().st_size for k, more in enumerate(({}, many))]
    assert abs(sizes[1] - sizes[0]) < 1000
