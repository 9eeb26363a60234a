"""The numbers that golden items are made of: every value follows from a name, a seed and its place alone.

A value is the splitmix64 hash of its place (from 1, in C order), offset by a CRC of "seed:name".
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import DTypeLike, NDArray

GOLDEN_RATIO = 0x9E3779B97F4A7C15
ROUNDS = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))
OFFSET = 0xD1342543DE82EF95


def unit_interval(name: str, seed: int, count: int) -> NDArray[np.float64]:
    """`count` numbers in [0, 1), of 53 bits."""
    offset = zlib.crc32(f"{seed}:{name}".encode()) * OFFSET % 2**64
    hashed = np.arange(1, count + 1, dtype=np.uint64)
    with np.errstate(over="ignore"):
        hashed = hashed * np.uint64(GOLDEN_RATIO) + np.uint64(offset)
        for shift, factor in ROUNDS:
            hashed = (hashed ^ (hashed >> np.uint64(shift))) * np.uint64(factor)
    hashed ^= hashed >> np.uint64(31)
    return (hashed >> np.uint64(11)).astype(np.float64) / 2**53


def uniform(
    name: str, shape: Sequence[int], seed: int, low: float = -1, high: float = 1, dtype: DTypeLike = np.float32
) -> NDArray:
    """Evenly in [low, high); whole numbers are rounded down."""
    numbers = low + (high - low) * unit_interval(name, seed, math.prod(shape))
    if np.dtype(dtype).kind in "iu":
        numbers = np.floor(numbers)
    return numbers.astype(dtype).reshape(tuple(shape))


def unit_rows(name: str, shape: Sequence[int], seed: int) -> NDArray[np.float32]:
    """`uniform` in float32, each row along the last axis divided by its 2-norm in float64."""
    rows = uniform(name, shape, seed).astype(np.float64)
    return (rows / np.sqrt(np.square(rows).sum(axis=-1, keepdims=True))).astype(np.float32)


def weights(shapes: Mapping[str, Sequence[int]], seed: int, scale: float = 1.0) -> dict[str, NDArray]:
    """A network's state: {key: shape} -> {key: array}, by the key's last word and the number of axes."""
    return {key: _weight(key, shape, seed, scale) for key, shape in shapes.items()}


def _weight(key: str, shape: Sequence[int], seed: int, scale: float) -> NDArray:
    word = key.rpartition(".")[2]
    if word == "num_batches_tracked":
        return np.zeros(shape, np.int64)
    small = len(shape) < 2
    if word == "running_var":
        low, high = 0.5, 1.5
    elif word == "running_mean" or (small and "bias" in word):
        low, high = -0.1, 0.1
    elif small:
        low, high = 0.5, 1.5
    else:
        high = math.sqrt(6 / math.prod(shape[1:]))
        low = -high
    values = uniform(key, shape, seed, low, high)
    return values if scale == 1 else (scale * values).astype(np.float32)
