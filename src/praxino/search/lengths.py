"""Vectors of length 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from praxino.errors import UserError


def of_length_1(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """Vectors [n, d] divided by their lengths; one that is all zeros stays so, and is like nothing.

    Raises:
        UserError: if a number is none.
    """
    wide = np.asarray(vectors, np.float64)
    if not np.isfinite(wide).all():
        raise UserError("the encoder gives vectors that are no finite numbers: its weights or statistics are none")
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    return (wide / np.where(lengths > 0, lengths, 1)).astype(np.float32)
