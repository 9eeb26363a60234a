"""A view: what a network sees of a stream, made on the device for a whole batch at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from praxino.batch import ClipBatch, Which
from praxino.precision import full_precision
from praxino.rng import Rng

Drawn = dict[str, Tensor]
Shape = tuple[int, int, int]


class Operation(nn.Module):
    """One step of a view: a draw on the CPU, then a pure batched function on the device.

    A new one overrides `apply`, and `draw` if it is random. It keeps its constructor arguments under their names.

    Attributes:
        per: what shares one draw: all clips of a video, all frames of a clip, or nothing.
    """

    per: Literal["video", "clip", "frame"] = "clip"

    def draw(self, rng: Rng, shape: Shape, size: Tensor) -> Drawn:
        """Small tensors on the CPU.

        Each has the leading axes [B, 1, 1], [B, n, 1] or [B, n, T] according to `per`. Positions are drawn as u in
        [0, 1) and then scaled, so that the same rng gives aligned boxes in streams of different resolution.

        Args:
            rng: this operation's own key.
            shape: (B, n, T).
            size: int64 [B, n, T, 2] on the CPU, true height and width of each frame.
        """
        return {}

    def apply(self, x: Tensor, **drawn: Tensor) -> Tensor:
        """x [B, n, C, T, H, W] -> [B, n, C', T, H', W'].

        uint8 in means arithmetic as Pillow does it, and uint8 out (a resample may give floats); float32 in [0, 1] in
        means plain float arithmetic.
        """
        raise NotImplementedError

    def size_after(self, size: Tensor) -> Tensor:
        """True height and width after this operation, int64 [B, n, T, 2]."""
        return size

    def uniform(self, rng: Rng, shape: Shape, *more: int) -> Tensor:
        """float64 uniform numbers in [0, 1), of this operation's leading axes and then `more`."""
        videos, clips, frames = shape
        axes = {"video": (1, 1), "clip": (clips, 1), "frame": (clips, frames)}[self.per]
        return rng.rows(videos, lambda generator, rows: generator.random((rows, *axes, *more)))


def spread(value: Tensor) -> Tensor:
    """A drawn number per frame [B, n|1, T|1], ready to meet pixels [B, n, C, T, H, W]."""
    return value[:, :, None, :, None, None]


class View(nn.Module):
    """What a network sees: operations on the clips of one stream. No learnt parameters.

    Two views called with the same rng are aligned (same boxes, same flips); with different children they are not.

    Args:
        operations: applied in this order.
        stream: which stream it is made from.
    """

    def __init__(self, operations: Sequence[Operation], stream: str = "rgb") -> None:
        super().__init__()
        self.operations = nn.ModuleList(operations)
        self.stream = stream

    def forward(self, batch: ClipBatch, rng: Rng, clips: Which = slice(None)) -> Tensor:
        """The clips `clips` of a batch as float32 [B, n, C, T, h, w] in [0, 1] (a residual may be in [-1, 1])."""
        return self.apply(batch, self.draw(batch, rng, clips), clips)

    def draw(self, batch: ClipBatch, rng: Rng, clips: Which = slice(None)) -> list[Drawn]:
        """What is random about this view, one dict an operation, on the batch's device."""
        frames = batch.streams[self.stream]
        where = frames.where_of(clips)
        size = frames.sizes(clips).cpu()
        drawn = []
        for name, operation in zip(self._names(), self.operations, strict=True):
            drawn.append(operation.draw(rng.child(name), tuple(where.shape), size))  # type: ignore[operator]
            size = operation.size_after(size)  # type: ignore[operator]
        device = frames.pixels.device
        return [{key: value.to(device, non_blocking=True) for key, value in one.items()} for one in drawn]

    def apply(self, batch: ClipBatch, drawn: list[Drawn], clips: Which = slice(None)) -> Tensor:
        """The view for given draws: a pure function, so that it can be recomputed."""
        return self.transform(batch.streams[self.stream].clips(clips), drawn)

    @full_precision
    def transform(self, pixels: Tensor, drawn: list[Drawn]) -> Tensor:
        """uint8 pixels [B, n, T, H, W, C] -> float32 [B, n, C, T, h, w]."""
        x = pixels.movedim(-1, 2)
        for operation, one in zip(self.operations, drawn, strict=True):
            x = operation.apply(x, **one)  # type: ignore[operator]
        return x if x.is_floating_point() else x.to(torch.float32) / 255

    def _names(self) -> list[str]:
        # By class and occurrence, not by position: an RGB pipeline with colour operations and a flow pipeline without
        # them must still share the draws of their crops.
        seen: dict[str, int] = {}
        names = []
        for operation in self.operations:
            kind = type(operation).__name__
            names.append(f"{kind}.{seen.get(kind, 0)}")
            seen[kind] = seen.get(kind, 0) + 1
        return names
