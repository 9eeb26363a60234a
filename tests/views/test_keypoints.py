"""Mirrored keypoints: the left of one person is the right of the mirrored one, by names."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from praxino.errors import UserError
from praxino.rng import Rng
from praxino.views.geometry import Flip
from praxino.views.keypoints import KeypointFlip
from praxino.views.pipeline import View

PAIRS = ["eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle"]
NAMES = ["nose", *(f"{side}_{part}" for part in PAIRS for side in ("left", "right"))]  # COCO's


def other_side(name):
    return name.replace("left", "?").replace("right", "left").replace("?", "right")


@given(st.integers(0, 2**31), st.booleans())
def test_sides_are_exchanged(seed, floats):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randint(0, 256, (3, 2, 17, 2, 4, 5), generator=generator, dtype=torch.uint8)
    x = x / 255 if floats else x
    size = torch.tensor([4, 5]).expand(3, 2, 2, 2)
    drawn = KeypointFlip().draw(Rng(seed), (3, 2, 2), size)
    assert drawn["on"].equal(Flip().draw(Rng(seed), (3, 2, 2), size)["on"])
    y = KeypointFlip().apply(x, **drawn)
    assert y.dtype == x.dtype
    for b, n in torch.cartesian_prod(torch.arange(3), torch.arange(2)).tolist():
        for channel, name in enumerate(NAMES):
            if drawn["on"][b, n]:
                assert y[b, n, channel].equal(x[b, n, NAMES.index(other_side(name))].flip(-1))
            else:
                assert y[b, n, channel].equal(x[b, n, channel])
    assert KeypointFlip().apply(y, **drawn).equal(x)


def test_it_shares_the_draws_of_flip():
    assert View([KeypointFlip()], "kphm")._names() == View([Flip()])._names()


def test_other_channels_are_refused():
    x = torch.zeros(1, 1, 3, 1, 2, 2, dtype=torch.uint8)
    for on in (True, False):
        with pytest.raises(UserError, match="17 keypoints, and the clips have 3 channels"):
            KeypointFlip().apply(x, on=torch.tensor([[[on]]]))
