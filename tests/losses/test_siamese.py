"""Correlation, labels and losses of the tracker, against loops that read like the text."""

import math

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings

from praxino.losses import balanced, correlate, focal, label_map


def drawn(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


sides = st.integers(1, 4)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 99), st.integers(1, 3), st.booleans(), sides, sides, st.integers(0, 3), st.integers(0, 3))
def test_correlation_is_a_sum_of_products(seed, pairs, alone, height, width, more_rows, more_columns):
    exemplar = drawn(seed, 1 if alone else pairs, 3, height, width)
    search = drawn(seed + 1, pairs, 3, height + more_rows, width + more_columns)
    found = correlate(exemplar, search)
    assert found.shape == (pairs, 1, more_rows + 1, more_columns + 1)
    for pair in range(pairs):
        for row in range(more_rows + 1):
            for column in range(more_columns + 1):
                piece = search[pair, :, row : row + height, column : column + width]
                expected = (exemplar[0 if alone else pair].double() * piece.double()).sum()
                # 48 products of float32 at most.
                assert found[pair, 0, row, column].item() == pytest.approx(expected.item(), abs=1e-4)


@pytest.mark.parametrize("shape", [(2, 3, 2, 2), (1, 4, 2, 2), (1, 3, 6, 2), (1, 3, 2, 6)])
def test_maps_that_do_not_go_together_are_refused(shape):
    with pytest.raises(ValueError, match="does not go over"):
        correlate(torch.zeros(shape), torch.zeros(3, 3, 5, 5))


@settings(deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from([4, 8, 16]), st.integers(0, 40), st.integers(0, 60))
def test_labels_are_a_diamond(height, width, stride, positive, neutral):
    found = label_map(height, width, stride, positive, neutral)
    for row in range(height):
        for column in range(width):
            pixels = stride * (abs(row - (height - 1) / 2) + abs(column - (width - 1) / 2))
            expected = 1 if pixels <= positive else 0.5 if pixels < neutral else 0
            assert found[row, column] == expected


def test_published_labels_have_twelve_and_thirteen_positives():
    assert (label_map(16, 16).sum(), label_map(17, 17).sum()) == (12, 13)


def slow_focal(response, labels, gamma):
    losses, weights = [], []
    for r, t in zip(response.flatten().tolist(), labels.flatten().tolist(), strict=True):
        p = 1 / (1 + math.exp(-r))
        losses.append(-t * (1 - p) ** gamma * math.log(p) - (1 - t) * p**gamma * math.log(1 - p))
        weights.append(t * (1 - p) ** gamma + (1 - t) * p**gamma)
    return sum(losses) / sum(weights)


def slow_balanced(response, labels, negative_weight):
    losses = {0: [], 1: []}
    for r, t in zip(response.flatten().tolist(), labels.flatten().tolist(), strict=True):
        if t in losses:
            losses[t].append(math.log(1 + math.exp(-r if t else r)))
    weights = {1: 1.0 if losses[1] else 0.0, 0: negative_weight if losses[0] else 0.0}
    means = {t: sum(one) / len(one) for t, one in losses.items() if one}
    return sum(weights[t] * mean for t, mean in means.items()) / sum(weights.values())


@settings(deadline=None)
@given(st.integers(0, 99), st.integers(1, 5), st.integers(1, 5), st.sampled_from([0.0, 1.0, 2.0, 3.5]))
def test_losses_are_those_of_loops(seed, height, width, gamma):
    response = 3 * drawn(seed, 2, 1, height, width)
    labels = label_map(height, width, positive=8, neutral=20)
    both = labels.expand(2, 1, -1, -1)
    # float32 against float64.
    assert focal(response, labels, gamma).item() == pytest.approx(slow_focal(response, both, gamma), rel=1e-4)
    for weight in (1.0, 0.3):
        expected = slow_balanced(response, both, weight)
        assert balanced(response, labels, weight).item() == pytest.approx(expected, rel=1e-4)


def test_huge_responses_have_finite_losses_and_gradients():
    for loss in (focal, balanced):
        response = torch.tensor([[200.0, -200.0, 0.0]], requires_grad=True)
        loss(response, torch.tensor([[1.0, 1.0, 0.0]])).backward()
        assert torch.isfinite(response.grad).all()


def test_they_run_in_full_precision():
    assert all(one.full_precision for one in (correlate, focal, balanced))
    response = torch.full((1, 1, 2, 2), 3.0, dtype=torch.bfloat16)
    assert focal(response, torch.ones(2, 2)).dtype == torch.float32
