"""The classifier: its loss written out, its groups by name, and its way into an encoder."""

import pytest
import torch

from praxino.clips.dataset import ClipDataset
from praxino.clips.loader import ClipLoader
from praxino.errors import UserError
from praxino.methods.classifier import Classifier
from praxino.methods.encoder import Encoder
from praxino.rng import Rng
from praxino.views.pipeline import View
from toys import Noise, ToyBackbone, ToyCatalog, ToySampler, ToyStream


def classifier(**more):
    torch.manual_seed(0)
    return Classifier(ToyBackbone(), View([Noise()]), 4, **more)


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


def test_groups_by_name():
    task = classifier(rates={r"linear\.": 0.5, r"layers\.4|linear": 0.1})
    rest, linear, last = task.parameter_groups()
    assert (linear["lr"], last["lr"]) == (0.5, 0.1)
    assert "lr" not in rest
    assert linear["params"] == [task.linear.weight, task.linear.bias]
    assert last["params"] == list(task.backbone.layers[4].parameters())
    assert rest["params"] == list(task.backbone.layers[0].parameters())


@pytest.mark.parametrize("statistics", [True, False])
def test_a_frozen_backbone(statistics):
    torch.manual_seed(0)
    task = Classifier(ToyBackbone(norm=True, dropout=0.5), View([]), 4, frozen=True, frozen_statistics=statistics)
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


@pytest.mark.parametrize(("pattern", "said"), [("conv9", "no parameter is called like"), ("(", "no regular expr")])
def test_a_rate_that_is_no_ones(pattern, said):
    with pytest.raises(UserError, match=said):
        classifier(rates={pattern: 0.1}).parameter_groups()


def test_an_encoder_keeps_its_classifier(tmp_path):
    torch.manual_seed(3)
    encoder = Encoder(ToyBackbone(), {"rgb": View([])}, ToySampler(), feature="max", classes=("a", "b", "c"))
    again = Encoder.load(encoder.save(tmp_path / "encoder.safetensors"), trust=("toys",))
    assert again.classes == ("a", "b", "c")
    dataset = ClipDataset(ToyCatalog(), ("rgb",), ToySampler(clips=2), {"rgb": ToyStream()}, seed=1)
    batch = next(ClipLoader(dataset, 4).batches())
    # The classifier's logits come of the mean, whatever the feature is.
    clips = batch.streams["rgb"].clips().movedim(-1, 2).float().flatten(0, 1) / 255
    by_hand = encoder.classifier(encoder.backbone(clips).mean((2, 3, 4)))
    assert torch.allclose(again.logits(batch), by_hand, atol=1e-6)
    assert again.features(batch).shape == (8, 6)


def test_an_encoder_without_a_classifier_has_no_logits():
    with pytest.raises(UserError, match="no classifier"):
        Encoder(ToyBackbone(), {"rgb": View([])}, ToySampler()).logits(None)
