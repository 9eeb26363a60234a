"""Computing with the channels last in memory: the same function, with the sums taken in another order."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from praxino.backbones.base import laid_out
from praxino.backbones.block_recurrent import BlockRecurrent
from praxino.backbones.c3d import C3D
from praxino.backbones.r3d import R3D, DilatedR3D
from praxino.backbones.r21d import R21D, R21D18, DilatedR21D18
from praxino.backbones.resnet2d3d import ResNet2D3D18, ResNet2D3D50
from praxino.backbones.resnet3d import R3D18, DilatedR3D18
from praxino.described import build, describe

NETWORKS = [R3D, DilatedR3D, R3D18, DilatedR3D18, C3D, R21D, R21D18, DilatedR21D18, ResNet2D3D18, ResNet2D3D50]


def both(kind, **options):
    """The network in both layouts with the same weights, in float64, so that the order of sums does not matter."""
    plain, last = kind(width=4, **options).double(), kind(width=4, channels_last=True, **options).double()
    last.load_state_dict(plain.state_dict())
    return plain, last


@pytest.mark.parametrize("kind", NETWORKS)
def test_same_map_and_same_gradients(kind):
    plain, last = both(kind)
    x = torch.rand(2, 3, 8, 32, 32, dtype=torch.float64)
    maps = []
    for network in (plain, last):
        maps.append(network(x))
        # Whatever comes behind, two-dimensional convolutions too, sees the layout that it has always seen.
        assert maps[-1].is_contiguous()
        maps[-1].square().sum().backward()
    torch.testing.assert_close(maps[1], maps[0])
    for (name, one), other in zip(plain.named_parameters(), last.parameters(), strict=True):
        torch.testing.assert_close(other.grad, one.grad, msg=name)
        assert other.is_contiguous(), name  # checkpoints and optimizers see what they have always seen


@pytest.mark.parametrize("kind", NETWORKS)
def test_it_is_kept_and_off_where_nothing_is_said(kind):
    assert build(describe(kind(width=4, channels_last=True))).channels_last
    said = describe(kind(width=4))
    assert said["init_args"].pop("channels_last") is False
    assert not build(said).channels_last


def test_the_layout_reaches_every_convolution():
    network = R3D(width=4, channels_last=True)
    seen = []
    for module in network.modules():
        if isinstance(module, torch.nn.Conv3d):
            module.register_forward_hook(
                lambda layer, given, out: seen.append(given[0].is_contiguous(memory_format=torch.channels_last_3d))
            )
    network(torch.rand(2, 3, 8, 32, 32))
    assert seen == [True] * 12


def test_inside_of_blocks():
    torch.manual_seed(0)
    plain, last = both(ResNet2D3D18)
    ways = [BlockRecurrent(one, 4, dropout=0.0).double() for one in (plain, last)]
    ways[1].load_state_dict(ways[0].state_dict())
    x = torch.rand(2, 3, 8, 32, 32, dtype=torch.float64)
    torch.testing.assert_close(ways[1](x), ways[0](x))


@settings(max_examples=30, deadline=None)
@given(shape=st.lists(st.integers(1, 5), min_size=5, max_size=5), wanted=st.booleans())
def test_the_numbers_are_left_alone(shape, wanted):
    x = torch.rand(*shape)
    y = laid_out(x, wanted)
    assert torch.equal(x, y)
    assert (y is x) if not wanted else y.movedim(1, -1).is_contiguous()
