"""MoCo's table of similarities and CycleContrast's soft neighbours, against loops that read like the text."""

import math

import hypothesis.strategies as st
import torch
import torch.nn.functional as F
from hypothesis import given, settings

from praxino.losses import positive_first, soft_neighbours
from praxino.losses.nce import softmax_rows


def rows(seed, *shape):
    return F.normalize(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)), dim=-1)


def slow_neighbour(query, support, temperature, key=None):
    """One query: the weighted mean of the support's rows, in float64."""
    vectors = [row.double() for row in support]
    similar = [float(query.double() @ row) for row in vectors]
    if key is not None:
        vectors.append(query.double())
        similar.append(float(query.double() @ key.double()))
    weights = [math.exp(one / temperature) for one in similar]
    mean = sum(weight * row for weight, row in zip(weights, vectors, strict=True)) / sum(weights)
    return mean / mean.norm()


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000), st.integers(1, 5), st.integers(1, 9), st.sampled_from([0.07, 0.3, 1.0]), st.booleans())
def test_soft_neighbours_are_those_of_a_loop(seed, queries, support, temperature, with_query):
    query, others, keys = rows(seed, queries, 6), rows(seed + 1, support, 6), rows(seed + 2, queries, 6)
    found = soft_neighbours(query, others, temperature, keys if with_query else None)
    for number in range(queries):
        own = keys[number] if with_query else None
        expected = slow_neighbour(query[number], others, temperature, own)
        # float32: weights of 1e6 to 1 are rounded at 6e-8 of the greatest one, and a mean near 0 is made longer.
        assert torch.allclose(found[number].double(), expected, atol=2e-4)


def test_rows_left_out_are_as_if_they_were_not_there():
    query, support, keys = rows(0, 3, 8), rows(1, 10, 8), rows(2, 3, 8)
    left_out = torch.zeros(3, 10, dtype=torch.bool)
    left_out[0, 2:] = left_out[1, :3] = True
    for own in (None, keys):
        found = soft_neighbours(query, support, 0.1, own, left_out)
        for number in range(3):
            there = support[~left_out[number]]
            one = soft_neighbours(query[number : number + 1], there, 0.1, None if own is None else own[[number]])
            torch.testing.assert_close(found[number], one[0], rtol=0, atol=1e-6)
    losses = softmax_rows(positive_first(query, keys, support, left_out), 0.1)
    for number in range(3):
        table = positive_first(query[[number]], keys[[number]], support[~left_out[number]])
        torch.testing.assert_close(losses[number], softmax_rows(table, 0.1)[0])


def test_where_nothing_is_left_the_loss_is_zero_and_the_gradient_a_number():
    query, support = rows(0, 2, 4).requires_grad_(), rows(1, 3, 4)
    left_out = torch.ones(2, 3, dtype=torch.bool)
    neighbours = soft_neighbours(query, support, 0.07, None, left_out)
    loss = softmax_rows(positive_first(query, neighbours, support, left_out), 0.07).sum()
    loss.backward()
    assert loss.item() == 0
    assert query.grad.isfinite().all()


def test_gradient_reaches_the_query_through_the_weights_alone():
    """And through the vector, where the query is one of its support."""
    query, support, key = rows(0, 1, 4).double(), rows(1, 6, 4).double(), rows(2, 1, 4).double()
    for own in (None, key):
        assert torch.autograd.gradcheck(
            lambda q, own=own: slow_neighbour_differentiable(q, support, own), (query.clone().requires_grad_(),)
        )
        mine = query.float().requires_grad_()
        soft_neighbours(mine, support.float(), 0.2, None if own is None else own.float())[0, 0].backward()
        slow = query.clone().requires_grad_()
        slow_neighbour_differentiable(slow, support, own)[0].backward()
        torch.testing.assert_close(mine.grad.double(), slow.grad, atol=1e-5, rtol=1e-4)


def slow_neighbour_differentiable(query, support, key):
    vectors = support if key is None else torch.cat([support, query])
    similar = query[0] @ support.T
    if key is not None:
        similar = torch.cat([similar, query[0] @ key.T])
    weights = torch.exp(similar / 0.2)
    mean = (weights[:, None] * vectors).sum(0) / weights.sum()
    return mean / mean.norm()
