"""What `--help` prints: the arguments of a function or class, from its signature and docstring."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Collection, Mapping
from typing import Any

from praxino.configuration.classes import find, known
from praxino.configuration.signatures import Argument, arguments_of, holds_classes, is_class, made_by, members, spoken
from praxino.described import describe

WIDTH = 100


def print_help(usage: str, function: Callable[..., Any], *, skip: int = 0, without: Collection[str] = ()) -> None:
    """Prints a command's usage and the arguments of its function."""
    print(f"usage: {usage}\n\n{_about(function)}\n\noptions:")
    print(arguments_text(function, skip=skip, without=without))


def print_class_help(function: Callable[..., Any], options: Mapping[str, str]) -> bool:
    """Prints the arguments of a class where it is asked for: `--method.help SimCLR`.

    Returns:
        Whether it was.

    Raises:
        UserError: if the function's argument takes no class of this name.
    """
    arguments = arguments_of(function)
    asked = [name for name in options if name.endswith(".help") and name.removesuffix(".help") in arguments]
    for name in asked:
        argument = name.removesuffix(".help")
        cls = find(options[name], [made_by(part) for part in members(arguments[argument].hint) if is_class(part)])
        print(f"{cls.__module__}.{cls.__qualname__}: {_about(cls)}\n")
        print(arguments_text(cls, prefix=f"{argument}."))
    return bool(asked)


def arguments_text(
    target: Callable[..., Any], *, skip: int = 0, without: Collection[str] = (), prefix: str = ""
) -> str:
    """One paragraph an argument: its name, type, meaning and default."""
    said = documented(target)
    blocks = []
    for name, argument in arguments_of(target, skip).items():
        if name not in without:
            about = f"{said.get(name, '')} {_default(argument)}{_choices(argument)}".strip()
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
    if isinstance(argument.default, type):
        return f"(default: {argument.default.__name__})"
    value = describe(argument.default)
    shown = json.dumps(value) if value is None or isinstance(value, bool) else value
    return f"(default: {shown})"


def _choices(argument: Argument) -> str:
    if not holds_classes(argument.hint):
        return ""
    names = [name for part in members(argument.hint) if is_class(part) for name in known(made_by(part))]
    return f" Classes: {', '.join(names)}." if len(names) > 1 else ""
