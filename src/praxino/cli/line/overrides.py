"""Options laid over a recipe: `--method.backbone.width 32` changes one argument deep inside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from praxino.configuration.complete import Carried, Mistake, Place, dotted
from praxino.configuration.documents import parsed
from praxino.errors import UserError, nearest

CATALOG: Place = ("catalog",)


def place_of(name: str) -> Place:
    """A dotted name as a place: `stages.0.epochs` -> ("stages", 0, "epochs")."""
    return tuple(int(word) if word.isdecimal() else word for word in name.split("."))


def put(config: dict[str, Any], place: Place, value: Any) -> None:
    """Sets one argument of a recipe, in place. Another class keeps those arguments of the old one that it takes, too.

    Not so a catalog: which videos are meant is typed as a whole, and a split or a root of another data set is none of
    it.

    Raises:
        Mistake: if an item of a list is named that is not there.
    """
    node: Any = config
    word: Any
    for depth, word in enumerate(place):
        last = depth == len(place) - 1
        if isinstance(node, list):
            if word not in range(len(node)):
                raise Mistake(place[: depth + 1], f"there is no item {word}: the list has 0 to {len(node) - 1}")
        elif word not in node and not last:
            node[word] = {}
        inside = node[word] if isinstance(node, list) or word in node else None
        if isinstance(node, Carried):
            node.carried.discard(word)
        if last:
            node[word] = value if place == CATALOG else _changed(inside, value)
        else:
            node[word] = inside = _open(inside, f"--{dotted(place[: depth + 1])}")
            node = inside.setdefault("init_args", {}) if _has_class(inside) else inside
            if node is None:
                node = inside["init_args"] = {}


def _has_class(node: Any) -> bool:
    return isinstance(node, Mapping) and "class_path" in node


def _open(node: Any, where: str) -> Any:
    """A class's bare name as class_path and arguments, and typed YAML as data, so that an argument can be set."""
    if isinstance(node, str):
        node = parsed(node, where) if _is_yaml(node) else {"class_path": node, "init_args": {}}
    return node if isinstance(node, dict | list) else {}


def _changed(node: Any, value: Any) -> Any:
    is_name = isinstance(value, str) and not _is_yaml(value) and value != "null"
    if _has_class(node) and is_name:
        return {"class_path": value, "init_args": Carried(node.get("init_args") or {})}
    return value


def _is_yaml(typed: str) -> bool:
    return typed[:1] in ("[", "{")


def located(mistake: Mistake, given: Mapping[str, Any], known: Mapping[str, Any], recipe: str = "") -> UserError:
    """A mistake with the place where the user made it: the option, or the recipe's file and line.

    Args:
        mistake: where and what.
        given: the options of the command line.
        known: what may stand at the top, for the nearest.
        recipe: the recipe's file, if there is one.
    """
    place, problem = mistake.place, mistake.problem
    name = dotted(place)
    line = line_of(recipe, place) if recipe and name not in given else None
    dashes = "" if line else "--"
    if len(place) == 1 and place[0] not in known:
        problem = (
            f"no such {'argument' if line else 'option'}.{nearest(dashes + name, [dashes + word for word in known])}"
        )
    if place == CATALOG and problem.startswith("missing") and "videos" in known:
        names = problem.partition("(")[2].rstrip(")")
        problem = f"missing; pass --videos DIR, or --catalog, one of {names}, with its arguments"
    return UserError(f"{recipe} line {line}: {name}: {problem}" if line else f"--{name}: {problem}")


def line_of(path: str, place: Place) -> int | None:
    """The line, from 1, of a place in a YAML file; None where the file does not have it."""
    with open(path, encoding="utf-8") as file:
        node = yaml.compose(file, Loader=yaml.SafeLoader)
    line = None
    for word in place:
        found = _child(node, word)
        if found is None:
            return None
        line, node = found
    return line


def _child(node: Any, word: str | int) -> tuple[int, Any] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(word, int) and word < len(node.value):
        return node.value[word].start_mark.line + 1, node.value[word]
    if not isinstance(node, yaml.MappingNode):
        return None
    children = {key.value: (key.start_mark.line + 1, value) for key, value in node.value}
    if str(word) in children:
        return children[str(word)]
    return _child(children["init_args"][1], word) if "init_args" in children else None
