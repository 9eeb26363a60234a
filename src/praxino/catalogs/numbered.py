"""Names of frames that end in their numbers, and the names that are missing among them."""

from __future__ import annotations

import re
from collections.abc import Sequence

NAME = re.compile(r"(.*?)([0-9]{1,9})(\.[A-Za-z]+)")
MOST_MISSING = 1  # as many as there are: with more of them these are no numbers of frames


def in_order(names: Sequence[str]) -> list[str]:
    """Names in the order of their numbers: the shorter one comes first, so that `2.jpg` comes before `10.jpg`."""
    return sorted(names, key=lambda name: (len(name), name))


def with_missing(names: Sequence[str], first: int | None = None) -> list[str]:
    """Names in order, and between them those that their numbers jump over.

    Args:
        names: `<word><number><ending>`, all of one word and ending.
        first: the number that they begin with; None: as they do.

    Returns:
        The names in order alone, where they are of another form, or as many would be missing as are there.
    """
    matches = [NAME.fullmatch(name) for name in names]
    kinds = {(match[1], match[3]) for match in matches if match}
    if not names or None in matches or len(kinds) > 1:
        return in_order(names)
    ((word, ending),) = kinds
    known = {int(match[2]): name for match, name in zip(matches, names, strict=True) if match}
    start = min(known) if first is None else first
    count = max(known) - start + 1
    if len(known) < len(names) or start > min(known) or count > (1 + MOST_MISSING) * len(names):
        return in_order(names)
    width = min(len(match[2]) for match in matches if match)  # of the shortest, whether there are leading zeros or not
    return [known.get(number, f"{word}{number:0{width}d}{ending}") for number in range(start, start + count)]
