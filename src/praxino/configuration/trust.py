"""Which classes a recipe may name that its user has not written: building one runs its code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from praxino.errors import UserError

# What a recipe of ours is made of. Not all of torch: it has classes that import what their arguments name.
OWN = ("praxino.", "torch.optim.")


@dataclass(frozen=True)
class Trust:
    """Packages whose classes are built for a recipe that comes from elsewhere.

    Args:
        where: the recipe, for messages.
        packages: besides praxino and torch's optimizers, in which only classes of the kind that is asked for are found.
    """

    where: str
    packages: tuple[str, ...] = ()

    def check(self, name: str) -> None:
        """Looks at a class's name before anything is imported.

        Args:
            name: as a recipe gives it: a short name, which means one of praxino's, or a dotted path.

        Raises:
            UserError: if it is of a package that is not trusted.
        """
        package, dot, _ = name.partition(".")
        if dot and package not in self.packages and not name.startswith(OWN):
            raise UserError(
                f"{self.where} asks for the class {name}, and has not been made here: if you trust it, pass "
                f"--trust {','.join([*self.packages, package])}"
            )

    def check_all(self, value: Any) -> None:
        """Looks at all text within a value that is read where anything may stand, and which may name what is imported.

        Raises:
            UserError: as of `check`; or if text describes a class.
        """
        if isinstance(value, Mapping):
            for part in (*value.keys(), *value.values()):
                self.check_all(part)
        elif isinstance(value, list | tuple):
            for part in value:
                self.check_all(part)
        elif isinstance(value, str) and "class_path" in value and value != "class_path":
            raise UserError(f"{self.where} has a class within a text, and has not been made here: write it as YAML")
        elif isinstance(value, str) and all(word.isidentifier() for word in value.split(".")):
            self.check(value)
