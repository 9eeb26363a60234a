"""What fine-tuning is made of: the labelled parts of a catalog, the classifier on an encoder, its usual stage."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import torch

from praxino import ranks
from praxino.catalogs.base import Catalog
from praxino.described import arguments
from praxino.errors import UserError
from praxino.evaluations.holdout import By, held_out_rows
from praxino.evaluations.protocol import untrained
from praxino.evaluations.result import Result
from praxino.methods.classifier import Classifier
from praxino.methods.encoder import Encoder, Evaluation
from praxino.rng import Rng
from praxino.training.checkpoint import load_checkpoint
from praxino.training.documents import read
from praxino.training.prepare import RunVideos
from praxino.training.recipe import complete, instantiate
from praxino.training.run import Run
from praxino.training.stages import Stage
from praxino.views.pipeline import View

FINETUNE, LINEAR = "finetune", "linear"
START = "start.safetensors"  # in the run's folder: the encoder and its classifier before the first step


@dataclass
class FineTuned:
    """What fine-tuning leaves: its run, and the test's result; None where a signal stopped it."""

    run: Run
    result: Result | None


def labelled_parts(catalog: Catalog) -> tuple[Catalog, Catalog]:
    """The training and the test part.

    Raises:
        UserError: if a video has no label, or the parts are not apart.
    """
    name = type(catalog).__name__
    if not catalog.classes:
        raise UserError(
            f"{name} has no labels to train by: take a catalog with classes and lists (UCF101, or ListFile with its "
            "argument test)"
        )
    parts = catalog.part("train"), catalog.part("test")
    ids = []
    for part in parts:
        videos = [part[row] for row in range(len(part))]
        bare = next((video.id for video in videos if video.label is None), None)
        if bare is not None:
            raise UserError(f"{name}: {bare} has no label to train or test by")
        ids.append({video.id for video in videos})
    if not all(ids):
        raise UserError(f"{name}: the training part or the test part is empty")
    if ids[0] & ids[1]:
        raise UserError(
            f"{name}: training and test part share videos ({min(ids[0] & ids[1])}), and a test on those would mean "
            "nothing: take a catalog with lists (ListFile with its argument test, UCF101)"
        )
    return parts


def split_off(videos: Catalog | RunVideos, validation: float, by: By, seed: int) -> tuple[RunVideos, RunVideos]:
    """The videos to train on, and those that are held out: a function of the seed and of the videos.

    Raises:
        UserError: as of `held_out_rows`, or if fewer are held out than there are processes.
    """
    held = held_out_rows(videos, validation, by, Rng(seed, "validation"))
    if held:
        check_share(f"--validation {validation:g} holds out", len(held))
    kept = sorted(set(range(len(videos))) - set(held))
    return RunVideos(videos, kept), RunVideos(videos, held)


def check_share(what: str, videos: int) -> None:
    """Raises UserError if there are fewer videos than processes, each of which takes its share."""
    if videos < ranks.world():
        raise UserError(f"{what} {videos} videos, and there are {ranks.world()} processes: lower --devices")


def classifier_on(
    encoder: Encoder,
    protocol: Evaluation,
    classes: tuple[str, ...],
    view: View,
    rates: dict[str, float] | None,
    scratch: bool,
    seed: int,
    frozen: bool = False,
    frozen_statistics: bool = True,
) -> tuple[Classifier, Encoder]:
    """The task, and an encoder of the same weights that is used as `protocol` says.

    Args:
        encoder: gives the backbone, of which a copy is taken; its own classifier, if it has one, is left behind.
        protocol: of the test.
        classes: their names.
        view, rates, frozen, frozen_statistics: as of `Classifier`.
        scratch: the backbone drawn anew.
        seed: of the weights that are drawn.
    """
    backbone = untrained(encoder, seed).backbone if scratch else copy.deepcopy(encoder.backbone)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(Rng(seed, "classifier").shared().integers(2**31)))
        task = Classifier(backbone, view, len(classes), rates, frozen, frozen_statistics)
        tested = Encoder(backbone, **arguments(protocol), classes=classes)
    tested.classifier = task.linear
    return task.train(), tested


def only_view(encoder: Encoder, view: str) -> Encoder:
    """The encoder with one of its views."""
    other = copy.copy(encoder)
    other.views = {view: encoder.view(view)}
    return other


def take_best(run: Run, task: Classifier) -> dict[str, Any]:
    """Gives the task the weights of the best epoch, or the last ones where no epoch was validated.

    Returns:
        Where the run stood with them: `epoch` and `step`, both counted from 1; `chosen`: whether an epoch was.

    Raises:
        UserError: if the run has no checkpoint yet.
    """
    best = run.checkpoint_file.with_name("best.ckpt")
    if not best.exists() and not run.checkpoint_file.exists():
        raise UserError(f"{run.path} has no checkpoint yet: go on with 'praxino resume {run.path}'")
    saved = load_checkpoint(best if best.exists() else run.checkpoint_file)
    task.load_state_dict(saved["task"])
    return {**saved["position"], "chosen": best.exists()}


def say_what_it_is(run: Run, tested: Encoder, catalog: Catalog, scratch: bool, frozen: bool) -> None:
    """Into the log: which weights are the encoder's."""
    if catalog.found:
        run.log(catalog.found)
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
    return replace(result, protocol=protocol_name(frozen), title=title, per_query=per_query)


def protocol_name(frozen: bool) -> str:
    """What a run is by its recipe: "linear" where only the classifier is trained, else "finetune"."""
    return LINEAR if frozen else FINETUNE


def usual_stage() -> Stage:
    """That of the recipe `finetune`."""
    path = Path(str(resources.files("praxino") / "recipes" / "finetune.yaml"))
    return Stage(**instantiate(Stage, complete(Stage, read(path)["stages"][0])))
