"""A memory bank: one remembered vector a video, and the videos that serve as negatives.

Wu, Xiong, Yu, Lin: Unsupervised Feature Learning via Non-Parametric Instance Discrimination, CVPR 2018.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from praxino.precision import full_precision
from praxino.rng import Rng


class MemoryBank(nn.Module):
    """float32 rows [videos, dim], a buffer: not optimised, saved with the method, equal on all ranks.

    Args:
        dim: of a row.
    """

    rows: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.register_buffer("rows", torch.empty(0, dim))

    def fill(self, videos: int, rng: Rng) -> None:
        """Draws all rows anew, uniform in [-s, s) with s = sqrt(3 / dim): about, but not exactly, of unit length."""
        bound = math.sqrt(3 / self.dim)
        drawn = rng.shared().uniform(-bound, bound, (videos, self.dim))
        self.rows = torch.from_numpy(drawn).to(self.rows)

    @full_precision
    def scores(self, features: Tensor, candidates: Tensor) -> Tensor:
        """Inner products of features with the rows of their candidates; no gradient reaches the rows.

        Args:
            features: [v, B, dim], several for the same candidates, or [B, dim].
            candidates: int64 [B, C], rows of the bank.

        Returns:
            float32 [v, B, C], or [B, C].
        """
        if 2 * candidates.numel() < len(self.rows):
            asking = features.reshape(-1, *features.shape[-2:]).permute(1, 2, 0)  # [B, dim, v]
            return (self.rows[candidates] @ asking).permute(2, 0, 1).reshape(*features.shape[:-1], -1)
        # A gathered row is read, written and read again. Where many are asked for, products with all rows cost less.
        return (features @ self.rows.T).gather(-1, candidates.expand(*features.shape[:-1], -1))

    @torch.no_grad()
    def update(self, index: Tensor, features: Tensor, momentum: float) -> None:
        """Moves rows towards features: row := v / |v| with v = momentum * row + (1 - momentum) * feature.

        Args:
            index: int64 [B], rows. Of one that is there twice, as where two batches of a step have the same video in
                the place of a broken one, the last feature counts.
            features: [B, dim], as they are: a long one weighs more.
            momentum: 0 to 1.
        """
        # All of a row's writes are made alike: a GPU makes them in any order.
        last = ((index[:, None] == index) * torch.arange(len(index), device=index.device)).amax(1)
        moved = momentum * self.rows[index] + (1 - momentum) * features[last].to(self.rows)
        self.rows[index] = moved / moved.norm(dim=1, keepdim=True)


def draw_candidates(rng: Rng, index: Tensor, negatives: int, videos: int, exclude_own: bool = False) -> Tensor:
    """Each video's own row, then random ones, uniform and with replacement.

    Args:
        rng: the step's.
        index: int64 [B], the videos' own rows.
        negatives: how many random ones.
        videos: how many rows there are.
        exclude_own: never draws a video's own row as its negative (the originals do, once in `videos` draws).

    Returns:
        int64 [B, 1 + negatives] on index's device.
    """
    below = videos - 1 if exclude_own else videos
    drawn = rng.rows(len(index), lambda generator, rows: generator.integers(0, below, (rows, negatives)))
    drawn = drawn.to(index.device)
    if exclude_own:
        drawn = drawn + (drawn >= index[:, None])
    return torch.cat([index[:, None], drawn], dim=1)
