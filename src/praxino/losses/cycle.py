"""CycleContrast's way there and back: to a soft nearest neighbour among other videos, and home again.

Wu, Wang: Contrastive Learning of Image Representations with Cross-Video Cycle-Consistency, ICCV 2021. All of them take
embeddings of unit length, whose inner products are the similarities.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from praxino.precision import full_precision


@full_precision
def positive_first(queries: Tensor, positives: Tensor, negatives: Tensor) -> Tensor:
    """The table of similarities that MoCo's loss is made of: `softmax_rows` of it, divided by a temperature.

    Args:
        queries: [N, d].
        positives: [N, d], row i that of query i.
        negatives: [K, d], those of every query.

    Returns:
        float32 [N, 1 + K], the positive in column 0.
    """
    return torch.cat([(queries * positives).sum(1, keepdim=True), queries @ negatives.T], dim=1)


@full_precision
def soft_neighbours(queries: Tensor, support: Tensor, temperature: float, keys: Tensor | None = None) -> Tensor:
    """The mean of the support, each row weighted by how near it is to the query, scaled to unit length.

    z = sum over j of w[j] support[j], w = softmax(query . support / temperature). Gradient flows through the weights.

    Args:
        queries: [N, d].
        support: [S, d], the embeddings of other videos.
        temperature: above 0.
        keys: [N, d], of the queries' own frames: the query itself is one more row of the support. As in the original
            its weight is how near it is to its key, and what is weighted is the query, through which gradient flows.

    Returns:
        float32 [N, d] of unit length.
    """
    similar = queries @ support.T
    if keys is None:
        return F.normalize((similar / temperature).softmax(1) @ support, dim=1)
    own = (queries * keys).sum(1, keepdim=True)
    weights = (torch.cat([own, similar], dim=1) / temperature).softmax(1)
    return F.normalize(weights[:, :1] * queries + weights[:, 1:] @ support, dim=1)
