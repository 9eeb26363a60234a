"""The normalised temperature-scaled cross-entropy of SimCLR."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from praxino.precision import full_precision


@full_precision
def nt_xent(first: Tensor, second: Tensor, temperature: float = 0.1) -> Tensor:
    """Each embedding finds its partner among all others of the batch.

    With z the 2K rows of both sets, scaled to unit length, and s[a, b] = z[a] . z[b] / temperature, the loss is the
    mean over a of  -s[a, partner(a)] + log sum over b != a of exp(s[a, b]):  one positive, 2K - 2 negatives, never
    oneself.

    Chen, Kornblith, Norouzi, Hinton: A Simple Framework for Contrastive Learning of Visual Representations, ICML 2020.

    Args:
        first: [K, d] embeddings; need not be of unit length.
        second: [K, d], row k from the same video as row k of `first`.
        temperature: above 0.

    Returns:
        A scalar. For K = 1 there is no negative and it is 0.

    Raises:
        ValueError: if the shapes differ or are not [K, d], or the temperature is not above 0.
    """
    if first.shape != second.shape or first.ndim != 2:
        raise ValueError(f"nt_xent takes two [K, d] tensors of one shape, not {[*first.shape]} and {[*second.shape]}")
    if temperature <= 0:
        raise ValueError(f"nt_xent takes a temperature above 0, not {temperature}")
    return nt_xent_rows(F.normalize(first, dim=1), F.normalize(second, dim=1), temperature).mean()


@full_precision
def nt_xent_rows(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """The loss of `nt_xent` row by row, of many batches at once; inner products are taken as they are.

    Args:
        first: [..., K, d] embeddings, of unit length already.
        second: [..., K, d], row k the partner of row k of `first`.
        temperature: above 0.

    Returns:
        [..., 2K] losses, those of `first` before those of `second`. For K = 1 they are 0.
    """
    z = torch.cat([first, second], dim=-2)  # [..., 2K, d]
    scores = z @ z.mT / temperature  # [..., 2K, 2K]
    rows = z.shape[-2]
    scores = scores.masked_fill(torch.eye(rows, dtype=torch.bool, device=z.device), float("-inf"))
    partner = torch.arange(rows, device=z.device).roll(rows // 2).expand(z.shape[:-1])
    losses = F.cross_entropy(scores.flatten(0, -2), partner.flatten(), reduction="none")
    return losses.view(z.shape[:-1])
