"""How the view of a rendered video moves: in one of eight ways, which no single moment tells.

A camera looks at an endless ground. Where it is, how it is turned and how near it is are drawn for every video by one
law, **and only what its class names goes on with time.** So at any moment of a video, drawn at random, the view has the
same distribution in every class, by construction and not by tuning.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HEIGHT, WIDTH, RATE = 96, 128, 25
PERIOD = 256  # pixels, after which the ground comes again

# What the picture does, with (x, y, turn, growth) for each unit of speed; x to the right, y down, turn clockwise.
WAYS = {
    "anticlockwise": (0, 0, -1, 0),
    "approach": (0, 0, 0, 1),
    "clockwise": (0, 0, 1, 0),
    "down": (0, 1, 0, 0),
    "left": (-1, 0, 0, 0),
    "recede": (0, 0, 0, -1),
    "right": (1, 0, 0, 0),
    "up": (0, -1, 0, 0),
}
CLASSES = tuple(WAYS)
SPEED = (18.0, 54.0)  # pixels a second
TURN, GROWTH = 1 / 45, 1 / 110  # radians, and the logarithm of the size, for each pixel of speed
ASLANT = 0.35  # radians, at most, between a way across the picture and its axis
PACE, SWAY, TILT, LIGHT = 0.12, 2.0, 0.02, 0.12


@dataclass(frozen=True)
class Wave:
    """A sum of two slow sines of uniform phase: what comes and goes, with the same distribution at any time."""

    sizes: NDArray[np.float64]
    rates: NDArray[np.float64]
    phases: NDArray[np.float64]

    @classmethod
    def draw(cls, size: float, rng: np.random.Generator) -> Wave:
        sizes, rates = size * rng.uniform(0.3, 1, 2), 2 * np.pi * rng.uniform(0.2, 0.8, 2)
        return cls(sizes, rates, rng.uniform(0, 2 * np.pi, 2))

    def at(self, seconds: float) -> float:
        """Its value at a time, at most twice its size."""
        return float((self.sizes * np.sin(self.rates * seconds + self.phases)).sum())


@dataclass(frozen=True)
class Pose:
    """How the ground is seen at one moment.

    Attributes:
        x, y: where the picture's middle lies on the ground, in pixels.
        turn: of the picture, clockwise, in radians.
        size: of the ground in the picture, 1 for a pixel a pixel.
        light: the brightness is multiplied by this.
    """

    x: float
    y: float
    turn: float
    size: float
    light: float


@dataclass(frozen=True)
class Plan:
    """All that is drawn for the camera of one video. None of it depends on the class but for `moving`.

    Attributes:
        moving: the class.
        seconds: how long the video is.
        speed: in pixels a second.
        x, y, turn, growth: where the camera is in the middle of the video.
        aslant: radians between a way across the picture and its axis.
        middle: x and y of the pixel about which the picture turns and grows.
        pace, sway, tilt, light: an uneven speed, an unsteady hand, and clouds.
    """

    moving: str
    seconds: float
    speed: float
    x: float
    y: float
    turn: float
    growth: float
    aslant: float
    middle: tuple[float, float]
    pace: Wave
    sway: tuple[Wave, Wave]
    tilt: Wave
    light: Wave

    @classmethod
    def draw(cls, moving: str, seconds: float, rng: np.random.Generator) -> Plan:
        low, high = np.log(SPEED)
        speed, other = np.exp(rng.uniform(low, high, 2))
        growth, frozen = rng.uniform(-0.3, 0.3), rng.uniform(-0.5, 0.5) * seconds * other * GROWTH
        return cls(
            moving=moving,
            seconds=seconds,
            speed=float(speed),
            x=float(rng.uniform(0, PERIOD)),
            y=float(rng.uniform(0, PERIOD)),
            turn=float(rng.uniform(0, 2 * np.pi)),
            # Others are as near as at a random moment of a video that comes nearer.
            growth=float(growth + (0 if WAYS[moving][3] else frozen)),
            aslant=float(rng.uniform(-ASLANT, ASLANT)),
            middle=(float(rng.uniform(0.35, 0.65) * WIDTH), float(rng.uniform(0.35, 0.65) * HEIGHT)),
            pace=Wave.draw(PACE, rng),
            sway=(Wave.draw(SWAY, rng), Wave.draw(SWAY, rng)),
            tilt=Wave.draw(TILT, rng),
            light=Wave.draw(LIGHT, rng),
        )

    def pose(self, seconds: float) -> Pose:
        """The pose at a time."""
        x, y, turn, growth = WAYS[self.moving]
        way = self.speed * (seconds + self.pace.at(seconds) - self.seconds / 2)
        size = np.exp(self.growth + growth * way * GROWTH)
        angle = self.turn + turn * way * TURN + self.tilt.at(seconds)
        cos, sin = np.cos(self.aslant), np.sin(self.aslant)
        across = way * (cos * x - sin * y) + self.sway[0].at(seconds)
        along = way * (sin * x + cos * y) + self.sway[1].at(seconds)
        # The picture goes one way where the camera goes the other.
        cos, sin = np.cos(angle) / size, np.sin(angle) / size
        return Pose(
            x=float(self.x - cos * across - sin * along),
            y=float(self.y + sin * across - cos * along),
            turn=float(angle),
            size=float(size),
            light=float(np.exp(self.light.at(seconds))),
        )
