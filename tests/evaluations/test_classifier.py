"""The classifier: its loss written out, its heads, and its way into an encoder."""

import pytest
import torch

from praxino.clips.dataset import ClipDataset
from praxino.clips.loader import ClipLoader
from praxino.encoders.encoder import Encoder
from praxino.encoders.head import Head
from praxino.errors import UserError
from praxino.evaluations.classifying.classifier import Classifier
from praxino.rng import Rng
from praxino.views.pipeline import View
from toys import Noise, ToyBackbone, ToyCatalog, ToySampler, ToyStream


def classifier(**more):
    torch.manual_seed(0)
    return Classifier(ToyBackbone(), View([Noise()]), Head(6, 4), **more)


def test_the_objective_is_written_out():
    task = classifier().double()
    clips, labels = torch.rand(5, 3, 4, 6, 8, dtype=torch.float64), torch.tensor([0, 3, 1, 1, 2])
    logits = task.linear(task.backbone(clips).mean((2, 3, 4)))
    by_hand = torch.stack([logits[k].exp().sum().log() - logits[k, label] for k, label in enumerate(labels)]).mean()
    losses = task.objective({"clips": clips}, labels=labels)
    # The loss is taken in float32.
    assert losses.total.item() == pytest.approx(by_hand.item(), rel=1e-6)
    assert losses.terms["accuracy"].item() == pytest.approx((logits.argmax(1) == labels).double().mean().item())
    assert torch.equal(task.logits(clips), logits)


def test_every_clip_has_its_videos_label_and_the_draw_is_counted():
    task = classifier()
    dataset = ClipDataset(ToyCatalog(), ("rgb",), ToySampler(clips=3), {"rgb": ToyStream()}, seed=1)
    batch = next(ClipLoader(dataset, 4).batches())
    rng = Rng(0, "step", 0, 0)
    clips = task.view(batch, rng.child("view"))
    labels = torch.tensor([label for label in batch.label for _ in range(3)])
    assert torch.equal(task(batch, rng).total, task.objective({"clips": clips.flatten(0, 1)}, labels=labels).total)


@pytest.mark.parametrize("statistics", [True, False])
def test_a_frozen_backbone(statistics):
    torch.manual_seed(0)
    backbone = ToyBackbone(norm=True, dropout=0.5)
    task = Classifier(backbone, View([]), Head(6, 4), frozen=True, frozen_statistics=statistics)
    before = {name: value.clone() for name, value in task.state_dict().items()}
    (only,) = task.train().parameter_groups()
    assert only["params"] == [task.linear.weight, task.linear.bias]
    optimizer = torch.optim.SGD(only["params"], lr=0.1)
    task.objective({"clips": torch.rand(4, 3, 4, 6, 8)}, labels=torch.tensor([0, 1, 2, 3])).total.backward()
    optimizer.step()
    moved = {name for name, value in task.state_dict().items() if not torch.equal(value, before[name])}
    norms = {f"backbone.layers.1.{word}" for word in ("running_mean", "running_var", "num_batches_tracked")}
    assert moved == {"linear.weight", "linear.bias"} | (set() if statistics else norms)
    assert task.backbone.training is not statistics
    assert task.linear.training
    assert not task.eval().backbone.training


def test_what_is_frozen_is_in_no_group():
    task = classifier()
    task.backbone.requires_grad_(False)
    (only,) = task.parameter_groups()
    assert only["params"] == [task.linear.weight, task.linear.bias]


def test_a_head_is_what_it_says():
    torch.manual_seed(0)
    plain, drawn = Head(5, 3), Head(5, 3, norm=True, dropout=0.5, std=0.01)
    torch.manual_seed(0)
    linear = torch.nn.Linear(5, 3)
    assert torch.equal(plain.weight, linear.weight)  # the same draw as torch's own layer
    assert torch.equal(plain(torch.ones(2, 5)), linear(torch.ones(2, 5)))
    assert 0.004 < Head(500, 30, std=0.01).weight.std() < 0.011
    assert not drawn.bias.any()
    features = torch.randn(64, 5) * 3 + 1
    by_hand = (features - features.mean(0)) / (features.var(0, correction=0) + 1e-5).sqrt() @ drawn.weight.T
    drawn.dropout = 0.0
    assert torch.allclose(drawn(features), by_hand, atol=1e-6)
    drawn.dropout = 0.5
    assert not torch.equal(drawn(features), drawn(features))
    assert torch.equal(drawn.eval()(features), drawn(features))


@pytest.mark.parametrize(("said", "more"), [("share", {"dropout": 1.0}), ("above 0", {"std": 0.0})])
def test_a_head_that_is_none(said, more):
    with pytest.raises(UserError, match=said):
        Head(5, 3, **more)


def test_an_encoder_keeps_its_head(tmp_path):
    head = Head(6, 2, norm=True, dropout=0.9, std=0.01)
    encoder = Encoder(ToyBackbone(), {"rgb": View([])}, ToySampler(), classes=("a", "b"), head=head)
    head(torch.randn(9, 6))  # moves the statistics of its BatchNorm
    again = Encoder.load(encoder.save(tmp_path / "encoder.safetensors"), trust=("toys",))
    assert (again.head.norm, again.head.dropout, again.head.std) == (True, 0.9, 0.01)
    assert not again.head.training
    for name, value in head.state_dict().items():
        assert torch.equal(again.head.state_dict()[name], value)
    with pytest.raises(UserError, match="does not fit"):
        Encoder(ToyBackbone(), {"rgb": View([])}, ToySampler(), classes=("a",), head=Head(6, 2))


def test_a_validation_is_of_each_videos_mean_logits():
    task = classifier().eval()
    dataset = ClipDataset(ToyCatalog(), ("rgb",), ToySampler(clips=3), {"rgb": ToyStream()}, seed=1)
    batch, rng = next(ClipLoader(dataset, 4).batches()), Rng(0, "validation", 0, 0)
    said = task.validated(batch, rng)
    logits = torch.stack([task.logits(clips).mean(0) for clips in task.view(batch, rng.child("view"))]).double()
    losses = [-logits[k].log_softmax(0)[label] for k, label in enumerate(batch.label)]
    assert said.total.item() == pytest.approx(torch.stack(losses).mean().item(), rel=1e-6)
    assert said.terms["accuracy"].item() == (logits.argmax(1) == batch.label).double().mean()


def test_an_encoder_keeps_its_classifier(tmp_path):
    torch.manual_seed(3)
    encoder = Encoder(ToyBackbone(), {"rgb": View([])}, ToySampler(), feature="max", classes=("a", "b", "c"))
    again = Encoder.load(encoder.save(tmp_path / "encoder.safetensors"), trust=("toys",))
    assert again.classes == ("a", "b", "c")
    dataset = ClipDataset(ToyCatalog(), ("rgb",), ToySampler(clips=2), {"rgb": ToyStream()}, seed=1)
    batch = next(ClipLoader(dataset, 4).batches())
    # The classifier's logits come of the mean, whatever the feature is.
    clips = batch.streams["rgb"].clips().movedim(-1, 2).float().flatten(0, 1) / 255
    by_hand = encoder.head(encoder.backbone(clips).mean((2, 3, 4)))
    assert torch.allclose(again.logits(batch), by_hand, atol=1e-6)
    assert again.features(batch).shape == (8, 6)


def test_an_encoder_without_a_classifier_has_no_logits():
    with pytest.raises(UserError, match="no classifier"):
        Encoder(ToyBackbone(), {"rgb": View([])}, ToySampler()).logits(None)
