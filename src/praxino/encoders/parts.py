"""The parts that a description of an encoder names, built and looked at: a file can be edited, or made by anyone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, get_args, get_origin

from praxino.configuration.signatures import arguments_of, members, spoken, takes_none
from praxino.described import build
from praxino.errors import UserError

OPTION = re.compile(r"--(?!trust\b)(?=[a-z])")
MOST_BITS = 63  # no size or count is a longer number, and torch takes none


def built(
    maker: Callable[..., Any],
    said: Mapping[str, Any],
    where: str,
    trust: tuple[str, ...] = (),
    given: Mapping[str, Any] | None = None,
) -> Any:
    """What a constructor makes of described arguments.

    Args:
        maker: the class.
        said: plain data, by argument.
        where: the file, for messages.
        trust: as of `praxino.described.build`.
        given: further arguments, which are objects already.

    Raises:
        UserError: if an argument is unknown, missing or of another kind than the constructor says, or as of `build`.
    """
    given = given or {}
    arguments = {name: argument for name, argument in arguments_of(maker).items() if name not in given}
    for name in said:
        if name not in arguments:
            raise UserError(f"{where} does not fit this version of praxino: it says '{name}', which means nothing here")
    for name, argument in arguments.items():
        if argument.required and name not in said:
            raise UserError(f"{where} does not fit this version of praxino: it lacks '{name}'")
    try:
        parts = {name: build(value, trust=trust) for name, value in said.items()}
    except UserError as error:
        raise _of_a_file(error, where) from None
    except RecursionError:
        raise UserError(f"{where} is nested too deeply") from None
    for name, value in parts.items():
        if not is_of(arguments[name].hint, value):
            raise UserError(f"{where}: {name} takes {spoken(arguments[name].hint)}, not {said[name]!r:.60}")
        _look_inside(value, f"{where}: {name}")
    try:
        return maker(**given, **parts)
    except UserError as error:
        raise _of_a_file(error, where) from None


def _of_a_file(error: UserError, where: str) -> UserError:
    """The same mistake, made in a file: what is an option on a command line is a name in it."""
    return UserError(f"{where}: {OPTION.sub('', str(error))}")


def _look_inside(value: Any, where: str) -> None:
    """Refuses an object of ours that took an argument of another kind than its constructor says, and kept it."""
    if isinstance(value, Mapping | list | tuple):
        for item in value.values() if isinstance(value, Mapping) else value:
            _look_inside(item, where)
    elif type(value).__module__.startswith("praxino."):
        for name, argument in arguments_of(type(value)).items():
            kept = getattr(value, name, argument.default)
            if not is_of(argument.hint, kept):
                raise UserError(
                    f"{where}: {type(value).__name__}'s {name} takes {spoken(argument.hint)}, not {kept!r:.60}"
                )
            _look_inside(kept, where)


def is_of(hint: Any, value: Any) -> bool:
    """Whether a value is what a type hint says, with all that it holds; a list may stand for a tuple, as in JSON."""
    if value is None:
        return takes_none(hint)
    return hint is Any or any(_is_one(part, value) for part in members(hint))


def _is_one(hint: Any, value: Any) -> bool:
    origin, inside = get_origin(hint), get_args(hint)
    if origin is Literal:
        return isinstance(value, str | int) and value in inside
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int and isinstance(value, int) and value.bit_length() > MOST_BITS:
        return False
    if origin is None:
        return isinstance(value, hint) and (hint is bool or not isinstance(value, bool))
    if issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(is_of(inside[1], item) for item in value.values())
    if issubclass(origin, Iterable):
        return isinstance(value, list | tuple) and all(is_of(inside[0], item) for item in value)
    return isinstance(value, origin)
