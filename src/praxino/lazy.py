"""Packages whose public names are imported when they are first asked for (PEP 562), so that importing them is quick."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from praxino.errors import nearest


def lazy(
    package: str, names: Mapping[str, Sequence[str]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """`__getattr__`, `__dir__` and `__all__` of a package.

    Type checkers read no table: the package imports the same names once more under TYPE_CHECKING, each `as` itself,
    which says that it is public. A name must not be that of a file of the package: once anybody imports that file, the
    import system puts the module in the name's place.

    Args:
        package: its `__name__`.
        names: file -> what it holds; the file by its dotted path below the package.
    """
    files = {name: f"{package}.{file}" for file, held in names.items() for name in held}

    def getattr_(name: str) -> Any:
        if name not in files:
            raise AttributeError(f"{package} has no '{name}'.{nearest(name, files)}")
        value = getattr(importlib.import_module(files[name]), name)
        setattr(sys.modules[package], name, value)  # from now on Python finds it without asking
        return value

    def dir_() -> list[str]:
        return sorted({*vars(sys.modules[package]), *files})

    return getattr_, dir_, sorted(files)
