"""Shuffling BatchNorm: what each process encodes and gets back, and the leak that it stops."""

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from torch import nn

from praxino.backbones.base import Backbone
from praxino.methods.moco import MoCo
from praxino.methods.parts.momentum import in_parts, share_of, shuffled, unshuffled
from praxino.rng import Rng
from praxino.views.pipeline import View


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 6), st.integers(1, 5), st.integers(0, 1000))
def test_every_process_gets_its_own_rows_back(rows, world, seed):
    order = torch.from_numpy(Rng(seed).shared().permutation(rows * world))
    everyone = torch.arange(rows * world)
    encoded = torch.cat([everyone[share_of(order, rank, world)] for rank in range(world)])
    assert torch.equal(encoded.sort().values, everyone)
    back = order.argsort()
    for rank in range(world):
        assert torch.equal(encoded[share_of(back, rank, world)], everyone[rank * rows : (rank + 1) * rows])


def test_on_one_process_it_is_a_permutation_and_its_inverse():
    x, order = torch.randn(5, 2), torch.tensor([3, 0, 4, 1, 2])
    assert torch.equal(shuffled(x, order), x[order])
    assert torch.equal(unshuffled(shuffled(x, order), order), x)


@pytest.mark.parametrize(("rows", "parts", "sizes"), [(8, 4, [2] * 4), (7, 3, [3, 2, 2]), (3, 4, [3]), (1, 2, [1])])
def test_no_part_of_a_batch_holds_a_single_row(rows, parts, sizes):
    seen = []
    x = torch.randn(rows, 3)
    assert torch.equal(in_parts(lambda part: seen.append(len(part)) or part, x, parts), x)
    assert seen == sizes


class Signature(Backbone):
    """Sees nothing of a clip but the mean of those that are normalised with it: what BatchNorm tells of a batch."""

    def __init__(self) -> None:
        super().__init__()
        self.dim = 64
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return x.mean(0, keepdim=True).expand_as(x)


def found_by_statistics(parts: int, mixed: bool = True) -> float:
    """How often a key is found, by a network that sees its batch's statistics alone, among keys of other batches."""
    generator = torch.Generator().manual_seed(0)
    method = MoCo(Signature(), View([]), "linear", dim=64, queue_rows=512, temperature=0.01, batchnorm_parts=parts)
    for head in (method.head, method.key_head):
        nn.init.eye_(head.weight)
        nn.init.zeros_(head.bias)
    hits = []
    for step in range(8):
        videos = torch.randn(256, 64, 1, 1, 1, generator=generator)  # two views of one are the same
        order = torch.randperm(256, generator=generator) if mixed else torch.arange(256)
        losses = method.objective({"query": videos, "key": videos}, order=order, index=256 * step + torch.arange(256))
        method.after_step(losses.kept)
        hits.append(losses.terms["accuracy"])
    return float(torch.stack(hits[2:]).mean())


def test_keys_are_not_told_by_the_statistics_that_they_share_with_their_queries():
    """In one part a query and its key have the same mean, which no key in the queue has: all are found, and so they are
    in parts that are not mixed. In 16 mixed parts of 16 a key's part shares two videos of 16 with its query's."""
    assert found_by_statistics(1) == 1
    assert found_by_statistics(16, mixed=False) == 1
    assert found_by_statistics(16) < 0.25


def test_a_line_says_where_the_leak_is_not_stopped():
    assert "batchnorm_parts 1" in MoCo(Signature(), View([]), batchnorm_parts=1).advice(100)
    assert MoCo(Signature(), View([])).advice(100) is None
