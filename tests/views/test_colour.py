"""Colour operations against Pillow, to the bit, on noise and on picture-like frames."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageEnhance, ImageFilter

from praxino.errors import UserError
from praxino.rng import Rng
from praxino.views import pixels
from praxino.views.blur import blur
from praxino.views.colour import Blur, Brightness, ColourJitter, Contrast, Grey, Hue, Normalise, Saturation


def hue_by_pillow(image, shift):
    """torchvision's rule on Pillow's HSV image."""
    hue, saturation, value = image.convert("HSV").split()
    turned = (np.asarray(hue).astype(np.int64) + int(np.trunc(255 * shift))) % 256
    return Image.merge("HSV", (Image.fromarray(turned.astype(np.uint8)), saturation, value)).convert("RGB")


BY_PILLOW = {
    "brightness": lambda image, number: ImageEnhance.Brightness(image).enhance(number),
    "contrast": lambda image, number: ImageEnhance.Contrast(image).enhance(number),
    "saturation": lambda image, number: ImageEnhance.Color(image).enhance(number),
    "hue": hue_by_pillow,
    "grey": lambda image, number: image.convert("L").convert("RGB"),
    "blur": lambda image, number: image.filter(ImageFilter.GaussianBlur(number)),
}
OURS = {
    "brightness": pixels.brightness,
    "contrast": pixels.contrast,
    "saturation": pixels.saturation,
    "hue": pixels.hue,
    "grey": lambda x, number: pixels.grey(x),
    "blur": blur,
}
NUMBERS = {
    "hue": st.floats(-0.5, 0.5),
    "blur": st.one_of(st.floats(0.05, 2.0), st.floats(2.0, 12.0)),
}


def frames(seed, shape, kind):
    """uint8 [r, T, h, w, 3]: noise; few grey levels (ties, equal channels); soft slopes as in pictures."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
    if kind == "few":
        return noise // 85 * 85
    if kind == "soft":
        rows, columns = np.meshgrid(np.arange(shape[2]), np.arange(shape[3]), indexing="ij")
        waves = [127 + 120 * np.sin(rows / (5 + c)) * np.cos(columns / (9 - c)) for c in range(3)]
        return np.clip(np.stack(waves, -1) + noise // 32, 0, 255).astype(np.uint8)
    return noise


def as_rows(array):
    return torch.from_numpy(array).movedim(-1, 1).contiguous()


def by_pillow(name, array, numbers):
    out = np.empty_like(array)
    for at in np.ndindex(array.shape[:2]):
        out[at] = np.asarray(BY_PILLOW[name](Image.fromarray(array[at]), numbers[at[0]]))
    return as_rows(out)


def column(numbers):
    return torch.tensor(numbers, dtype=torch.float64).view(-1, 1, 1, 1, 1)


@pytest.mark.parametrize("name", list(OURS))
@settings(max_examples=25, deadline=None)
@given(data=st.data(), seed=st.integers(0, 2**32), kind=st.sampled_from(["noise", "few", "soft"]))
def test_bytes_equal_pillow(name, data, seed, kind):
    shape = (3, 2, data.draw(st.integers(1, 40)), data.draw(st.integers(1, 40)))
    array = frames(seed, shape, kind)
    one = NUMBERS.get(name, st.one_of(st.floats(0, 2), st.sampled_from([0.0, 1.0])))
    numbers = data.draw(st.lists(one, min_size=3, max_size=3))
    x = as_rows(array)
    kept = x.clone()
    got = OURS[name](x, column(numbers))
    assert got.dtype == torch.uint8
    assert torch.equal(got, by_pillow(name, array, numbers))
    assert torch.equal(x, kept), "the input was written to"


@pytest.mark.slow
def test_hue_of_every_colour():
    """All 2**24 colours, unturned and turned."""
    levels = np.arange(256, dtype=np.uint8)
    for red in levels:
        green, blue = np.meshgrid(levels, levels, indexing="ij")
        array = np.stack([np.full_like(green, red), green, blue], -1)[None, None]
        for shift in (0.0, 0.5, -0.073 * (1 + red / 255)):
            assert torch.equal(pixels.hue(as_rows(array), column([shift])), by_pillow("hue", array, [shift])), red


@pytest.mark.parametrize("name", list(OURS))
def test_floats_follow_the_bytes(name):
    array = frames(3, (3, 2, 30, 33), "soft")
    numbers = {"hue": [0.1, -0.3, 0.45], "blur": [0.4, 1.3, 2.7]}.get(name, [0.5, 1.0, 1.4])
    got = OURS[name](as_rows(array).float() / 255, column(numbers))
    assert got.dtype == torch.float32
    difference = (got - OURS[name](as_rows(array), column(numbers)).float() / 255).abs()
    # Bytes are cut to whole levels, in the blur six times over. A step of their hue is 6 levels at full colour, and
    # both the hue and the turn are cut.
    limit = {"hue": 12, "blur": 3}.get(name, 2.5)
    assert difference.max() * 255 <= limit
    assert difference.mean() * 255 <= 1.6


def test_hue_of_floats_against_the_standard_library():
    import colorsys

    x = torch.from_numpy(np.random.default_rng(5).random((1, 3, 1, 4, 50), dtype=np.float32))
    x[..., :3] = torch.tensor([0.0, 0.5, 1.0])  # grey: no hue
    got = pixels.hue(x, column([0.21])).flatten(2)[0]
    for k, colour in enumerate(x.flatten(2)[0].T.double().tolist()):
        hue, saturation, value = colorsys.rgb_to_hsv(*colour)
        want = torch.tensor(colorsys.hsv_to_rgb((hue + 0.21) % 1, saturation, value))
        torch.testing.assert_close(got[:, k], want, rtol=0, atol=2e-6)


OPERATIONS = [Brightness, Contrast, Saturation, Hue, Grey, Blur, ColourJitter]
SHAPE = (6, 2, 3)
SIZE = torch.tensor([12, 14]).expand(*SHAPE, 2)


def batch(seed=0):
    return as_rows(frames(seed, (12, 3, 12, 14), "soft")).unflatten(0, (6, 2))


@pytest.mark.parametrize("kind", OPERATIONS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("per", ["video", "clip", "frame"])
@pytest.mark.parametrize("floats", [False, True])
def test_rows_that_are_not_drawn_stay_as_they_are_and_the_others_change_alone(kind, per, floats):
    operation = kind(p=0.5, per=per)
    drawn = operation.draw(Rng(1), SHAPE, SIZE)
    x = batch() / 255 if floats else batch()
    y = operation.apply(x, **drawn)
    axes = {"video": (6, 1, 1), "clip": (6, 2, 1), "frame": (6, 2, 3)}[per]
    assert drawn["on"].shape == axes
    assert drawn["on"].any()
    assert not drawn["on"].all()
    on = drawn["on"].expand(SHAPE)
    for b, n, t in np.ndindex(*SHAPE):
        assert on[b, n, t] or torch.equal(y[b, n, :, t], x[b, n, :, t])
        alone = {
            key: value.expand(*SHAPE, *value.shape[3:])[b : b + 1, n : n + 1, t : t + 1] for key, value in drawn.items()
        }
        # The same frame as a batch of its own: nothing depends on its neighbours.
        assert torch.equal(operation.apply(x[b : b + 1, n : n + 1, :, t : t + 1], **alone)[0, 0, :, 0], y[b, n, :, t])


@pytest.mark.parametrize("kind", OPERATIONS, ids=lambda kind: kind.__name__)
def test_draws_do_not_depend_on_the_number_of_ranks(kind):
    whole = kind().draw(Rng(3), SHAPE, SIZE)
    for rank in range(2):
        half = kind().draw(Rng(3, rank=rank, ranks=2), (3, 2, 3), SIZE[:3])
        for key, value in half.items():
            assert torch.equal(value, whole[key][3 * rank : 3 * rank + 3] if len(whole[key]) == 6 else whole[key])


def test_factors_stay_in_their_range():
    drawn = Brightness(0.7, 1.1, p=0.3).draw(Rng(0), (2000, 1, 1), SIZE[:1, :1, :1].expand(2000, 1, 1, 2))
    assert 0.7 <= drawn["number"].min() < 0.71
    assert 1.09 < drawn["number"].max() <= 1.1
    assert abs(drawn["on"].double().mean() - 0.3) < 0.04  # four standard deviations
    assert Hue(0.1).draw(Rng(0), SHAPE, SIZE)["number"].abs().max() <= 0.1


def test_jitter_is_its_parts_in_the_drawn_order():
    jitter = ColourJitter(p=0.7)
    x = batch()
    drawn = jitter.draw(Rng(8), SHAPE, SIZE)
    assert len({tuple(order) for order in drawn["order"].flatten(0, 2).tolist()}) > 6
    got = jitter.apply(x, **drawn)
    names = ["brightness", "contrast", "saturation", "hue"]
    for b, n in np.ndindex(6, 2):
        want = x[b, n : n + 1]
        if drawn["on"][b, n, 0]:
            for kind in drawn["order"][b, n, 0].tolist():
                want = OURS[names[kind]](want, drawn["numbers"][b, n, :, kind].view(1, 1, 1, 1, 1))
        assert torch.equal(got[b, n], want[0])


def test_jitter_in_fixed_order_and_with_parts_left_out():
    jitter = ColourJitter(brightness=0.3, contrast=0, saturation=0, hue=0, p=1, order="fixed")
    drawn = jitter.draw(Rng(0), SHAPE, SIZE)
    assert drawn["order"].flatten(0, 2).unique(dim=0).tolist() == [[0, 1, 2, 3]]
    want = pixels.brightness(batch().flatten(0, 1), drawn["numbers"][..., 0].reshape(-1, 1, 1, 1, 1))
    assert torch.equal(jitter.apply(batch(), **drawn).flatten(0, 1), want)


def test_normalise():
    x = batch()
    got = Normalise((0.5, 0.4, 0.3), (0.1, 0.2, 0.3)).apply(x)
    want = (x[:, :, 1].double() / 255 - 0.4) / 0.2
    torch.testing.assert_close(got[:, :, 1].double(), want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", [Contrast, Brightness, Blur, ColourJitter])
def test_padded_frames_are_refused(kind):
    size = torch.tensor([[12, 14], [12, 13]]).view(2, 1, 1, 2)
    with pytest.raises(UserError, match="needs frames of one size"):
        kind().draw(Rng(0), (2, 1, 1), size)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Brightness(1.2, 0.8),
        lambda: Contrast(p=1.5),
        lambda: Hue(0.6),
        lambda: ColourJitter(order="randm"),
        lambda: ColourJitter(hue=0.7),
        lambda: pixels.grey(torch.zeros(1, 1, 1, 2, 2, dtype=torch.uint8)),
    ],
)
def test_what_cannot_be_is_refused(make):
    with pytest.raises(UserError):
        make()
