"""A queue: the keys of the latest batches, which serve as negatives.

He, Fan, Wu, Xie, Girshick: Momentum Contrast for Unsupervised Visual Representation Learning, CVPR 2020.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from praxino.errors import check_numbers
from praxino.rng import Rng

DRAWN = -1  # in the place of a video, where a row was drawn at random


class Queue(nn.Module):
    """float32 rows [rows, dim], buffers: not optimised, saved with the method, equal on all ranks.

    Args:
        rows: how many keys are remembered; it need not be a multiple of anything.
        dim: of a row.

    Attributes:
        keys: float32 [rows, dim], of unit length.
        videos: int64 [rows], whose key it is; -1 where it was drawn. A loss with `exclude_own` reads it.
        pointer: int64 scalar, where the next key goes.

    Raises:
        UserError: if there is to be no row.
    """

    keys: Tensor
    videos: Tensor
    pointer: Tensor

    def __init__(self, rows: int, dim: int) -> None:
        super().__init__()
        check_numbers(queue_rows=rows)
        self.register_buffer("keys", torch.zeros(rows, dim))
        self.register_buffer("videos", torch.full((rows,), DRAWN))
        self.register_buffer("pointer", torch.zeros((), dtype=torch.int64))

    def __len__(self) -> int:
        return len(self.keys)

    def fill(self, rng: Rng) -> None:
        """Draws all rows anew, normal and then scaled to unit length, and begins at the first."""
        drawn = torch.from_numpy(rng.shared().standard_normal(self.keys.shape))
        self.keys.copy_(F.normalize(drawn, dim=1))
        self.videos.fill_(DRAWN)
        self.pointer.zero_()

    @torch.no_grad()
    def write(self, keys: Tensor, videos: Tensor) -> None:
        """Puts keys into the place of the oldest ones, going round at the end.

        Args:
            keys: [B, dim], at most as many as there are rows.
            videos: int64 [B], whose keys they are.
        """
        places = (self.pointer + torch.arange(len(keys), device=keys.device)) % len(self)
        self.keys[places] = keys.to(self.keys)
        self.videos[places] = videos.to(self.videos)
        self.pointer.copy_((self.pointer + len(keys)) % len(self))
