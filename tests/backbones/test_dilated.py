"""Networks whose last stage keeps the time, and R(2+1)D-18, against their layer tables written out."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from praxino.backbones.r3d import R3D, DilatedR3D
from praxino.backbones.r21d import R21D18, DilatedR21D18
from praxino.backbones.resnet3d import R3D18, DilatedR3D18
from praxino.described import build, describe
from praxino.errors import UserError
from praxino.originals.iic import original_names

DILATED = [DilatedR3D, DilatedR3D18, DilatedR21D18]
PUBLISHED = {DilatedR3D: 14_361_792, DilatedR3D18: 33_166_272, DilatedR21D18: 31_300_587, R21D18: 31_300_125}


def forward(state, x, strides, last_is_dilated=True):
    """The layer tables in eval mode: whole convolutions and pairs are told apart by their keys."""

    def norm(x, name):
        weight, bias, mean, var = (state[f"{name}.{w}"] for w in ("weight", "bias", "running_mean", "running_var"))
        scale = weight / torch.sqrt(var + 1e-5)
        return x * scale[:, None, None, None] + (bias - mean * scale)[:, None, None, None]

    def conv(x, name, time, space, dilation=1):
        if f"{name}.weight" in state:
            weight = state[f"{name}.weight"]
            pads = [size // 2 for size in weight.shape[2:]]
            pads[0] *= dilation
            return F.conv3d(x, weight, None, (time, space, space), pads, (dilation, 1, 1))
        weight = state[f"{name}.spatial.weight"]
        pads = (0, weight.shape[3] // 2, weight.shape[4] // 2)
        x = torch.relu(norm(F.conv3d(x, weight, None, (1, space, space), pads), f"{name}.norm"))
        weight = state[f"{name}.temporal.weight"]
        return F.conv3d(x, weight, None, (time, 1, 1), (weight.shape[2] // 2, 0, 0))

    x = torch.relu(norm(conv(x, "stem.conv", 1, 2), "stem.norm"))
    for stage, time in enumerate(strides):
        for number in range(sum(f"stages.{stage}.{k}.norm1.weight" in state for k in range(9))):
            block = f"stages.{stage}.{number}"
            first = number == 0
            steps = (time, 2 if stage else 1) if first else (1, 1)
            dilation = 2 if stage == 3 and first and last_is_dilated else 1
            y = torch.relu(norm(conv(x, f"{block}.conv1", *steps, dilation), f"{block}.norm1"))
            y = norm(conv(y, f"{block}.conv2", 1, 1), f"{block}.norm2")
            short = norm(conv(x, f"{block}.shortcut.conv", *steps), f"{block}.shortcut.norm") if steps != (1, 1) else x
            x = torch.relu(y + short)
    return x


def lively(network):
    """Batch statistics that are not the trivial ones."""
    for name, tensor in network.state_dict().items():
        if name.endswith(("running_var", "running_mean")):
            tensor.uniform_(0.5, 1.5)
    return network.eval()


@pytest.mark.parametrize("cls", DILATED)
@pytest.mark.parametrize(
    "strides, shape, positions",
    [
        ((1, 2, 2, 1), (2, 3, 16, 32, 32), 4),
        ((1, 2, 1, 1), (1, 3, 8, 33, 40), 4),
        ((1, 2, 2, 2), (1, 3, 7, 17, 16), 1),
        ((2, 1, 1, 1), (1, 3, 4, 16, 16), 2),
    ],
)
def test_forward_is_the_layer_table(cls, strides, shape, positions):
    torch.manual_seed(5)
    network = lively(cls(width=4, temporal_strides=strides))
    x = torch.rand(shape)
    with torch.no_grad():
        got, want = network(x), forward(network.state_dict(), x, strides)
    assert got.shape[1:3] == (network.dim, positions) == (32, positions)
    # The same sums in another order.
    torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [(2, 3, 16, 32, 32), (1, 3, 7, 33, 40)])
def test_plain_r21d18_is_the_layer_table(shape):
    network = lively(R21D18(width=4))
    x = torch.rand(shape)
    with torch.no_grad():
        got, want = network(x), forward(network.state_dict(), x, (1, 2, 2, 2), last_is_dilated=False)
    assert got.shape[1:3] == (network.dim, math.ceil(shape[2] / 8))
    torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("cls, parameters", PUBLISHED.items())
def test_size_of_the_published_networks(cls, parameters):
    with torch.device("meta"):
        network = cls()
        positions = 4 if cls in DILATED else 2
        assert network(torch.empty(1, 3, 16, 112, 112)).shape == (1, 512, positions, 7, 7)
    assert sum(p.numel() for p in network.parameters()) == parameters


@pytest.mark.parametrize("plain, cls", [(R3D, DilatedR3D), (R3D18, DilatedR3D18)])
def test_keeping_the_time_costs_no_weight(plain, cls):
    shapes = [{name: tensor.shape for name, tensor in made(width=2).state_dict().items()} for made in (plain, cls)]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("cls, convolutions", [(DilatedR3D18, 20), (DilatedR21D18, 36), (R21D18, 37)])
def test_weights_start_as_the_originals(cls, convolutions):
    torch.manual_seed(0)
    named = {name: module for name, module in cls(width=16).named_modules() if isinstance(module, nn.Conv3d)}
    assert len(named) == convolutions
    late = {"stages.3.0.conv1", "stages.3.0.shortcut.conv"} if cls in DILATED else set()
    assert late <= set(named)
    for name, conv in named.items():
        assert conv.bias is None
        weight = conv.weight
        spread = (2 / (weight.shape[0] * weight[0, 0].numel())) ** 0.5
        if name in late:
            bound = weight[0].numel() ** -0.5  # uniform in +-1/sqrt(fan-in)
            assert 0.99 * bound < weight.abs().max() <= bound
            spread = bound / 3**0.5
        # Five standard errors of a standard deviation.
        assert weight.std().item() == pytest.approx(spread, rel=5 / (2 * weight.numel()) ** 0.5)


def test_the_shallow_one_starts_as_torchs_layers_do():
    torch.manual_seed(0)
    for module in DilatedR3D(width=8).modules():
        if isinstance(module, nn.Conv3d):
            bound = module.weight[0].numel() ** -0.5
            assert 0.98 * bound < module.weight.abs().max() <= bound


@pytest.mark.parametrize("cls", DILATED)
def test_describes_itself(cls):
    more = {"layers": (1, 2, 1, 1)} if cls is DilatedR3D else {}
    again = build(describe(cls(width=2, in_channels=1, temporal_strides=(1, 2, 1, 1), **more)))
    assert (again.width, again.in_channels, again.dim) == (2, 1, 16)
    assert again.temporal_strides == (1, 2, 1, 1)
    assert again.eval()(torch.rand(1, 1, 8, 16, 16)).shape == (1, 16, 4, 1, 1)


@pytest.mark.parametrize("cls", [*DILATED, R21D18])
def test_iics_names_are_not_given_to_another_network(cls):
    with pytest.raises(UserError, match=f"IIC has no network like {cls.__name__}"):
        original_names(cls(width=1))


@pytest.mark.parametrize("width", [1, 2, 3, 8, 16])
@pytest.mark.parametrize("cls", [*DILATED, R21D18])
def test_small_widths(cls, width):
    network = cls(width=width, in_channels=2).eval()
    assert network(torch.rand(1, 2, 4, 16, 16)).shape == (1, 8 * width, 1, 1, 1)
