"""Linear evaluation in two processes: with kept statistics it is that of one process; with TCLR's, which go on, each
process normalises its own share, and what is exported has those of the first one.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from linear_ranks_script import kept
from test_finetune import MACHINE, ListedToys, toy_encoder
from torch.nn.functional import cross_entropy

from praxino.clips.dataset import ClipDataset
from praxino.clips.loader import ClipLoader
from praxino.encoders.encoder import Encoder
from praxino.evaluations.classifying.finetune import finetune
from praxino.evaluations.result import read_result
from praxino.rng import Rng
from praxino.training.run import Run
from praxino.views.pipeline import View
from toys import Noise, ToySampler, ToyStream

HERE = Path(__file__).parent
pytestmark = pytest.mark.slow
STATISTICS = {f"layers.1.{word}" for word in ("running_mean", "running_var", "num_batches_tracked")}
STEPS = 3  # of an epoch


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranks")
    paths = os.pathsep.join(map(str, (HERE, HERE.parent)))
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": paths, "GLOO_SOCKET_IFNAME": "lo"}
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command = [sys.executable, *launcher, str(HERE / "linear_ranks_script.py"), str(folder)]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, timeout=240)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    return folder


@pytest.fixture(scope="module")
def found(folder):
    """What each process held at the end of its trainings."""
    return [torch.load(folder / f"rank{rank}.pt", weights_only=True) for rank in (0, 1)]


def curve(folder):
    return [{k: v for k, v in line.items() if k not in MACHINE} for line in Run.open(folder).metrics()]


def exported(folder, name="encoder"):
    return Encoder.load(folder / f"{name}.safetensors", trust=("toys",))


def share(rank, epochs=2, ranks=2):
    """The clips and labels of each step that a process of several has."""
    dataset = ClipDataset(ListedToys("train"), ("rgb",), ToySampler(clips=1), {"rgb": ToyStream()})
    loader = ClipLoader(dataset, 6, rank=rank, ranks=ranks, drop_last=False)
    batches = loader.batches()
    for step in range(STEPS * epochs):
        batch = next(batches)
        rng = Rng(0, "step", step // STEPS, step % STEPS, rank=rank, ranks=ranks)
        yield View([Noise()])(batch, rng.child("view")).flatten(0, 1), batch.label


@pytest.mark.parametrize("name", ["going_on", "kept", "whole", "resumed"])
def test_both_end_with_one_classifier_on_the_weights_that_came_in(found, name):
    first, second = (one[name] for one in found)
    came_in = toy_encoder().backbone.state_dict()
    for key in ("linear.weight", "linear.bias"):
        assert torch.equal(first[key], second[key])
    for key in came_in.keys() - STATISTICS:
        assert torch.equal(first[f"backbone.{key}"], came_in[key])
        assert torch.equal(second[f"backbone.{key}"], came_in[key])


def test_each_normalises_its_share(folder):
    """The first step's loss, by the classifier that begins: another one than that of a single process."""
    start = exported(folder / "going_on", "start")
    network, linear = start.backbone.train(), start.head
    network.layers[3].p = 0.0

    def loss(clips, labels):
        return float(cross_entropy(linear(network(clips).mean((2, 3, 4))), labels).detach())

    apart = sum(loss(*next(share(rank))) for rank in (0, 1)) / 2
    together = loss(*next(share(0, ranks=1)))
    step = curve(folder / "going_on")[0]
    # Sums of float32 in another order: about 1e-7 of a loss near 1; those of the whole batch differ in the third place.
    assert step["total"] == pytest.approx(apart, rel=1e-6)
    assert abs(step["total"] - together) > 1e-4


def test_the_first_ones_statistics_are_exported(folder, found):
    network = toy_encoder().backbone.train()
    for clips, _ in share(0):
        network(clips)
    expected, (first, second) = network.state_dict(), (one["going_on"] for one in found)
    assert expected["layers.1.num_batches_tracked"] == 2 * STEPS
    state = exported(folder / "going_on").backbone.state_dict()
    for name in STATISTICS:
        assert torch.allclose(state[name], expected[name], rtol=1e-6)  # float32, as above
        assert torch.equal(state[name], first[f"backbone.{name}"])
    assert not torch.allclose(second["backbone.layers.1.running_mean"], expected["layers.1.running_mean"], rtol=1e-3)


def test_with_kept_statistics_two_are_one(folder, tmp_path):
    """Only sums over the batch are in another order: 1e-7 of their terms a step, and nine steps of AdamW."""
    one = finetune(**kept(tmp_path / "one"))
    lines, others = curve(tmp_path / "one"), curve(folder / "kept")
    assert len(lines) == len(others) == 3 * (STEPS + 1)
    for mine, theirs in zip(lines, others, strict=True):
        assert mine.keys() == theirs.keys()
        for name, value in mine.items():
            assert theirs[name] == (value if isinstance(value, str) else pytest.approx(value, rel=1e-5)), name
    weights = [exported(path).head.weight for path in (tmp_path / "one", folder / "kept")]
    assert torch.allclose(*weights, atol=1e-5)
    came_in, state = toy_encoder().backbone.state_dict(), exported(folder / "kept").backbone.state_dict()
    assert all(torch.equal(state[name], value) for name, value in came_in.items())
    assert read_result(folder / "kept", "linear").rows == one.result.rows
    assert Run.open(folder / "kept").finished


def test_a_kill_changes_nothing(folder, found):
    """In the third epoch: the test of the second one has given both the first one's statistics."""
    assert [one["killed"] for one in found] == [True, True]
    assert found[0]["reached"][-2:] == [("epoch", 1), ("step", 2)]

    def left(name):
        run = Run.open(folder / name)
        last = run.checkpoint()
        best = torch.load(folder / name / "checkpoints/best.ckpt", weights_only=True)["position"]
        result = (folder / name / "evaluations/linear.json").read_text()
        weights = (folder / name / "encoder.safetensors").read_bytes()
        return curve(folder / name), last["schedule"], last["position"], best, result, weights, run.finished

    assert left("killed") == left("whole")
