"""TCLR's gated changes against its table, followed by Pillow for one frame after the other."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageEnhance
from test_colour import hue_by_pillow

from praxino.described import build, describe
from praxino.errors import UserError
from praxino.rng import Rng
from praxino.views import pixels
from praxino.views.gated import Erase, GatedJitter, GreyOrDrop
from praxino.views.geometry import SquareCrop

SHAPE = (6, 2, 3)
HEIGHT, WIDTH = 22, 27
KINDS = [GatedJitter, GreyOrDrop, Erase]


def sizes(height=HEIGHT, width=WIDTH, shape=SHAPE):
    return torch.tensor([height, width]).expand(*shape, 2)


def clips(seed=0):
    """uint8 [B, n, 3, T, h, w] of coarse noise: saturated and plain pixels, equal channels."""
    values = np.random.default_rng(seed).integers(0, 256, (*SHAPE, HEIGHT, WIDTH, 3), dtype=np.uint8)
    values[..., :9, :] = values[..., :9, :] // 85 * 85
    return torch.from_numpy(values).movedim(-1, 2)


def gamma_by_pillow(image, exponent):
    table = [min(255, int(255.999 * (k / 255) ** exponent)) for k in range(256)]
    return image.point(table * len(image.getbands()))


def framewise(x, order, change):
    """change(image, b, n) of every frame; with "bgr" Pillow is given the channels the other way round."""
    out = torch.empty_like(x)
    for b, n, t in np.ndindex(*SHAPE):
        turn = slice(None, None, -1 if order == "bgr" else 1)
        frame = np.ascontiguousarray(x[b, n, :, t].movedim(0, -1).numpy()[..., turn])
        y = np.array(change(Image.fromarray(frame), b, n))[..., turn]
        out[b, n, :, t] = torch.from_numpy(y.copy()).movedim(-1, 0)
    return out


def spread(drawn, gates):
    """The drawn numbers with gates so that all branches and the bounds between them come up."""
    columns = drawn["gates"].shape[-1]
    values = np.array(gates)[np.random.default_rng(1).integers(0, len(gates), (*SHAPE[:2], 1, columns))]
    return {**drawn, "gates": torch.from_numpy(values)}


@pytest.mark.parametrize("order", ["rgb", "bgr"])
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32), p=st.sampled_from([0.15, 0.3]))
def test_jitter_follows_the_table(order, seed, p):
    p_contrast = {0.15: 0.125, 0.3: 0.25}[p]
    operation = GatedJitter(p=p, p_contrast=p_contrast, channel_order=order)
    x = clips(seed)
    gates = [0.0, p_contrast / 4, p_contrast / 2, 0.75 * p_contrast, p_contrast, 0.149, 0.15, 0.29, 0.3, 0.9]
    drawn = spread(operation.draw(Rng(seed), SHAPE, sizes()), gates)

    def by_the_table(image, b, n):
        a, number = drawn["gates"][b, n, 0].tolist(), drawn["numbers"][b, n, 0].tolist()
        if a[0] < p_contrast / 2:
            image = ImageEnhance.Contrast(image).enhance(number[0])
        if a[1] < p:
            image = hue_by_pillow(image, number[1])
        if a[2] < p:
            image = ImageEnhance.Color(image).enhance(number[2])
        if a[3] < p:
            image = ImageEnhance.Brightness(image).enhance(number[3])
        if p_contrast / 2 < a[0] < p_contrast:
            image = ImageEnhance.Contrast(image).enhance(number[0])
        return image

    kept = x.clone()
    assert torch.equal(operation.apply(x, **drawn), framewise(x, order, by_the_table))
    assert torch.equal(x, kept)


@pytest.mark.parametrize("order", ["rgb", "bgr"])
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32), linear=st.booleans())
def test_grey_or_drop_follows_the_table(order, seed, linear):
    least, drop = (0.9, 2.0) if linear else (0.7, 0.875)
    chances = {"p_grey": 0.1, "p_drop": 0.0, "gamma": 0.15} if linear else {}
    operation = GreyOrDrop(**chances, channel_order=order)
    x = clips(seed)
    drawn = spread(operation.draw(Rng(seed), SHAPE, sizes()), [0.1, 0.25, 0.26, 0.7, 0.71, 0.8, 0.875, 0.9, 0.95])

    def by_the_table(image, b, n):
        which, tone = drawn["gates"][b, n, 0].tolist()
        if least < which < drop:
            image = image.convert("L")
            if tone > 0.25:
                image = gamma_by_pillow(image, drawn["gamma"][b, n, 0].item())
            image = image.convert("RGB")
        if which >= drop:
            array = np.array(image)
            channel = drawn["channel"][b, n, 0].item()
            array[..., 2 - channel if order == "bgr" else channel] = 0
            image = Image.fromarray(array)
        return image

    assert torch.equal(operation.apply(x, **drawn), framewise(x, order, by_the_table))


def test_erase_cuts_at_the_border():
    operation = Erase(low=4, high=12, p=0.6)
    x = clips() | 1  # no pixel is black by itself
    drawn = operation.draw(Rng(3), SHAPE, sizes())
    drawn["box"][0, 0, 0] = torch.tensor([HEIGHT - 2, WIDTH - 3, 9, 9])
    drawn["on"][0, 0, 0] = True
    assert not drawn["on"].all()
    want = x.clone()
    for b, n in np.ndindex(*SHAPE[:2]):
        top, left, height, width = drawn["box"][b, n, 0].tolist()
        if drawn["on"][b, n, 0]:
            want[b, n, :, :, top : top + height, left : left + width] = 0
    kept = x.clone()
    assert torch.equal(operation.apply(x, **drawn), want)
    assert torch.equal(operation.apply(x / 255, **drawn), want / 255)
    assert torch.equal(x, kept)
    assert (want[0, 0] == 0).sum() == 3 * SHAPE[2] * 2 * 3


def test_gamma_of_floats_and_of_bytes():
    exponents = torch.tensor([0.75, 1.0, 1.25], dtype=torch.float64)
    x = torch.arange(256).to(torch.uint8).view(1, 1, 1, 1, 256).expand(3, 1, 1, 1, 256)
    got = pixels.gamma(x, exponents.view(-1, 1, 1, 1, 1))
    floats = pixels.gamma(x / 255, exponents.view(-1, 1, 1, 1, 1))
    for row, exponent in enumerate(exponents.tolist()):
        want = [min(255, int(255.999 * (k / 255) ** exponent)) for k in range(256)]
        assert got[row].flatten().tolist() == want
        torch.testing.assert_close(floats[row].flatten().double(), (torch.arange(256) / 255).double() ** exponent)
    assert (floats * 255 - got).abs().max() < 1
    assert (pixels.gamma_levels(exponents).round() - got.flatten(1)).max() <= 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("per", ["video", "clip", "frame"])
@pytest.mark.parametrize("floats", [False, True])
def test_each_frame_changes_alone(kind, per, floats):
    """The same frame as a batch of its own gives the same: nothing depends on its neighbours."""
    operation = kind(per=per)
    drawn = operation.draw(Rng(1), SHAPE, sizes())
    axes = {"video": (6, 1, 1), "clip": (6, 2, 1), "frame": SHAPE}[per]
    x = clips() / 255 if floats else clips()
    y = operation.apply(x, **drawn)
    assert (y.dtype, y.shape) == (x.dtype, x.shape)
    for b, n, t in np.ndindex(*SHAPE):
        alone = {}
        for name, value in drawn.items():
            assert value.shape[:3] == axes
            alone[name] = value.expand(*SHAPE, *value.shape[3:])[b : b + 1, n : n + 1, t : t + 1]
        got = operation.apply(x[b : b + 1, n : n + 1, :, t : t + 1], **alone)[0, 0, :, 0]
        # Powers of floats differ by their last bit according to where in memory they lie.
        torch.testing.assert_close(got, y[b, n, :, t], rtol=0, atol=2e-7 if floats and kind is GreyOrDrop else 0)


@pytest.mark.parametrize("kind", KINDS)
def test_draws_do_not_depend_on_the_number_of_ranks(kind):
    whole = kind().draw(Rng(3), SHAPE, sizes())
    for rank in range(2):
        half = kind().draw(Rng(3, rank=rank, ranks=2), (3, 2, 3), sizes(shape=(3, 2, 3)))
        for name, value in half.items():
            assert torch.equal(value, whole[name][3 * rank : 3 * rank + 3])


def test_draws_follow_their_law():
    many = (3000, 1, 1)
    drawn = GatedJitter(brightness=0.1, contrast=0.2, saturation=0.3, hue=0.4).draw(Rng(0), many, sizes(shape=many))
    numbers = drawn["numbers"].flatten(0, 2)
    middle, strength = torch.tensor([1, 0, 1, 1]), torch.tensor([0.2, 0.4, 0.3, 0.1], dtype=torch.float64)
    assert ((numbers.amax(0) - middle) / strength).min() > 0.99
    assert ((numbers.amax(0) - middle) / strength).max() < 1
    assert ((middle - numbers.amin(0)) / strength).min() > 0.99
    drawn = GreyOrDrop().draw(Rng(1), many, sizes(shape=many))
    assert abs(np.bincount(drawn["channel"].flatten().numpy()) - 1000).max() < 5 * 26
    assert drawn["gamma"].aminmax().min > 0.75
    assert drawn["gamma"].aminmax().max < 1.25
    drawn = Erase().draw(Rng(2), many, sizes(shape=many))
    assert abs(drawn["on"].double().mean() - 0.5) < 0.04
    low, high = drawn["box"].flatten(0, 2).aminmax(dim=0)
    assert low.tolist() == [0, 0, 9, 9]
    assert high.tolist() == [HEIGHT - 1, WIDTH - 1, 18, 18]


def test_crops_of_tclr_never_see_the_right():
    many = (4000, 1, 1)
    boxes = {}
    for everywhere in (False, True):
        crop = SquareCrop(112, scale=(0.6, 1.0), everywhere=everywhere)
        boxes[everywhere] = crop.draw(Rng(5), many, sizes(240, 320, many))["box"].flatten(0, 2)
    assert torch.equal(boxes[False][:, 2:], boxes[True][:, 2:])
    for box, edge in ((boxes[False], 272), (boxes[True], 320)):
        assert edge - 3 <= (box[:, 1] + box[:, 3]).max() <= edge
        assert 237 <= (box[:, 0] + box[:, 2]).max() <= 240
        assert box.amin() >= 0
    # As wide as 320 c, the boxes would lie evenly about the middle; they are 240 c wide, so that it lies 40 c further
    # to the left.
    middle = boxes[False][:, 1] + boxes[False][:, 3] / 2
    assert abs(middle.mean() - (160 - 40 * 0.8)) < 2


@pytest.mark.parametrize("kind", [GatedJitter, Erase])
def test_padded_frames_are_refused(kind):
    size = torch.tensor([[12, 14], [12, 13]]).view(2, 1, 1, 2)
    with pytest.raises(UserError, match=f"{kind.__name__} needs frames of one size"):
        kind().draw(Rng(0), (2, 1, 1), size)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: GatedJitter(hue=0.6), "hue at most 0.5"),
        (lambda: GatedJitter(p_contrast=1.1), "GatedJitter: p_contrast must be from 0 to 1, not 1.1"),
        (lambda: GatedJitter(channel_order="bgrr"), "Did you mean 'bgr'"),
        (lambda: GreyOrDrop(p_grey=0.6, p_drop=0.6), r"p_grey \+ p_drop"),
        (lambda: GreyOrDrop(channel_order="RGB"), "unknown order of channels 'RGB'"),
        (lambda: Erase(low=0), "1 <= low <= high"),
        (lambda: Erase(p=-0.1), "Erase: p must be from 0 to 1, not -0.1"),
    ],
)
def test_what_cannot_be_is_refused(make, told):
    with pytest.raises(UserError, match=told):
        make()


def test_operations_are_described_by_their_arguments():
    for one in (GatedJitter(p=0.15, channel_order="bgr"), GreyOrDrop(0.1, 0.0, 0.15), Erase(p=0.25, per="frame")):
        assert vars(build(describe(one))) == vars(one)
