"""Counted randomness: a number is a function of a seed and of words that say what it is for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Draw = Callable[[np.random.Generator, int], NDArray]


class Rng:
    """A key made of a seed and words; it holds no state, so the same key always draws the same numbers.

    Whoever needs several independent draws takes children: `rng.child("crop")`, `rng.child("flip")`.
    Everything is drawn on the CPU, so that a device changes nothing.

    Args:
        key: the seed, then the words.
        rank: this process's number, for `rows`.
        ranks: how many processes share one draw of `rows`.
    """

    def __init__(self, *key: str | int, rank: int = 0, ranks: int = 1) -> None:
        self.key = key
        self.rank = rank
        self.ranks = ranks

    def child(self, *words: str | int) -> Rng:
        """The key with further words."""
        return Rng(*self.key, *words, rank=self.rank, ranks=self.ranks)

    def shared(self) -> np.random.Generator:
        """A fresh generator of this key, the same on all ranks."""
        text = "\x1f".join(f"{type(word).__name__}:{word}" for word in self.key)
        number = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest(), "little")
        return np.random.Generator(np.random.Philox(key=number))

    def rows(self, n: int, draw: Draw) -> Tensor:
        """This rank's n rows of one draw of n * ranks rows.

        Since the draw is made for all ranks at once, what a video gets does not depend on how many ranks there are.

        Args:
            n: rows of this rank.
            draw: `draw(generator, rows)` returns an array whose first axis is `rows`.
        """
        # Here, so that who draws numbers only, as the demo's renderer does, loads no torch.
        import torch

        everyone = draw(self.shared(), n * self.ranks)
        return torch.from_numpy(np.ascontiguousarray(everyone[self.rank * n : (self.rank + 1) * n]))

    def __repr__(self) -> str:
        return f"Rng({', '.join(map(repr, self.key))}, rank={self.rank}, ranks={self.ranks})"
