"""Related frames: where a set may lie, how query and candidates are drawn from it, and what short videos give."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from praxino.clips.related import RelatedFrames
from praxino.clips.samplers import Sampler
from praxino.described import build, describe
from praxino.errors import UserError
from praxino.rng import Rng

SETTINGS = {
    "frames": st.one_of(st.none(), st.integers(1, 6)),
    "distance": st.floats(0.01, 5),
    "candidates": st.integers(1, 6),
    "exclude_query": st.booleans(),
}
GAPS = st.lists(st.sampled_from([0.0, 0.01, 0.04, 0.04, 0.04, 0.3, 2.0]), max_size=80)


def made(frames, distance, candidates, exclude_query):
    """A sampler with as many candidates as its set can give, or None."""
    if frames is not None:
        candidates = min(candidates, frames - exclude_query)
    return RelatedFrames(frames, distance, candidates, exclude_query) if candidates else None


@given(**SETTINGS, gaps=GAPS, seed=st.integers(0, 99))
def test_one_frame_a_clip_inside_the_video(frames, distance, candidates, exclude_query, gaps, seed):
    sampler = made(frames, distance, candidates, exclude_query)
    times = 3.0 + np.cumsum([0, *gaps])
    if sampler is None or len(times) < sampler.min_frames:
        return
    assert isinstance(sampler, Sampler)
    numbers = sampler(times, Rng(seed).shared())
    assert numbers.shape == (1 + sampler.candidates, 1)
    assert numbers.dtype == np.int64
    assert numbers.min() >= 0
    assert numbers.max() < len(times)
    assert len(set(numbers[1:, 0])) == sampler.candidates
    assert not exclude_query or numbers[0, 0] not in numbers[1:, 0]
    assert np.array_equal(numbers, sampler(times, Rng(seed).shared()))


@given(frames=st.integers(1, 6), distance=st.floats(0.01, 5), gaps=GAPS)
def test_every_set_is_of_distinct_frames_from_its_start_on(frames, distance, gaps):
    sampler, times = RelatedFrames(frames, distance), np.cumsum([0, *gaps])
    if len(times) < frames:
        return
    assert sampler.places(times) >= 1
    for start in range(sampler.places(times)):
        related = sampler.related(times, start)
        assert len(related) == frames
        assert (np.diff(related) > 0).all()
        assert related[0] >= 0
        assert related[-1] < len(times)
        # An earlier one only where frames have equal times, or too few are left behind it.
        assert times[related[0]] <= times[start]


@given(
    frames=st.integers(1, 6),
    distance=st.floats(0.3, 5),
    gaps=st.lists(st.sampled_from([0.02, 0.04, 0.1]), min_size=6, max_size=90),
)
def test_frames_are_the_nearest_ones(frames, distance, gaps):
    """Where the frames lie close, each of the set is the nearest one to its second, by looking at all of them."""
    sampler, times = RelatedFrames(frames, distance), np.cumsum([0, *gaps])
    step = min(distance, times[-1] / max(frames - 1, 1))
    if step < 0.2:  # two places might fall on one frame
        return
    fits = [start for start, first in enumerate(times) if first + step * (frames - 1) <= times[-1] + 1e-6]
    assert sampler.places(times) == len(fits)
    for start in fits:
        for place, number in enumerate(sampler.related(times, start)):
            away = np.abs(times - (times[start] + place * step))
            assert away[number] <= away.min() + 2e-6


def test_sets_of_an_even_rate():
    times = np.arange(100) / 25
    sampler = RelatedFrames()
    assert sampler.places(times) == 25
    assert sampler.related(times, 0).tolist() == [0, 25, 50, 75]
    assert sampler.related(times, 24).tolist() == [24, 49, 74, 99]
    # With 76 frames only the first start fits; a shorter video has its set evenly over it.
    assert sampler.places(times[:76]) == 1
    assert sampler.places(times[:75]) == 1
    assert sampler.related(times[:76], 0).tolist() == [0, 25, 50, 75]
    assert sampler.related(times[:40], 0).tolist() == [0, 13, 26, 39]
    assert sampler.related(times[:5], 0).tolist() == [0, 1, 3, 4]
    assert sampler.related(times[:4], 0).tolist() == [0, 1, 2, 3]


def test_sets_of_an_uneven_rate():
    # A minute without a frame, then two seconds of 25 frames each.
    times = np.concatenate([[0], 60 + np.arange(50) / 25])
    sampler = RelatedFrames(set_size=3, distance=1)
    assert sampler.places(times) == 1
    assert sampler.related(times, 0).tolist() == [0, 1, 2], "places without a frame move on, and no frame comes twice"
    assert RelatedFrames(set_size=3, distance=0.8).related(times, 1).tolist() == [1, 21, 41]
    assert RelatedFrames(set_size=3, distance=0.001).related(times, 48).tolist() == [48, 49, 50]
    assert RelatedFrames(set_size=3, distance=0.001).places(times) == 49
    assert RelatedFrames(set_size=3).related(np.zeros(3), 0).tolist() == [0, 1, 2]


@pytest.mark.parametrize(("frames", "candidates"), [(4, 1), (4, 2), (None, 1), (None, 3)])
def test_law_of_the_original(frames, candidates):
    """A uniform query, an ordered draw without replacement beside it: 4 named frames are the whole set either way."""
    times = np.arange(4) / 25
    sampler = RelatedFrames(frames, candidates=candidates)
    drawn = [tuple(sampler(times, Rng(seed).shared())[:, 0].tolist()) for seed in range(6000)]
    outcomes = [(q, *rest) for q in range(4) for rest in permutations(range(4), candidates)]
    assert chi_square(drawn, outcomes) < limit(len(outcomes))
    itself = np.mean([query in rest for query, *rest in drawn])
    assert abs(itself - candidates / 4) < 5 * 0.5 / np.sqrt(6000)


def test_law_without_the_query_and_of_the_place():
    sampler = RelatedFrames(set_size=3, distance=0.08, candidates=1, exclude_query=True)
    times = np.arange(7) / 25
    assert sampler.places(times) == 3
    drawn = [tuple(sampler(times, Rng(seed).shared())[:, 0].tolist()) for seed in range(6000)]
    sets = [(start, start + 2, start + 4) for start in range(3)]
    # Pairs that two sets have in common come twice as often.
    outcomes = [(q, c) for frames in sets for q, c in permutations(frames, 2)]
    assert chi_square(drawn, outcomes) < limit(len(set(outcomes)))


def chi_square(drawn, outcomes):
    """Of the draws against outcomes of equal weight, each as often as it is listed."""
    assert set(drawn) <= set(outcomes)
    kinds = sorted(set(outcomes))
    expected = np.array([outcomes.count(kind) for kind in kinds]) * len(drawn) / len(outcomes)
    counts = np.array([drawn.count(kind) for kind in kinds])
    return float(((counts - expected) ** 2 / expected).sum())


def limit(kinds):
    """Five standard deviations above the mean of a chi-square of so many kinds."""
    return kinds - 1 + 5 * np.sqrt(2 * (kinds - 1))


def test_all_pairs_by_enumeration():
    """`numbers` is the set, indexed: over all draws a candidate is the query with probability candidates / frames."""
    times = np.arange(90) / 30
    plain = RelatedFrames(set_size=4, distance=0.5, candidates=2)
    without = RelatedFrames(set_size=4, distance=0.5, candidates=2, exclude_query=True)
    assert plain.related(times, 7).tolist() == [7, 22, 37, 52]
    pairs = [(query, rest) for query in range(4) for rest in permutations(range(4), 2)]
    found = [plain.numbers(times, 7, query, rest)[:, 0].tolist() for query, rest in pairs]
    assert found == [[7 + 15 * place for place in (query, *rest)] for query, rest in pairs]
    assert sum(query in rest for query, *rest in found) * 2 == len(found)
    others = [tuple(without.numbers(times, 7, q, rest)[:, 0]) for q in range(4) for rest in permutations(range(3), 2)]
    assert len(set(others)) == len(others) == 24
    assert all(len(set(numbers)) == 3 for numbers in others)


def test_least_frames():
    assert RelatedFrames().min_frames == 4
    assert RelatedFrames(set_size=2).min_frames == 2
    assert RelatedFrames(set_size=None).min_frames == 1
    assert RelatedFrames(set_size=None, candidates=3, exclude_query=True).min_frames == 4


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"set_size": 0}, "set_size must be at least 1"),
        ({"candidates": 0}, "candidates must be at least 1"),
        ({"distance": 0}, "distance above 0 seconds, not 0"),
        ({"distance": float("nan")}, "distance above 0 seconds"),
        ({"distance": float("inf")}, "distance above 0 seconds"),
        ({"set_size": 2, "candidates": 3}, "need a set of 3 frames, and set_size is 2"),
        ({"candidates": 4, "exclude_query": True}, "beside the query need a set of 5 frames"),
    ],
)
def test_refusals(wrong, said):
    with pytest.raises(UserError, match=said):
        RelatedFrames(**wrong)


def test_description():
    sampler = RelatedFrames(5, 0.5, 2, True)
    assert vars(build(describe(sampler))) == vars(sampler)
