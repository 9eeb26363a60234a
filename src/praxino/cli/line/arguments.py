"""The words of a command line: positional words, and options that each take one value."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from praxino.errors import UserError, nearest


@dataclass
class Words:
    """A command line, taken apart.

    Attributes:
        positional: the words that are no options.
        options: dotted name -> value as typed.
        flags: the options without a value that were given.
    """

    positional: list[str] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)


def take_apart(argv: Sequence[str], positional: Sequence[str], flags: Collection[str] = ()) -> Words:
    """Takes a command line apart.

    Args:
        argv: what follows the command.
        positional: names of the positional words, in order, for messages.
        flags: options without a value, which may be typed with dashes inside; `help` is always one.

    Raises:
        UserError: a word too many, an option without its value, or twice.
    """
    words = Words()
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        flag = word.removeprefix("--").replace("-", "_") if word.startswith("--") else ""
        if word in ("-h", "--help") or flag in flags:
            words.flags.add(flag or "help")
        elif word.startswith("--") and len(word) > 2:
            name, equals, value = word.removeprefix("--").partition("=")
            if not equals:
                if not rest or rest[0].startswith("--"):
                    raise UserError(f"--{name} needs a value")
                value = rest.pop(0)
            if name in words.options:
                raise UserError(f"--{name} is given twice")
            words.options[name] = value
        elif word.startswith("-"):
            raise UserError(f"{word}: options begin with two dashes")
        elif len(words.positional) == len(positional):
            takes = " ".join(positional) or "no words, only options"
            raise UserError(f"one word too many: '{word}' (it takes {takes})")
        else:
            words.positional.append(word)
    return words


def help_of(options: Collection[str]) -> list[str]:
    """The options that ask what a class takes: `--method.help SimCLR`."""
    return [name for name in options if name.endswith(".help")]


def required(words: Words, positional: Sequence[str]) -> list[str]:
    """The positional words, all of them.

    Raises:
        UserError: naming the one that is missing.
    """
    if len(words.positional) < len(positional):
        raise UserError(f"{positional[len(words.positional)]} is missing; with --help the command says what it takes")
    return words.positional


def refuse_options(words: Words, known: Collection[str] = ()) -> None:
    """Refuses options that a command does not have.

    Raises:
        UserError: naming the nearest.
    """
    for name in words.options:
        if name not in known:
            hint = nearest(name, [f"--{word}" for word in known]) if known else " This command has no options."
            raise UserError(f"--{name}: no such option.{hint}")
