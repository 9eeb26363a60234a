"""C3D against the same network written out with plain functions."""

import pytest
import torch
from torch.nn import functional as F

from praxino.backbones.c3d import C3D
from praxino.described import build, describe
from praxino.errors import UserError
from praxino.originals.iic import backbone_to_original

LAYERS = ("1", "pool 1", "2", "pool 2", "3a", "3b", "pool 2", "4a", "4b", "pool 2", "5a", "5b")


def forward(state, x):
    """The layer table of the paper's code in eval mode, under the original's names."""
    for layer in LAYERS:
        if layer.startswith("pool"):
            x = F.max_pool3d(x, (int(layer[-1]), 2, 2))
            continue
        weight, bias, mean, var = (state[f"bn{layer}.{w}"] for w in ("weight", "bias", "running_mean", "running_var"))
        x = F.conv3d(x, state[f"conv{layer}.weight"], state[f"conv{layer}.bias"], padding=1)
        scale = weight / torch.sqrt(var + 1e-5)
        x = torch.relu((x - mean[:, None, None, None]) * scale[:, None, None, None] + bias[:, None, None, None])
    return x


@pytest.mark.parametrize("shape", [(2, 3, 8, 32, 48), (1, 3, 13, 33, 35)])
def test_forward_is_the_layer_table(shape):
    network = C3D(width=4).eval()
    for name, tensor in network.state_dict().items():
        if name.endswith(("running_var", "running_mean")):
            tensor.uniform_(0.5, 1.5)
    x = torch.rand(shape)
    with torch.no_grad():
        got, want = network(x), forward(backbone_to_original(network), x)
    assert got.shape[1] == network.dim == 32
    torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-5)


def test_size_of_the_published_network():
    with torch.device("meta"):
        network = C3D()
        assert network(torch.empty(1, 3, 16, 112, 112)).shape == (1, 512, 2, 7, 7)
    assert sum(p.numel() for p in network.parameters()) + 512 * 101 + 101 == 27_713_253


@pytest.mark.parametrize("shape", [(7, 16, 16), (8, 15, 16), (8, 16, 15)])
def test_too_small_clips_are_told(shape):
    network = C3D(width=1).eval()
    assert network(torch.rand(1, 3, 8, 16, 16)).shape == (1, 8, 1, 1, 1)
    with pytest.raises(UserError, match="too small for C3D: take at least 8 frames of 16x16"):
        network(torch.rand(1, 3, *shape))


def test_describes_itself():
    again = build(describe(C3D(width=2, in_channels=1)))
    assert (again.width, again.in_channels, again.dim) == (2, 1, 16)
    assert again(torch.rand(2, 1, 8, 16, 16)).shape == (2, 16, 1, 1, 1)


def test_weights_start_as_torchs():
    torch.manual_seed(0)
    for name, parameter in C3D(width=8).named_parameters():
        if "norm" in name:
            assert (parameter == (1 if name.endswith("weight") else 0)).all()
    weight = C3D(width=8).stages[2].conv2.weight
    bound = (weight[0].numel()) ** -0.5  # uniform in +-1/sqrt(fan-in)
    assert 0.99 * bound < weight.abs().max() <= bound
    assert weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.02)
