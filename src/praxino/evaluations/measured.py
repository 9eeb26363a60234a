"""Which videos an evaluation is about to measure: the first line that it prints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_args

from praxino.catalogs.base import Catalog, Part
from praxino.configuration.signatures import arguments_of

PLACES = ("root", "path")  # arguments by which a catalog says where its videos, or their list, lie
TRAIN_AND_TEST: tuple[Part, ...] = ("train", "test")


def measured_line(catalog: Catalog, parts: Mapping[str, Part]) -> str:
    """Catalog, place, parts and how many videos each has, in one line.

    Args:
        catalog: as built.
        parts: what a part is for ("gallery") -> its name; none: training and test part.
    """
    place = next((str(getattr(catalog, name)) for name in PLACES if getattr(catalog, name, None)), "")
    split = getattr(catalog, "split", None)
    what = [type(catalog).__name__, *([place] if place else []), *([] if split is None else [f"split {split}"])]
    return f"{', '.join(what)}: {', '.join(_counted(catalog, parts))}"


def parts_asked(evaluate: Callable[..., Any], config: Mapping[str, Any]) -> dict[str, Part]:
    """The arguments of an evaluation that are parts of a catalog: `gallery` and `queries`, or `part`."""
    arguments = arguments_of(evaluate)
    return {name: config[name] for name, one in arguments.items() if get_args(one.hint) == get_args(Part)}


def _counted(catalog: Catalog, parts: Mapping[str, Part]) -> list[str]:
    asked = parts or {name: name for name in TRAIN_AND_TEST}
    found = {what: catalog.part(part) for what, part in asked.items()}
    if all(part is catalog for part in found.values()):
        return [f"all {len(catalog)} (no lists)"]
    words = {what: part if what in (part, "part") else f"{what} {part}" for what, part in asked.items()}
    return [f"{words[what]} {len(part)}" for what, part in found.items()]
