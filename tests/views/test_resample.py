"""Crop and resize against Pillow, to the bit.

Reference: Pillow's own resize, one axis at a time, width first. That is what one call of it did in all versions up to
12; from 13 on Pillow takes the height first where it shrinks much more than the width, and differs by a grey level.
"""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from praxino.views.geometry import resample

BILINEAR = Image.Resampling.BILINEAR


def by_pillow(frame, box, grid, window):
    """frame uint8 [H, W, C] -> uint8 [C, height, width]."""
    top, left, height, width = box
    image = Image.fromarray(frame if frame.shape[2] == 3 else frame[:, :, 0])
    image = image.crop((left, top, left + width, top + height))
    image = image.resize((grid[1], height), BILINEAR).resize((grid[1], grid[0]), BILINEAR)
    top, left, height, width = window
    image = image.crop((left, top, left + width, top + height))
    return torch.from_numpy(np.asarray(image).reshape(height, width, -1).copy()).permute(2, 0, 1)


def picture(rng, *shape, smooth):
    """Noise, or the kind of soft slopes with flat parts that pictures are made of."""
    noise = rng.integers(0, 256, shape, dtype=np.uint8)
    if not smooth:
        return noise
    rows, columns = np.meshgrid(np.arange(shape[-3]), np.arange(shape[-2]), indexing="ij")
    waves = 127 + 127 * np.sin(rows / 7)[..., None] * np.cos(columns / 5)[..., None]
    return (np.clip(waves + noise // 32, 40, 220)).astype(np.uint8)


@st.composite
def batches(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    lead = (draw(st.integers(1, 3)), draw(st.integers(1, 2)), draw(st.integers(1, 3)))
    height, width, channels = draw(st.integers(1, 70)), draw(st.integers(1, 70)), draw(st.sampled_from([1, 3]))
    pixels = picture(rng, *lead, height, width, channels, smooth=draw(st.booleans()))
    axes = (lead[0], lead[1], draw(st.sampled_from([1, lead[2]])))
    tall, wide = rng.integers(1, height + 1, axes), rng.integers(1, width + 1, axes)
    box = np.stack([rng.integers(0, height - tall + 1), rng.integers(0, width - wide + 1), tall, wide], -1)
    grid = (draw(st.integers(1, 60)), draw(st.integers(1, 60)))
    kept = (draw(st.integers(1, grid[0])), draw(st.integers(1, grid[1])))
    corner = np.stack([rng.integers(0, g - k + 1, axes) for g, k in zip(grid, kept, strict=True)], -1)
    return pixels, torch.from_numpy(box), grid, torch.from_numpy(corner), kept


@settings(max_examples=60, deadline=None)
@given(batches())
def test_equals_pillow(batch):
    pixels, box, grid, corner, kept = batch
    x = torch.from_numpy(pixels).movedim(-1, 2)
    window = (*corner.unbind(-1), *kept)
    exact = resample(x, box.unbind(-1), grid, window)
    quick = resample(x, box.unbind(-1), grid, window, exact=False)
    assert exact.dtype == torch.uint8
    assert quick.dtype == torch.float32
    for b, n, t in np.ndindex(pixels.shape[:3]):
        at = (b, n, t if box.shape[2] > 1 else 0)
        want = by_pillow(pixels[b, n, t], box[at].tolist(), grid, (*corner[at].tolist(), *kept))
        assert torch.equal(exact[b, n, :, t], want)
        # Not rounded between the axes and at the end: half a level each, and the rounding of weights.
        assert (quick[b, n, :, t] * 255 - want).abs().max() <= 1.01


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 30), st.integers(2, 30))
def test_what_lies_outside_of_the_box_has_no_influence(seed, height, width):
    rng = np.random.default_rng(seed)
    small = torch.from_numpy(rng.integers(0, 256, (1, 1, 2, height, width, 3), dtype=np.uint8))
    padded = torch.from_numpy(rng.integers(0, 256, (1, 1, 2, 40, 50, 3), dtype=np.uint8))
    padded[..., 3 : 3 + height, 5 : 5 + width, :] = small
    want = resample(small.movedim(-1, 2), (0, 0, height, width), (20, 24))
    assert torch.equal(resample(padded.movedim(-1, 2), (3, 5, height, width), (20, 24)), want)


def test_clips_of_different_true_size_in_one_padded_batch():
    rng = np.random.default_rng(0)
    x = torch.zeros(3, 1, 2, 30, 40, 3, dtype=torch.uint8)
    sizes = [(30, 20), (17, 40), (5, 6)]
    for row, (height, width) in enumerate(sizes):
        x[row, ..., :height, :width, :] = torch.from_numpy(
            rng.integers(0, 256, (1, 2, height, width, 3), dtype=np.uint8)
        )
    tall, wide = (torch.tensor(side).view(3, 1, 1) for side in zip(*sizes, strict=True))
    y = resample(x.movedim(-1, 2), (0, 0, tall, wide), (12, 16))
    for row, (height, width) in enumerate(sizes):
        frame = x[row, 0, 1, :height, :width].numpy()
        assert torch.equal(y[row, 0, :, 1], by_pillow(frame, (0, 0, height, width), (12, 16), (0, 0, 12, 16)))


def test_a_grid_of_its_own_for_each_clip():
    x = torch.from_numpy(np.random.default_rng(1).integers(0, 256, (2, 1, 1, 24, 36, 3), dtype=np.uint8))
    wide = torch.tensor([18, 30]).view(2, 1, 1)
    y = resample(x.movedim(-1, 2), (0, 0, 24, 36), (12, wide), (2, 3, 8, 8))
    for row, width in enumerate((18, 30)):
        assert torch.equal(y[row, 0, :, 0], by_pillow(x[row, 0, 0].numpy(), (0, 0, 24, 36), (12, width), (2, 3, 8, 8)))


@pytest.mark.parametrize("size", [(240, 320), (256, 340), (120, 160), (100, 400)])
def test_one_call_of_pillow_at_the_sizes_of_videos(size):
    frame = np.random.default_rng(2).integers(0, 256, (*size, 3), dtype=np.uint8)
    want = np.asarray(Image.fromarray(frame).resize((171, 128), BILINEAR).crop((30, 8, 142, 120)))
    x = torch.from_numpy(frame)[None, None, None].movedim(-1, 2)
    got = resample(x, (0, 0, *size), (128, 171), (8, 30, 112, 112))
    assert torch.equal(got[0, 0, :, 0], torch.from_numpy(want.copy()).permute(2, 0, 1))


def test_extreme_shrinking_stays_exact():
    frame = np.full((1, 4000, 1), 255, np.uint8)
    frame[0, ::2] = 254
    got = resample(torch.from_numpy(frame)[None, None, None].movedim(-1, 2), (0, 0, 1, 4000), (1, 7))
    assert torch.equal(got[0, 0, :, 0], by_pillow(frame, (0, 0, 1, 4000), (1, 7), (0, 0, 1, 7)))


def test_any_strides_and_floats():
    x = torch.from_numpy(np.random.default_rng(3).integers(0, 256, (2, 2, 3, 20, 22, 3), dtype=np.uint8)).movedim(-1, 2)
    want = resample(x, (1, 2, 17, 18), (9, 8))
    assert torch.equal(resample(x.contiguous(), (1, 2, 17, 18), (9, 8)), want)
    assert torch.equal(resample(x.flip(-1).flip(-1)[:, :, :, :], (1, 2, 17, 18), (9, 8)), want)
    floats = resample(x / 255, (1, 2, 17, 18), (9, 8))
    torch.testing.assert_close(floats, resample(x, (1, 2, 17, 18), (9, 8), exact=False), rtol=0, atol=1e-6)


def test_long_clips_in_parts_are_the_same(monkeypatch):
    x = torch.from_numpy(np.random.default_rng(4).integers(0, 256, (2, 1, 7, 20, 22, 3), dtype=np.uint8)).movedim(-1, 2)
    want = resample(x, (1, 2, 17, 18), (9, 8))
    monkeypatch.setattr("praxino.views.resample.PART", 3 * 2 * 20 * 22 * 3 * 4)
    assert torch.equal(resample(x, (1, 2, 17, 18), (9, 8)), want)
