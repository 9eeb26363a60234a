"""Noise-contrastive losses of a score table whose first column is the positive: CMC's and IIC's two forms.

Softmax form: van den Oord, Li, Vinyals: Representation Learning with Contrastive Predictive Coding, 2018. NCE form:
Wu, Xiong, Yu, Lin: Unsupervised Feature Learning via Non-Parametric Instance Discrimination, CVPR 2018; Tian, Krishnan,
Isola: Contrastive Multiview Coding, ECCV 2020.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from praxino.precision import full_precision

EPSILON = 1e-7


@full_precision
def softmax_rows(scores: Tensor, temperature: float) -> Tensor:
    """-log softmax(scores / temperature)[positive], a row each.

    Args:
        scores: [B, candidates] inner products; column 0 is the positive.
        temperature: above 0.

    Returns:
        [B] losses.
    """
    return F.cross_entropy(scores / temperature, _zeros(scores), reduction="none")


@full_precision
def nce_rows(scores: Tensor, temperature: float, constant: Tensor, videos: int) -> Tensor:
    """The positive against the noise distribution, and each other candidate against it, as binary questions.

    With o = exp(scores / temperature) / Z, M = candidates - 1 and the noise probability p = 1 / videos:
    -log(o_0 / (o_0 + M p + eps)) - sum over j > 0 of log(M p / (o_j + M p + eps)), eps = 1e-7.

    Args:
        scores: [B, candidates] inner products; column 0 is the positive.
        temperature: above 0.
        constant: Z, a scalar above 0 without gradient (`nce_constant`).
        videos: from which the candidates are drawn.

    Returns:
        [B] losses.
    """
    likely = torch.exp(scores / temperature) / constant
    noise = (scores.shape[1] - 1) / videos
    data = -torch.log(likely[:, 0] / (likely[:, 0] + noise + EPSILON))
    return data - torch.log(noise / (likely[:, 1:] + noise + EPSILON)).sum(1)


@full_precision
def nce_constant(scores: Tensor, temperature: float, videos: int) -> Tensor:
    """Z as the first batch estimates it for good: mean of exp(scores / temperature) over the table, times `videos`.

    Args:
        scores: [B, candidates] inner products, positives included.
        temperature: above 0.
        videos: from which the candidates are drawn.

    Returns:
        A scalar without gradient.
    """
    return torch.exp(scores.detach() / temperature).mean() * videos


@full_precision
def info_nce(queries: Tensor, keys: Tensor, temperature: float, negatives: Tensor | None = None) -> Tensor:
    """Each query finds its own key among the keys of the batch, and further negatives, by cosine.

    Args:
        queries: [K, d] embeddings; need not be of unit length.
        keys: [K, d], row k from the same video as row k of `queries`.
        temperature: above 0.
        negatives: [M, d], negatives of every query.

    Returns:
        A scalar: the mean over the queries of -log softmax(cosines / temperature)[own key].
    """
    q, candidates = F.normalize(queries, dim=1), F.normalize(keys, dim=1)
    if negatives is not None:
        candidates = torch.cat([candidates, F.normalize(negatives, dim=1)])
    own = torch.arange(len(q), device=q.device)
    return F.cross_entropy(q @ candidates.T / temperature, own)


def _zeros(scores: Tensor) -> Tensor:
    return torch.zeros(len(scores), dtype=torch.int64, device=scores.device)
