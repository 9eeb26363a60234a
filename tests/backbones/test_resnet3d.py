"""R3D-18 against its layer table, and its start."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from praxino.backbones.resnet3d import R3D18
from praxino.described import build, describe
from praxino.originals.iic import backbone_to_original


def forward(state, x):
    """torchvision's r3d_18 in eval mode, under the names that the original has for it."""

    def norm(x, name):
        weight, bias, mean, var = (state[f"{name}.{w}"] for w in ("weight", "bias", "running_mean", "running_var"))
        return F.batch_norm(x, mean, var, weight, bias, eps=1e-5)

    def pair(x, name, stride, padding):
        return norm(F.conv3d(x, state[f"{name}.0.weight"], None, stride, padding), f"{name}.1")

    x = torch.relu(pair(x, "base_network.0", (1, 2, 2), (1, 3, 3)))
    for stage in (1, 2, 3, 4):
        for number in (0, 1):
            block = f"base_network.{stage}.{number}"
            halves = stage > 1 and number == 0
            y = pair(torch.relu(pair(x, f"{block}.conv1", 2 if halves else 1, 1)), f"{block}.conv2", 1, 1)
            x = torch.relu(y + (pair(x, f"{block}.downsample", 2, 0) if halves else x))
    return x


def test_forward_is_the_layer_table():
    network = R3D18(width=4).eval()
    for name, tensor in network.state_dict().items():
        if name.endswith(("running_var", "running_mean")):
            tensor.uniform_(0.5, 1.5)
    x = torch.rand(2, 3, 7, 33, 40)
    with torch.no_grad():
        got, want = network(x), forward(backbone_to_original(network), x)
    assert got.shape[1] == network.dim == 32
    torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-5)


def test_size_of_the_published_network():
    with torch.device("meta"):
        network = R3D18()
        assert network(torch.empty(1, 3, 16, 112, 112)).shape == (1, 512, 2, 7, 7)
    # torchvision's r3d_18 has 33,371,472 with its layer for the 400 classes of Kinetics.
    assert sum(p.numel() for p in network.parameters()) + 512 * 400 + 400 == 33_371_472


def test_weights_start_as_torchvisions():
    torch.manual_seed(0)
    convolutions = [module for module in R3D18(width=16).modules() if isinstance(module, nn.Conv3d)]
    assert len(convolutions) == 20
    for conv in convolutions:
        fan_out = conv.out_channels * conv.weight[0, 0].numel()
        # Five standard errors of a standard deviation.
        assert conv.weight.std().item() == pytest.approx((2 / fan_out) ** 0.5, rel=5 / (2 * conv.weight.numel()) ** 0.5)
        assert conv.bias is None


def test_describes_itself():
    again = build(describe(R3D18(width=2, in_channels=1)))
    assert (again.width, again.in_channels, again.dim) == (2, 1, 16)
