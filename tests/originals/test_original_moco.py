"""The key names of MoCo's and CycleContrast's networks: each key has its place, and what has none is refused."""

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from moco_states import linear, pretraining, ucf101, with_prefix
from praxino.backbones.resnet2d import ResNet18, ResNet34, ResNet50
from praxino.backbones.resnet3d import R3D18
from praxino.described import arguments
from praxino.errors import UserError
from praxino.originals.keys import without_parallel
from praxino.originals.moco import backbone_from_original, backbone_to_original, parts

KEYS = Path(__file__).parents[2] / "../shared/specs/cyclecontrast_keys.json"
NETWORKS = [ResNet18, ResNet34, ResNet50]


@pytest.mark.skipif(not KEYS.is_file(), reason="the original's key lists are not beside the repository")
@pytest.mark.parametrize("name, cls", [("resnet18", ResNet18), ("resnet50", ResNet50)])
def test_keys_shapes_and_order_are_the_originals(name, cls):
    listed = json.loads(KEYS.read_text())
    encoder = listed[f"encoder_{name}"]
    trunk = {key: shape for key, shape in encoder.items() if not key.startswith("fc.")}
    with torch.device("meta"):
        assert [(key, list(tensor.shape)) for key, tensor in cls().state_dict().items()] == list(trunk.items())
        shapes = listed[f"pretrain_other_{name}"]
        for prefix in ("module.encoder_q.", "module.encoder_k."):
            shapes = shapes | with_prefix(prefix, encoder)
        state = {key: torch.empty(shape) for key, shape in shapes.items()}
        assert len(state) == {"resnet18": 262, "resnet50": 658}[name]
        plain = {key: tensor for key, tensor in state.items() if "cycle" not in key}
        assert len(plain) == len(state) - 10
        classes = with_prefix("module.fc.", {"weight": torch.empty(1000, cls().dim), "bias": torch.empty(1000)})
        linear_state = {f"module.{key}": torch.empty(shape) for key, shape in trunk.items()} | classes
    for given_state, heads, queues in ((state, 4, 6), (plain, 2, 4)):
        found = parts(without_parallel(given_state))
        assert (found.kind, len(found.heads), len(found.queues)) == ("pretraining", heads, queues)
        assert list(found.trunk) == list(found.key) == list(trunk)
    assert parts(without_parallel(linear_state)).classifier["weight"].shape == (1000, cls().dim)


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(NETWORKS), st.integers(1, 3), st.integers(0, 99))
def test_there_and_back_is_bit_equal(cls, width, seed):
    torch.manual_seed(seed)
    network = cls(width)
    for tensor in network.state_dict().values():
        tensor.copy_(torch.randn(tensor.shape) if tensor.is_floating_point() else torch.tensor(seed))
    original = backbone_to_original(network)
    back = backbone_from_original(original)
    assert type(back) is cls
    assert arguments(back) == arguments(network)
    for (key, got), (name, want) in zip(back.state_dict().items(), network.state_dict().items(), strict=True):
        assert key == name
        assert got.dtype == want.dtype
        assert torch.equal(got, want)
    # A copy: training the one leaves the other as it was.
    for parameter in back.parameters():
        parameter.data.add_(1)
    assert all(torch.equal(tensor, original[key]) for key, tensor in backbone_to_original(network).items())


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(NETWORKS), st.booleans(), st.booleans(), st.booleans(), st.randoms(use_true_random=False))
def test_a_pretraining_is_taken_apart_whatever_its_order(cls, cycle, mlp, labelled, random):
    network = cls(1)
    state = pretraining(network, cycle, mlp, labelled)
    keys = list(state)
    random.shuffle(keys)
    found = parts({key: state[key] for key in keys})
    assert found.kind == "pretraining"
    assert not found.classifier
    places = {"query": "encoder_q.fc.", "key": "encoder_k.fc."}
    if cycle:
        places |= {"query cycle": "q_cycle_fc.", "key cycle": "k_cycle_fc."}
    assert found.heads.keys() == places.keys()
    again = with_prefix("encoder_q.", found.trunk) | with_prefix("encoder_k.", found.key) | found.queues
    for name, place in places.items():
        again |= with_prefix(place, found.heads[name])
    # Every key has come into one part, and no other tensor with it.
    assert again.keys() == state.keys()
    assert all(again[key] is state[key] for key in state)


def test_the_classifiers_are_taken_apart():
    network = ResNet34(1)
    trunk = backbone_to_original(network)
    for state, kind in (
        (linear(network), "linear evaluation"),
        (linear(network, "fc.1."), "linear evaluation"),
        (ucf101(network), "UCF101 classifier"),
    ):
        found = parts(state)
        assert found.kind == kind
        assert list(found.trunk) == list(trunk)
        assert all(torch.equal(found.trunk[key], trunk[key]) for key in trunk)
        assert {key: list(tensor.shape) for key, tensor in found.classifier.items()} == {
            "weight": [7 if kind == "linear evaluation" else 5, 8], "bias": [7 if kind == "linear evaluation" else 5]
        }  # fmt: skip
        assert not {**found.key, **found.heads, **found.queues}


def test_a_trunk_alone_is_enough():
    trunk = backbone_to_original(ResNet18(2))
    for prefix in ("", "encoder_q."):
        found = parts(with_prefix(prefix, trunk))
        assert list(found.trunk) == list(trunk)
        assert not {**found.key, **found.heads, **found.queues, **found.classifier}


@settings(max_examples=15, deadline=None)
@given(
    st.sampled_from(
        [
            pretraining(ResNet18(1)), pretraining(ResNet50(1), cycle=False), pretraining(ResNet34(1), mlp=False),
            linear(ResNet50(1)), linear(ResNet18(1), "fc.1."), ucf101(ResNet34(1)),
        ]
    ),
    st.data(),
)  # fmt: skip
def test_the_missing_extra_or_misshapen_key_is_named(state, data):
    key = data.draw(st.sampled_from(list(state)))
    without = {k: v for k, v in state.items() if k != key}
    # Of a network without anything before its names, the first key tells what it is.
    with pytest.raises(UserError, match="no conv1" if key == "conv1.weight" else f"the key {key} is missing"):
        parts(without)
    with pytest.raises(UserError, match=f": {key} has the shape"):
        parts({**state, key: torch.zeros(*state[key].shape, 2)})
    for extra in (f"{key}_more", "more", "layer1.9.conv1.weight"):
        with pytest.raises(UserError, match=f"the key {extra} does not belong"):
            parts({**state, extra: torch.zeros(3)})


def test_what_belongs_together_is_asked_for_by_name():
    state = pretraining(ResNet18(1))
    for away, missing in (
        ("encoder_k.", "encoder_k.conv1.weight"), ("q_cycle_fc.", "q_cycle_fc.0.weight"),
        ("queue_cycle", "queue_cycle"), ("encoder_q.fc.", "encoder_q.fc.weight"),
        (("queue_labels", "queue_cycle_ptr"), "queue_labels"),
    ):  # fmt: skip
        left = {key: tensor for key, tensor in state.items() if not key.startswith(away)}
        with pytest.raises(UserError, match=f"the key {missing} is missing"):
            parts(left)


@pytest.mark.parametrize(
    "changed, said",
    [
        ({"encoder_k.conv1.weight": (2, 3, 7, 7)}, r"encoder_k\.conv1\.weight has the shape \[2, 3, 7, 7\]"),
        ({"q_cycle_fc.2.weight": (5, 8)}, r"q_cycle_fc\.2\.weight has the shape \[5, 8\], not \[4, 8\]"),
        ({"queue": (5, 6)}, r"queue has the shape \[5, 6\], not \[4, length\]"),
        ({"queue_labels": (1, 7)}, r"queue_labels has the shape \[1, 7\], not \[1, 6\]"),
        ({"queue_ptr": ()}, r"queue_ptr has the shape \[\], not \[1\]"),
        ({"encoder_q.conv1.weight": (1, 4, 7, 7)}, r"has the shape \[1, 4, 7, 7\], not \[width, 3, 7, 7\]"),
        ({"encoder_q.conv1.weight": (0, 3, 7, 7)}, "has the shape"),
    ],
)
def test_shapes_agree_across_the_parts(changed, said):
    state = pretraining(ResNet18(1)) | {key: torch.zeros(shape) for key, shape in changed.items()}
    with pytest.raises(UserError, match=said):
        parts(state)


def test_states_of_other_networks():
    with pytest.raises(UserError, match="it is empty"):
        parts({})
    with pytest.raises(UserError, match=r"no conv1; its first key is stem\.0\.weight"):
        parts({"stem.0.weight": torch.zeros(8, 3, 3, 7, 7)})
    # A ResNet-101 is one with more blocks in its third stage.
    deeper = linear(ResNet50(1)) | {"layer3.6.conv1.weight": torch.zeros(4, 16, 1, 1)}
    with pytest.raises(UserError, match=r"a ResNet-50 .*: the key layer3\.6\.conv1\.weight does not belong"):
        parts(deeper)
    # BYOL-like files of others, which only the original's loading rule knows.
    with pytest.raises(UserError, match=r"its first key is target_encoder\.net\.conv1\.weight"):
        parts(with_prefix("target_encoder.net.", backbone_to_original(ResNet18(1))))


@pytest.mark.parametrize(
    "network, said",
    [
        (R3D18(1), "have no network like R3D18: there are ResNet18, ResNet34, ResNet50"),
        (ResNet50(1, in_channels=2), "ResNet-50 has in_channels 3, and this network 2"),
    ],
)
def test_networks_that_the_originals_have_not(network, said):
    with pytest.raises(UserError, match=said):
        backbone_to_original(network)
