"""The key names of IIC's networks: there and back, and what is refused."""

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from praxino.backbones.c3d import C3D
from praxino.backbones.r3d import R3D
from praxino.backbones.r21d import R21D
from praxino.backbones.resnet3d import R3D18
from praxino.described import arguments
from praxino.errors import UserError
from praxino.originals.iic import (
    backbone_from_original,
    backbone_to_original,
    classifier_from_original,
    classifier_to_original,
    original_names,
    without_classifier,
)

KEYS = Path(__file__).parents[2] / "../shared/specs/iic_keys.json"
NETWORKS = {C3D: "iic.c3d", R3D: "iic.r3d", R21D: "iic.r21d", R3D18: "pcl.r18 (ResNet-18-3D)"}
LAYERS = st.tuples(*[st.integers(1, 3)] * 4)
BACKBONES = st.one_of(
    st.builds(C3D, st.integers(1, 3), st.integers(1, 3)),
    st.builds(R3D, st.integers(1, 4), st.integers(1, 3), LAYERS),
    st.builds(R21D, st.integers(1, 4), st.integers(1, 3), LAYERS),
    st.builds(R3D18, st.integers(1, 2), st.integers(1, 3)),
)


@pytest.mark.skipif(not KEYS.is_file(), reason="the original's key lists are not beside the repository")
@pytest.mark.parametrize("cls, section", NETWORKS.items())
def test_keys_shapes_and_order_are_the_originals(cls, section):
    with torch.device("meta"):
        network = cls()
    state = network.state_dict()
    got = {original: list(state[ours].shape) for ours, original in original_names(network).items()}
    assert list(got.items()) == list(json.loads(KEYS.read_text())[section].items())
    assert set(original_names(network)) == set(state)


@settings(max_examples=25, deadline=None)
@given(BACKBONES, st.integers(0, 99))
def test_there_and_back_is_bit_equal(network, seed):
    torch.manual_seed(seed)
    for tensor in network.state_dict().values():
        tensor.copy_(torch.randn(tensor.shape) if tensor.is_floating_point() else torch.tensor(seed))
    original = backbone_to_original(network)
    back = backbone_from_original(original)
    assert type(back) is type(network)
    assert arguments(back) == arguments(network)
    for (key, got), (name, want) in zip(back.state_dict().items(), network.state_dict().items(), strict=True):
        assert key == name
        assert got.dtype == want.dtype
        assert torch.equal(got, want)
    again = backbone_to_original(back)
    assert list(again) == list(original)
    assert all(torch.equal(again[key], original[key]) for key in original)
    # A copy: training the one leaves the other as it was.
    next(back.parameters()).data.add_(1)
    assert torch.equal(next(iter(backbone_to_original(network).values())), next(iter(original.values())))


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([C3D(1), R3D(1), R21D(2), R3D18(1)]), st.data())
def test_the_missing_extra_or_misshapen_key_is_named(network, data):
    original = backbone_to_original(network)
    stem = next(iter(original))
    key = data.draw(st.sampled_from(list(original)))
    without = {k: v for k, v in original.items() if k != key}
    if key != stem:
        with pytest.raises(UserError, match=f"the key {key} is missing"):
            backbone_from_original(without)
    with pytest.raises(UserError, match=f"{key} has the shape"):
        backbone_from_original({**original, key: torch.zeros(*original[key].shape, 2)})
    for extra in (f"{key}_more", "fc8.weight", "linear.weight"):
        with pytest.raises(UserError, match=f"the key {extra} does not belong"):
            backbone_from_original({**original, extra: torch.zeros(3)})


def test_a_state_without_any_stem_is_named_by_its_first_key():
    with pytest.raises(UserError, match=r"no stem of theirs; its first key is fc\.weight"):
        backbone_from_original({"fc.weight": torch.zeros(2)})
    with pytest.raises(UserError, match="it is empty"):
        backbone_from_original({})
    # The stem of a two-dimensional network has the name of C3D's.
    with pytest.raises(UserError, match=r"C3D: conv1.weight has the shape \[64, 3, 7, 7\], not \[w, c, 3, 3, 3\]"):
        backbone_from_original({"conv1.weight": torch.zeros(64, 3, 7, 7)})
    with pytest.raises(UserError, match=r"conv1\.temporal_conv\.weight is missing"):
        backbone_from_original({"conv1.spatial_conv.weight": torch.zeros(2, 3, 1, 7, 7)})
    with pytest.raises(UserError, match="has the shape"):
        backbone_from_original({"conv1.weight": torch.zeros(0, 3, 3, 3, 3)})


def test_a_number_in_a_key_builds_no_network_of_that_size():
    original = backbone_to_original(R3D(1))
    with pytest.raises(UserError, match=r"conv2\.blocks\.0\.conv1.temporal_spatial_conv.weight is missing"):
        backbone_from_original({**original, "conv2.blocks.999999999.bn1.weight": torch.zeros(1)})


def test_a_network_that_the_original_has_not():
    class Mine(R3D):
        pass

    with pytest.raises(UserError, match="IIC has no network like Mine: there are C3D, R3D, R21D, R3D18"):
        backbone_to_original(Mine(1))


def test_the_classifier_is_kept_apart():
    state = backbone_to_original(R3D(2))
    classifier = {"weight": torch.rand(5, 16), "bias": torch.rand(5)}
    whole = state | classifier_to_original(classifier)
    assert list(whole)[-2:] == ["linear.weight", "linear.bias"]
    got = classifier_from_original(whole, 16)
    assert all(torch.equal(got[word], classifier[word]) for word in classifier)
    assert list(without_classifier(whole)) == list(state)
    assert classifier_from_original(state, 16) == {}
    assert classifier_to_original({}) == {}
    for wrong, said in (
        ({"linear.weight": torch.rand(5, 17)}, r"linear\.weight has the shape \[5, 17\], not \[classes, 16\]"),
        ({"linear.bias": torch.rand(4)}, r"linear\.bias has the shape \[4\], not \[5\]"),
    ):
        with pytest.raises(UserError, match=said):
            classifier_from_original(whole | wrong, 16)
    with pytest.raises(UserError, match=r"linear\.bias is missing"):
        classifier_from_original({"linear.weight": torch.rand(5, 16)}, 16)
    # Something else below that name is no classifier's, and no backbone's.
    with pytest.raises(UserError, match=r"linear\.scale does not belong"):
        backbone_from_original(without_classifier({**whole, "linear.scale": torch.rand(1)}))
