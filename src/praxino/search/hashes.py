"""Perceptual hashes of a video in time: what frames look like, in a few bits that another encoding leaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from praxino.catalogs.base import Video
from praxino.streams.base import Canvas
from praxino.streams.choose import picture_stream

PER_SECOND = 8  # hashes
SIDE = 40  # pixels of a frame that is hashed; any shape becomes a square
INNER = slice(4, 36)  # rows and columns of it, without the tenth at each side
WAVES = 8  # frequencies across, and as many down
BITS = WAVES * WAVES - 1  # without the mean brightness
# The same of a mirrored frame: waves of an odd frequency across change their sign.
MIRRORED = np.tile(np.resize([1, -1], WAVES), WAVES)[1:].astype(np.float32)
FLAT = 5.0  # grey levels of standard deviation below which the signs are those of noise
BLOCK = 4096  # frames that are held at once
LONGEST = 60.0  # seconds for which a frame is taken to be shown: times of damaged files may leap by years


@dataclass(frozen=True)
class Hashes:
    """The hashes of a video, `PER_SECOND` from its first frame on.

    Attributes:
        times: float64 [n], seconds of the frames that are shown then.
        whole, inner: bits uint8 [n, 8] of the frame, and of it without a tenth at each side.
        said: bool [n], whether there is something to tell frames by: flat ones, black ones, too, say nothing.
    """

    times: NDArray[np.float64]
    whole: NDArray[np.uint8]
    inner: NDArray[np.uint8]
    said: NDArray[np.bool_]

    def part(self, steps: slice) -> Hashes:
        """Those of some steps."""
        return Hashes(self.times[steps], self.whole[steps], self.inner[steps], self.said[steps])


def hashes_of(video: Video) -> Hashes:
    """Reads a video and hashes its frames.

    Args:
        video: of which the stream `picture_name(video)` is read.

    Raises:
        UnreadableVideo: if it cannot be read.
        UserError: as of its stream.
    """
    with picture_stream(video).open(video, Canvas(exact=(SIDE, SIDE))) as reader:
        wanted = _shown_at(reader.times)
        parts = []
        for first in range(0, len(wanted), BLOCK):
            numbers, where = np.unique(wanted[first : first + BLOCK], return_inverse=True)
            pixels, present = reader.read(numbers)
            grey = pixels.mean(axis=3, dtype=np.float32)
            said = present & (grey[:, INNER, INNER].std(axis=(1, 2)) >= FLAT)
            parts.append([one[where] for one in (bits_of(grey), bits_of(grey[:, INNER, INNER]), said)])
        whole, inner, said = (np.concatenate(one) for one in zip(*parts, strict=True))
        return Hashes(reader.times[wanted], whole, inner, said)


def bits_of(grey: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The signs of a frame's slowest waves (cosine transform), but for its mean.

    Args:
        grey: [n, side, side].

    Returns:
        uint8 [n, 8], packed.
    """
    side = grey.shape[1]
    waves = np.cos(np.pi / side * np.arange(WAVES)[:, None] * (np.arange(side) + 0.5)).astype(np.float32)
    found = (waves @ grey @ waves.T).reshape(len(grey), -1)[:, 1:]
    return np.packbits(found > 0, axis=1)


def signs_of(bits: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Bits uint8 [n, 8] as float32 [n, BITS] of -1 and 1: a product of two is `BITS` less twice their distance."""
    return np.unpackbits(bits, axis=1, count=BITS).astype(np.float32) * 2 - 1


def _shown_at(times: NDArray[np.float64]) -> NDArray[np.int64]:
    """The numbers of the frames that are shown at each step from the first one on."""
    clock = np.concatenate([[0.0], np.cumsum(np.clip(np.diff(times), 0, LONGEST))])
    steps = np.arange(np.floor(clock[-1] * PER_SECOND + 1e-6) + 1) / PER_SECOND
    return np.searchsorted(clock, steps + 1e-6, side="right") - 1
