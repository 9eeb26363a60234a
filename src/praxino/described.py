"""Objects as plain data and back: class paths and constructor arguments.

The house's one convention: **a class keeps each constructor argument under the argument's own name.** So an encoder can
write down what it is made of, and be built again, without a registry.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from praxino.errors import UserError

PLAIN = (str, int, float, bool, type(None))


def describe(value: Any) -> Any:
    """`value` as JSON-ready data; an object becomes {"class_path": ..., "init_args": {...}}.

    Raises:
        TypeError: if an object does not keep an argument under its name.
    """
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Mapping) or type(value).__name__ == "ModuleDict":
        return {key: describe(item) for key, item in value.items()}
    if isinstance(value, list | tuple) or type(value).__name__ == "ModuleList":
        return [describe(item) for item in value]
    return {"class_path": class_path(type(value)), "init_args": describe(arguments(value))}


def arguments(value: Any) -> dict[str, Any]:
    """The constructor arguments that `value` keeps."""
    names = _names(type(value))
    missing = [name for name in names if not hasattr(value, name)]
    if missing:
        raise TypeError(f"{class_path(type(value))} does not keep its argument {missing[0]!r} under that name")
    return {name: getattr(value, name) for name in names}


def _names(cls: type) -> list[str]:
    """Of the constructor's arguments; one that hands `**kwargs` on takes its parent's, too, as a recipe takes them."""
    given = inspect.signature(cls).parameters.values()
    names = [p.name for p in given if p.kind not in (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)]
    if not any(p.kind is inspect.Parameter.VAR_KEYWORD for p in given):
        return names
    mro = cls.__mro__
    above = next((k for k, one in enumerate(mro) if "__init__" in vars(one)), len(mro)) + 1
    parent = next((one for one in mro[above:] if "__init__" in vars(one) and one is not object), None)
    return list(dict.fromkeys([*names, *(_names(parent) if parent else [])]))


def fresh(value: Any) -> Any:
    """The same again, built anew and recursively from the constructor arguments that objects keep.

    A network that wraps another one gets a new one to wrap: no weight, buffer or object is shared, and weights are
    drawn from torch's generator as a constructor draws them. Plain values, functions and classes stay what they are.

    Raises:
        TypeError: if an object does not keep an argument under its name.
    """
    if isinstance(value, (*PLAIN, PurePath, type)) or inspect.isroutine(value):
        return value
    if isinstance(value, Mapping) or type(value).__name__ == "ModuleDict":
        return {key: fresh(item) for key, item in value.items()}
    if isinstance(value, list | tuple) or type(value).__name__ == "ModuleList":
        return (tuple if isinstance(value, tuple) else list)(fresh(item) for item in value)
    return type(value)(**fresh(arguments(value)))


def class_path(cls: type) -> str:
    """The dotted path under which `build` finds the class again."""
    return f"{cls.__module__}.{cls.__qualname__}"


def build(description: Any, *, trust: tuple[str, ...] = ()) -> Any:
    """Builds what `describe` described.

    Args:
        description: plain data.
        trust: packages, beside `praxino`, whose classes may be built.

    Raises:
        UserError: if a class is not of a trusted package, or does not exist, or refuses its arguments.
    """
    if isinstance(description, list):
        return [build(item, trust=trust) for item in description]
    if not isinstance(description, dict):
        return description
    if set(description) != {"class_path", "init_args"}:
        return {key: build(item, trust=trust) for key, item in description.items()}
    path, said = description["class_path"], description["init_args"]
    if not isinstance(path, str) or not all(word.isidentifier() for word in path.split(".")) or "." not in path:
        raise UserError(f"the file asks for the class {path!r}, which is no name of a class")
    if not isinstance(said, dict):
        raise UserError(f"the file gives the class {path} no mapping of arguments")
    package = path.partition(".")[0]
    if package not in ("praxino", *trust):
        raise UserError(
            f"the file asks for the class {path}: if you trust it, pass trust=('{package}',), or --trust {package}"
        )
    module, _, name = path.rpartition(".")
    try:
        cls = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise UserError(f"the file asks for the class {path}, which is not there: {error}") from None
    if not isinstance(cls, type):
        raise UserError(f"the file asks for the class {path}, which is not a class")
    # A module holds more names than its own classes: what it imports from elsewhere is not trusted with it.
    if cls.__module__.partition(".")[0] not in ("praxino", *trust):
        raise UserError(f"the file asks for the class {path}, which is {class_path(cls)}, and that is not trusted")
    given = build(said, trust=trust)
    try:
        return cls(**given)
    except UserError:
        raise
    except Exception as error:  # whatever a constructor makes of values that no one has checked
        raise UserError(f"the class {path} does not take these arguments: {type(error).__name__}: {error}") from None
