"""DPC and CoCon on toys: by hand, on one process and on two, stopped and gone on with."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from cocon_script import CASES, VIEWS, cocon, dpc, network, train

from praxino.backbones import BlockRecurrent, ResNet2D3D18
from praxino.clips.dataset import ClipDataset
from praxino.clips.loader import ClipLoader
from praxino.clips.samplers import EvenClips, RandomClip
from praxino.encoders.protocol import Protocol
from praxino.errors import UserError
from praxino.evaluations.untrained import untrained
from praxino.losses.cooperative import block_vectors, cooperation, cosines, synchronisation
from praxino.losses.dense import dense_nce
from praxino.methods.cocon import CoCon
from praxino.methods.dpc import DPC
from praxino.rng import Rng
from praxino.training.checkpoint import load_checkpoint
from praxino.views.pipeline import View
from toys import Noise, ToyBackbone, ToyCatalog, ToyStream

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": f"{HERE.parent}{os.pathsep}{HERE}"}
    environment |= {"GLOO_SOCKET_IFNAME": "lo"}
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command += [str(HERE / "cocon_script.py"), str(folder)]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, timeout=240)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    return torch.load(folder / "out.pt", weights_only=True)


@pytest.mark.parametrize("case", ["cocon", "cocon by its own rule", "dpc shared"])
def test_two_processes_are_one(tmp_path, two, case):
    """In every loss of ten steps, and so in the gradients: float32 sums of another order differ by about 1e-7."""
    make, more = CASES[case]
    method = make()
    made = train(tmp_path / "one", method, **more)
    totals = [line["total"] for line in made.metrics() if line["kind"] == "step"]
    assert two[case]["totals"] == pytest.approx(totals, rel=1e-5)
    for name, value in method.state_dict().items():
        assert torch.allclose(two[case]["state"][name].double(), value.double(), atol=1e-5), name


def test_dpc_apart_is_the_mean_of_what_each_half_gives(two):
    """The first step's loss: each process contrasts its own half of the batch."""
    halves = []
    for rank in range(2):
        dataset = ClipDataset(ToyCatalog(24), ("rgb",), RandomClip(8), {"rgb": ToyStream()}, seed=0)
        batch = next(ClipLoader(dataset, 6, rank=rank, ranks=2).batches())
        losses = dpc(shared=False)(batch, Rng(0, "step", 0, 0, rank=rank, ranks=2))
        halves.append(losses.total.item())
    assert two["dpc apart"]["totals"][0] == pytest.approx(sum(halves) / 2, rel=1e-6)
    assert two["dpc apart"]["totals"][0] != pytest.approx(two["dpc shared"]["totals"][0], rel=1e-3)


def plain_cell(cell, x, h):
    both = torch.cat([x, h], 1)
    z, r = (torch.sigmoid(F.conv2d(both, gate.weight, gate.bias)) for gate in (cell.update_gate, cell.reset_gate))
    o = torch.tanh(F.conv2d(torch.cat([x, r * h], 1), cell.out_gate.weight, cell.out_gate.bias))
    return (1 - z) * h + z * o


def test_dpc_by_hand():
    method = dpc().eval()
    clips = torch.rand(3, 3, 8, 6, 8)
    z = [method.network.backbone(clips[:, :, k : k + 2]).mean(2) for k in range(0, 8, 2)]
    h = torch.zeros_like(z[0])
    for one in z[:2]:
        h = plain_cell(method.network.cell, F.relu(one), h)
    first = method.prediction(h)
    second = method.prediction(plain_cell(method.network.cell, F.relu(first), h))
    places = [torch.stack(pair, 1).permute(0, 1, 3, 4, 2).reshape(-1, 6) for pair in ((first, second), z[2:])]
    loss = F.cross_entropy(places[0] @ places[1].T, torch.arange(len(places[0])))
    losses = method.objective({"clips": clips})
    torch.testing.assert_close(losses.total, loss)
    assert losses.embeddings["blocks"].shape == (3, 6)


def test_cocon_is_the_sum_of_its_parts():
    method = cocon().eval()
    views = {name: torch.rand(3, 3, 8, 6, 8) for name in VIEWS}
    losses = method.objective(views)
    z = {name: method.features(name, clips) for name, clips in views.items()}
    assert torch.allclose(z["first"].norm(dim=2), torch.ones(()), atol=1e-4)
    total = sum(dense_nce(method.predict(name, z[name])[0], z[name][:, -2:], 0.3**2).loss for name in VIEWS)
    one, two = (block_vectors(z[name]).flatten(0, 1) for name in VIEWS)
    total = total + 10 * cooperation(one, two) + 10 * synchronisation(one, two).loss
    torch.testing.assert_close(losses.total, total)
    assert set(losses.terms) == {
        *(f"{name}/{word}" for name in VIEWS for word in ("contrast", "accuracy", "top3")),
        *(f"first-second/{word}" for word in ("cooperation", "synchronisation", "positives", "negatives")),
    }
    off = cocon(cooperation_weight=0, synchronisation_weight=0).eval().objective(views)
    assert not any("-" in name for name in off.terms)
    assert set(losses.embeddings) == set(VIEWS)


def test_losses_between_views_by_hand():
    torch.manual_seed(0)
    a, b = torch.randn(6, 5, dtype=torch.float64), torch.randn(6, 5, dtype=torch.float64)
    c = F.cosine_similarity(a[:, None], b[None], dim=2)
    torch.testing.assert_close(cosines(a, b), c, atol=1e-4, rtol=1e-4)  # 1e-5 is added to lengths of about 2
    own, others = c.diagonal(), c[~torch.eye(6, dtype=torch.bool)]
    same = synchronisation(a, b)
    torch.testing.assert_close(
        same.loss, 0.5 * (1 - own).mean() + 0.5 * others.clamp(min=0).mean(), atol=1e-4, rtol=1e-4
    )
    # The original's hinge embedding loss of w (1 - c).
    weight = torch.full((6, 6), 0.5 / (1 - 1 / 6), dtype=torch.float64).fill_diagonal_(0.5 / (1 / 6))
    kinds = torch.full((6, 6), -1.0, dtype=torch.float64).fill_diagonal_(1)
    hinge = F.hinge_embedding_loss(weight * (1 - cosines(a, b)), kinds, margin=0.5 / (1 - 1 / 6))
    torch.testing.assert_close(same.loss, hinge)


@pytest.mark.parametrize("make", [cocon, dpc])
@pytest.mark.parametrize("accumulate", [1, 2, "cocon"])
def test_stopped_at_any_step_it_goes_on_bit_equal(tmp_path, make, accumulate):
    """Dropout in the cell, BatchNorm, and CoCon's rule, whose epochs of five batches leave one without a step."""
    how = {"batch_size": 4, "accumulate": accumulate, "catalog": _few()}
    whole = train(tmp_path / "whole", make(norm=True, dropout=0.5), **how)
    for stop in (3, 4):
        out = tmp_path / f"stopped{stop}"
        with pytest.raises(Stopped):
            train(out, _stopping(make(norm=True, dropout=0.5), stop), **how)
        again = train(out, make(norm=True, dropout=0.5), resume=True, **how)
        saved, wanted = (load_checkpoint(run.checkpoint_file) for run in (again, whole))
        assert saved["position"] == wanted["position"]
        assert all(torch.equal(saved["task"][key], value) for key, value in wanted["task"].items())
        assert _curve(again) == _curve(whole)


def _few():
    return ToyCatalog(20)


class Stopped(Exception):
    """Before a step, as if the power went."""


def _stopping(method, step):
    """The method, which is stopped before a step."""
    steps = iter(range(100))

    def stop():
        if next(steps) == step:
            raise Stopped

    method.before_step = stop
    return method


def _curve(run):
    timed = ("seconds", "clips_per_second", "wait_share", "eta_seconds")
    return [{key: value for key, value in line.items() if key not in timed} for line in run.metrics()]


def test_each_view_leaves_an_encoder_with_its_view():
    method = cocon()
    protocol = Protocol({"first": View([]), "second": View([Noise()]), "more": View([])}, EvenClips(2, 8))
    encoders = method.exports(protocol)
    assert {name: list(encoder.views) for name, encoder in encoders.items()} == {n: [n] for n in VIEWS}
    assert encoders["second"].backbone is method.networks["second"]
    with pytest.raises(UserError, match="no view 'second'"):
        method.exports(Protocol({"first": View([])}, EvenClips(2, 8)))


def test_the_untrained_twin_shares_no_weight():
    encoder = cocon().exports(Protocol({name: View([]) for name in VIEWS}, EvenClips(2, 8)))["first"]
    twin = untrained(encoder)
    assert isinstance(twin.backbone, BlockRecurrent)
    shared = {id(p) for p in encoder.backbone.parameters()} & {id(p) for p in twin.backbone.parameters()}
    assert not shared
    own = encoder.backbone.state_dict()
    weights = [key for key in own if key.endswith("weight")]
    assert weights
    assert not any(torch.equal(own[key], twin.backbone.state_dict()[key]) for key in weights)


def test_dpc_without_statistics_leaves_an_encoder_with_them():
    method = DPC(BlockRecurrent(ResNet2D3D18(2, running_statistics=False), 2), View([]), 1)
    encoder = method.exports(Protocol({"rgb": View([])}, EvenClips(2, 8)))[""]
    backbone = encoder.backbone.backbone
    assert backbone.running_statistics
    assert backbone.bn1.running_mean is not None
    assert torch.equal(backbone.conv1.weight, method.network.backbone.conv1.weight)
    assert encoder.backbone.cell is method.network.cell
    assert not method.network.backbone.running_statistics


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: cocon(predicted=0), "predicted must be at least 1"),
        (lambda: cocon(temperature=0), "temperature must be above 0"),
        (lambda: CoCon({"a": network()}, {"b": View([])}), "networks: a, views: b"),
        (lambda: CoCon({}, {}), "networks: none"),
        (
            lambda: CoCon({"a": network(), "b": BlockRecurrent(ToyBackbone(dim=4), 2)}, dict.fromkeys("ab", View([]))),
            "a 6, b 4",
        ),
        (
            lambda: CoCon({"a": network(), "b": BlockRecurrent(ToyBackbone(), 3)}, dict.fromkeys("ab", View([]))),
            r"block_frames differ \(a 2, b 3\)",
        ),
        (lambda: cocon(cooperation_weight=-1.0), "cooperation_weight must be 0 or more, and finite, not -1"),
        (lambda: cocon(contrast_weight=float("nan")), "contrast_weight must be 0 or more"),
        (
            lambda: cocon(contrast_weight=0.0, cooperation_weight=0.0, synchronisation_weight=0.0),
            "weights leave CoCon no loss",
        ),
        (lambda: CoCon({"a": network()}, {"a": View([])}, contrast_weight=0.0), "weights of a single view leave"),
        (lambda: BlockRecurrent(ToyBackbone(), block_frames=0), "block_frames"),
        (lambda: BlockRecurrent(ToyBackbone(), dropout=1.0), "dropout"),
        (lambda: BlockRecurrent(ToyBackbone(), rectified="yes"), "rectified"),
    ],
)
def test_what_does_not_fit_is_said(make, said):
    with pytest.raises(UserError, match=said):
        make()


def test_clips_that_do_not_fit_are_said():
    method = cocon()
    with pytest.raises(UserError, match=r"blocks of 2 frames, and the clips have 7"):
        method.objective({name: torch.rand(2, 3, 7, 6, 8) for name in VIEWS})
    with pytest.raises(UserError, match="a clip of 2 blocks leaves none"):
        method.objective({name: torch.rand(2, 3, 4, 6, 8) for name in VIEWS})
    flat = cocon(other_maps="flatten")
    with pytest.raises(UserError, match=r"other lengths \(first 72, second 6\)"):
        flat.objective({"first": torch.rand(2, 3, 8, 6, 8), "second": torch.rand(2, 3, 8, 3, 4)})
