"""The ways to compute a convolution, which of them a layer gets, and that nothing else changes."""

import copy
import shutil

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from praxino.backbones.base import Backbone
from praxino.training import convolutions
from praxino.training.convolution_check import Verdict
from praxino.training.convolution_ways import chosen
from praxino.training.convolutions import Convolution, computed_as, convolutions_seen, with_time_padded


def bf16():
    return torch.autocast("cpu", torch.bfloat16)


def gradients(forward, layer, x):
    x = x.clone().requires_grad_()
    layer.zero_grad()
    made = forward(x)
    made.sin().sum().backward()
    return [made.detach(), x.grad, *(parameter.grad for parameter in layer.parameters())]


@settings(max_examples=40, deadline=None)
@given(
    frames=st.integers(1, 5), kernel=st.integers(1, 3), stride=st.integers(1, 2), dilation=st.integers(1, 2),
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 2)), groups=st.sampled_from([1, 2]),
    bias=st.booleans(),
)  # fmt: skip
def test_padded_by_hand_is_plain(frames, kernel, stride, dilation, padding, groups, bias):
    """In float64, which autocast leaves alone: nothing but roundings lies between the two."""
    if frames + 2 * padding[0] < dilation * (kernel - 1) + 1:
        return
    torch.manual_seed(0)
    layer = nn.Conv3d(4, 6, (kernel, 3, 3), stride, padding, (dilation, 1, 1), groups, bias).double()
    x = torch.randn(2, 4, frames, 5, 6, dtype=torch.float64)
    with bf16():
        by_hand = gradients(lambda x: with_time_padded(layer, x), layer, x)
        plain = gradients(layer, layer, x)
    for one, other in zip(by_hand, plain, strict=True):
        assert torch.allclose(one, other, rtol=1e-12, atol=1e-12)


def two_layers():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv3d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv3d(4, 2, 3, padding=1))


def test_in_fp32_is_fp32_rounded():
    net, x = two_layers(), torch.randn(2, 3, 4, 8, 8)
    exact = gradients(net[0], net[0], x)[0]
    with computed_as(net, {"0": "fp32"}), bf16():
        made = net[0](x)
        assert made.dtype == torch.bfloat16
        assert torch.equal(made, exact.bfloat16())
        got = gradients(lambda x: net[0](x).float(), net[0], x)
    # The same by hand: the gradient comes in as it leaves the rounding, and all else is fp32.
    x = x.requires_grad_()
    net.zero_grad()
    net[0](x).bfloat16().float().sin().sum().backward()
    for one, other in zip(got[1:], [x.grad, net[0].weight.grad, net[0].bias.grad], strict=True):
        assert torch.allclose(one, other, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("way", ["padded", "fp32"])
def test_outside_of_autocast_nothing_changes(way):
    net, x = two_layers(), torch.randn(2, 3, 4, 8, 8)
    before = net(x)
    names = list(net.state_dict())
    with computed_as(net, {"0": way, "2": "plain"}):
        assert torch.equal(net(x), before)
        assert list(net.state_dict()) == names
        with torch.autocast("cpu", enabled=False):
            assert torch.equal(net(x), before)
    assert "forward" not in vars(net[0])


@pytest.mark.parametrize("way", ["padded", "fp32"])
def test_a_copy_computes_with_its_own_weights(way):
    net, x = two_layers(), torch.randn(2, 3, 4, 8, 8)
    with computed_as(net, {"0": way}):
        other = copy.deepcopy(net)
        nn.init.zeros_(other[0].weight)
        nn.init.zeros_(other[0].bias)
        with bf16():
            assert not other[0](x).any()
            assert net[0](x).any()


def test_what_is_seen_is_what_comes_in():
    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Conv3d(3, 8, (3, 7, 7), stride=(1, 2, 2), padding=(1, 3, 3), bias=False)
            self.again = nn.Conv3d(8, 8, 3, padding="same")
            self.head = nn.Conv1d(8, 2, 1)

        def forward(self, x):
            x = self.again(input=self.again(self.stem(x)))
            with torch.autocast("cpu", enabled=False):
                self.head(x.float().mean((3, 4)))
            self.again(x[:, :, ::2])

    net = Network()
    with convolutions_seen(net, rows=6, tried=2) as seen, bf16():
        net(torch.zeros(4, 3, 4, 16, 16))
    settings = dict(next(iter(seen["stem"])).settings)
    assert settings == {
        "in_channels": 3, "out_channels": 8, "kernel_size": (3, 7, 7), "stride": (1, 2, 2), "padding": (1, 3, 3),
        "dilation": (1, 1, 1), "groups": 1, "bias": False, "padding_mode": "zeros",
    }  # fmt: skip
    assert [one.shape for one in seen["stem"]] == [(12, 3, 4, 16, 16)]
    assert sorted(one.shape for one in seen["again"]) == [(12, 8, 2, 8, 8), (12, 8, 4, 8, 8)]
    assert seen.keys() == {"stem", "again"}  # what runs in fp32 is not in question
    assert not any(one.channels_last for given in seen.values() for one in given)
    assert all(Convolution.from_plain(one.plain()) == one for given in seen.values() for one in given)
    assert not any(part._forward_hooks for part in net.modules())
    with convolutions_seen(net, rows=6, tried=2) as seen:
        net(torch.zeros(4, 3, 4, 16, 16))
    assert not seen


def test_the_order_of_memory_is_seen():
    net = two_layers().to(memory_format=torch.channels_last_3d)
    with convolutions_seen(net, 2, 2) as seen, bf16():
        net(torch.zeros(2, 3, 4, 8, 8).contiguous(memory_format=torch.channels_last_3d))
    assert all(one.channels_last for given in seen.values() for one in given)


@pytest.mark.parametrize("most, rows", [(10**9, 32), (9 * 20_736, 9), (20_736, 2), (1, 2)])
def test_a_large_layer_is_seen_with_fewer_rows(monkeypatch, most, rows):
    """3 to 4 channels, 3x3x3, four frames of 4x4: 324 * 64 = 20,736 products a row."""
    monkeypatch.setattr(convolutions, "LARGEST_ON_CPU", most)
    layer = nn.Conv3d(3, 4, 3, padding=1)
    with convolutions_seen(layer, 32, 2) as seen, bf16():
        layer(torch.zeros(2, 3, 4, 4, 4))
    assert [one.shape for one in seen[""]] == [(rows, 3, 4, 4, 4)]


SETTLED = Convolution.of(nn.Conv3d(4, 4, 3, padding=1), (2, 4, 2, 7, 7), False)
LONGER = Convolution.of(nn.Conv3d(4, 4, 3, padding=1), (2, 4, 4, 7, 7), False)
POINTWISE = Convolution.of(nn.Conv3d(4, 4, 1), (2, 4, 2, 7, 7), False)
SAME = Convolution.of(nn.Conv3d(4, 4, 3, padding="same"), (2, 4, 2, 7, 7), False)
CIRCULAR = Convolution.of(nn.Conv3d(4, 4, 3, padding=1, padding_mode="circular"), (2, 4, 2, 7, 7), False)
FLAT = Convolution.of(nn.Conv2d(4, 4, 3, padding=1), (2, 4, 7, 7), False)


def asking(*wrong):
    return lambda questions: {question: Verdict(question not in wrong) for question in questions}


@pytest.mark.parametrize(
    "given, wrong, before, way",
    [
        ([SETTLED], [], None, "plain"),
        ([SETTLED], [(SETTLED, "plain")], None, "padded"),
        ([SETTLED], [(SETTLED, "plain"), (SETTLED, "padded")], None, "fp32"),
        ([SETTLED, LONGER], [(LONGER, "plain")], None, "padded"),
        ([SETTLED, LONGER], [(LONGER, "plain"), (SETTLED, "padded")], None, "fp32"),
        ([POINTWISE], [(POINTWISE, "plain")], None, "fp32"),
        ([SAME], [(SAME, "plain")], None, "fp32"),
        ([CIRCULAR], [(CIRCULAR, "plain")], None, "fp32"),
        ([FLAT], [(FLAT, "plain")], None, "fp32"),
        ([SETTLED], [], "padded", "padded"),
        ([SETTLED], [], "fp32", "fp32"),
        ([SETTLED], [(SETTLED, "padded")], "padded", "plain"),
        ([SETTLED], [(SETTLED, "plain")], "plain", "padded"),
        ([SETTLED], [(SETTLED, "plain"), (SETTLED, "padded")], "padded", "fp32"),
    ],
)
def test_the_first_way_that_is_right_is_taken(given, wrong, before, way):
    ways = chosen({"layer": given, "other": [POINTWISE]}, asking(*wrong), before and {"layer": before})
    assert ways.get("layer", "plain") == way
    assert (ways.get("other", "plain") == "plain") or (POINTWISE, "plain") in wrong


def test_what_gives_no_answer_is_not_asked_in_another_way():
    asked = []

    def ask(questions):
        asked.extend(questions)
        return {question: Verdict(False, late=True) for question in questions}

    assert chosen({"layer": [SETTLED]}, ask) == {"layer": "fp32"}
    assert asked == [(SETTLED, "plain")]


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("g++"), reason="compiling needs a C++ compiler")
def test_a_compiled_network_takes_the_ways_too():
    """Compiled with both ways, trained a step, and equal to the network as it is but for roundings of bf16."""

    class Network(Backbone):
        dim = 2

        def __init__(self):
            super().__init__()
            self.layers = two_layers()

        def forward(self, x):
            return self.layers(x)

    net, x = Network(), torch.randn(2, 3, 4, 8, 8)
    with computed_as(net, {"layers.0": "fp32", "layers.2": "padded"}), bf16():
        plain = gradients(lambda x: net(x).float(), net, x)
        net.compile()
        compiled = gradients(lambda x: net(x).float(), net, x)
        text = torch._dynamo.explain(net.layers)(x)
    assert text.graph_break_count == 0
    for one, other in zip(compiled, plain, strict=True):
        assert (one - other).norm() <= 0.02 * other.norm()
