"""DPC's crop of random area, and its grey of one channel, against Pillow and the rule spelt out."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from praxino.errors import UserError
from praxino.rng import Rng
from praxino.views.channels import OneChannel
from praxino.views.sized import TRIES, SizedCrop


class Given(SizedCrop):
    """With uniform numbers that are handed to it."""

    def __init__(self, size, p, numbers):
        super().__init__(size, p)
        self.numbers = numbers

    def uniform(self, rng, shape, *more):
        return self.numbers


def resized(picture, width, height):
    """The width first, as Pillow did up to version 12."""
    how = Image.Resampling.BILINEAR
    return picture.resize((width, picture.size[1]), how).resize((width, height), how)


def plain(frame, size, p, u):
    """One frame [H, W, 3] by the rule, in Pillow."""
    picture = Image.fromarray(frame)
    width, height = picture.size
    share, ratio, turn = u[: 3 * TRIES].reshape(3, TRIES)
    if u[3 * TRIES] < p:
        for k in range(TRIES):
            area, aspect = (0.5 + 0.5 * share[k]) * width * height, 3 / 4 + (4 / 3 - 3 / 4) * ratio[k]
            w, h = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            w, h = (h, w) if turn[k] < 0.5 else (w, h)
            if w <= width and h <= height:
                top, left = int(u[-2] * (height - h + 1)), int(u[-1] * (width - w + 1))
                cut = picture.crop((left, top, left + w, top + h))
                return np.asarray(resized(cut, size, size))
        short = min(width, height)
        picture = resized(picture, size * width // short, size * height // short)
        width, height = picture.size
    left, top = round((width - size) / 2), round((height - size) / 2)
    return np.asarray(picture.crop((left, top, left + size, top + size)))


@settings(deadline=None, max_examples=60)
@given(
    st.integers(12, 40),
    st.integers(12, 40),
    st.integers(4, 12),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.integers(0, 2**31),
)
def test_it_is_the_rule_in_pillow(height, width, size, p, seed):
    rng = np.random.default_rng(seed)
    videos = 3
    frames = rng.integers(0, 256, (videos, 2, height, width, 3), dtype=np.uint8)
    u = torch.from_numpy(rng.random((videos, 1, 1, 3 * TRIES + 3)))
    operation = Given(size, p, u)
    x = torch.from_numpy(frames)[:, None].movedim(-1, 2)
    drawn = operation.draw(Rng(0), (videos, 1, 2), torch.tensor([height, width]).expand(videos, 1, 2, 2))
    y = operation.apply(x, **drawn)
    wanted = np.stack([[plain(frame, size, p, u[k, 0, 0].numpy()) for frame in frames[k]] for k in range(videos)])
    assert y[:, 0].movedim(1, -1).equal(torch.from_numpy(wanted))


def test_where_nothing_fits_the_middle_is_taken():
    # A frame of 4:1: no part of half its area has a side that short.
    operation = SizedCrop(10)
    drawn = operation.draw(Rng(1), (2, 1, 1), torch.tensor([20, 80]).expand(2, 1, 1, 2))
    assert drawn["grid"].reshape(-1, 2).tolist() == [[10, 40]] * 2
    assert drawn["corner"].reshape(-1, 2).tolist() == [[0, 15]] * 2


def test_frames_that_would_be_cut_beyond_their_border_are_refused():
    size = torch.tensor([20, 30]).expand(1, 1, 1, 2)
    SizedCrop(24).draw(Rng(0), (1, 1, 1), size)
    with pytest.raises(UserError, match="20x30"):
        SizedCrop(24, p=0.3).draw(Rng(0), (1, 1, 1), size)
    with pytest.raises(UserError, match="between 0 and 1"):
        SizedCrop(24, p=1.3)


def test_one_channel_takes_the_place_of_all():
    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.integers(0, 256, (200, 1, 3, 4, 2, 2), dtype=np.uint8))
    operation = OneChannel(0.5)
    drawn = operation.draw(Rng(0), (200, 1, 4), torch.tensor([2, 2]).expand(200, 1, 4, 2))
    y = operation.apply(x, **drawn)
    counts = np.zeros(4, int)
    for b, t in np.ndindex(200, 4):
        on, channel = bool(drawn["on"][b, 0, t]), int(drawn["channel"][b, 0, t])
        counts[channel if on else 3] += 1
        wanted = x[b, 0, channel, t].expand(3, 2, 2) if on else x[b, 0, :, t]
        assert y[b, 0, :, t].equal(wanted)
    # Six standard deviations of 800 draws.
    assert abs(counts[3] - 400) < 6 * math.sqrt(200)
    assert np.abs(counts[:3] - 400 / 3).max() < 6 * math.sqrt(800 / 6 * 5 / 6)
    with pytest.raises(UserError, match="RGB"):
        operation.apply(x[:, :, :2], **drawn)
