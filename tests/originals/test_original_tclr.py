"""The key names of TCLR's networks: there and back, its channel order, and what is refused."""

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from praxino.backbones.r3d import R3D, DilatedR3D
from praxino.backbones.r21d import R21D18, DilatedR21D18
from praxino.backbones.resnet3d import R3D18, DilatedR3D18
from praxino.described import arguments
from praxino.errors import UserError
from praxino.originals.tclr import (
    backbone_from_original,
    backbone_to_original,
    original_names,
    other_channel_order,
    parts,
)

KEYS = Path(__file__).parents[2] / "../shared/specs/tclr_keys.json"
SECTIONS = {
    "tclr_r3d18_mlp": DilatedR3D18,
    "tclr_r3d_prp_mlp": DilatedR3D,
    "tclr_linear_r3d18": DilatedR3D18,
    "tclr_retrieval_r3d18": DilatedR3D18,
    "tclr_retrieval_rpd18": DilatedR21D18,
}
NETWORKS = [DilatedR3D18, DilatedR3D, DilatedR21D18]
HEAD = {"fc1.weight": torch.rand(8, 8), "fc1.bias": torch.rand(8), "fc2.weight": torch.rand(4, 8)}
CLASSIFIER = {"weight": torch.rand(6, 8), "bias": torch.rand(6)}


def with_prefix(prefix, state):
    return {prefix + key: tensor for key, tensor in state.items()}


@pytest.mark.skipif(not KEYS.is_file(), reason="the original's key lists are not beside the repository")
@pytest.mark.parametrize("section, cls", SECTIONS.items())
def test_keys_shapes_and_order_are_the_originals(section, cls):
    with torch.device("meta"):
        network = cls()
        state = {key: torch.empty(shape) for key, shape in json.loads(KEYS.read_text())[section].items()}
    found = parts(state)
    ours = network.state_dict()
    names = original_names(network)
    assert set(names) == set(ours)
    got = {original: ours[name].shape for name, original in names.items()}
    assert list(got.items()) == [(key, tensor.shape) for key, tensor in found.backbone.items()]
    assert bool(found.head) == section.endswith("_mlp")
    outputs = {"tclr_linear_r3d18": 102, "tclr_retrieval_r3d18": 400, "tclr_retrieval_rpd18": 400}
    assert len(found.classifier.get("bias", ())) == outputs.get(section, 0)
    assert len(found.backbone) + len(found.head) + len(found.classifier) == len(state)


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(NETWORKS), st.integers(1, 4), st.integers(0, 99))
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
    again = backbone_to_original(back)
    assert list(again) == list(original)
    assert all(torch.equal(again[key], original[key]) for key in original)
    # A copy: training the one leaves the other as it was.
    for parameter in back.parameters():
        parameter.data.add_(1)
    assert all(torch.equal(tensor, original[key]) for key, tensor in backbone_to_original(network).items())


@pytest.mark.parametrize("cls", NETWORKS)
def test_ours_sees_rgb_where_the_original_sees_bgr(cls):
    """The original's weights, put under our names as they are, compute of BGR what the converted ones do of RGB."""
    torch.manual_seed(0)  # of networks this narrow, some that are drawn are 0 wherever one looks
    original = backbone_to_original(cls(2))
    converted = backbone_from_original(original).eval()
    as_it_is = cls(2).eval()
    as_it_is.load_state_dict({ours: original[name] for ours, name in original_names(as_it_is).items()})
    rgb = torch.rand(1, 3, 8, 32, 32)
    with torch.no_grad():
        got, want, other = converted(rgb), as_it_is(rgb.flip(1)), as_it_is(rgb)
    torch.testing.assert_close(got, want, rtol=1e-5, atol=1e-6)
    assert got.any()
    assert not torch.allclose(got, other, rtol=1e-2)


def test_only_the_first_convolution_knows_of_channel_orders():
    for cls in NETWORKS:
        state = cls(2).state_dict()
        turned = other_channel_order(state)
        differ = [key for key in state if not torch.equal(turned[key], state[key])]
        assert len(differ) == 1
        assert torch.equal(turned[differ[0]][:, [2, 1, 0]], state[differ[0]])


def test_a_state_is_taken_apart():
    original = backbone_to_original(DilatedR3D18(1))
    pair = with_prefix("0.", original) | with_prefix("1.", HEAD)
    bare = original | with_prefix("fc.", CLASSIFIER)
    for state, head, classifier in (
        (pair, HEAD, {}),
        (bare, {}, CLASSIFIER),
        (original, {}, {}),
        (pair | with_prefix("0.fc.", CLASSIFIER), HEAD, CLASSIFIER),
    ):
        found = parts(state)
        assert list(found.backbone) == list(original)
        assert list(found.head) == list(head)
        assert list(found.classifier) == list(classifier)
        assert all(found.classifier[word] is classifier[word] for word in classifier)
    with pytest.raises(UserError, match=r"the key stem\.9 is neither the backbone's"):
        parts(pair | {"stem.9": torch.rand(1)})
    with pytest.raises(UserError, match=r"fc\.bias is missing"):
        parts(original | {"fc.weight": CLASSIFIER["weight"]})
    with pytest.raises(UserError, match=r"fc\.bias has the shape \[5\], not \[6\]"):
        parts(bare | {"fc.bias": torch.rand(5)})


@settings(max_examples=10, deadline=None)
@given(st.sampled_from([cls(1) for cls in NETWORKS]), st.data())
def test_the_missing_extra_or_misshapen_key_is_named(network, data):
    original = backbone_to_original(network)
    stems = {"conv1.temporal_spatial_conv.weight", "stem.0.weight", "stem.3.weight"}
    key = data.draw(st.sampled_from([key for key in original if key not in stems]))
    without = {k: v for k, v in original.items() if k != key}
    with pytest.raises(UserError, match=f"the key {key} is missing"):
        backbone_from_original(without)
    with pytest.raises(UserError, match=f"{key} has the shape"):
        backbone_from_original({**original, key: torch.zeros(*original[key].shape, 2)})
    for extra in (f"{key}_more", "fc.weight", "1.fc1.weight", "layer1.2.conv1.0.weight"):
        with pytest.raises(UserError, match=f"the key {extra} does not belong"):
            backbone_from_original({**original, extra: torch.zeros(3)})


def test_states_of_other_networks():
    with pytest.raises(UserError, match=r"no stem of theirs; its first key is conv1\.weight"):
        backbone_from_original({"conv1.weight": torch.zeros(64, 3, 7, 7)})
    with pytest.raises(UserError, match="it is empty"):
        backbone_from_original({})
    with pytest.raises(UserError, match=r"R3D-18: stem\.0\.weight has the shape \[8, 2, 3, 7, 7\]"):
        backbone_from_original({"stem.0.weight": torch.zeros(8, 2, 3, 7, 7)})
    with pytest.raises(UserError, match="has the shape"):
        backbone_from_original({"stem.0.weight": torch.zeros(0, 3, 3, 7, 7)})
    # torchvision's R(2+1)D-18 as it is: the last stage's first convolution is no whole one.
    original = backbone_to_original(DilatedR21D18(1))
    plain = {key.replace("layer4.0.conv1.0.", "layer4.0.conv1.0.0."): tensor for key, tensor in original.items()}
    with pytest.raises(UserError, match=r"the key layer4\.0\.conv1\.0\.weight is missing"):
        backbone_from_original(plain)


@pytest.mark.parametrize("network", [R3D(1), R3D18(1), R21D18(1)], ids=lambda n: type(n).__name__)
def test_networks_that_the_original_has_not(network):
    with pytest.raises(UserError, match=f"TCLR has no network like {type(network).__name__}: there are DilatedR3D18"):
        backbone_to_original(network)


@pytest.mark.parametrize(
    "network, said",
    [
        (DilatedR3D18(1, in_channels=2), "in_channels 3, and this network 2"),
        (
            DilatedR21D18(1, temporal_strides=(1, 2, 1, 1)),
            r"temporal_strides \(1, 2, 2, 1\), and this network \(1, 2, 1",
        ),
        (DilatedR3D(1, layers=(1, 1, 2, 1)), r"layers \(1, 1, 1, 1\), and this network \(1, 1, 2, 1\)"),
    ],
)
def test_forms_that_the_original_has_not(network, said):
    with pytest.raises(UserError, match=said):
        backbone_to_original(network)
