"""A score class by class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike


@dataclass
class ByClass:
    """One number of a table, taken apart into classes.

    Attributes:
        row, column: where the number stands in the table.
        classes: (name, how many videos of it were asked, in percent how many of them were hits), by label.
    """

    row: str
    column: str
    classes: list[tuple[str, int, float]]


def by_class(row: str, column: str, hits: ArrayLike, labels: ArrayLike, names: Sequence[str]) -> ByClass:
    """The hits of each class of which there are videos.

    Args:
        row, column: of the table.
        hits: bool [videos], or the share of hits of each.
        labels: int [videos].
        names: of the classes, by label.
    """
    found, asked = np.asarray(hits, np.float64), np.asarray(labels)
    counts = {label: int((asked == label).sum()) for label in range(len(names))}
    classes = [
        (names[label], count, 100 * float(found[asked == label].mean())) for label, count in counts.items() if count
    ]
    return ByClass(row, column, classes)


def plain(scores: ByClass | None) -> dict[str, Any] | None:
    """The same as plain data, for a result's file."""
    if scores is None:
        return None
    classes = [{"name": name, "videos": videos, "value": value} for name, videos, value in scores.classes]
    return {"row": scores.row, "column": scores.column, "classes": classes}


def from_plain(said: dict[str, Any] | None) -> ByClass | None:
    """Back from what `plain` gave; results of earlier versions say nothing."""
    if said is None:
        return None
    classes = [(one["name"], one["videos"], one["value"]) for one in said["classes"]]
    return ByClass(said["row"], said["column"], classes)
