"""R3D against the same network written out with plain functions."""

import pytest
import torch

import r3d_reference
from praxino.backbones.pooling import pool
from praxino.backbones.r3d import R3D
from praxino.described import build, describe
from praxino.errors import UserError
from praxino.originals.iic import backbone_to_original


def lively(network):
    """Batch statistics that are not the trivial ones."""
    generator = torch.Generator().manual_seed(3)
    for name, tensor in network.state_dict().items():
        if name.endswith("running_mean"):
            tensor.uniform_(-0.2, 0.2, generator=generator)
        elif name.endswith("running_var"):
            tensor.uniform_(0.5, 1.5, generator=generator)
    return network.eval()


@pytest.mark.parametrize("layers", [(1, 1, 1, 1), (2, 1, 3, 2)])
@pytest.mark.parametrize("shape", [(2, 3, 8, 32, 48), (1, 3, 7, 33, 35)])
def test_forward_is_the_layer_table(layers, shape):
    network = lively(R3D(width=4, layers=layers))
    x = torch.rand(shape)
    with torch.no_grad():
        got, want = network(x), r3d_reference.forward(backbone_to_original(network), x)
    assert got.shape[1] == network.dim == 32
    # The same sums in another order.
    torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-5)


def test_size_of_the_published_network():
    network = R3D()
    parameters = sum(p.numel() for p in network.parameters())
    assert parameters + 512 * 101 + 101 == 14_413_605
    assert network.dim == 512
    with torch.device("meta"):
        assert R3D()(torch.empty(1, 3, 16, 112, 112)).shape == (1, 512, 2, 7, 7)


def test_describes_itself():
    again = build(describe(R3D(width=8, in_channels=2, layers=(1, 2, 1, 1))))
    assert (again.width, again.in_channels, tuple(again.layers)) == (8, 2, (1, 2, 1, 1))


def test_pool():
    x = torch.rand(2, 3, 4, 5, 6)
    torch.testing.assert_close(pool(x, "mean"), x.reshape(2, 3, -1).mean(-1))
    assert torch.equal(pool(x, "max"), x.reshape(2, 3, -1).max(-1).values)
    quarters = torch.stack([x[..., i:4:2, j:6:2] for i in (0, 1) for j in (0, 1)]).max(0).values
    assert torch.equal(pool(x, "map"), quarters.reshape(2, -1))
    over_time = [[float(x[b, c, t].mean()) for c in range(x.shape[1]) for t in range(x.shape[2])] for b in range(2)]
    torch.testing.assert_close(pool(x, "time"), torch.tensor(over_time))
    with pytest.raises(UserError, match="too small"):
        pool(x[..., :1, :], "map")
    with pytest.raises(UserError, match="unknown feature"):
        pool(x, "sum")
