"""Numbers at the precision that a formula needs, whatever the network runs in."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor

F = TypeVar("F", bound=Callable[..., Any])


def full_precision(function: F) -> F:
    """Runs a loss or a view outside of autocast, with its half-precision tensors raised to float32.

    Similarities divided by a small temperature, and sums over many rows, are not to be trusted in half precision.
    """

    def raised(value: Any) -> Any:
        if isinstance(value, Tensor) and value.dtype in (torch.float16, torch.bfloat16):
            return value.float()
        return value

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        device = next((a.device.type for a in (*args, *kwargs.values()) if isinstance(a, Tensor)), "cpu")
        with torch.autocast(device, enabled=False):
            return function(*map(raised, args), **{name: raised(value) for name, value in kwargs.items()})

    wrapper.full_precision = True  # type: ignore[attr-defined]
    return wrapper  # type: ignore[return-value]
