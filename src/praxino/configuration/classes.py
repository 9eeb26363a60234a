"""Classes by their names. Nothing is registered: a short name is looked up in the room of what is asked for."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Sequence
from typing import Any

from praxino.configuration.earlier import MOVED
from praxino.errors import UserError, nearest


def known(base: type) -> dict[str, type]:
    """The classes that short names mean where a `base` is asked for.

    These are the subclasses of `base` in its own package (all of `praxino.backbones` for a Backbone, `torch.optim` for
    an Optimizer), and `base` itself if it can be built.
    """
    package = importlib.import_module(base.__module__.rpartition(".")[0] or base.__module__)
    if package.__name__.partition(".")[0] == "praxino":
        for module in pkgutil.iter_modules(getattr(package, "__path__", ()), package.__name__ + "."):
            importlib.import_module(module.name)
    inside = (base.__module__, package.__name__ + ".")
    found = {
        cls.__name__: cls
        for cls in _descendants(base)
        if cls.__module__.startswith(inside) and not inspect.isabstract(cls) and not cls.__name__.startswith("_")
    }
    if is_concrete(base):
        found[base.__name__] = base
    return dict(sorted(found.items()))


def is_concrete(base: type) -> bool:
    """Whether `base` is meant to be built itself: it has a constructor of its own, and nothing abstract."""
    return "__init__" in vars(base) and not inspect.isabstract(base)


def find(name: str, bases: Sequence[type]) -> type:
    """The class that a recipe means by a short name or a dotted path.

    Args:
        name: "SimCLR", or "my_file.MyMethod".
        bases: it must be one of these, or a subclass.

    Raises:
        UserError: if there is none; its message names the nearest.
    """
    classes: dict[str, type] = {}
    for base in bases:
        classes |= known(base)
    if name in classes:
        return classes[name]
    asked = " or ".join(base.__name__ for base in bases)
    if "." not in name:
        hint = nearest(name, classes) if classes else ""
        raise UserError(f"there is no {asked} called '{name}'.{hint} Your own goes by its path: my_file.MyClass")
    cls = imported(name)
    if not isinstance(cls, type) or not issubclass(cls, tuple(bases)):
        raise UserError(f"{name} is not a {asked}.{nearest(name.rpartition('.')[2], classes)}")
    return cls


def imported(path: str) -> Any:
    """What a dotted path names.

    Raises:
        UserError: if it is no such path, or there is no such module, or nothing of that name in it.
    """
    if not is_dotted(path):
        raise UserError(f"'{path}' is no path of a class: write my_file.MyClass")
    module_name, _, name = MOVED.get(path, path).rpartition(".")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        # A module that exists and lacks one of its own imports is another matter, and keeps its traceback.
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise
        raise UserError(f"there is no module '{error.name}' (looked for {path})") from None
    if not hasattr(module, name):
        # Of a package its public names: what it holds so far is only what somebody has asked for.
        words = getattr(module, "__all__", [word for word, value in vars(module).items() if isinstance(value, type)])
        raise UserError(f"{module_name} has no '{name}'.{nearest(name, words)}")
    return getattr(module, name)


def is_dotted(path: Any) -> bool:
    """Whether it is a name with a dot inside, as `my_file.MyClass`, and no other text or value."""
    return isinstance(path, str) and "." in path and all(word.isidentifier() for word in path.split("."))


def _descendants(base: type) -> list[type]:
    children: list[type] = type.__subclasses__(base)
    return [*children, *(cls for child in children for cls in _descendants(child))]
