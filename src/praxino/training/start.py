"""A run from its recipe: seeded, built, trained; and gone on with."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from praxino.configuration.complete import complete, instantiate
from praxino.configuration.documents import read
from praxino.configuration.earlier import as_now
from praxino.training.pretrain import KIND, pretrain
from praxino.training.run import Run

OUTSIDE = ("recipe", "resume")  # arguments of `pretrain` that are no part of a recipe


def kind_of(folder: str | Path) -> str:
    """Which kind of run a folder holds: "pretrain", "finetune", "linear", "tracking"; the first, where it holds none.

    Raises:
        UserError: if its recipe cannot be read.
    """
    path = Run(folder).recipe_file
    return str(as_now(read(path)).get("kind", KIND)) if path.is_file() else KIND


def start(config: Mapping[str, Any]) -> Run:
    """Pretrains as a complete recipe says.

    Args:
        config: what `complete(pretrain, ..., without=OUTSIDE)` gave.

    Raises:
        UserError: as of `pretrain`.
    """
    return pretrain(**instantiate(pretrain, config), recipe=config)


def recipe_of(folder: str | Path) -> dict[str, Any]:
    """The complete recipe of a run's folder, wherever the folder is now.

    Raises:
        UserError: if the folder holds no run, or its recipe does not fit.
    """
    folder = Path(folder).absolute()
    said = as_now(read(Run.open(folder).recipe_file))
    said.pop("kind", None)
    return complete(pretrain, {**said, "out": str(folder)}, without=OUTSIDE)


def resume(folder: str | Path, threads: int | None = None) -> Run:
    """Goes on with a run; a finished one is left as it is.

    Args:
        folder: of the run.
        threads: of the CPU, of each training process; None: those of its recipe, which stays as it is.

    Raises:
        UserError: as of `recipe_of` and `pretrain`.
    """
    run = Run.open(folder)
    if run.finished:
        # Not into its log: a finished run stays as it is.
        print(f"{folder} is finished already: nothing to do", file=sys.stderr)
        return run
    config = recipe_of(folder)
    arguments = instantiate(pretrain, {**config, "threads": threads or config["threads"]})
    return pretrain(**arguments, recipe=config, resume=True)
