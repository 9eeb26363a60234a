"""Classes of a user's own that keep less than the contracts ask for: told before a training, and not after it."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from praxino.backbones.base import Backbone
from praxino.backbones.pooling import pool
from praxino.clips.black import zero_batch
from praxino.clips.samplers import EvenClips
from praxino.configuration.signatures import given_later
from praxino.described import arguments, build, describe, fresh
from praxino.encoders.encoder import Encoder
from praxino.errors import UserError
from praxino.evaluations.result import Result, table_lines, write_result
from praxino.methods.base import Losses
from praxino.rng import Rng
from praxino.training.restoring import _plain
from praxino.training.tryout import try_out, try_out_encoders
from praxino.views.pipeline import View
from toys import Noise, ToyBackbone, ToySampler, ToyStream, toy_method, toy_protocol

CPU = torch.device("cpu")


class HandsOn(EvenClips):
    """A sampler with an argument more than its parent's, which it hands on."""

    def __init__(self, shift: int = 0, **more):
        super().__init__(**more)
        self.shift = shift


class HandsOnTwice(HandsOn):
    pass


@pytest.mark.parametrize("cls", [HandsOn, HandsOnTwice])
def test_arguments_that_are_handed_on_are_kept(cls):
    made = cls(shift=1, clips=2, frames=8)
    assert arguments(made)["clips"] == 2
    assert describe(build(describe(made), trust=(cls.__module__,))) == describe(made)
    assert fresh(made).frames == 8


class Forgets(ToyBackbone):
    def __init__(self, width: int = 3):
        super().__init__(dim=width)


class OfClasses(ToyBackbone):
    def __init__(self, norm_layer=nn.BatchNorm3d):
        super().__init__()
        self.norm_layer = norm_layer


@pytest.mark.parametrize("backbone", [Forgets, OfClasses])
def test_what_no_description_can_hold_is_told_in_the_trial(backbone):
    encoder = Encoder(backbone(), {"rgb": View([])}, ToySampler(), streams={"rgb": ToyStream()})
    with pytest.raises(UserError, match="encoder ''"):
        try_out_encoders({"": encoder}, CPU)


class Twice(ToyBackbone):
    """One weight by two names."""

    def __init__(self):
        super().__init__()
        self.again = self.layers


class Classifies(ToyBackbone):
    def __init__(self):
        super().__init__()
        self.classifier = nn.Linear(3, 2)


def test_a_weight_by_two_names_is_written_twice(tmp_path):
    made = Encoder(Twice(), {"rgb": View([])}, ToySampler())
    made.save(tmp_path / "encoder.safetensors")
    again = Encoder.load(tmp_path / "encoder.safetensors", trust=("toys", __name__))
    before, after = made.backbone.state_dict(), again.backbone.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())


def test_a_backbone_may_not_call_a_part_as_the_head_is_called():
    Encoder(Classifies(), {"rgb": View([])}, ToySampler())
    with pytest.raises(UserError, match="Classifies has a part 'classifier'"):
        Encoder(Classifies(), {"rgb": View([])}, ToySampler(), classes=("a", "b"))


class GivesVectors(Backbone):
    dim = 4

    def forward(self, x):
        return x.mean((2, 3, 4))


def test_a_vector_is_no_map():
    with pytest.raises(UserError, match=r"a backbone gives a map .* this one gives \[2, 3\]"):
        pool(GivesVectors()(torch.zeros(2, 3, 4, 8, 8)), "mean")


@pytest.mark.parametrize(
    ("losses", "said"),
    [
        (lambda total: total, "SimCLR gives a Tensor, and its forward should give praxino.methods.Losses"),
        (lambda total: Losses(total, terms={"accuracy": 0.5}), "the term 'accuracy' of its Losses should be a tensor"),
        (lambda total: Losses(total.expand(3)), "the term 'total' of its Losses should be a tensor of one number"),
        (lambda total: Losses(total, embeddings={"clip": torch.zeros(2, 2, 5)}), r"\[videos, d\], and are \[2, 2, 5\]"),
    ],
)
def test_other_losses_are_told_in_the_trial(monkeypatch, losses, said):
    method = toy_method()
    monkeypatch.setattr(method, "forward", lambda batch, rng: losses(torch.zeros(())))
    with pytest.raises(UserError, match=said):
        try_out(method, ToySampler(), {}, 0, 4, "fp32", CPU, {"rgb": ToyStream()})


def test_a_view_of_a_stream_that_was_not_read():
    with pytest.raises(UserError, match="made of the stream 'flow', and the batch has rgb: a method says in `streams`"):
        View([Noise()], "flow")(zero_batch(2, ("rgb",), {}, ToySampler(), streams={"rgb": ToyStream()}), Rng(0))


def test_what_a_schedule_remembers():
    plain = _plain({"best": np.float64(0.5), "seen": [np.int64(3), (1, "a")], "none": None}, "Mine")
    assert plain == {"best": 0.5, "seen": [3, (1, "a")], "none": None}
    assert type(plain["best"]) is float
    with pytest.raises(UserError, match="Mine: its state_dict holds a PosixPath"):
        _plain({"file": Path("a")}, "Mine")


def test_a_result_of_lines_alone_and_with_numbers_of_numpy(tmp_path):
    made = Result("mine", "Mine", {"videos": np.int64(3)}, [], [])
    made.below.append("a line")
    assert table_lines(made) == ["a line"]
    path = write_result(tmp_path, "mine", made, ())
    assert json.loads(path.read_text())["settings"] == {"videos": 3}


def test_any_arguments_given_later():
    from collections.abc import Callable

    assert given_later(Callable[..., int]) == 0
    assert given_later(Callable[[int, str], int]) == 2


def test_the_toys_pass():
    try_out(toy_method(), ToySampler(), {}, 0, 4, "fp32", CPU, {"rgb": ToyStream()})
    try_out_encoders(toy_method().exports(toy_protocol()), CPU)
