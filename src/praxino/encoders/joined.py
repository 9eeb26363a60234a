"""All views of an encoder as one: their vectors side by side, on an equal footing."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import torch
from torch import Tensor
from torch.nn.functional import normalize

JOINT = "joint"


def is_joint(view: str | None, views: Collection[str]) -> bool:
    """Whether a name means all views together: the word does, unless one of the views is called so.

    Args:
        view: the name.
        views: those of the encoder's views.
    """
    return view == JOINT and JOINT not in views


def joined(parts: Sequence[Tensor]) -> Tensor:
    """The views' vectors side by side, each divided by its length and by the root of how many views there are.

    So a vector has length 1, and the cosine of two of them is the mean of the views' cosines: a view of longer vectors,
    or of more numbers, has no more to say. A vector of zeros stays one.

    Args:
        parts: of each view [b, d]; the d may differ.

    Returns:
        [b, the sum of all d].
    """
    return torch.cat([normalize(part, dim=1) for part in parts], dim=1) / len(parts) ** 0.5
