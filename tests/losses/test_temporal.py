"""TCLR's losses against their definitions, written as loops."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from praxino.losses.contrastive import nt_xent, nt_xent_rows
from praxino.losses.temporal import global_local, instance_pairs, local_local


def unit(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(*shape, generator=generator, dtype=torch.float64), dim=-1)


def cross_entropy(scores, right):
    return -scores[right] + math.log(sum(math.exp(s) for s in scores))


SIZES = {"videos": st.integers(1, 5), "times": st.integers(1, 5), "seed": st.integers(0, 99)}


@settings(max_examples=25, deadline=None)
@given(**SIZES, sets=st.integers(2, 5))
def test_instance_pairs_are_nt_xent_of_every_two_sets(videos, times, seed, sets):
    z = unit(sets, videos, 4, seed=seed).requires_grad_()
    want = sum(nt_xent(z[i], z[j], 0.3) for i in range(sets) for j in range(i))
    ours = instance_pairs(z, 0.3)
    assert torch.allclose(ours, want, atol=1e-12)
    gradient, reference = (torch.autograd.grad(value, z)[0] for value in (ours, want))
    # nt_xent scales to unit length itself, which takes the part along the embedding off its gradient.
    gradient = gradient - (gradient * z).sum(-1, keepdim=True) * z
    assert torch.allclose(gradient, reference, atol=1e-10)


@settings(max_examples=25, deadline=None)
@given(**SIZES)
def test_local_local_is_summed_over_the_videos(videos, times, seed):
    dense = unit(videos, 2, times, 4, seed=seed)
    want = sum(nt_xent(one[0], one[1], 0.2) for one in dense)
    assert torch.allclose(local_local(dense, 0.2), want)
    assert torch.allclose(local_local(dense.flip(1), 0.2), want)


@settings(max_examples=25, deadline=None)
@given(**SIZES)
def test_global_local_goes_both_ways(videos, times, seed):
    positions, dense = unit(videos, 2, times, 4, seed=seed), unit(videos, 2, times, 4, seed=seed + 100)
    parts = global_local(positions, dense, 0.2)
    for v in range(2):
        for w in range(2):
            want = 0.0
            for b in range(videos):
                table = (positions[b, v] @ dense[b, w].T / 0.2).tolist()
                for t in range(times):
                    want += cross_entropy(table[t], t) + cross_entropy([row[t] for row in table], t)
            assert float(parts[v, w]) == pytest.approx(want / (2 * videos))


def test_chance_is_log_of_the_alternatives():
    """As the specification counts it for a batch of 40: every similarity the same."""
    same = torch.ones(40, 2, 4, 1)
    assert nt_xent_rows(same[:, 0, 0], same[:, 1, 0], 0.1).mean().item() == pytest.approx(math.log(79))
    assert instance_pairs(torch.ones(8, 40, 1), 0.1).item() / 2 == pytest.approx(14 * math.log(79), rel=1e-6)
    assert local_local(same, 0.1).item() == pytest.approx(40 * math.log(7))
    assert global_local(same, same, 0.1).sum().item() == pytest.approx(16 * math.log(4))


def test_rows_take_inner_products_as_they_are():
    first, second = torch.randn(2, 3, 5, 4)
    rows = nt_xent_rows(first, second, 0.7)
    assert rows.shape == (3, 10)
    assert torch.allclose(nt_xent_rows(2 * first, 2 * second, 2.8), rows, atol=1e-6)
    assert not torch.allclose(nt_xent_rows(2 * first, 2 * second, 0.7), rows)
    assert nt_xent_rows(first[:, :1], second[:, :1], 0.1).abs().max() == 0


def test_one_video_gives_no_instance_loss_and_a_gradient_of_nothing():
    sets = unit(4, 1, 3).requires_grad_()
    loss = instance_pairs(sets, 0.1)
    loss.backward()
    assert loss.item() == 0
    assert sets.grad.abs().max() < 1e-12


def test_half_precision_is_raised():
    dense = unit(3, 2, 4, 8).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        values = [instance_pairs(dense[:, 0], 0.1), local_local(dense, 0.1), global_local(dense, dense, 0.1)]
    assert {value.dtype for value in values} == {torch.float32}
