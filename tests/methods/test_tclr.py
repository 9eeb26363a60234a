"""TCLR: its losses from its embeddings, its BatchNorm batches, and what it refuses."""

import pytest
import torch
from torch import nn

from praxino.backbones.base import Backbone
from praxino.clips.dataset import ClipDataset
from praxino.clips.loader import ClipLoader
from praxino.clips.sparse_dense import SparseDense
from praxino.errors import UserError
from praxino.losses.contrastive import nt_xent
from praxino.methods.tclr import TCLR, passes
from praxino.rng import Rng
from praxino.views.pipeline import View
from toys import Noise, ToyCatalog, ToySampler, ToyStream, toy_protocol


class Timed(Backbone):
    """[b, 3, T, h, w] -> [b, dim, T / 2, h, w], with BatchNorm, and dropout that has to be made again alike."""

    def __init__(self, dim: int = 6, dropout: float = 0.0) -> None:
        super().__init__()
        self.dim = dim
        self.dropout = dropout
        self.layers = nn.Sequential(
            nn.Conv3d(3, dim, 3, padding=1), nn.BatchNorm3d(dim), nn.ReLU(inplace=True), nn.Dropout(dropout),
            nn.Conv3d(dim, dim, 3, stride=(2, 1, 1), padding=1), nn.BatchNorm3d(dim), nn.ReLU(inplace=True),
        )  # fmt: skip

    def forward(self, x):
        return self.layers(x)


def batch_of(size=4, sampler=None):
    """Two dense clips of four frames; `Timed` leaves two time positions of them."""
    dataset = ClipDataset(ToyCatalog(), ("rgb",), sampler or SparseDense(4, 2), {"rgb": ToyStream()}, seed=1)
    return next(ClipLoader(dataset, size).batches())


def tclr(seed=0, dropout=0.0, **more):
    torch.manual_seed(seed)
    return TCLR(Timed(dropout=dropout), View([Noise()]), dim=5, **more)


def test_the_loss_is_written_out():
    """Every term as the specification sums it, pair by pair."""
    method = tclr(hidden=7, temperature=0.2).train().double()
    clips = torch.rand(3, 2, 3, 3, 4, 6, 8, dtype=torch.float64)  # two versions of a sparse clip and two dense ones
    n = 2

    def embedded(version, number, position=None):
        mapped = method.backbone(clips[:, version, number])
        return method.head(mapped.mean((2, 3, 4)) if position is None else mapped[:, :, position].mean((2, 3)))

    dense = [[embedded(version, 1 + j) for j in range(n)] for version in range(2)]
    local = [[embedded(version, 0, t) for t in range(n)] for version in range(2)]
    assert torch.allclose(dense[0][0].norm(dim=1), torch.ones(3, dtype=torch.float64))
    want = {"instance_sparse": nt_xent(embedded(0, 0), embedded(1, 0), 0.2)}
    flat = [*dense[0], *dense[1]]
    want["instance_dense"] = sum(nt_xent(a, b, 0.2) for a in flat for b in flat if a is not b) / n
    videos = range(3)
    want["local_local"] = sum(
        nt_xent(torch.stack([d[b] for d in dense[0]]), torch.stack([d[b] for d in dense[1]]), 0.2) for b in videos
    )
    want["global_local"] = torch.zeros((), dtype=torch.float64)
    for sparse_version in range(2):
        for dense_version in range(2):
            for b in videos:
                rows = torch.stack([one[b] for one in local[sparse_version]])
                table = rows @ torch.stack([one[b] for one in dense[dense_version]]).T / 0.2
                for side in (table, table.T):
                    want["global_local"] += nn.functional.cross_entropy(side, torch.arange(n), reduction="sum") / 6
    losses = method.objective({"clips": clips})
    assert losses.terms.keys() == want.keys()
    for name, value in want.items():
        assert torch.allclose(losses.terms[name], value), name
    assert torch.allclose(losses.total, sum(want.values()))
    method.local_weight = 0.25
    assert torch.allclose(method.objective({"clips": clips}).total, sum(want.values()) - 0.75 * want["local_local"])


def test_order_of_the_passes():
    assert passes(4)[:2] == [(0, 0), (1, 0)]
    assert passes(4)[2:] == [(0, 1), (0, 2), (0, 3), (0, 4), (1, 1), (1, 2), (1, 3), (1, 4)]


def test_each_clip_is_a_batch_of_its_own():
    method = tclr().train()
    seen = []
    method.backbone.register_forward_hook(lambda _, given, made: seen.append(given[0]))
    method(batch_of(), Rng(0))
    assert len(seen) == 6
    assert int(method.backbone.layers[1].num_batches_tracked) == 6
    assert int(method.head.bn1.num_batches_tracked) == int(method.head.bn2.num_batches_tracked) == 2 * 3 + 4
    # Running statistics are those of one clip after another, not of all together.
    first = tclr().train()
    for clip in seen:
        first.backbone(clip)
    assert torch.equal(first.backbone.layers[1].running_var, method.backbone.layers[1].running_var)


def test_every_version_of_every_clip_is_drawn_by_itself():
    method, batch = tclr(), batch_of()
    seen = []
    method.backbone.register_forward_hook(lambda _, given, made: seen.append(given[0]))
    method(batch, Rng(0))
    plain = batch.streams["rgb"].clips().movedim(-1, 2).float() / 255
    order = [0, 0, 1, 2, 1, 2]
    added = torch.stack(
        [(clip - plain[:, number]).amax((1, 2, 3, 4)) for clip, number in zip(seen, order, strict=True)]
    )
    assert len(added.unique()) == added.numel()
    halves = Rng(0, ranks=2), Rng(0, rank=1, ranks=2)
    both = [method.view.draw(batch_of(2), half.child("view", 0, 0), 0)[0]["more"] for half in halves]
    assert torch.equal(torch.cat(both), method.view.draw(batch, Rng(0).child("view", 0, 0), 0)[0]["more"])


def test_losses_and_encoder():
    method, batch = tclr(), batch_of()
    losses = method(batch, Rng(0))
    losses.total.backward()
    assert all(p.grad is not None for p in method.parameters())
    assert {name: tuple(rows.shape) for name, rows in losses.embeddings.items()} == {"sparse": (4, 5), "dense": (4, 5)}
    assert not any(value.requires_grad for value in (*losses.terms.values(), *losses.embeddings.values()))
    assert torch.equal(tclr()(batch, Rng(0)).total, losses.total)
    assert not torch.equal(tclr()(batch, Rng(1)).total, losses.total)
    assert method.exports(toy_protocol())[""].backbone is method.backbone


def test_refuses():
    with pytest.raises(UserError, match="not 2 clips: --sampler SparseDense"):
        tclr()(batch_of(sampler=ToySampler()), Rng(0))
    with pytest.raises(UserError, match=r"2 time positions of 4 frames.*4 dense clips: take --sampler\.dense 2"):
        tclr()(batch_of(sampler=SparseDense(4, 4)), Rng(0))
    with pytest.raises(UserError, match="kept_clips"):
        tclr(lean=True, kept_clips=0)
    with pytest.raises(UserError, match=r"temperature must be above 0, not -0\.1"):
        tclr(temperature=-0.1)
