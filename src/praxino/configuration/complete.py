"""Recipes: plain data in, checked and complete plain data, objects out.

A recipe gives the arguments of a function (`praxino.training.pretrain.pretrain`). An argument that is an object is
given as `{class_path: ..., init_args: {...}}`, or as the class's name alone, or, where only one class can be meant, as
its arguments alone. `complete` checks all of it against the signatures; `instantiate` builds the objects.
"""

from __future__ import annotations

import functools
import importlib
import os
import reprlib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, get_args

from jsonargparse import ArgumentError, ArgumentParser

from praxino.configuration.classes import find, is_concrete, known
from praxino.configuration.documents import parsed
from praxino.configuration.signatures import (
    Argument,
    arguments_of,
    choices,
    container,
    given_later,
    holds_classes,
    is_class,
    is_path,
    made_by,
    members,
    names_code,
    spoken,
    takes_none,
)
from praxino.configuration.trust import Trust
from praxino.described import PLAIN, class_path, describe
from praxino.errors import UserError, nearest
from praxino.printable import odd_bytes_shown

Place = tuple[str | int, ...]


class Mistake(UserError):
    """A mistake at one place of a recipe.

    Args:
        place: the names that lead there, without `init_args`; list items by number.
        problem: what is wrong.
    """

    def __init__(self, place: Place, problem: str) -> None:
        super().__init__(f"{dotted(place)}: {problem}")
        self.place = place
        self.problem = problem


class Carried(dict[str, Any]):
    """Arguments carried over from another class: those that the new class does not take are dropped.

    Attributes:
        carried: their names; what is typed for the new class is none of them.
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        super().__init__(given)
        self.carried = set(given)


def dotted(place: Place) -> str:
    """A place as the command line spells it: `method.backbone.width`."""
    return ".".join(map(str, place))


def complete(
    target: Callable[..., Any],
    given: Mapping[str, Any],
    place: Place = (),
    *,
    skip: int = 0,
    without: Collection[str] = (),
    partial: bool = False,
    trust: Trust | None = None,
) -> dict[str, Any]:
    """The arguments of `target` as plain data: full class paths, defaults filled in, paths absolute.

    Args:
        target: a function or a class.
        given: what the user gives; values may be strings as typed on a command line.
        place: where in the recipe this is, for messages.
        skip: so many leading arguments are no part of the recipe.
        without: neither are these.
        partial: leaves out what is missing instead of refusing it.
        trust: of a recipe that the user has not written: whose classes may be imported; None: any.

    Raises:
        Mistake: an unknown argument or class (with the nearest known), a missing one, a wrong type.
        UserError: as of `Trust.check`.
    """
    arguments = {name: one for name, one in arguments_of(target, skip).items() if name not in without}
    for name in given:
        if name not in arguments and not (isinstance(given, Carried) and name in given.carried):
            takes = f"{target.__name__} takes no argument '{name}'.{nearest(str(name), arguments)}"
            raise Mistake((*place, name), takes if arguments else f"{target.__name__} takes no arguments")
    done = {}
    for name, argument in arguments.items():
        if name in given:
            done[name] = _completed(argument.hint, given[name], (*place, name), partial, trust)
        elif not argument.required:
            done |= _default(argument)
        elif not partial:
            needs = f"{target.__name__} needs" if isinstance(target, type) else "pass"  # a function is a command
            raise Mistake((*place, name), f"missing; {needs} {_wanted(argument.hint)}")
    return done


def _default(argument: Argument) -> dict[str, Any]:
    # A default that is a function or a class cannot be written down, and need not be: the signature has it.
    if isinstance(argument.default, type) or (callable(argument.default) and not holds_classes(argument.hint)):
        return {}
    return {argument.name: describe(argument.default)}


def _completed(hint: Any, value: Any, place: Place, partial: bool, trust: Trust | None) -> Any:
    if not holds_classes(hint):
        if trust is not None and names_code(hint):
            trust.check_all(value)
        return _plain(hint, value, place)
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        value = parsed(value, "--" + dotted(place))
    if (value is None or value == "null") and takes_none(hint):
        return None
    inside = container(hint, value) if isinstance(value, list | Mapping) and "class_path" not in value else None
    if inside is not None and isinstance(value, Mapping):
        kind = get_args(inside)[1]
        return {key: _completed(kind, item, (*place, key), partial, trust) for key, item in value.items()}
    if inside is not None:
        kind = get_args(inside)[0]
        return [_completed(kind, item, (*place, k), partial, trust) for k, item in enumerate(value)]
    made = [part for part in members(hint) if is_class(part)]
    if made and isinstance(value, str | Mapping):
        return _completed_object(made, value, place, partial, trust)
    raise Mistake(place, f"takes {_wanted(hint)}, not {_shown(value)}")


def _completed_object(
    hints: list[Any], value: str | Mapping[str, Any], place: Place, partial: bool, trust: Trust | None
) -> dict[str, Any]:
    bases = [made_by(hint) for hint in hints]
    name: Any
    given: Any
    if isinstance(value, str):
        name, given = value, {}
    elif "class_path" in value:
        for key in value:
            if key not in ("class_path", "init_args"):
                raise Mistake((*place, key), "beside class_path there is only init_args: put the arguments below it")
        name, given = value["class_path"], value.get("init_args") or {}
    elif len(bases) == 1 and is_concrete(bases[0]) and (hints == bases or list(known(bases[0])) == [bases[0].__name__]):
        name, given = class_path(bases[0]), value
    else:
        raise Mistake(place, f"needs class_path, one of {', '.join(_names(bases))}")
    if not isinstance(name, str) or not isinstance(given, Mapping):
        raise Mistake(place, "class_path is a name, and init_args a mapping of arguments")
    if trust is not None:
        trust.check(name)
    try:
        cls = find(name, bases)
    except UserError as error:
        raise Mistake(place, str(error)) from None
    arguments = complete(cls, given, place, skip=given_later(hints[0]), partial=partial, trust=trust)
    return {"class_path": class_path(cls), "init_args": arguments}


def _plain(hint: Any, value: Any, place: Place) -> Any:
    if isinstance(value, str) and not value.startswith("[") and container(hint, []) and str not in members(hint):
        value = value if value in choices(hint) else f"[{value}]"  # 1,5,10 on a command line
    if isinstance(value, str) and value.lstrip().startswith("{") and container(hint, {}):
        parsed(value, "--" + dotted(place))  # refuses a name that stands twice, of which the last would be taken
    try:
        checked = as_typed(hint, value)
    except (ArgumentError, TypeError, ValueError, RecursionError):
        raise Mistake(place, f"takes {_wanted(hint)}, not {_shown(value)}") from None
    if is_path(hint) and isinstance(checked, str | Path):
        if not str(value).strip() or "\0" in str(value):
            raise Mistake(place, f"takes a path, not {_shown(value)}")
        return str(Path(os.path.expanduser(checked)).absolute())
    return describe(checked) if isinstance(checked, (*PLAIN, Path, list, tuple, Mapping)) else value


@functools.cache
def _parser(hint: Any) -> ArgumentParser:
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--value", type=hint)
    return parser


def as_typed(hint: Any, value: Any) -> Any:
    """`value`, which may be a string as typed, as the type `hint`."""
    if isinstance(value, str) and is_path(hint) and odd_bytes_shown(value) != value:
        return Path(value)  # below it would be read as YAML, which knows no bytes that are no UTF-8
    return _parser(hint).parse_object({"value": value}).value


def _names(bases: list[type]) -> list[str]:
    return [name for base in bases for name in known(base)]


def _wanted(hint: Any) -> str:
    classes = [made_by(part) for part in members(hint) if is_class(part)]
    names = _names(classes) if classes else []
    return spoken(hint) + (f" ({', '.join(names)})" if len(names) > 1 else "")


def _shown(value: Any) -> str:
    # Lists in lists are never written out as a whole.
    text = "null" if value is None else repr(value) if isinstance(value, str) else reprlib.repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def instantiate(target: Callable[..., Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `target` as objects, from what `complete` gave. Where there is a `seed`, torch is seeded first.

    Raises:
        UserError: if a constructor refuses its arguments.
    """
    if "seed" in config:
        import torch

        torch.manual_seed(config["seed"])
    return _built(target, config, 0, ())


def _built(target: Callable[..., Any], config: Mapping[str, Any], skip: int, place: Place) -> dict[str, Any]:
    arguments = arguments_of(target, skip)
    return {name: _object(arguments[name].hint, value, (*place, name)) for name, value in config.items()}


def _object(hint: Any, value: Any, place: Place) -> Any:
    if not holds_classes(hint):
        return as_typed(hint, value)
    if value is None:
        return None
    if isinstance(value, list):
        return [_object(get_args(container(hint, value))[0], item, (*place, k)) for k, item in enumerate(value)]
    if set(value) != {"class_path", "init_args"}:
        return {key: _object(get_args(container(hint, value))[1], item, (*place, key)) for key, item in value.items()}
    module, _, name = value["class_path"].rpartition(".")
    cls = getattr(importlib.import_module(module), name)
    later = next(given_later(part) for part in members(hint) if is_class(part))
    arguments = _built(cls, value["init_args"], later, place)
    if later:
        return functools.partial(cls, **arguments)
    try:
        return cls(**arguments)
    except (ValueError, RuntimeError, ArithmeticError, LookupError, MemoryError) as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise Mistake(place, f"{name} refuses its arguments: {said}") from None
