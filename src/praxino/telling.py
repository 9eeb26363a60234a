"""Which columns of a table are worth a look: those in which chance leaves room for anything else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

SAYS_NOTHING = 95.0  # percent of hits by chance: a column with more tells nothing


def telling(columns: Sequence[str], by_chance: Mapping[str, float]) -> list[str]:
    """The columns to be shown; the first one, where chance fills them all.

    Args:
        columns: of a table, in order.
        by_chance: what guessing reaches in a column, in percent; nothing where it does not say.
    """
    kept = [column for column in columns if by_chance.get(column, 0.0) <= SAYS_NOTHING]
    return kept or list(columns[:1])


def untold(columns: Sequence[str], by_chance: Mapping[str, float]) -> str:
    """Which columns are not shown, and why, as "not shown, since ...: @20, @50"; "" where all are."""
    kept = telling(columns, by_chance)
    without = [column_title(column) for column in columns if column not in kept]
    if not without:
        return ""
    return f"not shown, since chance alone reaches more than {SAYS_NOTHING:.0f} %: {', '.join(without)}"


def column_title(column: str) -> str:
    """k nearest neighbours as "@k"; other columns by their name."""
    return f"@{column}" if column.isdecimal() else column
