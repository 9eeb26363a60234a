"""Fine-tuning from its recipe, and gone on with: what `praxino.training.start` is for pretraining."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from praxino.errors import UserError
from praxino.evaluations.finetune import finetune
from praxino.evaluations.finetune_parts import FINETUNE, LINEAR, START, FineTuned, protocol_name, take_best
from praxino.evaluations.result import read_result
from praxino.methods.classifier import Classifier
from praxino.methods.encoder import Encoder
from praxino.training.documents import read
from praxino.training.recipe import complete, instantiate
from praxino.training.run import Run

OUTSIDE = ("encoder", "recipe", "resume")  # arguments of `finetune` that are no part of a recipe
BESIDE = ("protocol", "encoder", "trust")  # of a recipe that are no arguments: what it is, and of which encoder

MACHINE = ("out", "workers", "threads", "device", "devices")


def is_finetuning(folder: str | Path) -> bool:
    """Whether a run's folder holds a fine-tuning, or a linear evaluation that is a run."""
    path = Run(folder).recipe_file
    return path.is_file() and read(path).get("protocol") in (FINETUNE, LINEAR)


def start(place: str, trust: tuple[str, ...], config: Mapping[str, Any]) -> FineTuned:
    """Fine-tunes as a complete recipe says.

    Args:
        place: the encoder's file or its run's folder.
        trust: packages, beside praxino, whose classes the encoder may name.
        config: what `complete(finetune, ..., without=OUTSIDE)` gave.

    Raises:
        UserError: as of `Encoder.load` and `finetune`.
    """
    encoder = Encoder.load(place, trust=trust)
    said = {"protocol": protocol_name(config["frozen"]), "encoder": str(Path(place).absolute()), "trust": list(trust)}
    recipe = {**said, **config}
    return finetune(encoder, **instantiate(finetune, config), recipe=recipe)


def start_or_resume(place: str, trust: tuple[str, ...], config: Mapping[str, Any]) -> FineTuned:
    """`start`, or `resume` where the folder holds the same fine-tuning already.

    Raises:
        UserError: as of these two, or if the folder holds another run.
    """
    folder = config["out"]
    if not is_finetuning(folder):
        return start(place, trust, config)
    then = {**recipe_of(folder), "encoder": Run(folder).recipe().get("encoder")}
    # What was left open has been taken from the encoder, and what is the machine's changes no number.
    now = {name: value for name, value in config.items() if value is not None and name not in MACHINE}
    for name, value in {"encoder": str(Path(place).absolute()), **now}.items():
        if then[name] != value:
            raise UserError(f"{folder} holds a fine-tuning with another {name}: pass another --out")
    return resume(folder)


def recipe_of(folder: str | Path) -> dict[str, Any]:
    """The complete recipe of a fine-tuning's folder, wherever the folder is now.

    Raises:
        UserError: if the folder holds no run, or its recipe does not fit.
    """
    folder = Path(folder).absolute()
    said = {name: value for name, value in Run.open(folder).recipe().items() if name not in BESIDE}
    return complete(finetune, {**said, "out": str(folder)}, without=OUTSIDE)


def resume(folder: str | Path) -> FineTuned:
    """Goes on with a fine-tuning, up to its test; a finished one is left as it is.

    Raises:
        UserError: as of `recipe_of` and `finetune`.
    """
    run = Run.open(folder)
    if run.finished:
        # Not into its log: a finished run stays as it is.
        print(f"{folder} is finished already: nothing to do", file=sys.stderr)
        return FineTuned(run, read_result(run.path, run.recipe()["protocol"]))
    said, config = run.recipe(), recipe_of(folder)
    # Its own copy: the encoder that it began with may be gone, or another one by now.
    own = run.path / START
    encoder = Encoder.load(own if own.is_file() else said["encoder"], trust=tuple(said.get("trust") or ()))
    recipe = {**{name: said[name] for name in BESIDE if name in said}, **config}
    return finetune(encoder, **instantiate(finetune, config), recipe=recipe, resume=True)


def classifier_at(place: str | Path, trust: tuple[str, ...] = ()) -> tuple[Encoder, str]:
    """The encoder with its classifier that lies at a place, and a line that says which weights these are.

    Args:
        place: an encoder's file, or the folder of a fine-tuning; of an unfinished one the best checkpoint is taken,
            else the last.
        trust: as of `Encoder.load`.

    Raises:
        UserError: as of `Encoder.load`, or if the folder's checkpoint is of another network.
    """
    run = Run(place)
    own = run.path / START
    if run.path.is_file() or any(run.path.glob("encoder*.safetensors")) or not own.is_file():
        encoder = Encoder.load(place, trust=trust)
        return encoder, f"the encoder's, {encoder.record.get('steps', 'unknown')} steps"
    encoder = Encoder.load(own, trust=(*trust, *(run.recipe().get("trust") or ())))
    assert encoder.classifier is not None
    task = Classifier(encoder.backbone, encoder.view(), len(encoder.classes))
    task.linear = encoder.classifier
    at = take_best(run, task)
    return encoder, f"of an unfinished run, after epoch {at['epoch']}, step {at['step']}"
