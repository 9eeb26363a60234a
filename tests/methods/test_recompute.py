"""What is made again in the backward pass changes no number, and is not kept before."""

import copy
import weakref
from contextlib import nullcontext

import pytest
import torch
from test_tclr import Timed, batch_of, tclr
from torch import nn

from praxino.clips.sparse_dense import SparseDense
from praxino.methods.parts.recompute import buffers_kept, recomputed
from praxino.rng import Rng


def step(method, batch, bf16=False):
    """Loss, gradients and buffers of a step, and how many bytes it holds for its backward."""
    torch.manual_seed(5)  # dropout
    held = {}

    def hold(tensor):
        held[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    method.train()
    counted = torch.autograd.graph.saved_tensors_hooks(hold, lambda tensor: tensor)
    with counted, torch.autocast("cpu", torch.bfloat16) if bf16 else nullcontext():
        losses = method(batch, Rng(0))
    for parameter in method.parameters():
        held.pop(parameter.untyped_storage().data_ptr(), None)
    before = copy.deepcopy(dict(method.named_buffers()))
    losses.total.backward()
    after = dict(method.named_buffers())
    assert all(torch.equal(after[name], before[name]) for name in before), "the backward pass leaves buffers alone"
    gradients = {name: p.grad for name, p in method.named_parameters()}
    return {"loss": losses.total.detach()} | losses.terms | gradients | before, sum(held.values())


@pytest.mark.parametrize("bf16", [False, True], ids=["fp32", "bf16"])
def test_lean_is_plain(bf16):
    """With one to all ten of the clips' versions kept: bit by bit the numbers of the plain step."""
    batch = batch_of(2, SparseDense(8, 4))
    plain, plain_bytes = step(tclr(dropout=0.3), batch, bf16)
    held = []
    for kept in range(1, 11):
        lean, lean_bytes = step(tclr(dropout=0.3, lean=True, kept_clips=kept), batch, bf16)
        assert lean.keys() == plain.keys()
        for name, value in plain.items():
            assert torch.equal(lean[name], value), (kept, name)
        held.append(lean_bytes)
    assert held == sorted(held)
    assert held[-1] == plain_bytes
    assert held[0] < plain_bytes / 8  # of ten, one is kept


def test_floats_are_not_held():
    """Neither the clips' floats nor their feature maps outlive a lean forward, but for the last one's."""
    method, batch = tclr(lean=True).train(), batch_of()
    alive = []
    method.backbone.register_forward_hook(lambda _, given, made: alive.extend(map(weakref.ref, (given[0], made))))
    losses = method(batch, Rng(0))
    assert [one() is None for one in alive[:-2]] == [True] * 10
    assert losses.total.requires_grad


def test_buffers_are_swapped_and_put_back():
    network = Timed()
    before = dict(network.named_buffers())

    def broken():
        with buffers_kept(network):
            assert all(network.get_buffer(name) is not buffer for name, buffer in before.items())
            network(torch.rand(2, 3, 4, 5, 5))
            raise RuntimeError("on the way")

    with pytest.raises(RuntimeError, match="on the way"):
        broken()
    assert all(network.get_buffer(name) is buffer for name, buffer in before.items())
    assert int(network.layers[1].num_batches_tracked) == 0


def test_without_gradient_and_for_several_values():
    linear = nn.Linear(3, 2)
    x = torch.rand(4, 3)
    first, second = recomputed(lambda: (linear(x), linear(2 * x)), linear)
    (first.sum() + second.sum()).backward()
    again = copy.deepcopy(linear)
    again.zero_grad()
    (again(x).sum() + again(2 * x).sum()).backward()
    assert torch.equal(linear.weight.grad, again.weight.grad)
    with torch.no_grad():
        assert torch.equal(recomputed(lambda: linear(x), linear), linear(x))
