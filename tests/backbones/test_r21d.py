"""R(2+1)D against the same network written out with plain functions, and its widths against the paper's formula."""

import pytest
import torch
from torch.nn import functional as F

from praxino.backbones.r21d import R21D, between
from praxino.described import build, describe
from praxino.originals.iic import backbone_to_original


def forward(state, x):
    """The layer table of the paper's code in eval mode, under the original's names."""

    def norm(x, name):
        weight, bias, mean, var = (state[f"{name}.{w}"] for w in ("weight", "bias", "running_mean", "running_var"))
        return F.batch_norm(x, mean, var, weight, bias, eps=1e-5)

    def conv(x, name, stride, kernel):
        time, space = kernel
        x = F.conv3d(
            x, state[f"{name}.spatial_conv.weight"], None, (1, stride[1], stride[1]), (0, space // 2, space // 2)
        )
        x = torch.relu(norm(x, f"{name}.bn"))
        return F.conv3d(x, state[f"{name}.temporal_conv.weight"], None, (stride[0], 1, 1), (time // 2, 0, 0))

    x = torch.relu(norm(conv(x, "conv1", (1, 2), (3, 7)), "bn1"))
    for stage in (2, 3, 4, 5):
        for place in ("block1", "blocks.0", "blocks.1"):
            block = f"conv{stage}.{place}"
            if f"{block}.bn1.weight" not in state:
                continue
            halves = stage > 2 and place == "block1"
            y = torch.relu(norm(conv(x, f"{block}.conv1", (2, 2) if halves else (1, 1), (3, 3)), f"{block}.bn1"))
            y = norm(conv(y, f"{block}.conv2", (1, 1), (3, 3)), f"{block}.bn2")
            if halves:
                x = norm(conv(x, f"{block}.downsampleconv", (2, 2), (1, 1)), f"{block}.downsamplebn")
            x = torch.relu(x + y)
    return x


@pytest.mark.parametrize("layers", [(1, 1, 1, 1), (2, 1, 3, 2)])
@pytest.mark.parametrize("shape", [(2, 3, 8, 32, 48), (1, 3, 7, 33, 35)])
def test_forward_is_the_layer_table(layers, shape):
    network = R21D(width=4, layers=layers).eval()
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
        network = R21D()
        assert network(torch.empty(1, 3, 16, 112, 112)).shape == (1, 512, 2, 7, 7)
    assert sum(p.numel() for p in network.parameters()) + 512 * 101 + 101 == 14_417_116
    middles = {name: module.spatial.out_channels for name, module in network.named_modules() if name.endswith("conv")}
    assert middles == {"stem.conv": 83} | {f"stages.{k}.0.shortcut.conv": n for k, n in ((1, 42), (2, 85), (3, 170))}


@pytest.mark.parametrize("width", [1, 2, 3, 8, 16])
def test_small_widths(width):
    network = R21D(width=width, in_channels=2).eval()
    assert network(torch.rand(1, 2, 4, 16, 16)).shape == (1, 8 * width, 1, 1, 1)


@pytest.mark.parametrize("kernel", [(3, 7, 7), (3, 3, 3), (1, 1, 1)])
@pytest.mark.parametrize("inputs, outputs", [(3, 64), (64, 128), (16, 16), (2, 4)])
def test_the_pair_has_at_most_as_many_weights_as_the_whole(kernel, inputs, outputs):
    time, height, width = kernel
    middle = between(inputs, outputs, kernel)
    whole = time * height * width * inputs * outputs
    each = height * width * inputs + time * outputs
    assert middle * each <= whole < (middle + 1) * each


def test_describes_itself():
    again = build(describe(R21D(width=8, in_channels=2, layers=(1, 2, 1, 1))))
    assert (again.width, again.in_channels, tuple(again.layers)) == (8, 2, (1, 2, 1, 1))
