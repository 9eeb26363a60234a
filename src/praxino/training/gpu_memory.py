"""A GPU whose memory does not suffice, in a user's words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from praxino.errors import UserError


@contextmanager
def out_of_memory_told() -> Iterator[None]:
    """Within it a full GPU is a user's mistake: also of a function that it decorates.

    Raises:
        UserError: if the GPU's memory does not suffice.
    """
    try:
        yield
    except torch.cuda.OutOfMemoryError:
        raise UserError(
            "the GPU's memory does not suffice: lower --batch_size (and raise --accumulate), pass --precision bf16, "
            "or take the lean form of the method where it has one"
        ) from None
