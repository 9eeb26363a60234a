"""The whole of TCLR's augmentation as one view, against its table followed by Pillow for one frame after the other."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance
from test_colour import hue_by_pillow
from test_gated import gamma_by_pillow
from test_geometry import batch_of, noise

from praxino.rng import Rng
from praxino.views.gated import Erase, GatedJitter, GreyOrDrop
from praxino.views.geometry import Flip, SquareCrop
from praxino.views.pipeline import View


def view(everywhere=True, exact=True):
    crop = SquareCrop(20, everywhere=everywhere, exact=exact)
    return View([crop, GatedJitter(channel_order="bgr"), GreyOrDrop(channel_order="bgr"), Flip(), Erase(3, 6)])


def tclr_by_pillow(frame, box, jitter, grey, flip, erase):
    """One blue, green, red frame through TCLR's table; each of the others is what an operation of the view drew."""
    top, left, height, width = box["box"].tolist()
    image = (
        Image.fromarray(frame).crop((left, top, left + width, top + height)).resize((20, 20), Image.Resampling.BILINEAR)
    )
    a, (contrast, hue, saturation, brightness) = jitter["gates"].tolist(), jitter["numbers"].tolist()
    image = ImageEnhance.Contrast(image).enhance(contrast) if a[0] < 0.125 else image
    image = hue_by_pillow(image, hue) if a[1] < 0.3 else image
    image = ImageEnhance.Color(image).enhance(saturation) if a[2] < 0.3 else image
    image = ImageEnhance.Brightness(image).enhance(brightness) if a[3] < 0.3 else image
    image = ImageEnhance.Contrast(image).enhance(contrast) if 0.125 < a[0] < 0.25 else image
    a4, a5 = grey["gates"].tolist()
    if 0.70 < a4 < 0.875:
        image = image.convert("L")
        image = (gamma_by_pillow(image, grey["gamma"].item()) if a5 > 0.25 else image).convert("RGB")
    y = np.array(image)
    if a4 >= 0.875:
        y[..., 2 - grey["channel"].item()] = 0
    y = np.array(Image.fromarray(y).transpose(Image.Transpose.FLIP_LEFT_RIGHT)) if flip["on"] else y
    if erase["on"]:
        top, left, height, width = erase["box"].tolist()
        y[top : top + height, left : left + width] = 0
    return y


@pytest.mark.parametrize("everywhere", [True, False])
def test_the_whole_view_follows_the_table_frame_by_frame(everywhere):
    pixels_of = noise(40, 3, 48, 64, 3)
    batch = batch_of(pixels_of)
    drawn = view(everywhere).draw(batch, Rng(2))
    got = (view(everywhere).apply(batch, drawn) * 255).round().to(torch.uint8)
    for b, t in np.ndindex(40, 3):
        frame = np.ascontiguousarray(pixels_of[b, t].numpy()[..., ::-1])
        want = tclr_by_pillow(frame, *({name: v[b, 0, 0] for name, v in one.items()} for one in drawn))
        assert np.array_equal(got[b, 0, :, t].permute(1, 2, 0).numpy()[..., ::-1], want), (b, t)


def test_the_fast_view_stays_near_the_exact_one():
    batch = batch_of(noise(80, 2, 96, 128, 3))
    exact, fast = (view(exact=one)(batch, Rng(4)) for one in (True, False))
    difference = (exact - fast).abs().flatten(1) * 255
    turned = view().draw(batch, Rng(4))[1]["gates"][:, 0, 0, 1] < 0.3
    assert difference.mean() < 0.8
    assert difference[~turned].max() < 4
    assert difference[turned].max() < 16
