"""Dense predictive coding: every place of every predicted map finds its own among all places of all clips.

Han, Xie, Zisserman: Video Representation Learning by Dense Predictive Coding, ICCV Workshops 2019.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from praxino.precision import full_precision

MOST_PLACES = 1 << 15  # their scores take 4 GiB; the largest published batch has 6,468
POSITIVE, TEMPORAL, SPATIAL, OTHER_CLIP = 1, -1, -3, 0  # kinds of pairs, in the originals' numbers


class Dense(NamedTuple):
    """What `dense_nce` gives.

    Attributes:
        loss: scalar, differentiable.
        accuracy: share of the places whose own one is the best of all, detached.
        top3: share of those for which it is among the best three.
    """

    loss: Tensor
    accuracy: Tensor
    top3: Tensor


@full_precision
def dense_nce(predictions: Tensor, targets: Tensor, temperature: float = 1.0) -> Dense:
    """The mean over all places of  -log softmax(scores)[own place],  scores = predictions . targets / temperature.

    Of B clips with P predicted maps of S x S places there are B P S^2 candidates: one positive; the same place at other
    times, other places of the clip, and all places of the other clips as negatives, alike.

    Args:
        predictions: [B, P, D, S, S].
        targets: [B, P, D, S, S], the maps that were to be predicted.
        temperature: divides the inner products, above 0.

    Raises:
        ValueError: if the shapes are not alike, the places too many, or the temperature is not above 0.
    """
    if predictions.shape != targets.shape or predictions.ndim != 5:
        shapes = f"{[*predictions.shape]} and {[*targets.shape]}"
        raise ValueError(f"dense_nce takes two [B, P, D, S, S] tensors of one shape, not {shapes}")
    clips, steps, _, height, width = predictions.shape
    if clips * steps * height * width > MOST_PLACES:
        raise ValueError(
            f"{clips} clips of {steps} maps of {height}x{width} places are too many to be compared with each other "
            f"(more than {MOST_PLACES}): crop the views to fewer pixels, or take fewer videos a batch"
        )
    if temperature <= 0:
        raise ValueError(f"dense_nce takes a temperature above 0, not {temperature}")
    scores = dense_scores(predictions, targets) / temperature
    own = torch.arange(len(scores), device=scores.device)
    best = scores.detach().topk(min(3, len(scores)), 1).indices == own[:, None]
    hits = [best[:, :k].any(1).float().mean() for k in (1, 3)]
    return Dense(F.cross_entropy(scores, own), *hits)


@full_precision
def dense_scores(predictions: Tensor, targets: Tensor) -> Tensor:
    """Inner products of all places: two [B, P, D, S, S] -> [B P S^2, B P S^2], each in the order b, p, row, column."""
    rows, columns = (x.movedim(2, -1).flatten(0, 3) for x in (predictions, targets))
    return rows @ columns.T


@full_precision
def kinds_of_places(clips: int, steps: int, places: int) -> Tensor:
    """What each pair of `dense_scores` is: int64 [B P S^2, B P S^2].

    1 is the positive; -1 the same place of the same clip at another time; -3 another place of the same clip; 0 a place
    of another clip. The loss treats all but the first alike.

    Args:
        clips: B.
        steps: P.
        places: S^2.
    """
    clip, step, place = (
        torch.meshgrid(*(torch.arange(n) for n in (clips, steps, places)), indexing="ij")[axis].reshape(-1)
        for axis in range(3)
    )
    same_clip, same_step, same_place = (x[:, None] == x for x in (clip, step, place))
    kinds = torch.full(same_clip.shape, OTHER_CLIP)
    kinds[same_clip] = SPATIAL
    kinds[same_clip & same_place] = TEMPORAL
    kinds[same_clip & same_place & same_step] = POSITIVE
    return kinds
