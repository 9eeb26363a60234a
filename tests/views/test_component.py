"""One component of a flow as a grey picture: its bytes, the draws behind it, and what is refused."""

import numpy as np
import pytest
import torch
from torch import nn

from praxino.batch import ClipBatch, Frames
from praxino.errors import UserError
from praxino.rng import Rng
from praxino.views.colour import Brightness
from praxino.views.flow import Component
from praxino.views.geometry import CentreCrop, Flip, RandomResizedCrop, Resize
from praxino.views.pipeline import View

BEHIND = [Resize(20, 24, 12, "random"), Flip(), RandomResizedCrop(8), Brightness()]


def batch(pixels, videos=3, clips=2, length=4):
    """All frames of a stream, in order, of videos of clips."""
    frames = Frames(
        torch.from_numpy(pixels),
        torch.tensor(pixels.shape[1:3]).expand(len(pixels), 2),
        torch.ones(len(pixels), dtype=torch.bool),
        torch.arange(len(pixels)).view(videos, clips, length),
    )
    none = torch.zeros(videos, dtype=torch.int64)
    return ClipBatch({"flow": frames}, none, none, frames.where, torch.zeros(videos, clips, length))


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(0).integers(0, 256, (24, 16, 18, 2), dtype=np.uint8)


@pytest.mark.parametrize("component", ["u", "v"])
@pytest.mark.parametrize("behind", [[], [CentreCrop(8)], BEHIND], ids=["nothing", "crop", "all"])
def test_what_comes_behind_sees_grey_pictures(pixels, component, behind):
    """To the bit what a stream of grey pictures, in three equal channels, gives by the same operations."""
    grey = pixels[..., "uv".index(component), None].repeat(3, -1)
    alone = View([Component(component), *behind], "flow")(batch(pixels), Rng(5))
    assert torch.equal(alone, View(behind, "flow")(batch(grey), Rng(5)))
    assert alone.shape[2] == 3


def test_bytes_stay_bytes(pixels):
    x = torch.from_numpy(pixels).view(1, 2, 12, 16, 18, 2).movedim(-1, 2)
    assert Component("v").apply(x).dtype == torch.uint8
    assert torch.equal(Component("v").apply(x)[:, :, 2], x[:, :, 1])


def test_it_changes_no_draw(pixels):
    with_it = View([Component("v"), *BEHIND], "flow").draw(batch(pixels), Rng(1))
    without = View(BEHIND, "flow").draw(batch(pixels), Rng(1))
    assert with_it[0] == {}
    for one, other in zip(with_it[1:], without, strict=True):
        assert one.keys() == other.keys()
        assert all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("channels", [1, 3, 17])
def test_refuses_what_is_no_flow(channels):
    with pytest.raises(UserError, match=f"^Component takes one of the two channels .* have {channels}: [^\n]*$"):
        Component().apply(torch.zeros(1, 1, channels, 2, 8, 8, dtype=torch.uint8))


def test_refuses_another_component():
    with pytest.raises(UserError, match="u or v, not 'w'"):
        Component("w")


def test_a_network_for_rgb_takes_it(pixels):
    seen = View([Component("u"), CentreCrop(8)], "flow")(batch(pixels), Rng(0))
    assert nn.Conv3d(3, 4, 3)(seen.flatten(0, 1)).shape[1] == 4
