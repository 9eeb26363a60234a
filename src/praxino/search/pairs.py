"""Pairs of videos that show the same footage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Footage:
    """A part of a video: its id, its line of the manifest, from when to when (seconds), and its list.

    `part` is train, test, "train and test" or, where no catalog is given or it does not list the video, empty.
    """

    video: str
    number: int
    start: float
    end: float
    part: str = ""


@dataclass(frozen=True)
class Pair:
    """The same footage in two videos.

    Attributes:
        one, other: where it is in each; the one stands first in the index.
        share: of the shorter video's frames, those that agree, from 0 to 1.
        distance: bits, of 63, in which frames of this part differ, on average.
        mirrored: the one shows it in a mirror.
    """

    one: Footage
    other: Footage
    share: float
    distance: float
    mirrored: bool

    @property
    def crosses(self) -> bool:
        """Whether one of the two is for training and the other one for testing."""
        parts = self.one.part, self.other.part
        return any("train" in one and "test" in other for one, other in (parts, parts[::-1]))


@dataclass(frozen=True)
class Duplicates(Sequence[Pair]):
    """What was found: a sequence of `Pair`; those that cross two lists first, then by their share and distance.

    Attributes:
        pairs: all of them.
        compared: how many candidates were decided by their frames.
        gone: ids of videos that the index marks as gone, and of those whose files are no longer there.
        left_out: (id, reason) of those that cannot be read.
    """

    pairs: tuple[Pair, ...]
    compared: int
    gone: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, place: Any) -> Any:
        return self.pairs[place]

    @property
    def crossing(self) -> int:
        """How many pairs cross the lists for training and for testing."""
        return sum(pair.crosses for pair in self.pairs)
