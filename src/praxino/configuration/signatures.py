"""The arguments of a class or function, read from its signature: what recipes and the command line are made of."""

from __future__ import annotations

import collections.abc
import enum
import functools
import inspect
import pathlib
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from praxino.errors import UserError

PLAIN_MODULES = ("builtins", "pathlib", "os", "datetime", "decimal", "numpy", "typing", "types")
VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
MISSING = inspect.Parameter.empty
WORDS = (str, int, float, bool, bytes, complex)
ONE_OF = {
    "int": "a whole number", "float": "a number", "str": "a text", "bool": "true or false", "PosixPath": "a path",
    "Path": "a path",
}  # fmt: skip
SEVERAL = {"int": "whole numbers", "float": "numbers", "str": "texts"}
CONTAINERS = (list, tuple, dict, set, frozenset, collections.abc.Mapping, collections.abc.Sequence,
              collections.abc.Iterable, collections.abc.Collection)  # fmt: skip


@dataclass(frozen=True)
class Argument:
    """One argument: its type, and its default (`MISSING` where it must be given)."""

    name: str
    hint: Any
    default: Any

    @property
    def required(self) -> bool:
        return self.default is MISSING


def arguments_of(target: Callable[..., Any], skip: int = 0) -> dict[str, Argument]:
    """The arguments of a function, or of a class's constructor, by name.

    A constructor that hands `**kwargs` on takes those of its parent class, too.

    Args:
        target: a function or a class.
        skip: that many leading arguments are left out.

    Raises:
        UserError: if a type is named that does not exist at run time.
    """
    if isinstance(target, type):
        found = _of_constructor(target.__mro__)
    else:
        found = _of_function(target)
    return dict(list(found.items())[skip:])


def _of_constructor(mro: tuple[type, ...]) -> dict[str, Argument]:
    owner = next(k for k, cls in enumerate(mro) if "__init__" in vars(cls))
    function = vars(mro[owner])["__init__"]
    if not isinstance(function, types.FunctionType):
        return {}
    found = _of_function(function)
    found.pop(next(iter(found)))  # self
    hands_on = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in inspect.signature(function).parameters.values())
    inherited = _of_constructor(mro[owner + 1 :]) if hands_on else {}
    return {**found, **{name: argument for name, argument in inherited.items() if name not in found}}


def _of_function(function: Callable[..., Any]) -> dict[str, Argument]:
    try:
        hints = typing.get_type_hints(function)
    except NameError as error:
        where = f"{function.__module__}.{function.__qualname__}"
        raise UserError(f"{where}: {error}; import the types of its arguments at run time, too") from None
    parameters = inspect.signature(function).parameters.values()
    return {p.name: Argument(p.name, hints.get(p.name, Any), p.default) for p in parameters if p.kind not in VARIADIC}


def is_class(hint: Any) -> bool:
    """Whether a value of this type is an object that a recipe builds, rather than a number, a word or a path."""
    if get_origin(hint) is collections.abc.Callable:
        return is_class(made_by(hint))
    if not isinstance(hint, type) or get_origin(hint) is not None or issubclass(hint, enum.Enum):
        return False
    # A learning rate may be a float or a Tensor, for torch; nobody writes a tensor into a recipe.
    return hint.__module__.partition(".")[0] not in PLAIN_MODULES and hint.__name__ != "Tensor"


def made_by(hint: Any) -> Any:
    """What a `Callable[[...], X]` makes: X; any other type as it is."""
    return get_args(hint)[-1] if get_origin(hint) is collections.abc.Callable and get_args(hint) else hint


def given_later(hint: Any) -> int:
    """How many leading arguments the caller of a `Callable[[...], X]` gives."""
    inside = get_args(hint) if get_origin(hint) is collections.abc.Callable else ()
    return len(inside[0]) if inside and inside[0] is not Ellipsis else 0


@functools.cache
def holds_classes(hint: Any) -> bool:
    """Whether objects occur anywhere in a type such as `dict[str, View] | None`."""
    if get_origin(hint) in (Literal, collections.abc.Callable):
        return is_class(hint)
    return is_class(hint) or any(holds_classes(part) for part in get_args(hint))


def names_code(hint: Any) -> bool:
    """Whether text under this type may be read as the name of something to import: all but words, numbers and paths."""
    origin, inside = get_origin(hint), get_args(hint)
    if origin is Literal or hint in (None, types.NoneType):
        return False
    if origin in (typing.Union, types.UnionType) or (isinstance(origin, type) and origin in CONTAINERS):
        return any(names_code(part) for part in inside if part is not Ellipsis)
    return not (isinstance(hint, type) and (hint in WORDS or issubclass(hint, pathlib.PurePath | enum.Enum)))


def members(hint: Any) -> list[Any]:
    """The types of a union, without None; of any other type, itself."""
    if get_origin(hint) in (typing.Union, types.UnionType):
        return [part for part in get_args(hint) if part is not types.NoneType]
    return [hint]


def takes_none(hint: Any) -> bool:
    """Whether a type hint allows None."""
    return hint in (Any, None, types.NoneType) or types.NoneType in get_args(hint)


def is_path(hint: Any) -> bool:
    """Whether a value of this type is a place on the disk: `Path`, or `str | Path`."""
    return any(isinstance(part, type) and issubclass(part, pathlib.PurePath) for part in members(hint))


def container(hint: Any, value: Any) -> Any:
    """The member of a union that a list or a mapping fits; None if there is none."""
    wanted = collections.abc.Mapping if isinstance(value, Mapping) else collections.abc.Iterable
    for part in members(hint):
        origin = get_origin(part)
        if isinstance(origin, type) and issubclass(origin, wanted):
            if wanted is collections.abc.Iterable and issubclass(origin, collections.abc.Mapping):
                continue
            return part
    return None


def choices(hint: Any) -> list[Any]:
    """The words that a choice of them allows, beside whatever else the type takes."""
    return [word for part in members(hint) if get_origin(part) is Literal for word in get_args(part)]


def spoken(hint: Any) -> str:
    """A type in words: "a number", "a whole number, or null for none", "one of fp32, bf16, fp16"."""
    if takes_none(hint) and len(members(hint)) >= 1 and hint is not Any:
        return " or ".join(spoken(part) for part in members(hint)) + ", or null for none"
    parts = [part for part in members(hint) if getattr(part, "__name__", "") not in ("Path", "Tensor")] or members(hint)
    if len(parts) > 1:
        return " or ".join(spoken(part) for part in parts)
    hint = parts[0]
    if get_origin(hint) is Literal:
        words = ", ".join(str(word) for word in get_args(hint))
        return f"one of {words}" if len(get_args(hint)) > 1 else words
    if get_origin(hint) is collections.abc.Callable:
        return spoken(made_by(hint))
    if isinstance(hint, type) and get_origin(hint) is None:
        return ONE_OF.get(hint.__name__, hint.__name__)
    return (
        str(hint).replace("typing.", "").replace("collections.abc.", "").replace("pathlib.", "")
        if not get_args(hint)
        else _spoken_container(hint)
    )


def _spoken_container(hint: Any) -> str:
    origin, parts = get_origin(hint), get_args(hint)
    if issubclass(origin, collections.abc.Mapping):
        return f"a mapping of names to {_several(parts[1])}"
    if origin is tuple and Ellipsis not in parts:
        if len(set(parts)) == 1:
            return f"a list of {len(parts)} {_several(parts[0])}"
        return f"a list of {len(parts)} ({', '.join(spoken(part) for part in parts)})"
    return f"a list of {_several(parts[0])}"


def _several(hint: Any) -> str:
    """What a list is of: "whole numbers"; a class has one name."""
    return SEVERAL.get(getattr(hint, "__name__", ""), spoken(hint)) if get_origin(hint) is None else spoken(hint)
