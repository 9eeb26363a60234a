"""SimCLR: its objective, its draws, its encoder."""

import json

import numpy as np
import pytest
import torch

from praxino.clips.dataset import ClipDataset, load_clips
from praxino.clips.loader import ClipLoader
from praxino.encoders.encoder import Encoder
from praxino.errors import UserError
from praxino.losses.contrastive import nt_xent
from praxino.rng import Rng
from praxino.views.pipeline import View
from toys import Noise, ToyBackbone, ToyCatalog, ToySampler, ToyStream, toy_method, toy_protocol, without_checksum


def batch_of(clips=2):
    dataset = ClipDataset(ToyCatalog(), ("rgb",), ToySampler(clips=clips), {"rgb": ToyStream()}, seed=1)
    return next(ClipLoader(dataset, 4).batches())


def test_the_objective_is_written_out():
    method = toy_method().double()
    clips = torch.rand(5, 2, 3, 4, 6, 8, dtype=torch.float64)
    one, two = (method.head(method.backbone(clips[:, n]).mean((2, 3, 4))) for n in (0, 1))
    losses = method.objective({"clips": clips})
    assert torch.allclose(losses.total, nt_xent(one, two, 0.1))
    assert torch.allclose(losses.embeddings["clip"], one)
    assert not losses.terms["contrastive"].requires_grad


def test_further_views_are_contrasted_by_themselves_through_the_same_network():
    one, both = toy_method(), toy_method()
    both.others = (View([Noise()]),)
    batch, rng = batch_of(), Rng(0, "step", 0, 0)
    seen = {"clips": one.view(batch, rng.child("view")), "clips 1": one.view(batch, rng.child("view", 1))}
    alone = [one.objective({"clips": clips}).total for clips in seen.values()]
    assert not torch.equal(*alone)
    losses = both(batch, rng)
    assert torch.allclose(losses.total, torch.stack(alone).mean())
    assert torch.equal(losses.terms["contrastive"], alone[0])
    assert torch.equal(losses.terms["contrastive 1"], alone[1])
    # A network that keeps statistics sees one view at a time: they are never those of a mixture.
    normalised = toy_method(norm=True)
    means = []
    layer = next(module for module in normalised.modules() if isinstance(module, torch.nn.BatchNorm3d))
    layer.register_forward_pre_hook(lambda layer, given: means.append(len(given[0])))
    normalised.objective(seen)
    assert means == [8, 8]


def test_the_two_clips_are_seen_differently_and_the_draw_is_counted():
    method, batch = toy_method(), batch_of()
    rng = Rng(0, "step", 0, 0)
    views = method.view(batch, rng.child("view"))
    plain = batch.streams["rgb"].clips().movedim(-1, 2).float() / 255
    added = (views - plain).amax(dim=(2, 3, 4, 5))
    assert len(added.unique()) == added.numel()
    assert torch.equal(method(batch, rng).total, method(batch, rng).total)
    assert not torch.equal(method(batch, rng).total, method(batch, rng.child("other")).total)


def test_refuses():
    with pytest.raises(UserError, match=r"--sampler\.clips 2"):
        toy_method()(batch_of(clips=3), Rng(0))
    with pytest.raises(UserError, match="batch_size"):
        toy_method().setup(10, 1, Rng(0))


def test_the_encoder_round_trips(tmp_path):
    encoder = toy_method().exports(toy_protocol())[""]
    path = encoder.save(tmp_path / "encoder.safetensors")
    with pytest.raises(UserError, match="trust"):
        Encoder.load(path)
    again = Encoder.load(tmp_path, trust=("toys",))
    video = ToyCatalog()[3]
    vectors = again.embed(video)
    assert vectors.shape == (3, 6)
    assert vectors.dtype == np.float32
    assert np.array_equal(vectors, encoder.embed(video))
    # Other batches round differently in the last digits.
    assert np.allclose(vectors, encoder.embed(video, batch_size=2), atol=1e-6)
    loaded = load_clips(video, ("rgb",), {"rgb": ToyStream()}, {}, ToySampler(clips=3), np.random.default_rng(0))
    pixels = torch.from_numpy(loaded.streams["rgb"].pixels[loaded.streams["rgb"].where]).movedim(-1, 1).float() / 255
    with torch.no_grad():
        assert np.allclose(encoder.backbone.eval()(pixels).amax((2, 3, 4)).numpy(), vectors, atol=1e-6)


def test_damaged_encoders_are_told(tmp_path):
    encoder = toy_method().exports(toy_protocol())[""]
    path = encoder.save(tmp_path / "encoder.safetensors")
    with pytest.raises(UserError, match="no encoder at"):
        Encoder.load(tmp_path / "nothing")
    encoder.backbone = ToyBackbone(dim=4)
    encoder.save(tmp_path / "other.safetensors")
    (tmp_path / "encoder.safetensors").write_bytes((tmp_path / "other.safetensors").read_bytes())
    with pytest.raises(UserError, match=r"its weights are not those that encoder\.json was written with"):
        Encoder.load(path, trust=("toys",))
    with pytest.raises(UserError, match=r"another network.*size mismatch for layers"):
        Encoder.load(without_checksum(path), trust=("toys",))
    said = json.loads(path.with_suffix(".json").read_text())
    for changed, told in (
        ({**said, "more": 1}, "does not fit this version"),
        ({"views": {}}, "damaged"),
        ([], "damaged"),
    ):
        path.with_suffix(".json").write_text(json.dumps(changed))
        with pytest.raises(UserError, match=told):
            Encoder.load(path, trust=("toys",))
    (tmp_path / "last.ckpt").write_bytes(b"nonsense")
    with pytest.raises(UserError, match="is no encoder"):
        Encoder.load(tmp_path / "last.ckpt")
    path.write_bytes(b"nonsense")
    with pytest.raises(UserError, match="damaged"):
        Encoder.load(path, trust=("toys",))
    path.with_suffix(".json").unlink()
    with pytest.raises(UserError, match=r"encoder\.json"):
        Encoder.load(path)
