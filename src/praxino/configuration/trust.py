"""Which classes a recipe may name that its user has not written: building one runs its code."""

from __future__ import annotations

from dataclasses import dataclass

from praxino.errors import UserError

OWN = ("praxino", "torch")  # what a recipe of ours is made of


@dataclass(frozen=True)
class Trust:
    """Packages whose classes are built for a recipe that comes from elsewhere.

    Args:
        where: the recipe, for messages.
        packages: besides praxino and torch, in which only classes of the kind that is asked for are found.
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
        if dot and package not in (*OWN, *self.packages):
            raise UserError(
                f"{self.where} asks for the class {name}, and has not been made here: if you trust it, pass "
                f"--trust {','.join([*self.packages, package])}"
            )
