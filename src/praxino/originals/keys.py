"""What the converters of all originals share: states whose keys have to be exactly those that are expected."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from praxino.encoders.head import Head
from praxino.errors import UserError

PARALLEL = "module."
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
INTEGERS = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)
# What a state counts and numbers. All else are weights and statistics.
COUNTS = ("num_batches_tracked", "queue_ptr", "queue_cycle_ptr", "queue_labels", "queue_indices")


def without_parallel(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state without the prefix that `DataParallel` puts before all keys."""
    if not state or not all(key.startswith(PARALLEL) for key in state):
        return dict(state)
    return {key.removeprefix(PARALLEL): tensor for key, tensor in state.items()}


def plain_classifier(head: Head, original: str) -> dict[str, Tensor]:
    """Weight and bias of a head that is a linear layer and no more.

    Args:
        head: of an encoder.
        original: what would take it, for the message.

    Raises:
        UserError: if it normalises its features, which the original's classifier does not.
    """
    if head.norm:
        raise UserError(f"{original}'s classifier is a linear layer, and this head has a BatchNorm before it")
    return {word: tensor.detach().cpu() for word, tensor in head.state_dict().items()}


def refuse_unequal(state: Mapping[str, Tensor], shapes: Mapping[str, tuple[int, ...]], what: str) -> None:
    """Refuses a state that has not exactly these keys and shapes, and finite numbers of the right type in them.

    Args:
        state: key -> tensor.
        shapes: key -> shape, in the order in which they are looked for.
        what: whose state it should be, for the message.

    Raises:
        UserError: naming the first key that is missing, misshapen, or of odd numbers, else the first that is too much.
    """
    for key, shape in shapes.items():
        refuse_misshapen(state, key, shape, what)
    extra = next((key for key in state if key not in shapes), None)
    if extra is not None:
        raise UserError(f"this is no state of {what}: the key {extra} does not belong to it")


def refuse_misshapen(state: Mapping[str, Tensor], key: str, shape: tuple[int | str, ...], what: str) -> tuple[int, ...]:
    """The shape of a key.

    Args:
        state: key -> tensor.
        key: one of it.
        shape: what is expected; a word stands for any number from 1 on.
        what: whose state it should be, for the message.

    Raises:
        UserError: if the key is missing, or has another shape, or other numbers than finite ones (of floating point for
            weights and statistics, integers for counts).
    """
    if key not in state:
        raise UserError(f"this is no state of {what}: the key {key} is missing")
    found = tuple(state[key].shape)
    fits = len(found) == len(shape) and all(
        size >= 1 if isinstance(wanted, str) else size == wanted for size, wanted in zip(found, shape, strict=True)
    )
    if not fits:
        wanted = ", ".join(map(str, shape))
        raise UserError(f"this is no state of {what}: {key} has the shape {list(found)}, not [{wanted}]")
    if not state[key].is_meta:  # a state of shapes alone, which no file is
        _refuse_odd_numbers(key, state[key], what)
    return found


def _refuse_odd_numbers(key: str, tensor: Tensor, what: str) -> None:
    # Copied into a network, any number becomes a float in silence, and a complex one loses half of it.
    counts = key.endswith(COUNTS)
    if tensor.dtype not in (INTEGERS if counts else FLOATS):
        wanted = "an integer" if counts else "a floating-point"
        dtype = str(tensor.dtype).removeprefix("torch.")
        raise UserError(f"this is no state of {what}: {key} is of the type {dtype}, not of {wanted} type")
    odd = 0 if counts else int((~tensor.isfinite()).sum())
    if odd:
        raise UserError(f"{key} holds {odd} numbers of {tensor.numel()} that are not finite: it is no trained network")
