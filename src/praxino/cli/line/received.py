"""Runs that come from elsewhere: what their recipes name is imported only where the user says so."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from praxino.errors import UserError

TRUST = "trust"  # in the recipe of a fine-tuning: the packages that its encoder was loaded with
BESIDE = ("kind", "encoder", TRUST)  # of a recipe that are no arguments


# Kind of run, as its recipe says -> the function whose arguments the recipe gives.
FUNCTIONS = {
    "pretrain": "praxino.training.pretrain.pretrain",
    "finetune": "praxino.evaluations.classifying.finetune.finetune",
    "linear": "praxino.evaluations.classifying.finetune.finetune",
    "tracking": "praxino.evaluations.tracking.train.train_tracker",
}


def refuse_untrusted_run(folder: str | Path, trust: Collection[str]) -> None:
    """`refuse_untrusted` for all of a run's recipe, before the run is gone on with; without a recipe nothing is done.

    Raises:
        UserError: as of `refuse_untrusted`, or if there is no such kind of run.
    """
    from praxino.configuration.classes import imported
    from praxino.configuration.documents import read
    from praxino.configuration.earlier import as_now
    from praxino.training.start import kind_of

    recipe_file = Path(folder) / "recipe.yaml"
    if recipe_file.is_file():
        kind = kind_of(folder)
        if kind not in FUNCTIONS:
            raise UserError(f"{folder} holds a run of the kind '{kind}', which this version of praxino does not know")
        refuse_untrusted_packages(recipe_file, trust)
        given = {name: value for name, value in as_now(read(recipe_file)).items() if name not in BESIDE}
        refuse_untrusted(imported(FUNCTIONS[kind]), recipe_file, given, trust)


def refuse_untrusted_packages(recipe_file: Path, trust: Collection[str]) -> None:
    """Looks at the packages that the recipe of a fine-tuning trusts itself, for its encoder.

    Raises:
        UserError: if the recipe is not this user's, and trusts more than is typed.
    """
    from praxino.configuration.documents import read
    from praxino.training.own_runs import is_own

    packages = read(recipe_file).get(TRUST) or ()
    for package in packages if isinstance(packages, list) else (packages,) if packages else ():
        if package not in trust and not is_own(recipe_file):
            mend = f"if you do, too, pass --trust {','.join([*trust, str(package)])}"
            raise UserError(f"{recipe_file} trusts the package {package}, and has not been made here: {mend}")


def refuse_untrusted(
    function: Callable[..., Any], recipe_file: Path, given: Mapping[str, Any], trust: Collection[str]
) -> None:
    """Looks at all classes that a run's recipe names, before one of them is imported.

    Args:
        function: whose arguments the recipe gives.
        recipe_file: the run's. One that was written by this user passes.
        given: what is taken of it.
        trust: packages, beside praxino, whose classes may be built.

    Raises:
        UserError: naming the first class that is not trusted, and the option that does; or as of `complete`.
    """
    from praxino.configuration.complete import complete
    from praxino.configuration.signatures import arguments_of
    from praxino.configuration.trust import Trust
    from praxino.training.own_runs import is_own

    if is_own(recipe_file):
        return
    arguments = {name: value for name, value in given.items() if name in arguments_of(function)}
    without = arguments_of(function).keys() - arguments.keys()
    complete(function, arguments, without=without, partial=True, trust=Trust(str(recipe_file), tuple(trust)))
