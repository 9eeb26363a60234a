"""Clips of blocks, against the rule spelt out frame by frame."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from praxino.clips.blocks import BlockClip, BlockWindows, ScatteredBlocks
from praxino.errors import UserError

sizes = st.tuples(st.integers(1, 9), st.integers(1, 8), st.integers(1, 5))


def times(length):
    return np.arange(length) / 25


def plain_step(length, blocks, frames, stride):
    return stride if length - blocks * frames * stride > 0 else ((length - 1) / (blocks * frames)) * 0.9


def plain_clip(length, blocks, frames, stride, start):
    step = plain_step(length, blocks, frames, stride)
    return [math.trunc((n * step * frames + start) + k * step) for n in range(blocks) for k in range(frames)]


@given(sizes, st.integers(1, 400), st.data())
def test_a_clip_is_the_rule_frame_by_frame(size, length, data):
    sampler = BlockClip(*size)
    start = data.draw(st.integers(0, sampler.places(length) - 1))
    (numbers,) = sampler.numbers(length, [start])
    assert numbers.tolist() == plain_clip(length, *size, start)
    assert numbers.min() >= 0
    assert numbers.max() < length
    assert (np.diff(numbers) >= 0).all()


def test_the_order_of_the_sum_is_the_originals():
    length, start = 5, 0  # blocks and frames of 3: another order takes another frame
    step = plain_step(length, 3, 3, 1)
    otherwise = [math.trunc(start + k * step) for k in range(9)]
    assert BlockClip(3, 3, 1).numbers(length, [start]).tolist() == [plain_clip(length, 3, 3, 1, start)] != [otherwise]


@given(sizes, st.integers(1, 300), st.integers(0, 2**32 - 1))
def test_draws_stay_in_the_video(size, length, seed):
    rng = np.random.default_rng(seed)
    for sampler in (BlockClip(*size, clips=3), BlockClip(*size, short="refuse"), ScatteredBlocks(*size[:2], clips=2)):
        if length < sampler.min_frames:
            continue
        numbers = sampler(times(length), rng)
        assert numbers.shape == (sampler.clips, size[0] * size[1])
        assert numbers.dtype == np.int64
        assert numbers.min() >= 0
        assert numbers.max() < length


def test_every_place_is_drawn_alike():
    sampler = BlockClip(2, 3, 2, clips=6000)
    length = 20
    starts = sampler(times(length), np.random.default_rng(0))[:, 0]
    counts = np.bincount(starts, minlength=sampler.places(length))
    assert len(counts) == sampler.places(length) == 8
    # Six standard deviations of a count of 750.
    assert np.abs(counts - 750).max() < 6 * math.sqrt(750)


@given(sizes, st.integers(1, 9), st.integers(1, 400))
def test_windows_are_all_that_fit(size, apart, length):
    blocks, frames, _stride = size
    sampler = BlockWindows(*size, apart)
    numbers = sampler.numbers(length)
    step = plain_step(length, *size)
    # Where a step of less than a millionth were added up, rounding could add a frame; numpy's rule is the original's.
    taken = [math.trunc(k * step) for k in range(math.ceil(length / step))] if step else [0] * (blocks * frames)
    cut = [taken[k : k + frames] for k in range(0, len(taken) - frames + 1, frames)]
    wanted = [
        [k for block in cut[first : first + blocks] for k in block] for first in range(0, len(cut) - blocks + 1, apart)
    ]
    assert numbers.tolist() == wanted
    assert wanted
    assert numbers.max() < length


def test_short_videos_are_stretched_or_refused():
    assert BlockClip().min_frames == BlockWindows().min_frames == 1
    assert BlockClip(short="refuse").min_frames == BlockWindows(short="refuse").min_frames == 121
    assert (BlockClip().numbers(1, [0]) == 0).all()
    assert (BlockWindows().numbers(1) == 0).all()
    first = BlockClip(start="first")(times(300), np.random.default_rng(0))
    assert first.tolist() == [list(range(0, 120, 3))]


@pytest.mark.parametrize("sampler", [BlockClip, BlockWindows, ScatteredBlocks])
def test_numbers_below_one_are_refused(sampler):
    with pytest.raises(UserError, match="blocks must be at least 1"):
        sampler(blocks=0)


def test_unknown_words_are_refused():
    with pytest.raises(UserError, match="stretch"):
        BlockClip(short="strech")
    with pytest.raises(UserError, match="first"):
        BlockClip(start="frist")
