"""What `--help` prints: the arguments of a function or class, from its signature and docstring."""

from __future__ import annotations

import inspect
import json
import textwrap
from collections.abc import Callable, Collection, Mapping
from typing import Any

from praxino.cli.line.arguments import help_of
from praxino.configuration.classes import find, known
from praxino.configuration.signatures import (
    Argument,
    arguments_of,
    given_later,
    holds_classes,
    is_class,
    made_by,
    members,
    spoken,
)
from praxino.described import describe
from praxino.errors import UserError, nearest

WIDTH = 100


def print_help(
    usage: str, function: Callable[..., Any], *, without: Collection[str] = (), filled: Mapping[str, str] | None = None
) -> None:
    """Prints a command's usage and the arguments of its function.

    Args:
        usage: of the command.
        function: what it calls.
        without: arguments that are not typed.
        filled: what is said, in place of "(required)", of arguments that the command fills in itself.
    """
    print(f"usage: {usage}\n\n{_about(function)}\n\noptions:")
    print(arguments_text(function, without=without, filled=filled))


def print_class_help(function: Callable[..., Any], options: Mapping[str, str]) -> None:
    """Prints the arguments of the classes that are asked for: `--method.help SimCLR`.

    Raises:
        UserError: if the function has no such argument, or it takes no class of this name.
    """
    arguments = arguments_of(function)
    takes = {name: _classes(one.hint) for name, one in arguments.items() if _classes(one.hint)}
    for name in help_of(options):
        argument = name.removesuffix(".help")
        if argument not in takes:
            raise UserError(f"--{name}: no argument of this name takes a class.{nearest(argument, takes)}")
        skip = next(given_later(part) for part in members(arguments[argument].hint) if is_class(part))
        cls = find(options[name], takes[argument])
        print(f"{cls.__module__}.{cls.__qualname__}: {_about(cls)}\n")
        print(arguments_text(cls, skip=skip, prefix=f"{argument}."))


def _classes(hint: Any) -> list[type]:
    return [made_by(part) for part in members(hint) if is_class(part)]


def arguments_text(
    target: Callable[..., Any],
    *,
    skip: int = 0,
    without: Collection[str] = (),
    prefix: str = "",
    filled: Mapping[str, str] | None = None,
) -> str:
    """One paragraph an argument: its name, type, meaning and default.

    Args:
        target: a function or a class.
        skip: so many leading arguments are given by the caller.
        without: neither are these typed.
        prefix: before the names.
        filled: as of `print_help`.
    """
    said = documented(target)
    blocks = []
    for name, argument in arguments_of(target, skip).items():
        if name not in without:
            about = f"{said.get(name, '')} {(filled or {}).get(name) or _default(argument)}{_choices(argument)}".strip()
            head = f"  --{prefix}{name} <{spoken(argument.hint)}>"
            blocks.append(head + "\n" + textwrap.fill(about, WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6))
    return "\n".join(blocks) or "  (no arguments)"


def documented(target: Callable[..., Any]) -> dict[str, str]:
    """What the docstring's `Args:` says of each argument."""
    from docstring_parser import parse

    said = {}
    for parameter in parse(target.__doc__ or "").params:
        for name in parameter.arg_name.split(","):
            said[name.strip()] = " ".join((parameter.description or "").split())
    return said


def _about(target: Callable[..., Any]) -> str:
    return " ".join((target.__doc__ or "").strip().split("\n\n")[0].split())


def _default(argument: Argument) -> str:
    if argument.required:
        return "(required)"
    if isinstance(argument.default, type) or inspect.isroutine(argument.default):
        return f"(default: {argument.default.__name__})"
    value = describe(argument.default)
    shown = json.dumps(value) if value is None or isinstance(value, bool) else value
    return f"(default: {shown})"


def _choices(argument: Argument) -> str:
    if not holds_classes(argument.hint):
        return ""
    names = [name for part in members(argument.hint) if is_class(part) for name in known(made_by(part))]
    return f" Classes: {', '.join(names)}." if len(names) > 1 else ""
