"""Losses of score tables, held against their formulas written out with loops."""

import math

import pytest
import torch

from praxino.losses.nce import info_nce, nce_constant, nce_rows, softmax_rows


def table(rows=4, candidates=7):
    return torch.randn(rows, candidates, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_the_softmax_form():
    scores = table()
    want = [-math.log(math.exp(row[0] / 0.5) / sum(math.exp(s / 0.5) for s in row)) for row in scores.tolist()]
    assert softmax_rows(scores, 0.5).tolist() == pytest.approx(want)


def test_the_nce_form():
    scores, videos, constant = table(), 30, 11.0
    noise = 6 / videos
    want = []
    for row in scores.tolist():
        likely = [math.exp(s / 0.5) / constant for s in row]
        loss = -math.log(likely[0] / (likely[0] + noise + 1e-7))
        want.append(loss - sum(math.log(noise / (o + noise + 1e-7)) for o in likely[1:]))
    assert nce_rows(scores, 0.5, torch.tensor(constant), videos).tolist() == pytest.approx(want)


def test_the_constant_is_of_the_whole_table_and_has_no_gradient():
    scores = table().requires_grad_()
    constant = nce_constant(scores, 0.5, 30)
    want = sum(math.exp(s / 0.5) for row in scores.tolist() for s in row) / scores.numel() * 30
    assert float(constant) == pytest.approx(want)
    assert not constant.requires_grad


def test_a_batch_of_one_is_no_special_case():
    assert softmax_rows(table(1), 0.07).shape == (1,)
    assert nce_rows(table(1), 0.5, torch.tensor(3.0), 9).shape == (1,)


@pytest.mark.parametrize("more", [None, 3])
def test_within_the_batch(more):
    queries, keys = table(4, 6), table(4, 6).flip(0) + 1
    negatives = None if more is None else table(more, 6) - 2
    candidates = keys if negatives is None else torch.cat([keys, negatives])
    want = 0.0
    for k, query in enumerate(queries):
        cosines = [float(query @ key / query.norm() / key.norm()) / 0.2 for key in candidates]
        want += math.log(sum(map(math.exp, cosines))) - cosines[k]
    assert float(info_nce(queries, keys, 0.2, negatives)) == pytest.approx(want / 4)


def test_half_precision_is_raised():
    assert softmax_rows(table().half(), 0.07).dtype == torch.float32
