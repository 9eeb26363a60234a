"""Clips by the clock, against the original's loop over decoded frames, written out in exact fractions."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from praxino.clips.seconds import EvenSeconds, RandomSeconds, seconds_of
from praxino.described import build, describe
from praxino.errors import UserError
from praxino.rng import Rng

RATES = [Fraction(25), Fraction(30000, 1001), Fraction(24), Fraction(10), Fraction(12), Fraction(50)]
# Fewer than 8 frames a second leave a two-second clip of 16 a second without its last ones.
SLOW = [*RATES, Fraction(5), Fraction(3, 2)]


def times(length, rate):
    return np.array([float(k / rate) for k in range(length)])


def wanted_by_the_original(length, rate, start, duration, target):
    """Frame numbers of a stream that begins at 0: at most duration * target times, a half frame before the end."""
    numbers, time, whole = [], start, length / rate
    while time < min(start + duration - 1 / (2 * rate), whole) and len(numbers) < int(duration * target):
        numbers.append(int(time * rate))
        time += Fraction(1) / target
    return numbers


def decoded(numbers, length):
    """Each takes the first decoded frame whose number is not below it."""
    taken = []
    for number in numbers:
        taken += [next(frame for frame in range(length) if frame >= number)] if number < length else []
    return taken


def padded(clip, frames):
    while len(clip) < frames:
        clip = clip + clip[: frames - len(clip)]
    return clip


@settings(deadline=None, max_examples=150)
@given(st.integers(2, 200), st.sampled_from(SLOW), st.integers(0, 1000), st.sampled_from([(32, 16), (8, 4), (5, 10)]))
def test_clips_are_the_originals(length, rate, share, clip):
    frames, target = clip
    sampler = RandomSeconds(frames, target)
    room = max(Fraction(0), length / rate - Fraction(frames, target))
    assert sampler.room(times(length, rate)) == pytest.approx(float(room), abs=1e-6)
    start = round(room * share / 1000 * 500) / Fraction(500) if room else Fraction(0)
    start = min(start, room)
    duration = min(Fraction(frames, target), length / rate)
    numbers = wanted_by_the_original(length, rate, start, duration, target)
    (got,) = sampler.numbers(times(length, rate), [float(start)])
    if numbers:
        assert got.tolist() == padded(decoded(numbers, length), frames)
    else:
        # Nothing of so short a video is wanted, and the original takes another one.
        assert got.tolist() == [0] * frames


@settings(deadline=None, max_examples=150)
@given(st.integers(2, 250), st.sampled_from(SLOW), st.sampled_from([(10, 32, 16), (3, 8, 4), (1, 6, 10)]))
def test_dense_clips_are_the_originals(length, rate, clip):
    clips, frames, target = clip
    shown = decoded(wanted_by_the_original(length, rate, Fraction(0), length / rate, target), length) or [0]
    if frames >= len(shown):
        want = [padded(shown, frames)] * clips
    else:
        starts = [int(start) for start in np.linspace(0, max(len(shown) - frames, 1), clips)]
        want = [shown[start : start + frames] for start in starts]
    assert EvenSeconds(clips, frames, target).numbers(times(length, rate)).tolist() == want


@settings(deadline=None)
@given(
    st.lists(st.floats(0, 0.3), min_size=0, max_size=120),
    st.floats(0, 1e4),
    st.integers(1, 40),
    st.floats(0.5, 60),
    st.integers(1, 5),
    st.integers(0, 99),
)
def test_any_times_give_whole_clips(gaps, first, frames, rate, clips, seed):
    """Also uneven times, repeated ones, a single frame, and a stream that does not begin at 0."""
    at = first + np.cumsum([0.0, *gaps])
    for sampler in (RandomSeconds(frames, rate, clips), EvenSeconds(clips, frames, rate)):
        numbers = sampler(at, Rng(seed).shared())
        assert numbers.shape == (clips, frames)
        assert numbers.dtype == np.int64
        assert numbers.min() >= 0
        assert numbers.max() < len(at)
    assert EvenSeconds(clips, frames, rate).numbers(at)[0, 0] == np.flatnonzero(at - at[0] <= 1e-6)[-1]


@settings(deadline=None)
@given(st.lists(st.floats(0.001, 0.3), min_size=2, max_size=120), st.floats(0, 1e4), st.floats(0, 1))
def test_a_frame_is_the_one_that_is_shown(gaps, first, share):
    at = first + np.cumsum([0.0, *gaps])
    sampler = RandomSeconds(8, 10.0)
    start = share * sampler.room(at)
    (shown,) = sampler.shown(at, 0.8, [start])
    for k, number in enumerate(shown.tolist()):
        wanted = at[0] + start + k / 10
        assert at[number] <= wanted + 2e-6
        assert number == len(at) - 1 or at[number + 1] > wanted - 2e-6


def test_random_starts_are_uniform_and_independent():
    sampler, at = RandomSeconds(8, 16.0, clips=20_000), np.arange(1000) / 1000
    assert sampler.room(at) == pytest.approx(0.5)
    starts = at[sampler(at, Rng(0).shared())[:, 0]]
    assert (starts.min(), starts.max()) == (pytest.approx(0, abs=2e-3), pytest.approx(0.5, abs=2e-3))
    counts, _ = np.histogram(starts, bins=5, range=(0, 0.5))
    # 20000 draws of 1/5: one standard deviation is 57.
    assert np.abs(counts - 4000).max() < 5 * 57
    tenth = (starts * 10).astype(int).clip(max=4)
    pairs = np.bincount(tenth[:-1] * 5 + tenth[1:], minlength=25)
    assert np.abs(pairs - 800).max() < 5 * 28


def test_draw_is_a_function_of_the_generator():
    sampler, at = RandomSeconds(clips=3), np.arange(300) / 25
    assert np.array_equal(sampler(at, Rng(1).shared()), sampler(at, Rng(1).shared()))
    assert not np.array_equal(sampler(at, Rng(1).shared()), sampler(at, Rng(2).shared()))


def test_dense_clips_reach_both_ends():
    """Ten seconds at 25 frames a second: the first clip begins with the first frame, the last ends with the last."""
    numbers = EvenSeconds().numbers(np.arange(250) / 25)
    assert numbers[0, 0] == 0
    assert numbers[-1, -1] == int(159 / 16 * 25)
    assert (np.diff(numbers[:, 0]) > 0).all()


def test_how_long_a_video_lasts():
    assert seconds_of(np.arange(50) / 25) == 2
    assert seconds_of(np.arange(50) / 25 + 0.1) == 2
    assert seconds_of(np.zeros(1)) == 0


@pytest.mark.parametrize("kind", [RandomSeconds, EvenSeconds])
def test_what_cannot_be(kind):
    for wrong in (
        {"frames": 0},
        {"clips": 0},
        {"rate": 0.0},
        {"rate": float("inf")},
        {"rate": float("nan")},
        {"rate": 1e12},
    ):
        with pytest.raises(UserError, match=f"a sampler's {next(iter(wrong))}"):
            kind(**wrong)


def test_they_are_described_by_their_arguments():
    for sampler in (RandomSeconds(8, 4.0, 2), EvenSeconds(3, 8, 4.0)):
        assert describe(build(describe(sampler))) == describe(sampler)
