"""The convolutions of a network as it uses them, and the ways to compute one in half precision."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MethodType
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

Way = Literal["plain", "padded", "fp32"]
WAYS: tuple[Way, ...] = ("plain", "padded", "fp32")  # the first that is right is taken
LARGEST_ON_CPU = 2 * 10**10  # products of a forward; about two seconds of one core in fp32


@dataclass(frozen=True)
class Convolution:
    """A layer's settings and the input that it gets: by these a machine picks its kernels.

    Attributes:
        kind: its class in `torch.nn`.
        settings: that class's arguments, by name.
        shape: of the input: [rows, channels, ...].
        channels_last: whether its channels lie last in memory.
    """

    kind: str
    settings: tuple[tuple[str, Any], ...]
    shape: tuple[int, ...]
    channels_last: bool

    @classmethod
    def of(cls, layer: _ConvNd, shape: tuple[int, ...], channels_last: bool) -> Convolution:
        """What a layer is with such an input."""
        kind = next(one for one in type(layer).__mro__ if one.__module__ == "torch.nn.modules.conv")
        names = [name for name in inspect.signature(kind).parameters if hasattr(layer, name)]
        settings = {name: getattr(layer, name) for name in names} | {"bias": layer.bias is not None}
        return cls(kind.__name__, tuple(settings.items()), shape, channels_last)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Convolution:
        """The inverse of `plain`."""
        values = ((name, tuple(v) if isinstance(v, list) else v) for name, v in plain["settings"].items())
        return cls(plain["kind"], tuple(values), tuple(plain["shape"]), plain["channels_last"])

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"kind": self.kind, "settings": dict(self.settings), "shape": list(self.shape),
                "channels_last": self.channels_last}  # fmt: skip

    def ways(self) -> tuple[Way, ...]:
        """Those in which it can be computed."""
        settings = dict(self.settings)
        by_hand = self.kind == "Conv3d" and settings["padding_mode"] == "zeros"
        by_hand = by_hand and not isinstance(settings["padding"], str) and settings["padding"][0] > 0
        return WAYS if by_hand else ("plain", "fp32")


@contextmanager
def convolutions_seen(module: nn.Module, rows: int, tried: int) -> Iterator[dict[str, set[Convolution]]]:
    """Takes note of what each convolution gets under autocast, in the forwards within this context.

    Args:
        module: the network or task.
        rows: of the batches that it is trained on.
        tried: of the batches within this context. Inputs are noted with as many rows as they have in training; on a CPU
            with fewer, but at least `tried`, where a forward would take more than two seconds. What a large layer
            computes wrongly has not been seen to depend on the rows, and comparing all of them would take minutes.

    Yields:
        Name of the layer -> what it was; filled as the forwards run. Other rows (an epoch's last batch) are computed
        as these.
    """
    seen: dict[str, set[Convolution]] = {}

    def watching(name: str) -> Callable[..., None]:
        def hook(layer: _ConvNd, given: tuple[Tensor, ...], named: dict[str, Tensor], output: Tensor) -> None:
            x = given[0] if given else named["input"]
            if torch.is_autocast_enabled(x.device.type):
                last = _channels_last(x) or _channels_last(layer.weight)
                noted = Convolution.of(layer, _shape(layer, x, output, rows, tried), last)
                seen.setdefault(name, set()).add(noted)

        return hook

    layers = [(name, layer) for name, layer in module.named_modules() if isinstance(layer, _ConvNd)]
    hooks = [layer.register_forward_hook(watching(name), with_kwargs=True) for name, layer in layers]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def _shape(layer: _ConvNd, x: Tensor, output: Tensor, rows: int, tried: int) -> tuple[int, ...]:
    if x.dim() < layer.weight.dim() or x.shape[0] % tried:
        return tuple(x.shape)
    fewest, wanted = x.shape[0], x.shape[0] // tried * rows
    if x.device.type == "cpu":
        positions = min(one.shape[2:].numel() for one in (x, output))
        wanted = min(wanted, max(fewest, LARGEST_ON_CPU // (layer.weight.numel() * positions)))
    return (wanted, *x.shape[1:])


def _channels_last(x: Tensor) -> bool:
    form = {4: torch.channels_last, 5: torch.channels_last_3d}.get(x.dim())
    return form is not None and not x.is_contiguous() and x.is_contiguous(memory_format=form)


def as_it_is(layer: _ConvNd, x: Tensor, *more: Any) -> Tensor:
    """Its own forward."""
    return type(layer).forward(layer, x, *more)


def with_time_padded(layer: nn.Conv3d, x: Tensor) -> Tensor:
    """Its forward with the zeros around the time put there by hand; outside of autocast its own."""
    if not torch.is_autocast_enabled(x.device.type):
        return as_it_is(layer, x)
    time, height, width = (int(one) for one in layer.padding)
    x = F.pad(x, (0, 0, 0, 0, time, time))
    return F.conv3d(x, layer.weight, layer.bias, layer.stride, (0, height, width), layer.dilation, layer.groups)


def in_full_precision(layer: _ConvNd, x: Tensor, *more: Any) -> Tensor:
    """Its forward in fp32, rounded to what autocast would have given; outside of autocast its own."""
    device = x.device.type
    if not torch.is_autocast_enabled(device):
        return as_it_is(layer, x, *more)
    with torch.autocast(device, enabled=False):
        # Rounded, so that whatever comes behind the layer sees the dtype that it sees behind any other.
        return as_it_is(layer, x.float(), *more).to(torch.get_autocast_dtype(device))


FORWARDS: dict[Way, Callable[..., Tensor]] = {
    "plain": as_it_is, "padded": with_time_padded, "fp32": in_full_precision,
}  # fmt: skip


@contextmanager
def computed_as(module: nn.Module, ways: Mapping[str, Way]) -> Iterator[None]:
    """Computes layers in other ways within this context; parameters and the state dict stay as they are.

    Args:
        module: the network or task.
        ways: name of a layer -> its way; of layers not named: "plain".
    """
    parts = dict(module.named_modules())
    changed = {name: way for name, way in ways.items() if way != "plain"}
    for name, way in changed.items():
        # A bound method: a copy of the layer gets one bound to itself.
        parts[name].forward = MethodType(FORWARDS[way], parts[name])
    try:
        yield
    finally:
        for name in changed:
            del parts[name].forward
