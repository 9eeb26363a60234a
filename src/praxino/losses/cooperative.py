"""CoCon's losses between views: they find the same pairs of clips alike, and tell the same blocks from others.

Rai, Adeli, Lee, Gaidon, Niebles: CoCon: Cooperative-Contrastive Learning, CVPR Workshops 2021.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from praxino.precision import full_precision

OtherMaps = Literal["average", "flatten"]
TINY = 1e-5  # of the original: keeps a vector of zeros from being divided by 0


@full_precision
def block_vectors(maps: Tensor, other_maps: OtherMaps = "average") -> Tensor:
    """One vector a block, without parameters: [B, N, D, S, S] -> [B, N, d].

    S = 7: a maximum over 2x2 (padded, to 4), another one (to 2), then the mean; S = 4: the maximum over 2x2, then the
    mean; S = 2: the mean; S = 1: the map itself. d = D for all of these.

    Args:
        maps: of the blocks.
        other_maps: what is done with any other S: "average", d = D; or, as in the original, which then pools nothing,
            "flatten", d = D * S * S.
    """
    side = maps.shape[-1]
    x = maps.flatten(0, 1)
    if side not in (1, 2, 4, 7) or maps.shape[-2] != side:
        x = x if other_maps == "flatten" else x.mean((2, 3))
    elif side > 1:
        x = F.max_pool2d(x, 2, padding=1) if side == 7 else x
        x = F.max_pool2d(x, 2) if side >= 4 else x
        x = x.mean((2, 3))
    return x.flatten(1).unflatten(0, maps.shape[:2])


@full_precision
def cosines(first: Tensor, second: Tensor) -> Tensor:
    """Cosine similarities of all pairs of rows: [M, d] and [M, d] -> [M, M]; lengths have 1e-5 added."""
    first, second = (x / (x.norm(dim=1, keepdim=True) + TINY) for x in (first, second))
    return first @ second.T


@full_precision
def cooperation(first: Tensor, second: Tensor) -> Tensor:
    """How far the similarities among the blocks in one view are from those in another: mean |C_1 - C_2|.

    C_v holds the cosines of all pairs of blocks of all clips as view v sees them, each block with itself included.
    Gradients flow into both.

    Args:
        first: [M, d] vectors of the blocks in one view.
        second: [M, e], of the same blocks in another.
    """
    return (cosines(first, first) - cosines(second, second)).abs().mean()


class Synchronised(NamedTuple):
    """What `synchronisation` gives.

    Attributes:
        loss: scalar, differentiable.
        positives: mean cosine of a block with itself in the other view, detached.
        negatives: mean cosine of a block with others there, detached.
    """

    loss: Tensor
    positives: Tensor
    negatives: Tensor


@full_precision
def synchronisation(first: Tensor, second: Tensor) -> Synchronised:
    """A block is itself in both views: half the mean of 1 - c over these pairs, half that of max(0, c) over all others.

    c is the cosine of two blocks, one in each view. Other blocks of the same clip are negatives, too. That is the
    original's hinge embedding loss of w (1 - c) with the margin 1 / (2 (1 - r)), r = 1 / M the share of positives.

    Args:
        first: [M, d] vectors of the blocks in one view, M at least 2.
        second: [M, d], of the same blocks in another.

    Raises:
        ValueError: if the shapes differ.
    """
    if first.shape != second.shape or first.ndim != 2:
        raise ValueError(f"synchronisation takes two [M, d] tensors, not {[*first.shape]} and {[*second.shape]}")
    c = cosines(first, second)
    blocks = len(c)
    others = blocks * (blocks - 1)
    own = c.diagonal()
    loss = 0.5 * (1 - own).mean() + 0.5 * (c.clamp(min=0).sum() - own.clamp(min=0).sum()) / others
    with torch.no_grad():
        return Synchronised(loss, own.mean(), (c.sum() - own.sum()) / others)


@full_precision
def kinds_of_blocks(clips: int, blocks: int) -> Tensor:
    """What each pair of blocks is in `synchronisation`, in the originals' numbers: int64 [B N, B N].

    1 is the positive, -1 another block of the same clip, 0 a block of another clip; the loss treats the last two alike.

    Args:
        clips: B.
        blocks: N.
    """
    clip = torch.arange(clips).repeat_interleave(blocks)
    kinds = -(clip[:, None] == clip).long()
    return kinds.fill_diagonal_(1)
