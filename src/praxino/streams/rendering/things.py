"""What moves in a rendered video: single pieces, crowds of one piece, and figures whose limbs swing."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from praxino.streams.rendering.courses import NOTHING, Course, Seconds, Swing, log_uniform
from praxino.streams.rendering.textures import palette, texture

SPRITE = 48
Colour = tuple[int, int, int]
LEVELS = 3  # a sprite, and its reductions to halves


class Sprite:
    """An outline with its colours, and the same at smaller sizes, so that a small one does not flicker.

    Args:
        coverage: uint8 [SPRITE, SPRITE].
        colours: the same with three channels; or one colour.
    """

    def __init__(self, coverage: NDArray[np.uint8], colours: NDArray[np.uint8] | Colour) -> None:
        self.levels = [(colours if isinstance(colours, tuple) else Image.fromarray(colours), Image.fromarray(coverage))]

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Sprite:
        """A textured one."""
        return cls(_outline(rng), texture(SPRITE, rng))

    def level(self, pixels: float) -> tuple[Image.Image | Colour, Image.Image]:
        """Colours and coverage at about so many pixels a side, or more."""
        wanted = min(int(np.log2(max(SPRITE / max(pixels, 1), 1))), LEVELS - 1)
        while len(self.levels) <= wanted:
            colours, coverage = self.levels[-1]
            self.levels.append((colours if isinstance(colours, tuple) else colours.reduce(2), coverage.reduce(2)))
        return self.levels[wanted]


@dataclass
class Part:
    """A sprite that hangs on a thing, or on another of its parts.

    Attributes:
        sprite: what is seen.
        half: half of its width and height, in sizes of the thing.
        joint: where it hangs, in sizes of the thing, on the part `on`, or on the thing where that is None.
        rest: its angle.
        swing: of the angle.
        on: the number of another part, from whose end it hangs.
    """

    sprite: Sprite
    half: tuple[float, float]
    joint: complex = 0j
    rest: float = 0.0
    swing: Swing = NOTHING
    on: int | None = None


@dataclass
class Placed:
    """A part at n moments.

    Attributes:
        sprite: what is seen.
        middle: of it, complex128 [n].
        turned: angle and size in one, complex128 [n].
        half: half of its width and height, in units of `turned`; float64 [n, 2].
        rest: the same of a part that keeps its shape.
        shadow: whether it throws one.
    """

    sprite: Sprite
    middle: NDArray[np.complex128]
    turned: NDArray[np.complex128]
    half: NDArray[np.float64]
    rest: tuple[float, float]
    shadow: bool


@dataclass
class Thing:
    """Parts that go the same way.

    Attributes:
        parts: the ones behind first; none comes before the one that it hangs on, but for the first.
        course: where the thing goes.
        stretch: its width grows by this, and its height shrinks.
        depth: how much of the camera's way it follows: 1 on the ground, more for what is nearer.
        shadow: whether it throws one.
    """

    parts: list[Part]
    course: Course
    stretch: Swing = NOTHING
    depth: float = 1.0
    shadow: bool = False

    def placed(self, seconds: Seconds, room: complex) -> list[Placed]:
        """Its parts at n moments, [n] seconds."""
        place, turned = self.course.at(seconds, room)
        stretch = np.exp(self.stretch.at(seconds))
        ends: list[tuple[NDArray[np.complex128], NDArray[np.complex128]]] = []
        made = []
        for part in self.parts:
            base, axis = (place, turned) if part.on is None else ends[part.on]
            own = turned * np.exp(1j * (part.rest + part.swing.at(seconds)))
            joint = base + (turned * part.joint if part.on is None else 0)
            hangs = part.on is not None or part.joint != 0
            middle = joint + own * (1j * part.half[1] * 0.9) * hangs
            ends.append((middle + own * (1j * part.half[1] * 0.85), axis))
            half = np.stack([part.half[0] * stretch, part.half[1] / stretch], -1)
            made.append(Placed(part.sprite, middle, own, half, part.half, self.shadow))
        return made


def piece(rng: np.random.Generator, room: complex) -> list[Thing]:
    """One thing of one part; some change their shape."""
    sprite = Sprite.draw(rng)
    stretch = Swing.draw(rng, log_uniform(rng, 0.05, 0.4)) if rng.random() < 0.2 else NOTHING
    half = (0.5, 0.5 * log_uniform(rng, 0.4, 2.5))
    course = Course.draw(rng, (0.12, 0.7), room)
    return [Thing([Part(sprite, half)], course, stretch, _depth(rng), bool(rng.random() < 0.25))]


def crowd(rng: np.random.Generator, room: complex) -> list[Thing]:
    """Several of one look, each on a course of its own, or all on one."""
    sprite, half = Sprite.draw(rng), (0.5, 0.5 * log_uniform(rng, 0.5, 2))
    together, first = rng.random() < 0.5, Course.draw(rng, (0.06, 0.25), room)
    depth, shadow = _depth(rng), bool(rng.random() < 0.25)
    things = []
    for _ in range(rng.integers(3, 7)):
        course = Course.draw(rng, (0.06, 0.25), room)
        if together:
            course = replace(first, place=course.place)
        things.append(Thing([Part(sprite, half)], course, NOTHING, depth, shadow))
    return things


def figure(rng: np.random.Generator, room: complex) -> list[Thing]:
    """A trunk with a head and limbs that swing from joints: walking, waving, pulling."""
    often, size = 2 * np.pi * log_uniform(rng, 0.5, 2.5), log_uniform(rng, 0.15, 1.3)
    body, limb = Sprite.draw(rng), Sprite(_limb(), tuple(palette(rng)[128].tolist()))
    width = float(rng.uniform(0.08, 0.16))
    trunk = Part(body, (width * 1.2, 0.24))
    head = Part(Sprite.draw(rng), (0.09, 0.11), -0.36j)
    parts = _limbs(rng, limb, width, often)
    if rng.random() < 0.4 and parts:  # something held: a bat, a bow, a ball
        held, half = Sprite.draw(rng), (0.05, log_uniform(rng, 0.05, 0.3))
        parts.append(Part(held, half, rest=float(rng.uniform(0, 6)), on=len(parts) - 1))
    parts += [trunk, head]
    course = Course.draw(rng, (size, size * 1.01), room)
    course = replace(course, spin=0.0, turn=float(rng.normal(0, 0.15)))
    return [Thing(parts, course, NOTHING, _depth(rng), bool(rng.random() < 0.25))]


def _limbs(rng: np.random.Generator, limb: Sprite, width: float, often: float) -> list[Part]:
    """Legs and arms of two parts each, some of which are not seen, swinging so many times a second (in radians)."""
    parts: list[Part] = []
    still = rng.random() < 0.3  # legs of one who stands or sits
    for number, joint in enumerate((0.17j - width / 2, 0.17j + width / 2, -0.17j - width, -0.17j + width)):
        legs = number < 2
        if rng.random() < (0.15 if legs else 0.05):
            continue
        swings = 0.0 if legs and still else log_uniform(rng, 0.1, 1.1)
        phase = float(rng.uniform(0, 2 * np.pi))
        rest = float(rng.normal(0, 0.25 if legs else 1.0))
        upper = Part(limb, (0.045, 0.14), joint, rest, Swing(swings, often, phase))
        bent = Swing(swings * rng.uniform(0.2, 1), often, phase + float(rng.uniform(0, 2)))
        lower = Part(limb, (0.04, 0.14), 0j, rest + float(rng.normal(0, 0.6)), bent, on=len(parts))
        parts += [upper, lower]
    return parts


def _depth(rng: np.random.Generator) -> float:
    return float(rng.choice([1.0, 1.0, rng.uniform(1, 2.2), 0.0], p=[0.3, 0.2, 0.3, 0.2]))


def _outline(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Coverage uint8 [SPRITE, SPRITE]: a polygon, a star, or a blob."""
    axis = np.linspace(-1, 1, SPRITE, dtype=np.float32)
    x, y = axis, axis[:, None]
    radius, angle = np.hypot(x, y), np.arctan2(y, x) + rng.uniform(0, 2 * np.pi)
    kind, corners = rng.integers(3), int(rng.integers(3, 7))
    if kind == 0:
        sector = 2 * np.pi / corners
        edge = 0.95 * np.cos(sector / 2) / np.cos(angle % sector - sector / 2)
    elif kind == 1:
        edge = 0.7 + 0.25 * np.cos(corners * angle)
    else:
        sizes, shifts = rng.uniform(-0.14, 0.14, 4), rng.uniform(0, 2 * np.pi, 4)
        edge = 0.7 + sum(size * np.cos((k + 1) * angle + shifts[k]) for k, size in enumerate(sizes))
        edge = np.minimum(edge, 0.95)
    return (np.clip((edge - radius) * (SPRITE / 3) + 0.5, 0, 1) * 255).astype(np.uint8)


def _limb() -> NDArray[np.uint8]:
    axis = np.abs(np.linspace(-1, 1, SPRITE, dtype=np.float32))
    edge = np.clip((0.95 - np.maximum(axis, axis[:, None])) * (SPRITE / 3) + 0.5, 0, 1)
    return (edge * 255).astype(np.uint8)
