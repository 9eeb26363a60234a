"""Samplers: where clips may lie, how they are spread, and what becomes of short videos."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from praxino.clips.modes import TemporalModes
from praxino.clips.samplers import EvenClips, RandomClip, even_starts, frames_a_clip, mirrored, span
from praxino.described import build, describe
from praxino.errors import UserError
from praxino.rng import Rng

RANDOM_SHORT = ["refuse", "repeat", "mirror"]
SHORT = ["repeat", "mirror", "refuse", "wrap"]
SIZES = {"frames": st.integers(1, 20), "stride": st.integers(1, 5), "clips": st.integers(1, 12)}


def times(length):
    return np.arange(length) / 25


@settings(deadline=None)
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


@settings(deadline=None)
@given(**SIZES)
def test_how_many_frames_a_clip_has(frames, stride, clips):
    for sampler in (RandomClip(frames, stride, clips), EvenClips(clips, frames, stride)):
        assert frames_a_clip(sampler) == frames


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


@settings(deadline=None)
@given(**SIZES, drop=st.integers(0, 2), length=st.integers(1, 90), short=st.sampled_from(SHORT))
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
    for short, want in (("repeat", [0, 2, 4, 6, 7, 7]), ("mirror", [0, 2, 4, 6, 4, 2])):
        lenient = RandomClip(6, 2, clips=3, short=short)
        assert lenient.min_frames == EvenClips(short=short).min_frames == 1
        assert lenient(times(8), Rng(0).shared()).tolist() == [want] * 3
        assert EvenClips(3, 6, 2, short=short).numbers(8).tolist() == [want] * 3
    assert EvenClips(1, 7, 2, drop_last_frames=2, short="mirror").numbers(7).tolist() == [[0, 2, 4, 2, 0, 2, 4]]
    assert RandomClip(4, 2, short="mirror").numbers(1, [0]).tolist() == [[0] * 4]


@settings(deadline=None)
@given(length=st.integers(17, 200))
def test_short_rules_change_nothing_where_a_clip_fits(length):
    for draw in range(3):
        refused, *others = (RandomClip(short=s)(times(length), Rng(draw).shared()).tolist() for s in RANDOM_SHORT)
        assert others == [refused] * 2
        refused, *others = (EvenClips(short=s).numbers(length).tolist() for s in ("refuse", "repeat", "mirror"))
        assert others == [refused] * 2


@settings(deadline=None)
@given(frames=st.integers(1, 20), stride=st.integers(1, 5), start=st.integers(0, 40), length=st.integers(1, 90))
def test_mirrored_against_a_list_that_is_turned(frames, stride, start, length):
    start = min(start, length - 1)
    wanted = [start + stride * k for k in range(frames)]
    there = [number for number in wanted if number < length]
    back_and_forth = there + there[-2:0:-1] if len(there) > 1 else there
    want = (back_and_forth * frames)[:frames]
    assert mirrored(np.array([wanted]), length).tolist() == [want]
    missing = frames - len(there)
    if missing < len(there):  # where TCLR takes such a clip at all: its rule as it stands in the specification
        assert want == there + there[::-1][1 : missing + 1]


def by_the_specification(length, modes):
    """TCLR's temporal modes of 16 frames, for one video and one mode after the other."""
    for mode in range(modes):
        start = int(np.linspace(0, length - 32 - 10, modes)[mode])
        start = mode if start < 0 else start
        there = [number for number in range(start, start + 32, 2) if number < length]
        yield there + there[::-1][1 : 16 - len(there) + 1]


@pytest.mark.parametrize("clips", [9, 10])
def test_temporal_modes_follow_the_specification(clips):
    sampler = TemporalModes(clips)
    assert sampler.min_frames == clips + 16
    for length in range(sampler.min_frames, 300):
        assert sampler(times(length), Rng(0).shared()).tolist() == list(by_the_specification(length, clips))
    # One frame fewer, and the original has no 16 frames in its last mode.
    assert len(list(by_the_specification(sampler.min_frames - 1, clips))[-1]) < 16


@pytest.mark.parametrize("clips", [1, 4, 9])
def test_the_first_of_the_temporal_modes(clips):
    """`--modes` of the original's retrieval takes the first ones of its nine, which stay where they are."""
    sampler = TemporalModes(clips, modes=9)
    assert sampler.min_frames == clips + 16
    for length in (sampler.min_frames, 41, 42, 64, 299):
        wanted = list(by_the_specification(length, 9))[:clips]
        assert sampler(times(length), Rng(0).shared()).tolist() == wanted
    assert len(list(by_the_specification(sampler.min_frames - 1, 9))[:clips][-1]) < 16


@settings(deadline=None)
@given(**SIZES, more=st.integers(0, 150))
def test_temporal_modes_lie_inside_and_turn_once(frames, stride, clips, more):
    sampler = TemporalModes(clips, frames, stride)
    length = sampler.min_frames + more
    numbers = sampler.numbers(length)
    assert numbers.shape == (clips, frames)
    assert numbers.min() >= 0
    assert numbers.max() < length
    assert ((np.diff(np.diff(numbers, axis=1), axis=1) != 0).sum(1) <= 1).all()


def test_spec_examples_of_temporal_modes():
    assert TemporalModes(10).starts(41).tolist() == [0] * 9 + [9]
    assert TemporalModes(10).starts(29).tolist() == list(range(10))
    assert TemporalModes(9).starts(100)[-1] == 100 - 42
    assert TemporalModes(10).numbers(200).max() == 200 - 12
    sane = EvenClips(10, 16, 2, short="mirror")
    assert sane.numbers(200).max() == 199
    assert sane.numbers(29)[:, -3:].tolist() == [[26, 28, 26]] * 10


def test_refusals_and_description():
    with pytest.raises(UserError, match="stride must be at least 1, not 0"):
        RandomClip(stride=0)
    with pytest.raises(UserError, match="drop_last_frames"):
        EvenClips(drop_last_frames=-1)
    with pytest.raises(UserError, match="Did you mean 'repeat'"):
        EvenClips(short="repeet")
    with pytest.raises(UserError, match="clips must be at least 1, not 0"):
        TemporalModes(0)
    with pytest.raises(UserError, match="modes must be at least clips, not 4: the first 5"):
        TemporalModes(5, modes=4)
    for sampler in (RandomClip(8, 2, 3, 1, "repeat"), EvenClips(5, 8, 2, 1, "wrap"), TemporalModes(5, 8, 3, modes=9)):
        assert vars(build(describe(sampler))) == vars(sampler)
