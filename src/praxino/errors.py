"""What a user, and not a developer, has to mend."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping

MOST_SHOWN = 60  # known words in a line
MOST_COMPARED = 20_000  # with a misspelled word, which takes a second


class UserError(Exception):
    """A mistake of the user's: the command line prints its one line and exits with 2.

    The message says what is wrong, where, and how to mend it.
    """


class UnreadableVideo(Exception):
    """A video that cannot be opened or decoded.

    Args:
        id: the video's id in its catalog.
        reason: what went wrong, in a few words.
    """

    def __init__(self, id: str, reason: str) -> None:
        super().__init__(id, reason)
        self.id = id
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.id}: {self.reason}"


def misfit(error: RuntimeError) -> str:
    """The first thing that does not fit, out of what `load_state_dict` says in many lines."""
    lines = [line.strip() for line in str(error).splitlines()]
    return next((line for line in lines[1:] if line), lines[0])[:200].rstrip(".")


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint for a misspelled word: " Did you mean 'x'?", or the known words, as many as are read, if none is near."""
    known = sorted(known)
    close = difflib.get_close_matches(word, known[:MOST_COMPARED], n=3, cutoff=0.5)
    if close:
        return " Did you mean " + " or ".join(f"'{c}'" for c in close) + "?"
    more = f" and {len(known) - MOST_SHOWN} others" if len(known) > MOST_SHOWN else ""
    return f" Known: {', '.join(known[:MOST_SHOWN])}{more}."


def check_numbers(**numbers: float | None) -> None:
    """Raises UserError for a number that is given and not above 0, by its option's name."""
    for name, number in numbers.items():
        if number is not None and not number > 0:
            raise UserError(f"--{name} must be above 0, not {number}")


def check_finite(**numbers: float | None) -> None:
    """Raises UserError for a number that is given and NaN or infinite, by its option's name."""
    for name, number in numbers.items():
        if number is not None and not math.isfinite(number):
            raise UserError(f"--{name} must be a finite number, not {number}")


def check_within(least: float, most: float | None = None, **numbers: float | None) -> None:
    """Raises UserError for a number that is given and below `least` or above `most`, by its option's name."""
    _check(least, most, {f"--{name}": number for name, number in numbers.items()})


def check_arguments(owner: object, least: float, most: float | None = None, **numbers: float | None) -> None:
    """As `check_within`, by the name of the class that takes the number and of the argument."""
    _check(least, most, {f"{type(owner).__name__}: {name}": number for name, number in numbers.items()})


def _check(least: float, most: float | None, numbers: Mapping[str, float | None]) -> None:
    for name, number in numbers.items():
        if number is not None and not (least <= number and (most is None or number <= most)):
            wanted = f"{least} or more" if most is None else f"from {least} to {most}"
            raise UserError(f"{name} must be {wanted}, not {number}")
