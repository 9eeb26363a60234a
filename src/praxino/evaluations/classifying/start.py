"""Fine-tuning from its recipe, and gone on with: what `praxino.training.start` is for pretraining."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from praxino.catalogs.base import Catalog
from praxino.configuration.complete import complete, instantiate
from praxino.configuration.earlier import as_now
from praxino.described import describe
from praxino.encoders.encoder import Encoder
from praxino.encoders.files import absolute, taken_apart
from praxino.errors import UserError
from praxino.evaluations.classifying.classifier import Classifier
from praxino.evaluations.classifying.defaults import rates_as_factors, taken_from, usual_stages
from praxino.evaluations.classifying.finetune import finetune
from praxino.evaluations.classifying.outcome import FINETUNE, LINEAR, START, FineTuned, kind, take_best
from praxino.evaluations.result import read_result
from praxino.training.run import Run
from praxino.training.start import kind_of

OUTSIDE = ("encoder", "recipe", "resume")  # arguments of `finetune` that are no part of a recipe
BESIDE = ("kind", "encoder", "trust")  # of a recipe that are no arguments: what it is, and of which encoder

# What changes no number of a fine-tuning.
MACHINE = ("out", "workers", "threads", "prefetch", "device", "devices", "checkpoint_steps", "checkpoint_minutes",
           "keep_epochs")  # fmt: skip


def start(
    place: str, trust: tuple[str, ...], config: Mapping[str, Any], say: Callable[[Catalog], None] | None = None
) -> FineTuned:
    """Fine-tunes as a complete recipe says.

    Args:
        place: the encoder's file or its run's folder.
        trust: packages, beside praxino, whose classes the encoder may name.
        config: what `complete(finetune, ..., without=OUTSIDE)` gave.
        say: is told the catalog, before anything else is done.

    Raises:
        UserError: as of `Encoder.load` and `finetune`.
    """
    encoder = Encoder.load(place, trust=trust)
    config = rates_as_factors(config)
    said = {"kind": kind(config["frozen"]), "encoder": absolute(place), "trust": list(trust)}
    arguments = instantiate(finetune, config)
    if say is not None:
        say(arguments["catalog"])
    return finetune(encoder, **arguments, recipe={**said, **config})


def start_or_resume(
    place: str, trust: tuple[str, ...], config: Mapping[str, Any], say: Callable[[Catalog], None] | None = None
) -> FineTuned:
    """`start`, or `resume` where the folder holds the same fine-tuning already.

    Raises:
        UserError: as of these two, or if the folder holds another run.
    """
    folder = config["out"]
    if kind_of(folder) not in (FINETUNE, LINEAR):
        return start(place, trust, config, say)
    encoder = Encoder.load(place, trust=trust)
    then = {**recipe_of(folder), "encoder": Run(folder).recipe().get("encoder")}
    now = {**_with_the_encoders(encoder, config), "encoder": absolute(place)}
    for name, value in now.items():
        if name not in MACHINE and then[name] != value:
            raise UserError(f"{folder} holds a fine-tuning that differs in its {name}: pass another --out")
    if not config["scratch"] and not _began_with(folder, encoder, trust):
        raise UserError(f"{folder} holds a fine-tuning of other weights than {place} has now: pass another --out")
    return resume(folder)


def _with_the_encoders(encoder: Encoder, config: Mapping[str, Any]) -> dict[str, Any]:
    """A complete recipe with what it leaves open, as a fine-tuning writes it."""
    arguments = instantiate(finetune, config)
    taken = taken_from(encoder, *(arguments[name] for name in ("protocol", "sampler", "training_view", "view", "flip")))
    derived = dict(zip(("protocol", "sampler", "training_view"), map(describe, taken), strict=True))
    stages = config["stages"] or usual_stages()
    return rates_as_factors(complete(finetune, {**config, **derived, "stages": stages}, without=OUTSIDE))


def _began_with(folder: str | Path, encoder: Encoder, trust: tuple[str, ...]) -> bool:
    own = Path(folder) / START
    if not own.is_file():
        return True
    before, now = (one.backbone.state_dict() for one in (Encoder.load(own, trust=trust), encoder))
    return before.keys() == now.keys() and all(torch.equal(before[name], value) for name, value in now.items())


def recipe_of(folder: str | Path) -> dict[str, Any]:
    """The complete recipe of a fine-tuning's folder, wherever the folder is now.

    Raises:
        UserError: if the folder holds no run, or its recipe does not fit.
    """
    folder = Path(folder).absolute()
    said = {name: value for name, value in as_now(Run.open(folder).recipe()).items() if name not in BESIDE}
    return rates_as_factors(complete(finetune, {**said, "out": str(folder)}, without=OUTSIDE))


def resume(folder: str | Path, threads: int | None = None) -> FineTuned:
    """Goes on with a fine-tuning, up to its test; a finished one is left as it is.

    Args:
        folder: of the run.
        threads: of the CPU, of each training process; None: those of its recipe, which stays as it is.

    Raises:
        UserError: as of `recipe_of` and `finetune`.
    """
    run = Run.open(folder)
    if run.finished:
        # Not into its log: a finished run stays as it is.
        print(f"{folder} is finished already: nothing to do", file=sys.stderr)
        return FineTuned(run, read_result(run.path, kind_of(folder)))
    said, config = as_now(run.recipe()), recipe_of(folder)
    # Its own copy: the encoder that it began with may be gone, or another one by now.
    own = run.path / START
    encoder = Encoder.load(own if own.is_file() else said["encoder"], trust=tuple(said.get("trust") or ()))
    recipe = {**{name: said[name] for name in BESIDE if name in said}, **config}
    arguments = instantiate(finetune, {**config, "threads": threads or config["threads"]})
    return finetune(encoder, **arguments, recipe=recipe, resume=True)


def classifier_at(place: str | Path, trust: tuple[str, ...] = ()) -> tuple[Encoder, str]:
    """The encoder with its classifier that lies at a place, and a line that says which weights these are.

    Args:
        place: an encoder's file, or the folder of a fine-tuning; of an unfinished one the best checkpoint is taken,
            else the last.
        trust: as of `Encoder.load`.

    Raises:
        UserError: as of `Encoder.load`, or if the folder's checkpoint is of another network.
    """
    run = Run(taken_apart(place)[0])
    own = run.path / START
    if run.path.is_file() or any(run.path.glob("encoder*.safetensors")) or not own.is_file():
        encoder = Encoder.load(place, trust=trust)
        return encoder, f"the encoder's, {encoder.record.get('steps', 'unknown')} steps"
    encoder = Encoder.load(own, trust=(*trust, *(run.recipe().get("trust") or ())))
    assert encoder.head is not None
    task = Classifier(encoder.backbone, encoder.view(), encoder.head)
    at = take_best(run, task)
    return encoder, f"of an unfinished run, after epoch {at['epoch']}, step {at['step']}"
