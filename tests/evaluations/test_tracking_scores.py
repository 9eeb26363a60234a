"""Scores of object tracking: against the field's toolkit, a slow plain count, and by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from praxino.evaluations.tracking.scores import (
    centre_error,
    got10k_over_all,
    got10k_scores,
    otb_over_all,
    otb_scores,
    overlap,
)

# Whole numbers meet a threshold exactly, where above and from are not the same.
whole = st.integers(-30, 60).map(float)
broken = st.floats(-200, 200)
sides = st.one_of(st.integers(0, 40).map(float), st.floats(0, 100))


def boxes():
    numbers = st.one_of(whole, broken)
    row = st.tuples(numbers, numbers, sides, sides)
    return (
        st.integers(2, 12)
        .flatmap(lambda n: st.tuples(*[st.lists(row, min_size=n, max_size=n)] * 2))
        .map(lambda pair: tuple(np.array(one, np.float64) for one in pair))
    )


def slow_overlap(one, other):
    left, top = max(one[0], other[0]), max(one[1], other[1])
    right, bottom = min(one[0] + one[2], other[0] + other[2]), min(one[1] + one[3], other[1] + other[3])
    shared = max(right - left, 0) * max(bottom - top, 0)
    return shared / (one[2] * one[3] + other[2] * other[3] - shared + np.finfo(float).eps)


@given(boxes())
def test_as_a_plain_count_has_it(pair):
    predicted, truth = pair
    scores = otb_scores(predicted, truth)
    found = [min(1.0, slow_overlap(truth[0], truth[0]))]
    found += [min(1.0, slow_overlap(one, other)) for one, other in zip(predicted[1:], truth[1:], strict=True)]
    apart = [0.0]
    apart += [
        math.dist(
            (one[0] + (one[2] - 1) / 2, one[1] + (one[3] - 1) / 2),
            (other[0] + (other[2] - 1) / 2, other[1] + (other[3] - 1) / 2),
        )
        for one, other in zip(predicted[1:], truth[1:], strict=True)
    ]
    near = [[share > t / 20 for share in found] for t in range(21)]
    # Where two ways of rounding stand on both sides of a threshold, either count is right.
    clear = [all(abs(share - t / 20) > 1e-12 or share == t / 20 for share in found) for t in range(21)]
    np.testing.assert_array_equal(scores.success[clear], np.mean(near, axis=1)[clear])
    clear = [all(abs(distance - d) > 1e-9 or distance == d for distance in apart) for d in range(51)]
    close = np.array([[distance <= d for distance in apart] for d in range(51)])
    np.testing.assert_array_equal(scores.precision[clear], close.mean(axis=1)[clear])


@settings(deadline=None)  # the first one imports matplotlib
@given(boxes())
def test_as_the_toolkit_has_it(pair):
    """To the last bit: where an overlap is just a threshold, or a distance a whole pixel, no other way counts alike."""
    metrics = pytest.importorskip("got10k.utils.metrics", reason="got10k is not installed")
    experiment = toolkit("ExperimentOTB", nbins_iou=21, nbins_ce=51)
    predicted, truth = pair
    begun = np.concatenate([truth[:1], predicted[1:]])
    theirs = experiment._calc_curves(metrics.rect_iou(begun, truth), metrics.center_error(begun, truth))
    ours = otb_scores(predicted, truth)
    np.testing.assert_array_equal(ours.success, theirs[0])
    np.testing.assert_array_equal(ours.precision, theirs[1])
    assert ours.auc == theirs[0].mean()


@settings(deadline=None)
@given(boxes(), st.integers(20, 50), st.integers(20, 50), st.data())
def test_got10k_as_the_toolkit_has_it(pair, height, width, data):
    metrics = pytest.importorskip("got10k.utils.metrics", reason="got10k is not installed")
    predicted, truth = pair
    cover = data.draw(arrays(np.int64, len(truth), elements=st.integers(0, 8)))
    ours = got10k_scores(predicted, truth, cover, height, width)
    shift = np.array([1, 1, 0, 0])
    found = metrics.rect_iou((predicted + shift)[1:], (truth + shift)[1:], bound=(width, height))[cover[1:] > 0]
    if not len(found):
        assert ours is None
        return
    average, rate, _, curve = toolkit("ExperimentGOT10k")._evaluate(found, np.ones(1))
    np.testing.assert_array_equal(ours.overlaps, found)
    assert (ours.average_overlap, ours.success_rate(0.5)) == (average, rate)
    np.testing.assert_array_equal(ours.success, curve)


def toolkit(name, **attributes):
    """An experiment of the toolkit without its data set."""
    experiments = pytest.importorskip("got10k.experiments", reason="got10k is not installed")
    experiment = object.__new__(getattr(experiments, name))
    vars(experiment).update(attributes)
    return experiment


def test_a_perfect_tracker_reaches_20_of_21():
    truth = np.array([[3, 4, 10, 20], [5, 4, 10, 20], [9, 9, 12, 20.0]])
    scores = otb_scores(truth, truth)
    assert scores.auc == pytest.approx(20 / 21)
    assert scores.success[-1] == 0
    assert scores.precision_at_20 == scores.success_rate == 1
    perfect = got10k_scores(truth, truth, None, 100, 100)
    assert perfect.average_overlap == pytest.approx(1)  # but for the toolkit's 2.2e-16 in the divisor
    assert perfect.success_rate(0.75) == 1


def test_thresholds_are_exceeded_and_reached():
    """Half of the second box is right: an overlap of 0.5 is no success at 0.5; 20 pixels apart are near at 20."""
    truth = np.array([[0, 0, 10, 10], [0, 0, 10, 20], [0, 0, 10, 10.0]])
    predicted = np.array([[0, 0, 10, 10], [0, 0, 10, 10], [0, 20, 10, 10.0]])
    scores = otb_scores(predicted, truth)
    assert scores.success[9:11].tolist() == pytest.approx([2 / 3, 1 / 3])
    assert scores.precision[19:21].tolist() == pytest.approx([2 / 3, 1])


def test_the_first_frame_counts_as_found_by_otb_and_not_at_all_by_got10k():
    truth = np.array([[0, 0, 10, 10], [0, 0, 10, 10.0]])
    nowhere = truth + np.array([500, 0, 0, 0])
    assert otb_scores(nowhere, truth).success_rate == 0.5
    assert len(got10k_scores(nowhere, truth, None, 1000, 1000).overlaps) == 1


def test_boxes_without_an_area_outside_and_of_no_numbers():
    plain = np.array([[0, 0, 10, 10.0]])
    for other in ([0, 0, 0, 0], [-50, -50, 10, 10], [math.nan] * 4, [math.inf] * 4, [5, 5, 0, 10]):
        assert overlap(np.array([other], float), plain).tolist() == [0]
    assert overlap(np.zeros((1, 4)), np.zeros((1, 4))).tolist() == [0]
    assert centre_error(np.array([[math.nan] * 4, [math.inf] * 4]), plain).tolist() == [math.inf] * 2
    lost = otb_scores(np.concatenate([plain, np.full((1, 4), math.nan)]), np.concatenate([plain, plain]))
    assert (lost.success_rate, lost.precision[-1]) == (0.5, 0.5)


def test_frames_without_a_true_box_do_not_count():
    truth = np.array([[0, 0, 10, 10], [math.nan] * 4, [0, 0, 10, 10.0], [0, 0, 10, 10]])
    predicted = np.array([[0, 0, 10, 10], [0, 0, 10, 10], [90, 90, 10, 10.0], [0, 0, 10, 10]])
    assert otb_scores(predicted, truth).success_rate == pytest.approx(2 / 3)
    assert got10k_scores(predicted, truth, None, 100, 100).success_rate(0.5) == 0.5
    assert got10k_scores(predicted, truth, np.array([8, 8, 8, 0]), 100, 100).success_rate(0.5) == 0
    assert otb_scores(predicted[1:2], truth[1:2]) is None
    assert got10k_scores(predicted[:2], truth[:2], None, 100, 100) is None


def test_over_all_sequences_count_alike_by_otb_and_frames_by_got10k():
    truth = np.tile([0, 0, 10, 10.0], (5, 1))
    nowhere = truth + np.array([50, 0, 0, 0])
    right, wrong = otb_scores(truth[:2], truth[:2]), otb_scores(nowhere, truth)
    assert otb_over_all([right, wrong]).success_rate == pytest.approx((1 + 0.2) / 2)
    right, wrong = (got10k_scores(one, truth[: len(one)], None, 99, 99) for one in (truth[:2], nowhere))
    assert got10k_over_all([right, wrong]).success_rate(0.5) == 0.2
