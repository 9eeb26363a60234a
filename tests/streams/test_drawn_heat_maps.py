"""Heat maps drawn from logits: the resize is PyTorch's, and the rest is done person by person in plain loops."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from praxino.streams.heatmaps import draw_heat_maps, resize_bicubic


def people(number, seed, width=40, height=30):
    rng = np.random.default_rng(seed)
    corners = rng.uniform([-5, -5], [width, height], (number, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(0.2, 25, (number, 2))], 1)
    return rng.uniform(-4, 6, (number, 17, 7, 7)).astype(np.float32), boxes, rng.uniform(0.5, 1, number)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 40), st.integers(1, 40), st.integers(0, 1000))
def test_the_resize_is_pytorchs(height, width, new_height, new_width, seed):
    torch = pytest.importorskip("torch", reason="it is held against PyTorch")
    maps = np.random.default_rng(seed).normal(0, 3, (2, height, width))
    want = torch.nn.functional.interpolate(
        torch.from_numpy(maps)[None], (new_height, new_width), mode="bicubic", align_corners=False
    )
    # float64 on both sides; PyTorch sums its 16 weights in another order.
    np.testing.assert_allclose(resize_bicubic(maps, new_height, new_width), want[0].numpy(), rtol=0, atol=1e-11)


def slowly(logits, boxes, scores, height, width):
    whole = np.zeros((logits.shape[1], height, width))
    for maps, (left, top, right, bottom), score in zip(logits, boxes, scores, strict=True):
        sides = math.ceil(max(bottom - top, 1)), math.ceil(max(right - left, 1))
        for keypoint, one in enumerate(maps.astype(np.float64)):
            large = resize_bicubic(one, *sides)
            below = sum(math.exp(value - large.max()) for value in one.flat)
            for y, x in np.ndindex(*sides):
                row, column = int(top) + y, int(left) + x
                if 0 <= row < height and 0 <= column < width:
                    level = min(255, int(255 * math.exp(large[y, x] - large.max()) / below))
                    whole[keypoint, row, column] += score * level
    return np.minimum(whole, 255).astype(np.uint8)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 3), st.integers(0, 1000))
def test_person_by_person(number, seed):
    maps = draw_heat_maps(*people(number, seed), 30, 40)
    assert (maps.shape, maps.dtype) == ((17, 30, 40), np.uint8)
    want = slowly(*people(number, seed), 30, 40)
    # A sum of exponentials in another order may fall to the other side of a whole level.
    assert (np.abs(maps.astype(int) - want) <= 1).all()
    assert (maps != want).mean() < 1e-3


def test_a_sharp_peak_is_bright_and_does_not_begin_anew():
    """A peak alone: all of the softmax is on it, and the kernel's overshoot would give more than 255."""
    logits = np.full((1, 1, 8, 8), -50.0)
    logits[0, 0, 3, 4:6] = 50
    maps = draw_heat_maps(logits, np.array([[2.0, 1, 34, 33]]), np.array([1.0]), 40, 40)
    assert maps[0].max() == 255
    row, column = np.unravel_index(maps[0].argmax(), (40, 40))
    assert abs(row - (1 + 3.5 * 4)) <= 2
    assert abs(column - (2 + 5 * 4)) <= 2


@pytest.mark.parametrize("wrong", [(2, 1, 1), (1, 2, 1), (1, 1, 2)])
def test_numbers_that_do_not_go_together(wrong):
    logits, boxes, scores = (part[:n] for part, n in zip(people(2, 0), wrong, strict=True))
    with pytest.raises(ValueError, match="do not go together"):
        draw_heat_maps(logits, boxes, scores, 30, 40)
    logits, boxes, scores = people(1, 0)
    with pytest.raises(ValueError, match="not finite"):
        draw_heat_maps(logits, boxes * np.inf, scores, 30, 40)
