"""Which frames come out of a video file, found once and kept on the disk.

Frame k is the k-th frame that a decode from the start gives: not the one at k / rate seconds, which many files do not
have. Packed bitstreams, missing or repeated timestamps, edit lists and headers that lie all have that order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MISSING = int(np.iinfo(np.int64).min)


@dataclass(frozen=True)
class Turn:
    """How the stored frame becomes the shown one: transpose, then flips of rows and columns."""

    transpose: bool = False
    flip_rows: bool = False
    flip_columns: bool = False

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A turned view of [H, W, C]."""
        if self.transpose:
            pixels = pixels.swapaxes(0, 1)
        return pixels[:: -1 if self.flip_rows else 1, :: -1 if self.flip_columns else 1]

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width after the turn, or before it: it is the same exchange."""
        return (width, height) if self.transpose else (height, width)


@dataclass(frozen=True, eq=False)
class FrameIndex:
    """What is known of a file's frames.

    Attributes:
        pts: int64 [frames], timestamps in ticks, in the order in which frames come out; MISSING where there is none.
        keys: int64 [keys], timestamps of the packets at which decoding may begin, ascending.
        tick: seconds of one tick.
        rate: frames a second on average, for files without timestamps.
        height, width: of the first frame, as stored.
        turn: to the shown orientation.
        clean: all of it decodes without a sign of damage, and seeks find what they should. Without that the next three
            are not claimed: what a decoder makes of damaged packets depends on all that it has seen before.
        seekable: decoding may begin at a key, and timestamps tell frames apart.
        skippable: packets that nothing refers to may be left out.
        quick: the file may be opened without decoding its first frames.
        note: what is odd, in a few words.
    """

    pts: NDArray[np.int64]
    keys: NDArray[np.int64]
    tick: float
    rate: float
    height: int
    width: int
    turn: Turn
    clean: bool
    seekable: bool
    skippable: bool
    quick: bool
    note: str

    def times(self) -> NDArray[np.float64]:
        """float64 [frames], seconds since the first frame, never falling."""
        if (self.pts == MISSING).any():
            return np.arange(len(self.pts)) / self.rate
        # Sorted: a packed bitstream exchanges the timestamps of neighbours, not the frames.
        ordered = np.sort(self.pts)
        return (ordered - ordered[0]) * self.tick

    def segments(self, wanted: NDArray[np.int64], worth: int = 8) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """Splits ascending frame numbers where a seek saves decoding: (row in `keys` or -1, frame numbers).

        Args:
            wanted: ascending frame numbers.
            worth: frames that a seek must save; it costs about as much as decoding these.
        """
        rows = np.searchsorted(self.keys, self.pts[wanted], side="right") - 1
        # The frame that comes out first after the key of each.
        begins = np.where(rows < 0, 0, np.searchsorted(self.pts, np.append(self.keys, MISSING)[rows]))
        cuts = np.flatnonzero(begins[1:] > wanted[:-1] + worth) + 1
        for part, row in zip(np.split(wanted, cuts), rows[np.concatenate([[0], cuts])], strict=True):
            yield int(row), part
