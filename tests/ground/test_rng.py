"""Counted randomness."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from praxino.rng import Rng


def draw(generator, rows):
    return generator.random((rows, 3))


@given(st.integers(0, 2**63), st.lists(st.one_of(st.text(max_size=5), st.integers()), max_size=4))
def test_a_key_always_draws_the_same(seed, words):
    assert np.array_equal(Rng(seed).child(*words).shared().random(4), Rng(seed, *words).shared().random(4))


def test_keys_differ():
    keys = [Rng(1), Rng(2), Rng(1, "a"), Rng(1, "b"), Rng(1, "a", 0), Rng(1, "a", "0"), Rng(1, "a0"), Rng(10)]
    assert len({key.shared().random() for key in keys}) == len(keys)


@given(st.integers(1, 5), st.integers(1, 4))
def test_rows_do_not_depend_on_the_number_of_ranks(rows, ranks):
    alone = Rng(3, "x").rows(rows * ranks, draw)
    together = torch.cat([Rng(3, "x", rank=r, ranks=ranks).rows(rows, draw) for r in range(ranks)])
    assert torch.equal(alone, together)


def test_children_keep_the_rank():
    child = Rng(0, rank=1, ranks=2).child("a")
    assert (child.rank, child.ranks) == (1, 2)


def test_uniform():
    """A mean of 20,000 uniform numbers is within 5 standard errors of a half."""
    assert abs(Rng(0, "mean").shared().random(20_000).mean() - 0.5) < 5 / np.sqrt(12 * 20_000)
