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
    z = F.normalize(torch.cat([first, second]), dim=1)  # [2K, d]
    scores = z @ z.T / temperature  # [2K, 2K]
    scores = scores.masked_fill(torch.eye(len(z), dtype=torch.bool, device=z.device), float("-inf"))
    partner = torch.arange(len(z), device=z.device).roll(len(first))
    return F.cross_entropy(scores, partner)
