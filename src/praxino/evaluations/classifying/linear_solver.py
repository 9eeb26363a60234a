"""Multinomial logistic regression, solved to its end: the same features give the same classifier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

ITERATIONS = 1000
GRADIENT = 1e-6  # largest component of the gradient that counts as zero


class Linear(NamedTuple):
    """A linear classifier: float64 weight [classes, d] and bias [classes]."""

    weight: Tensor
    bias: Tensor

    def logits(self, features: Tensor) -> Tensor:
        """[n, d] -> [n, classes]."""
        return F.linear(features, self.weight, self.bias)


def fitted(features: Tensor, labels: Tensor, classes: int, penalty: float, start: Linear | None = None) -> Linear:
    """The minimum of the mean cross-entropy + penalty / 2 * the squared norm of the weight, by L-BFGS over all rows.

    The minimum is one point (but for a constant in the bias), so that the start changes the time and not the result.

    Args:
        features: float64 [n, d].
        labels: int64 [n], 0-based.
        classes: how many.
        penalty: above 0; the bias has none.
        start: where to begin; None: at zero.
    """
    weight = features.new_zeros(classes, features.shape[1]) if start is None else start.weight.clone()
    bias = features.new_zeros(classes) if start is None else start.bias.clone()
    found = Linear(weight.requires_grad_(), bias.requires_grad_())
    optimizer = torch.optim.LBFGS(
        found, max_iter=ITERATIONS, tolerance_grad=GRADIENT, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def objective() -> Tensor:
        optimizer.zero_grad()
        value = F.cross_entropy(found.logits(features), labels) + penalty / 2 * found.weight.square().sum()
        value.backward()
        return value

    with torch.enable_grad():
        optimizer.step(objective)
    return Linear(found.weight.detach(), found.bias.detach())


def best_penalty(
    features: Tensor, labels: Tensor, classes: int, held_out: Sequence[int], penalties: Sequence[float]
) -> float:
    """The penalty with the least cross-entropy on held-out rows, of a classifier fitted to the others.

    Args:
        features, labels, classes: as of `fitted`.
        held_out: rows of them.
        penalties: which are tried; of equals the strongest is taken.
    """
    held = torch.zeros(len(labels), dtype=torch.bool)
    held[list(held_out)] = True
    losses, found = {}, None
    others = features[~held]
    for penalty in sorted(penalties, reverse=True):
        found = fitted(others, labels[~held], classes, penalty, found)
        losses[penalty] = float(F.cross_entropy(found.logits(features[held]), labels[held]))
    return min(losses, key=lambda penalty: losses[penalty])


def standardised(gallery: Tensor, queries: Tensor) -> tuple[Tensor, Tensor]:
    """Both in float64 with the gallery's mean taken off each number, and divided by its standard deviation there.

    A number that is the same all over the gallery says nothing: it becomes 0 everywhere.
    """
    gallery, queries = (rows.to(torch.float64, copy=True) for rows in (gallery, queries))
    mean, deviation = gallery.mean(0), gallery.std(0, correction=0)
    scale = torch.where(deviation > 1e-6 * mean.abs(), 1 / deviation, 0)
    # In place: of a large data set each copy is many gigabytes.
    return gallery.sub_(mean).mul_(scale), queries.sub_(mean).mul_(scale)
