"""Recipes of earlier versions, read as those of today."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from praxino.configuration.earlier_flow import flow_as_now
from praxino.errors import UserError

# Names of classes that have moved: run folders, recipes and encoders of earlier versions hold them.
MOVED = {"praxino.methods.encoder.Evaluation": "praxino.encoders.protocol.Protocol"}
EARLIER = {"evaluation": "protocol"}  # arguments: the name then, and now


def as_now(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe in the words of today.

    `evaluation` has become `protocol`; and `protocol`, where it was the word that says which run it is, `kind`. The two
    components of a flow that is computed were two streams.

    Raises:
        UserError: if an argument stands there under both names.
    """
    now: dict[str, Any] = {}
    for name, value in recipe.items():
        word = "kind" if name == "protocol" and isinstance(value, str) else EARLIER.get(name, name)
        if word in now:
            raise UserError(f"a recipe's '{name}' is called '{word}' now, and it holds that, too: leave one out")
        now[word] = value
    return flow_as_now(now)


def option_now(name: str) -> str:
    """A dotted option in the words of today: `evaluation.feature` is `protocol.feature`."""
    first, dot, rest = name.partition(".")
    return EARLIER.get(first, first) + dot + rest
