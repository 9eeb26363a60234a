"""Samplers: where clips may lie, how they are spread, and what becomes of short videos."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from praxino.clips.samplers import EvenClips, RandomClip, even_starts, span
from praxino.described import build, describe
from praxino.errors import UserError
from praxino.rng import Rng

SIZES = {"frames": st.integers(1, 20), "stride": st.integers(1, 5), "clips": st.integers(1, 12)}


def times(length):
    return np.arange(length) / 25


@given(**SIZES, drop=st.integers(0, 2), more=st.integers(0, 60), seed=st.integers(0, 99))
def test_random_clips_lie_inside(frames, stride, clips, drop, more, seed):
    sampler = RandomClip(frames, stride, clips, drop)
    length = sampler.min_frames + more
    numbers = sampler(times(length), Rng(seed).shared())
    assert numbers.shape == (clips, frames)
    assert numbers.dtype == np.int64
    assert (np.diff(numbers, axis=1) == stride).all()
    assert numbers.min() >= 0
    assert numbers.max() < length - drop


def test_random_starts_are_uniform_and_independent():
    sampler = RandomClip(frames=4, stride=2, clips=20_000, drop_last_frames=1)
    starts = sampler(times(12), Rng(0).shared())[:, 0]
    counts = np.bincount(starts, minlength=5)
    assert sampler.places(12) == len(counts) == 5
    # 20000 draws of 1/5: one standard deviation is 57.
    assert np.abs(counts - 4000).max() < 5 * 57
    pairs = np.bincount(starts[:-1] * 5 + starts[1:], minlength=25)
    assert np.abs(pairs - 800).max() < 5 * 28


def test_draw_is_a_function_of_the_generator():
    sampler = RandomClip(clips=3)
    assert np.array_equal(sampler(times(99), Rng(1).shared()), sampler(times(99), Rng(1).shared()))
    assert not np.array_equal(sampler(times(99), Rng(1).shared()), sampler(times(99), Rng(2).shared()))


def test_spec_examples_of_even_starts():
    assert even_starts(16, 10, 16).tolist() == [0] * 10
    assert even_starts(29, 10, 16).tolist() == [0, 1, 2, 4, 5, 7, 8, 10, 11, 13]
    assert even_starts(100, 10, 16).tolist() == [0, 9, 18, 28, 37, 46, 56, 65, 74, 84]
    assert even_starts(180, 10, 16).tolist() == [0, 18, 36, 54, 72, 91, 109, 127, 145, 164]
    assert even_starts(15, 10, 16).tolist() == [0] * 9 + [-1]


@given(**SIZES, drop=st.integers(0, 2), length=st.integers(1, 90), short=st.sampled_from(["repeat", "refuse", "wrap"]))
def test_even_clips_lie_inside(frames, stride, clips, drop, length, short):
    sampler = EvenClips(clips, frames, stride, drop, short)
    if length < sampler.min_frames:
        return
    numbers = sampler(times(length), Rng(0).shared())
    assert numbers.shape == (clips, frames)
    assert numbers.dtype == np.int64
    assert numbers.min() >= 0
    assert numbers.max() < length
    if length >= span(frames, stride) + drop:
        assert (np.diff(numbers, axis=1) == stride).all()
        assert (np.diff(numbers[:, 0]) >= 0).all()
        assert numbers[0, 0] == 0
        # Both ends are looked at, whatever the rounding between.
        assert clips == 1 or numbers[-1, -1] == length - drop - 1
        assert numbers.max() < length - drop


def test_short_videos():
    assert EvenClips(2, 4).numbers(3).tolist() == [[0, 1, 2, 2]] * 2
    assert EvenClips(2, 4, drop_last_frames=1).numbers(1).tolist() == [[0] * 4] * 2
    assert EvenClips(10, 16, drop_last_frames=1, short="wrap").numbers(16)[-1].tolist() == [15, *range(15)]
    assert EvenClips(10, 16, drop_last_frames=1, short="refuse").min_frames == 17
    assert RandomClip(16, 2, drop_last_frames=1).min_frames == 32
    lenient = RandomClip(6, 2, clips=3, short="repeat")
    assert lenient.min_frames == 1
    assert lenient(times(8), Rng(0).shared()).tolist() == [[0, 2, 4, 6, 7, 7]] * 3


@given(length=st.integers(17, 200))
def test_repeat_changes_nothing_where_a_clip_fits(length):
    for draw in range(3):
        drawn = [RandomClip(short=s)(times(length), Rng(draw).shared()).tolist() for s in ("refuse", "repeat")]
        assert drawn[0] == drawn[1]


def test_refusals_and_description():
    with pytest.raises(UserError, match="stride must be at least 1, not 0"):
        RandomClip(stride=0)
    with pytest.raises(UserError, match="drop_last_frames"):
        EvenClips(drop_last_frames=-1)
    with pytest.raises(UserError, match="Did you mean 'repeat'"):
        EvenClips(short="repeet")
    for sampler in (RandomClip(8, 2, 3, 1, "repeat"), EvenClips(5, 8, 2, 1, "wrap")):
        assert vars(build(describe(sampler))) == vars(sampler)
