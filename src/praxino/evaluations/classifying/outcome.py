"""What a fine-tuning leaves: the weights of its best epoch, and the test's result."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from praxino.catalogs.base import Catalog
from praxino.encoders.encoder import Encoder
from praxino.errors import UserError
from praxino.evaluations.classifying.classifier import Classifier
from praxino.evaluations.result import Result
from praxino.training.checkpoint import load_checkpoint
from praxino.training.restoring import restore_weights
from praxino.training.run import Run

FINETUNE, LINEAR = "finetune", "linear"
START = "start.safetensors"  # in the run's folder: the encoder and its head before the first step


@dataclass
class FineTuned:
    """What fine-tuning leaves: its run, and the test's result; None where a signal stopped it."""

    run: Run
    result: Result | None


def kind(frozen: bool) -> str:
    """Which kind of run it is: "linear" where only the head is trained, else "finetune"."""
    return LINEAR if frozen else FINETUNE


def take_best(run: Run, task: Classifier) -> dict[str, Any]:
    """Gives the task the weights of the best epoch, or the last ones where no epoch was validated.

    Returns:
        Where the run stood with them: `epoch` and `step`, both counted from 1; `chosen`: whether an epoch was.

    Raises:
        UserError: if the run has no checkpoint yet, or a damaged one, or one of another network.
    """
    best = run.checkpoint_file.with_name("best.ckpt")
    saved = load_checkpoint(best) if best.exists() else run.checkpoint()
    if saved is None:
        raise UserError(f"{run.path} has no checkpoint yet: go on with 'praxino resume {run.path}'")
    restore_weights(task, saved, best if best.exists() else run.checkpoint_file)
    return {**saved["position"], "chosen": best.exists()}


def say_what_it_is(run: Run, tested: Encoder, scratch: bool, frozen: bool) -> None:
    """Into the log: which weights are the encoder's."""
    network, tensors = type(tested.backbone).__name__, len(tested.backbone.state_dict())
    kept = f"all {tensors} tensors of {network} are drawn anew" if scratch else (
        f"all {tensors} tensors of {network} are the encoder's"
    )  # fmt: skip
    stays = " and its weights stay as they are" if frozen else ""
    run.log(f"{kept}{stays}; the classifier of {len(tested.classes)} classes is new")


def named(result: Result, catalog: Catalog, scratch: bool, frozen: bool) -> Result:
    """The test's result under the name of what was trained."""
    name = ("untrained" if scratch else "trained") if frozen else ("from scratch" if scratch else "fine-tuned")
    row = result.row("classifier")
    row.name = name
    what = "Linear classifier" if frozen else "Fine-tuning"
    title = f"{what} on {type(catalog).__name__}: {len(catalog.classes)} classes, {name}"
    per_query = {name: result.per_query["classifier"]}
    scores = replace(result.by_class, row=name) if result.by_class else None
    return replace(result, protocol=kind(frozen), title=title, per_query=per_query, by_class=scores)
