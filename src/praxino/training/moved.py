"""A run whose videos have been renamed, deleted, joined by others, or moved elsewhere."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import yaml

from praxino.catalogs.base import Catalog
from praxino.configuration.complete import instantiate
from praxino.errors import UserError, nearest
from praxino.printable import are, counted
from praxino.training.own_runs import is_own, remember
from praxino.training.run import Run

SHOWN = 3  # ids that a line names
CATALOGS = ("train", "catalog")  # of a recipe; what a tracker is trained on is the first
PLACES = ("root", "path", "test")  # arguments by which a catalog says where its videos, or their lists, lie


def differences(place: Path, then: Sequence[str], now: Sequence[str], moved_to: str = "") -> str:
    """What has become of a run's videos, and the way on, in one line; "" where they are the same.

    Args:
        place: the run's folder.
        then: ids of its frozen list.
        now: ids that the catalog has.
        moved_to: where the user says that they lie now; "": where they lay.
    """
    first = next((new or old for old, new in zip_longest(then, now) if old != new), None)
    if first is None:
        return ""
    begun = f"the catalog is not the one that {place} began with"
    before, after = set(then), set(now)
    missing, new = [id for id in then if id not in after], [id for id in now if id not in before]
    if not missing and not new:
        return f"{begun}: the same videos in another order (the first is {first}), and a list is followed as it is"
    if moved_to and missing:
        others = f", and {counted(len(new), 'other')} {are(len(new))} there ({_named(new)})" if new else ""
        return (
            f"{moved_to} does not hold the videos that {place} began with: {len(missing)} of {len(then)} "
            f"{are(len(missing))} missing ({_named(missing)}){others}"
        )
    parts = [f"{_counted(ids)} {what} ({_named(ids)})" for ids, what in ((missing, "missing"), (new, "new")) if ids]
    return f"{begun}: {', '.join(parts)}; {_way_on(place, missing, new)}"


def _way_on(place: Path, missing: Sequence[str], new: Sequence[str]) -> str:
    other = "or begin a new run with another --out"
    moved = f"where the folder was moved: praxino resume {place} --catalog.root NEW"
    if missing and new:
        names = "give the old names back" if len(missing) == len(new) else "put back what is missing, and move the rest"
        return f"{names}, {other}; {moved}"
    them = "it" if len(missing) + len(new) == 1 else "them"
    return f"put {them} back, {other}; {moved}" if missing else f"move {them} elsewhere, {other}"


def _counted(ids: Sequence[str]) -> str:
    return f"{counted(len(ids), 'video')} {are(len(ids))}"


def _named(ids: Sequence[str]) -> str:
    return ", ".join(ids[:SHOWN]) + (", ..." if len(ids) > SHOWN else "")


def refuse_lost(folder: str | Path, config: Mapping[str, Any]) -> None:
    """Refuses to go on where the folder of the videos is gone, and says how to name its new place.

    Args:
        folder: the run's.
        config: its complete recipe.

    Raises:
        UserError: naming the place.
    """
    for option, place in _all_places(config).items():
        if place and not os.path.exists(place):
            raise UserError(f"there is no {place} any more: where it was moved, praxino resume {folder} --{option} NEW")


def move(folder: str | Path, config: Mapping[str, Any], places: Mapping[str, str]) -> None:
    """Notes in a run's recipe where its videos lie now, if they are the same ones there.

    Args:
        folder: the run's.
        config: its complete recipe.
        places: option -> new place: {"catalog.root": "NEW"}; of a tracker's training also {"train.root": "NEW"}.

    Raises:
        UserError: if the recipe has no such place, or other videos lie there; then nothing is changed.
    """
    known = _all_places(config)
    for option in places:
        if option not in known:
            hint = nearest(option, known) if known else ""
            raise UserError(f"--{option}: the recipe of {folder} has no such place.{hint}")
    run, changed = Run.open(folder), copy.deepcopy(dict(config))
    for option, place in places.items():
        name, *words = option.split(".")
        _put(changed[name], words, os.path.abspath(place))

    def catalog_only(catalog: Catalog) -> None: ...

    listed = next(name for name in CATALOGS if config.get(name))  # whose videos the run's list has
    moved = {
        name: instantiate(catalog_only, {"catalog": changed[name]})["catalog"] for name in CATALOGS if config.get(name)
    }
    catalog = moved[listed].part("train")
    if run.videos_file.is_file() and any(option.partition(".")[0] == listed for option in places):
        then = [video.id for video in run.videos()]
        now = [catalog[row].id for row in range(len(catalog))]
        if line := differences(run.path, then, now, " and ".join(places.values())):
            raise UserError(line)
    run.lock(run)
    own = is_own(run.recipe_file)
    recipe = run.recipe()
    for option, place in places.items():
        name, *words = option.split(".")
        _put(recipe[name], words, os.path.abspath(place))
    run.write("recipe.yaml", yaml.safe_dump(recipe, sort_keys=False))
    if own:
        remember(run.recipe_file)
    run.log(f"the videos lie in {', '.join(map(os.path.abspath, places.values()))} now")


def _all_places(config: Mapping[str, Any]) -> dict[str, str]:
    return {option: place for name in CATALOGS for option, place in _places(config.get(name), name).items()}


def _places(catalog: Any, name: str) -> dict[str, str]:
    """Option -> place, of a catalog and of those that it is made of."""
    arguments = (catalog or {}).get("init_args") or {}
    found = {f"{name}.{one}": str(arguments[one]) for one in PLACES if arguments.get(one)}
    inner = arguments.get("catalog")
    return found | (_places(inner, f"{name}.catalog") if isinstance(inner, Mapping) else {})


def _put(catalog: dict[str, Any], words: Sequence[str], place: str) -> None:
    for word in words[:-1]:
        catalog = catalog["init_args"][word]
    catalog["init_args"][words[-1]] = place
