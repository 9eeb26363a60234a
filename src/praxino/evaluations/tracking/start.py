"""A siamese head trained from its recipe, and gone on with: what `praxino.training.start` is for pretraining."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from praxino.catalogs.base import Catalog, Part
from praxino.configuration.complete import complete, instantiate
from praxino.configuration.earlier import as_now
from praxino.encoders.encoder import Encoder
from praxino.encoders.files import absolute
from praxino.evaluations.result import read_result
from praxino.evaluations.tracking.prepared import KIND
from praxino.evaluations.tracking.train import START, TrackerTrained, train_tracker
from praxino.training.run import Run

OUTSIDE = ("encoder", "recipe", "resume")  # arguments of `train_tracker` that are no part of a recipe
BESIDE = ("kind", "encoder", "trust")  # of a recipe that are no arguments: what it is, and of which encoder


def start(
    place: str,
    trust: tuple[str, ...],
    config: Mapping[str, Any],
    say: Callable[[Catalog, Catalog | None, Part], None] | None = None,
) -> TrackerTrained:
    """Trains a head as a complete recipe says, and follows.

    Args:
        place: the encoder's file or its run's folder.
        trust: packages, beside praxino, whose classes the encoder may name.
        config: what `complete(train_tracker, ..., without=OUTSIDE)` gave.
        say: is told the sequences of the training, and those that are followed, before anything else is done.

    Raises:
        UserError: as of `Encoder.load` and `train_tracker`.
    """
    encoder = Encoder.load(place, trust=trust)
    said = {"kind": KIND, "encoder": absolute(place), "trust": list(trust)}
    arguments = instantiate(train_tracker, config)
    if say is not None:
        say(arguments["train"], arguments["catalog"], arguments["part"])
    return train_tracker(encoder, **arguments, recipe={**said, **config})


def recipe_of(folder: str | Path) -> dict[str, Any]:
    """The complete recipe of a tracking run's folder, wherever the folder is now.

    Raises:
        UserError: if the folder holds no run, or its recipe does not fit.
    """
    folder = Path(folder).absolute()
    said = {name: value for name, value in as_now(Run.open(folder).recipe()).items() if name not in BESIDE}
    return complete(train_tracker, {**said, "out": str(folder)}, without=OUTSIDE)


def resume(folder: str | Path, threads: int | None = None) -> TrackerTrained:
    """Goes on with a tracking run, up to the last sequence; a finished one is left as it is.

    Args:
        folder: of the run.
        threads: of the CPU, of each training process; None: those of its recipe, which stays as it is.

    Raises:
        UserError: as of `recipe_of` and `train_tracker`.
    """
    run = Run.open(folder)
    if run.finished:
        # Not into its log: a finished run stays as it is.
        print(f"{folder} is finished already: nothing to do", file=sys.stderr)
        followed = run.recipe().get("catalog") is not None
        return TrackerTrained(run, None, read_result(run.path, KIND) if followed else None)
    said, config = as_now(run.recipe()), recipe_of(folder)
    # Its own copy: the encoder that it began with may be gone, or another one by now.
    own = run.path / START
    encoder = Encoder.load(own if own.is_file() else said["encoder"], trust=tuple(said.get("trust") or ()))
    recipe = {**{name: said[name] for name in BESIDE if name in said}, **config}
    arguments = instantiate(train_tracker, {**config, "threads": threads or config["threads"]})
    return train_tracker(encoder, **arguments, recipe=recipe, resume=True)
