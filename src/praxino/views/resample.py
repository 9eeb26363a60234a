"""Crop, resize and crop again as one operation, bit for bit as Pillow does it, for a whole batch of different boxes.

Pillow's bilinear resize is a triangle filter that widens with the shrink factor, one axis after the other, in integers:
weights are multiples of 2**-22, and each axis is rounded to bytes. Here each axis is one product with a sparse matrix,
of its own for each clip, with few weights a row (`embedding_bag`). It is exact in float32, because the weights are cut
into two parts whose sums are integers below 2**24; and so it is the same on every device.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

Number = int | Tensor
PRECISION = 22
# A weight is high * 2**SPLIT + low, low in [-64, 64): sums of high * pixel stay below 2**23 + 2**14, and those of
# low * pixel below 2**24 for up to 1,000 taps, which is shrinking 500 times.
SPLIT = 7
# On a CPU long clips go through in parts: freshly mapped memory, above 32 MB, costs more than the arithmetic.
PART = 16 << 20


class Taps(NamedTuple):
    """One axis of a resize: which source pixels make each output pixel, and by which weights.

    Attributes:
        source: int64 [G, m, K].
        weight: float64 [G, m, K], each row summing to 1; 0 where a row needs fewer taps than K.
    """

    source: Tensor
    weight: Tensor


@torch.no_grad()
def resample(
    x: Tensor,
    box: Sequence[Number],
    grid: tuple[Number, Number],
    window: tuple[Number, Number, int, int] | None = None,
    exact: bool = True,
) -> Tensor:
    """Crops `box`, resizes it to `grid` and keeps `window` of that; computes no pixel that is not kept.

    The same as `Image.crop(box).resize(grid, Image.Resampling.BILINEAR).crop(window)` for each frame, width first. That
    is what the originals ran with; Pillow itself takes, from version 13 on, the height first where it shrinks much more
    than the width, and some pixels differ by one level then. What lies outside of the box has no influence. The numbers
    are ints or int64 tensors [B|1, n|1, T|1].

    Args:
        x: uint8 [B, n, C, T, H, W] of any strides (fast where channels come last in memory, as loaders give them), or
            floats, which are taken as they are and not as Pillow does it.
        box: top, left, height, width; inside x.
        grid: height and width to which the box is resized.
        window: top, left, height, width inside the grid; None: all of it (the grid is then two ints).
        exact: as Pillow, to the bit. False: float32 products without rounding between the axes, which differ from
            Pillow by about one grey level at most.

    Returns:
        uint8 [B, n, C, T, height, width] if exact; else float32, in [0, 1] for bytes.
    """
    exact = exact and x.dtype == torch.uint8
    if window is None:
        window = (0, 0, int(grid[0]), int(grid[1]))
    top, left, height, width = window
    per_frame = any(isinstance(v, Tensor) and v.shape[2] > 1 for v in (*box, *grid, top, left))
    lead = (x.shape[0], x.shape[1], x.shape[3] if per_frame else 1)
    rows = taps([_flat(v, lead, x.device) for v in (box[0], box[2], grid[0], top)], height)
    columns = taps([_flat(v, lead, x.device) for v in (box[1], box[3], grid[1], left)], width)
    # [B, n, T, H, W, C, 1] or [B, n, 1, H, W, C, T]: what shares its weights comes last.
    pixels = x.permute(0, 1, 3, 4, 5, 2).unsqueeze(-1) if per_frame else x.permute(0, 1, 4, 5, 2, 3).unsqueeze(2)
    needed_rows, rows = _cut(rows)
    needed_columns, columns = _cut(columns)
    pixels = pixels[:, :, :, needed_rows, needed_columns].flatten(0, 2)
    fit = max(1, PART // (4 * max(1, pixels[..., :1].numel()))) if x.device.type == "cpu" else pixels.shape[-1]
    y = torch.cat([_both_axes(part, rows, columns, exact) for part in pixels.split(fit, -1)], 2)
    if x.dtype == torch.uint8 and not exact:
        y = y.mul_(1 / 255)
    y = y.unflatten(0, lead)  # [B, n, T, C, 1, h, w] or [B, n, 1, C, T, h, w]
    return y.squeeze(4).transpose(2, 3) if per_frame else y.squeeze(2)


def taps(numbers: Sequence[Tensor], count: int) -> Taps:
    """Pillow's weights of one axis.

    Args:
        numbers: four int64 [G]: where the box begins; its length; to how many pixels it is resized; which of these is
            the first that is kept.
        count: how many are kept.
    """
    start, length, grid, first = (number[:, None, None] for number in numbers)
    scale = length.double() / grid
    support = scale.clamp(min=1)
    centre = (first + torch.arange(count, device=start.device)[:, None] + 0.5) * scale
    low = (centre - support + 0.5).long().clamp(min=0)
    high = (centre + support + 0.5).long().minimum(length)
    index = low + torch.arange(int((high - low).max()), device=start.device)
    weight = 1 - ((index - centre + 0.5) * (1 / support)).abs()
    weight = weight.clamp(min=0).masked_fill(index >= high, 0)
    # The sum from left to right, as Pillow's: another order could move a weight by its last bit.
    weight = weight / functools.reduce(torch.add, weight.unbind(-1))[..., None]
    return Taps(start + index.minimum(high - 1), weight)


def _flat(value: Number, lead: tuple[int, int, int], device: torch.device) -> Tensor:
    tensor = value.to(device) if isinstance(value, Tensor) else torch.full((1, 1, 1), value, device=device)
    return tensor.expand(lead).reshape(-1)


def _cut(axis: Taps) -> tuple[slice, Taps]:
    """The part of the source that the taps reach, and the taps counted from there."""
    low, high = (int(end) for end in axis.source.aminmax())
    return slice(low, high + 1), Taps(axis.source - low, axis.weight)


def _both_axes(pixels: Tensor, rows: Taps, columns: Taps, exact: bool) -> Tensor:
    """[G, H, W, C, frames] of any strides -> [G, C, frames, h, w], bytes if exact, else floats."""
    groups, height, _, *rest = pixels.shape
    # Two steps: moving bytes to their place is slow, so their type changes where runs of them stay together.
    table = pixels.contiguous().transpose(1, 2).to(torch.float32, memory_format=torch.contiguous_format)
    wide = _product(table.flatten(2), columns, exact)  # [G, w, H * C * frames]
    wide = wide.floor_() if exact else wide
    table = wide.unflatten(2, (height, -1)).transpose(1, 2).reshape(groups, height, -1)
    y = _product(table, rows, exact).view(groups, rows.source.shape[1], columns.source.shape[1], *rest)
    # By way of int32, which also floors: the direct way is three times slower on a CPU.
    y = y.to(torch.int32).to(torch.uint8) if exact else y
    return y.permute(0, 3, 4, 1, 2)


def _product(table: Tensor, axis: Taps, exact: bool) -> Tensor:
    """table float32 [G, n, N] -> [G, m, N]: output rows are weighted sums of table rows; if exact, to be floored."""
    groups, size, width = table.shape
    _, count, reach = axis.source.shape
    index = (axis.source + torch.arange(groups, device=table.device)[:, None, None] * size).reshape(-1, reach)
    weight = axis.weight.reshape(-1, reach)
    table = table.reshape(-1, width)
    if not exact:
        return _weighted_rows(table, index, weight).view(groups, count, width)
    whole = (weight * 2**PRECISION + 0.5).floor()
    high = ((whole + 2 ** (SPLIT - 1)) / 2**SPLIT).floor()
    y = _weighted_rows(table, index, high * 2.0 ** (SPLIT - PRECISION))
    low = _weighted_rows(table, index, (whole - high * 2**SPLIT) * 2.0**-SPLIT)
    # (2**21 + sum) >> 22, by two floors (the second one is the caller's), so that nothing needs more than 24 bits.
    low.add_(2.0 ** (PRECISION - 1 - SPLIT)).floor_()
    return y.add_(low, alpha=2.0 ** (SPLIT - PRECISION)).view(groups, count, width)


def _weighted_rows(table: Tensor, index: Tensor, weight: Tensor) -> Tensor:
    return functional.embedding_bag(index, table, mode="sum", per_sample_weights=weight.to(table.dtype))
