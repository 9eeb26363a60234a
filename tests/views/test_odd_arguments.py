"""Arguments of operations that cannot be are one line: the operation, the argument, what it may be and what it is."""

import pytest

from praxino.errors import UserError
from praxino.views.channels import OneChannel
from praxino.views.colour import Blur, Brightness, ColourJitter, Grey, Hue
from praxino.views.flow_values import FlowFlip
from praxino.views.gated import Erase
from praxino.views.geometry import CentreCrop, Flip, RandomResizedCrop, Resize, ResizeShorterSide, SquareCrop
from praxino.views.keypoints import KeypointFlip

CHANCES = (Flip, FlowFlip, KeypointFlip, Grey, Hue, ColourJitter, OneChannel, Erase)
SHARES = (
    *CHANCES,
    Brightness,
    Blur,
    *(lambda made=made, **how: made(8, **how) for made in (RandomResizedCrop, SquareCrop)),
)


@pytest.mark.parametrize("p", [1.5, -1, float("nan")])
@pytest.mark.parametrize("operation", CHANCES)
def test_how_often_is_a_share(operation, p):
    assert [operation(p=one).p for one in (0, 0.5, 1)] == [0, 0.5, 1]
    with pytest.raises(UserError, match=f"^{operation.__name__}: p must be from 0 to 1, not {p}$"):
        operation(p=p)


@pytest.mark.parametrize("operation", SHARES)
def test_what_shares_a_draw_is_one_of_three(operation):
    assert [operation(per=one).per for one in ("video", "clip", "frame")] == ["video", "clip", "frame"]
    with pytest.raises(UserError, match=r"^\w+: there is no per 'clips'\. Did you mean 'clip'\?$"):
        operation(per="clips")


@pytest.mark.parametrize(
    "make, told",
    [
        (lambda: Resize(0, 171), "Resize: height must be 1 or more, not 0"),
        (lambda: Resize(128, -1), "Resize: width must be 1 or more, not -1"),
        (lambda: Resize(128, 171, crop=0), "Resize: crop must be 1 or more, not 0"),
        (lambda: ResizeShorterSide(0, 0), "ResizeShorterSide: size must be 1 or more, not 0"),
        (lambda: ResizeShorterSide(8, 0), "ResizeShorterSide: crop must be 1 or more, not 0"),
        (lambda: CentreCrop(0), "CentreCrop: size must be 1 or more, not 0"),
    ],
)
def test_sides_are_pixels(make, told):
    with pytest.raises(UserError, match=f"^{told}$"):
        make()
