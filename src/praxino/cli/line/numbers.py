"""Numbers that no run can mean, refused before anything is built: `--seed -1`, `--max_left_out 7`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from praxino.configuration.complete import Mistake
from praxino.errors import UserError, check_finite, check_numbers, check_within

# By the names that arguments have in every command; of a list each number is meant.
ABOVE_ZERO = (
    "devices", "batch_size", "test_batch_size", "accumulate", "threads", "prefetch", "checkpoint_steps",
    "checkpoint_minutes", "keep_epochs", "clip_norm", "validation_clips", "clips_at_once", "drop_last", "k",
    "temperature", "labels_per_class", "draws", "steps", "every",
)  # fmt: skip
FINITE = ("every",)
FROM_ZERO = ("workers", "validation", "tested_after", "penalties")
SHARES = ("max_left_out",)
LARGEST_SEED = 2**63 - 1  # what torch's generator takes


def refuse_out_of_range(config: Mapping[str, Any]) -> None:
    """Looks at the numbers of a complete configuration; those inside of classes are refused by their constructors.

    Raises:
        Mistake: naming the first that is out of range.
    """
    for name, value in config.items():
        numbers = value if isinstance(value, list) else [value]
        if name == "k" and value == []:
            raise Mistake((name,), "needs at least one number")
        for number in numbers:
            if isinstance(number, int | float) and not isinstance(number, bool):
                _refuse(name, number)


def _refuse(name: str, number: float) -> None:
    try:
        if name in ABOVE_ZERO:
            check_numbers(**{name: number})
            if name in FINITE:
                check_finite(**{name: number})
        elif name in FROM_ZERO:
            check_within(0, **{name: number})
        elif name in SHARES:
            check_within(0, 1, **{name: number})
        elif name == "seed":
            check_within(0, seed=number)
            check_within(0, LARGEST_SEED, seed=number)
    except UserError as error:
        raise Mistake((name,), str(error).removeprefix(f"--{name} ")) from None
