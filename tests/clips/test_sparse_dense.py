"""TCLR's sampler: the clips' common times, where they may lie, and what becomes of short videos."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from praxino.clips.sparse_dense import SparseDense
from praxino.described import build, describe
from praxino.errors import UserError
from praxino.rng import Rng

SIZES = {"dense": st.integers(2, 5), "each": st.integers(1, 5), "stride": st.integers(1, 3)}
RULES = st.sampled_from(["mirror", "mirror_last", "refuse"])


@given(**SIZES, short=RULES, more=st.integers(0, 60), seed=st.integers(0, 99))
def test_clips_share_their_times(dense, each, stride, short, more, seed):
    sampler = SparseDense(dense * each, dense, stride, short)
    length = sampler.stretch + more
    numbers = sampler(np.arange(length) / 25, Rng(seed).shared())
    assert numbers.shape == (1 + dense, dense * each)
    assert numbers.dtype == np.int64
    # The dense clips are one run of frames, and the sparse clip is every so many of it.
    run = numbers[1:].reshape(-1)
    assert (np.diff(run) == stride).all()
    assert run[0] >= 0
    assert run[-1] < length
    assert np.array_equal(numbers[0], run[::dense])
    for position in range(dense):
        assert set(numbers[0, position * each : (position + 1) * each]) <= set(numbers[1 + position])


@given(**SIZES, short=RULES, fewer=st.integers(0, 99))
def test_short_videos_are_completed_from_their_own_frames(dense, each, stride, short, fewer):
    sampler = SparseDense(dense * each, dense, stride, short)
    length = max(sampler.min_frames, sampler.stretch - fewer)
    numbers = sampler.numbers(length, 0)
    assert numbers.min() >= 0
    assert numbers.max() < length
    whole = SparseDense(dense * each, dense, stride).numbers(sampler.stretch, 0)
    there = whole < length
    assert np.array_equal(numbers[there], whole[there])
    if short == "mirror":
        # Backwards after the end, and the sparse clip is still every so many of the dense ones' frames.
        seen = list(range(0, length, stride))
        assert numbers[1:].reshape(-1).tolist() == (seen + seen[-2::-1])[: dense * dense * each]
        assert np.array_equal(numbers[0], numbers[1:].reshape(-1)[::dense])
    if short == "mirror_last":
        for clip, ours in zip(whole, numbers, strict=True):
            left = [number for number in clip if number < length]
            assert ours.tolist() == (left + left[-2::-1])[: len(clip)]
        assert there[1:dense].all(), "only the sparse and the last dense clip are ever completed"


def test_limits_of_the_paper():
    assert SparseDense(short="mirror_last").min_frames == 57
    assert SparseDense(short="refuse").min_frames == SparseDense().stretch == 64
    assert SparseDense().min_frames == 33
    assert SparseDense(short="mirror_last").numbers(57, 0)[4].tolist() == [*range(48, 57), *range(55, 48, -1)]
    assert SparseDense(frames=8, dense=4).stretch == 32
    assert [SparseDense().places(length) for length in (33, 64, 65, 66, 300)] == [1, 1, 1, 2, 236]


def test_starts_are_uniform():
    sampler = SparseDense(frames=4, dense=2)
    drawn = [int(sampler(np.arange(13) / 25, Rng(seed).shared())[0, 0]) for seed in range(5000)]
    counts = np.bincount(drawn)
    assert len(counts) == sampler.places(13) == 5
    assert np.abs(counts - 1000).max() < 5 * 28  # one standard deviation is 28


def test_refusals_and_description():
    for wrong in ({"dense": 1}, {"stride": 0}, {"frames": 18}, {"frames": 0}):
        with pytest.raises(UserError, match="SparseDense takes two dense clips"):
            SparseDense(**wrong)
    with pytest.raises(UserError, match="Did you mean 'mirror_last'"):
        SparseDense(short="mirror_lst")
    sampler = SparseDense(8, 2, 3, "mirror_last")
    assert vars(build(describe(sampler))) == vars(sampler)
