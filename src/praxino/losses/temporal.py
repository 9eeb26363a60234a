"""TCLR's losses: clips of one video are told from other videos, and its times from each other.

Dave, Gupta, Rizve, Shah: TCLR: Temporal Contrastive Learning for Video Representation, CVIU 2022 (arXiv 2101.07974).
All of them take embeddings of unit length, whose inner products are the similarities. Axes: B videos, versions (the
same clip, augmented anew), n times, d numbers. Nothing here loops over the batch.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from praxino.losses.contrastive import nt_xent_rows
from praxino.precision import full_precision


@full_precision
def instance_pairs(sets: Tensor, temperature: float) -> Tensor:
    """NT-Xent of every two of several sets of clips, summed: each two clips of one video find each other.

    What a pair's denominator holds, the row's own set and the other one, is summed up once for each set, so that one
    table of similarities serves all m (m - 1) / 2 pairs. TCLR has m = 8 dense clips, so 28 pairs, and takes a quarter
    of the sum over ordered pairs: `instance_pairs(...) / 2`.

    Args:
        sets: [m, B, d] of unit length; row b of each set from the same video.
        temperature: above 0.

    Returns:
        A scalar: the sum of `nt_xent` over the unordered pairs of sets. For B = 1 it is 0.
    """
    m, videos, _ = sets.shape
    rows = sets.flatten(0, 1)
    scores = (rows @ rows.T / temperature).view(m, videos, m, videos).transpose(1, 2)  # [m, m, B, B]
    positives = scores.diagonal(dim1=2, dim2=3)  # [m, m, B]
    own, oneself = (torch.eye(size, dtype=torch.bool, device=sets.device) for size in (m, videos))
    # Not -inf: where oneself is the only one of its set nothing else is left, and the gradient would not be a number.
    never = torch.finfo(scores.dtype).min
    within = scores.masked_fill(own[:, :, None, None] & oneself, never).logsumexp(3)  # [m, m, B]
    alternatives = torch.logaddexp(within, within.diagonal().T[:, None])
    halves = (alternatives - positives).masked_fill(own[:, :, None], 0)  # a row of one set finds its partner in another
    return halves.sum() / (2 * videos)


@full_precision
def local_local(dense: Tensor, temperature: float) -> Tensor:
    """Each dense clip finds its other version among all dense clips of its video: the times are held apart.

    Args:
        dense: [B, 2, n, d] of unit length.
        temperature: above 0.

    Returns:
        A scalar: NT-Xent of the n times against 2n - 2 negatives, summed (not averaged) over the videos.
    """
    first, second = dense.unbind(1)
    return nt_xent_rows(first, second, temperature).mean(1).sum()


@full_precision
def global_local(positions: Tensor, dense: Tensor, temperature: float) -> Tensor:
    """Each time position of the sparse clip finds the dense clip of its time among those of the video, and is found.

    Args:
        positions: [B, 2, n, d] of unit length: the sparse clip's positions.
        dense: [B, 2, n, d] of unit length: dense clip t covers the time of position t.
        temperature: above 0.

    Returns:
        [2, 2], by the versions of the sparse and the dense clips: the cross-entropies of both directions over the n
        alternatives, summed over the times and halved, averaged over the videos. TCLR takes their sum.
    """
    scores = torch.einsum("bvtd,bwud->vwbtu", positions, dense) / temperature
    right = torch.arange(scores.shape[-1], device=scores.device).expand(scores.shape[:-1])

    def found(table: Tensor) -> Tensor:
        return F.cross_entropy(table.flatten(0, 3), right.flatten(), reduction="none").view(right.shape)

    return (found(scores) + found(scores.transpose(3, 4))).sum(3).mean(2) / 2
