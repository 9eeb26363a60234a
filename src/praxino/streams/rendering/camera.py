"""Through what the scenes of rendered videos are seen: a camera that stands, pans, zooms, turns, or is held by hand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from praxino.streams.rendering.courses import NOTHING, Pace, Seconds, Swing, log_uniform


class Camera:
    """Where the camera looks, how near it is and how it is turned.

    Args:
        rng: draws it.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        has = rng.random(4)
        angle = rng.normal(0, 0.25) + np.pi * rng.integers(2) if rng.random() < 0.7 else rng.uniform(0, 2 * np.pi)
        self.way = np.exp(1j * angle) * (log_uniform(rng, 0.05, 0.7) if has[0] < 0.35 else 0)
        self.to_and_fro = bool(rng.random() < 0.3)
        self.nearer = float(rng.choice([-1, 1]) * log_uniform(rng, 0.05, 0.45)) if has[1] < 0.2 else 0.0
        self.roll = float(rng.normal(0, 0.2)) if has[2] < 0.1 else 0.0
        hand = log_uniform(rng, 0.003, 0.035) if has[3] < 0.4 else 0.0
        self.hand = [Swing.draw(rng, hand * rng.uniform(0.4, 1), 0.7, 6) if hand else NOTHING for _ in range(4)]
        self.near = log_uniform(rng, 0.85, 1.5)
        self.pace = Pace.draw(rng)

    def at(self, seconds: Seconds) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
        """The place it looks at, and nearness and turn as one complex number; complex128 [n] each."""
        own = self.pace.at(seconds)
        along = np.sin(own * 2) / 2 if self.to_and_fro else own
        hand = [swing.at(seconds) for swing in self.hand]
        place = self.way * along + hand[0] + hand[1] + 1j * (hand[2] + hand[3])
        near = self.near * np.exp(np.clip(self.nearer * own, -0.35, 0.5))
        return np.clip(place.real, -1.1, 1.1) + 1j * np.clip(place.imag, -1.1, 1.1), near * np.exp(1j * self.roll * own)
