"""Boxes in frames: top, left, height, width."""

from __future__ import annotations

import torch
from torch import Tensor


def whole(size: Tensor) -> Tensor:
    """The box of the whole frame: size [B, n, T, 2] -> int64 [B, 1|n, 1|T, 4]; one a video where all are alike."""
    if (size == size[:, :, :1]).all():
        size = size[:, :, :1]
    if (size == size[:, :1]).all():
        size = size[:, :1]
    return torch.cat([torch.zeros_like(size), size], -1)


def place(u: Tensor, room: Tensor) -> Tensor:
    """A whole number in 0..room, both ends included, from u in [0, 1): equal u, equal place at any resolution."""
    return (u * (room + 1)).long()
