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
def positive_first(queries: Tensor, positives: Tensor, negatives: Tensor, left_out: Tensor | None = None) -> Tensor:
    """The table of similarities that MoCo's loss is made of: `softmax_rows` of it, divided by a temperature.

    Args:
        queries: [N, d].
        positives: [N, d], row i that of query i.
        negatives: [K, d], those of every query.
        left_out: bool [N, K], which of the negatives are none of a query's; None: all are.

    Returns:
        float32 [N, 1 + K], the positive in column 0.
    """
    similar = _without(queries @ negatives.T, left_out)
    return torch.cat([(queries * positives).sum(1, keepdim=True), similar], dim=1)


@full_precision
def soft_neighbours(
    queries: Tensor, support: Tensor, temperature: float, keys: Tensor | None = None, left_out: Tensor | None = None
) -> Tensor:
    """The mean of the support, each row weighted by how near it is to the query, scaled to unit length.

    z = sum over j of w[j] support[j], w = softmax(query . support / temperature). Gradient flows through the weights.

    Args:
        queries: [N, d].
        support: [S, d], the embeddings of other videos.
        temperature: above 0.
        keys: [N, d], of the queries' own frames: the query itself is one more row of the support. As in the original
            its weight is how near it is to its key, and what is weighted is the query, through which gradient flows.
        left_out: bool [N, S], which rows are none of a query's support; None: all are.

    Returns:
        float32 [N, d] of unit length.
    """
    similar = _without(queries @ support.T, left_out)
    if keys is None:
        return F.normalize((similar / temperature).softmax(1) @ support, dim=1)
    own = (queries * keys).sum(1, keepdim=True)
    weights = (torch.cat([own, similar], dim=1) / temperature).softmax(1)
    return F.normalize(weights[:, :1] * queries + weights[:, 1:] @ support, dim=1)


def _without(similar: Tensor, left_out: Tensor | None) -> Tensor:
    # Not -inf: where nothing else is left the weights would be no numbers. The root leaves room to divide by a
    # temperature.
    return similar if left_out is None else similar.masked_fill(left_out, -(torch.finfo(similar.dtype).max ** 0.5))
