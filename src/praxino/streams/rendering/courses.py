"""How something goes with time: drifts, swings and stops, as functions of seconds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Seconds = NDArray[np.float64]


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A number of which no size is more likely than another."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


@dataclass(frozen=True)
class Pace:
    """A clock of its own: now quicker, now slower; some stand still for a while.

    Attributes:
        sway: by how many seconds it goes ahead and falls behind.
        often: how many times a second, in radians.
        phase: of that.
        stops: whether it stands still for a part of each turn.
    """

    sway: float
    often: float
    phase: float
    stops: bool

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Pace:
        often = 2 * np.pi * log_uniform(rng, 0.3, 1.5)
        uneven = rng.random()
        return cls(float(rng.uniform(0.2, 0.9) / often) if uneven < 0.5 else 0.0, often, _phase(rng), uneven > 0.85)

    def at(self, seconds: Seconds) -> Seconds:
        """Its seconds, which never go back."""
        if not self.stops:
            return seconds + self.sway * np.sin(self.often * seconds + self.phase)
        turns = (self.often * seconds + self.phase) / (2 * np.pi)
        whole = np.floor(turns)
        return (whole + np.minimum((turns - whole) * 2, 1)) * (2 * np.pi / self.often)


@dataclass(frozen=True)
class Swing:
    """A number that goes to and fro about 0.

    Attributes:
        size: its largest value.
        often: how many times a second, in radians.
        phase: of that.
        bounces: whether it springs back from 0, like a ball, in the place of passing it.
    """

    size: float
    often: float
    phase: float
    bounces: bool = False

    @classmethod
    def draw(cls, rng: np.random.Generator, size: float, slow: float = 0.4, quick: float = 3.0) -> Swing:
        return cls(size, 2 * np.pi * log_uniform(rng, slow, quick), _phase(rng), bool(rng.random() < 0.15))

    def at(self, seconds: Seconds) -> Seconds:
        wave = np.sin(self.often * seconds + self.phase)
        return self.size * (np.abs(wave) if self.bounces else wave)


NOTHING = Swing(0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Course:
    """Where something is, how it is turned and how large it is.

    Lengths are in sides of the picture, the shorter one; places are complex numbers, x to the right and y down.

    Attributes:
        place: at 0 s.
        drift: sides a second.
        swing: to and fro along `way`, and across it with `across`: together they make ovals.
        way: a complex number of length 1.
        turn, spin, rock: the angle at 0 s in radians, radians a second, and a swing of it.
        size, growth, pulse: the size at 0 s, the growth of its logarithm a second, and a swing of that.
        pace: its clock.
    """

    place: complex
    drift: complex
    swing: Swing
    across: Swing
    way: complex
    turn: float
    spin: float
    rock: Swing
    size: float
    growth: float
    pulse: Swing
    pace: Pace

    @classmethod
    def draw(cls, rng: np.random.Generator, size: tuple[float, float], room: complex) -> Course:
        """A course within a picture of `room` sides (width and height), of something of a size between two."""
        has = rng.random(6)
        way = np.exp(1j * _phase(rng))
        largest = log_uniform(rng, 0.03, 0.35)
        still = rng.random() < 0.1
        swing = Swing.draw(rng, largest) if has[0] < 0.45 else NOTHING
        return cls(
            place=complex(rng.uniform(-0.55, 0.55) * room.real, rng.uniform(-0.55, 0.55) * room.imag),
            drift=0 if has[1] < 0.5 or still else complex(np.exp(1j * _direction(rng)) * log_uniform(rng, 0.06, 1.2)),
            swing=NOTHING if still else swing,
            across=Swing(largest * rng.uniform(0.2, 1), swing.often, _phase(rng)) if has[2] < 0.3 else NOTHING,
            way=complex(way),
            turn=_phase(rng) if rng.random() < 0.5 else float(rng.normal(0, 0.15)),
            spin=float(rng.choice([-1, 1]) * log_uniform(rng, 0.4, 7)) if has[3] < 0.25 and not still else 0.0,
            rock=Swing.draw(rng, log_uniform(rng, 0.1, 0.8)) if has[4] < 0.25 else NOTHING,
            size=log_uniform(rng, *size),
            growth=float(rng.choice([-1, 1]) * log_uniform(rng, 0.1, 0.8)) if has[5] < 0.25 and not still else 0.0,
            pulse=Swing.draw(rng, log_uniform(rng, 0.05, 0.3)) if rng.random() < 0.1 else NOTHING,
            pace=Pace.draw(rng),
        )

    def at(self, seconds: Seconds, room: complex) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
        """Where it is, and as one complex number how it is turned and how large it is; both complex128 [n].

        What leaves the picture comes back on the other side.

        Args:
            seconds: [n], from the middle of the video on.
            room: width and height within which it drifts, and a margin of its size.
        """
        own = self.pace.at(seconds)
        place = self.place + self.drift * own + self.way * (self.swing.at(own) + 1j * self.across.at(own))
        if self.drift:
            place = _wrapped(place.real, room.real + self.size) + 1j * _wrapped(place.imag, room.imag + self.size)
        turn = self.turn + self.spin * own + self.rock.at(own)
        size = self.size * np.exp(np.clip(self.growth * own + self.pulse.at(own), -1.2, 1.2))
        return place, size * np.exp(1j * turn)


def _wrapped(values: NDArray[np.float64], room: float) -> NDArray[np.float64]:
    return (values + room / 2) % room - room / 2


def _phase(rng: np.random.Generator) -> float:
    return float(rng.uniform(0, 2 * np.pi))


def _direction(rng: np.random.Generator) -> float:
    """Any, and more often sideways than up or down."""
    return float(rng.normal(0, 0.3) + np.pi * rng.integers(2)) if rng.random() < 0.5 else _phase(rng)
