"""Where in a search picture an exemplar is: cross-correlation of their maps, and what it is trained by.

Bertinetto, Valmadre, Henriques, Vedaldi, Torr: Fully-Convolutional Siamese Networks for Object Tracking, ECCV
Workshops 2016. The focal loss is that of Lin et al., ICCV 2017, divided by its mean weight as in CycleContrast's
tracker.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from praxino.precision import full_precision


@full_precision
def correlate(exemplar: Tensor, search: Tensor) -> Tensor:
    """How well an exemplar's map fits at each place of a search map: the sum of their products.

    Args:
        exemplar: [B, C, h, w], one of each search map; or [1, C, h, w], the same one of all.
        search: [B, C, H, W], with H >= h and W >= w.

    Returns:
        [B, 1, H - h + 1, W - w + 1].

    Raises:
        ValueError: if the shapes do not go together.
    """
    pairs, channels, height, width = exemplar.shape
    fits = search.shape[1] == channels and search.shape[2] >= height and search.shape[3] >= width
    if not fits or pairs not in (1, len(search)):
        raise ValueError(f"correlate: {[*exemplar.shape]} does not go over {[*search.shape]}")
    # All places with all places first, and of these the sums along the diagonals: several times as many products, but
    # in one multiplication of matrices. torch's convolution of pairs takes ten times as long on a CPU.
    rows, columns = search.shape[2] - height + 1, search.shape[3] - width + 1
    products = (exemplar.flatten(2).transpose(1, 2) @ search.flatten(2)).contiguous()
    places = products.view(len(search), height, width, *search.shape[2:])
    pair, own_row, own_column, row, column = places.stride()
    steps = (pair, own_row + row, own_column + column, row, column)
    return places.as_strided((len(search), height, width, rows, columns), steps).sum((1, 2))[:, None]


@full_precision
def label_map(
    height: int,
    width: int,
    stride: int = 8,
    positive: float = 16,
    neutral: float = 0,
    moved: Tensor | None = None,
) -> Tensor:
    """What a response should be where the object is in the middle, or beside it: float32 [height, width].

    1 where |x| + |y| <= positive / stride, x and y the distance from the map's middle in cells (of an even side they
    are halves); 0.5 where it is below neutral / stride; else 0.

    Args:
        height, width: cells of the response.
        stride: pixels from cell to cell.
        positive: pixels from the middle within which the object is found.
        neutral: pixels up to which a place counts neither way; published, and unused: 0.
        moved: [B, 2], pixels by which the object is below and right of the middle; then [B, 1, height, width] is
            returned, on the device of `moved`.
    """
    middle = torch.zeros(1, 2) if moved is None else moved / stride
    rows, columns = (
        (torch.arange(n, device=middle.device) - (n - 1) / 2 - middle[:, k, None]).abs()
        for k, n in enumerate((height, width))
    )
    distance = rows[:, :, None] + columns[:, None]
    distance = distance[0] if moved is None else distance[:, None]
    halves = (distance < neutral / stride).float() / 2
    return torch.where(distance <= positive / stride, 1.0, halves)


@full_precision
def focal(response: Tensor, labels: Tensor, gamma: float = 2.0) -> Tensor:
    """mean(-w_1 log p - w_0 log(1 - p)) / mean(w_1 + w_0), p = sigmoid(response): a scalar.

    w_1 = t (1 - p)^gamma and w_0 = (1 - t) p^gamma with the label t: what is said rightly already counts little. The
    gradient flows through the divisor, too, as in the original.

    Args:
        response: [..., h, w], before the sigmoid.
        labels: 0 to 1, of a shape that goes over the response's.
        gamma: how little; 0 is the plain cross-entropy.
    """
    labels = labels.expand_as(response)
    said, denied = F.logsigmoid(response), F.logsigmoid(-response)
    ones = labels * denied.exp().pow(gamma)
    zeros = (1 - labels) * said.exp().pow(gamma)
    return -(ones * said + zeros * denied).mean() / (ones + zeros).mean()


@full_precision
def balanced(response: Tensor, labels: Tensor, negative_weight: float = 1.0) -> Tensor:
    """Cross-entropy in which positives and negatives weigh alike, however many there are: a scalar.

    SiamFC's own loss. A place whose label is neither 0 nor 1 counts for nothing.

    Args:
        response, labels: as of `focal`.
        negative_weight: how much all negatives weigh against all positives.
    """
    labels = labels.expand_as(response)
    ones, zeros = (labels == 1).float(), (labels == 0).float()
    weights = ones / ones.sum().clamp(min=1) + negative_weight * zeros / zeros.sum().clamp(min=1)
    losses = F.binary_cross_entropy_with_logits(response, labels, reduction="none")
    return (weights / weights.sum() * losses).sum()
