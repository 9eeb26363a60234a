"""Checks of the golden items of TCLR's schedules, linear evaluation and retrieval.

Its clips are blue, green, red. Ours are red, green, blue, and so are the weights that `parts` and
`backbone_from_original` give: the clips are turned.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from golden_items import Check, Item

from praxino.backbones.pooling import pool
from praxino.configuration.complete import complete, instantiate
from praxino.configuration.documents import read
from praxino.configuration.recipes import recipe_file
from praxino.encoders.head import Head
from praxino.evaluations.classifying.classifier import Classifier
from praxino.evaluations.classifying.recognition import scores, to_be_averaged
from praxino.evaluations.metrics import retrieval
from praxino.originals.tclr import backbone_from_original, original_names, parts
from praxino.training.schedules import CountedPlateau
from praxino.training.stages import Stage
from praxino.views.pipeline import View

RECIPE = read(recipe_file("linear_tclr"))


def rates(schedule: CountedPlateau, losses: list[float | None], base: float) -> list[float]:
    """The rate of each epoch until the schedule ends it."""
    found = []
    for epoch, loss in enumerate(losses):
        found.append(base * schedule(epoch, len(losses)))
        schedule.observe({"train/total": math.nan if loss is None else loss})
        if schedule.finished():
            break
    return found


def lr_pretrain(item: Item) -> None:
    said = item.scalars
    schedule = CountedPlateau(patience=said["patience"], warmup=said["warmup"])
    item.compare(lr=rates(schedule, said["losses"], said["base_lr"]))


def lr_linear(item: Item) -> None:
    said = item.scalars
    stage = Stage(**instantiate(Stage, complete(Stage, RECIPE["stages"][0])))
    schedule = stage.schedule
    assert isinstance(schedule, CountedPlateau)
    schedule.patience, schedule.finish_below = said["patience"], said["stop_below"] / said["base_lr"]
    found = rates(schedule, said["losses"][: stage.epochs], said["base_lr"])
    tested = [epoch for epoch in RECIPE["tested_after"] if epoch < len(found)]
    item.compare(lr=found, val_epochs=tested)


def classifier_of(item: Item) -> Classifier:
    state = parts(item.state())
    outputs = len(state.classifier["bias"])
    frozen = {"frozen": RECIPE["frozen"], "frozen_statistics": RECIPE["frozen_statistics"]}
    backbone = backbone_from_original(state.backbone)
    task = Classifier(backbone, View([]), Head(backbone.dim, outputs), **frozen)
    task.linear.load_state_dict(state.classifier)
    return task


def logits(item: Item) -> None:
    task = classifier_of(item).eval()
    with torch.no_grad():
        item.compare(logits=task.logits(item.tensor("clip").flip(1)))


def train_step(item: Item) -> None:
    task = classifier_of(item).train()
    names = original_names(task.backbone)
    before = {name: value.clone() for name, value in task.backbone.named_parameters()}
    optimizer = torch.optim.Adam(task.parameter_groups(), lr=item.scalars["lr"])
    clips = item.tensor("clip").transpose(1, 2).flip(1)
    losses = task.objective({"clips": clips}, labels=torch.tensor(item.scalars["labels"]))
    losses.total.backward()
    optimizer.step()
    assert all(torch.equal(value, before[name]) for name, value in task.backbone.named_parameters())
    after = {f"after.{names[name]}": value for name, value in task.backbone.named_buffers()}
    wanted = {name: value for name, value in after.items() if name in item.entry["outputs"]}
    item.compare(
        loss=losses.total, grad_fc_weight=task.linear.weight.grad, grad_fc_bias=task.linear.bias.grad, **wanted
    )


def video_average(item: Item) -> None:
    labels = np.array(item.scalars["labels"])
    clips = torch.stack([item.tensor(name) for name in item.entry["fills"]])
    means = to_be_averaged(clips.flatten(0, 1), "softmax").unflatten(0, clips.shape[:2]).mean(0).numpy()
    item.compare(
        probabilities=means,
        prediction=means.argmax(axis=1),
        accuracy=scores(np.log(means), labels).accuracy,
        mode_accuracy=[scores(mode.numpy(), labels).accuracy for mode in clips],
    )


def retrieval_features(item: Item) -> None:
    clips = torch.stack([pool(item.tensor(name), "time") for name in item.entry["fills"]])
    item.compare(features=clips.mean(0))


def retrieval_accuracy(item: Item) -> None:
    said = item.scalars
    labels = {part: np.array(said[f"{part}_labels"]) for part in ("train", "test")}
    train, test = (
        item.fill("centre")[labels[part] - 1] + said["scale"] * item.fill(f"{part}_noise") for part in labels
    )
    found = retrieval(test, train, labels["test"], labels["train"], said["k"])
    item.compare(accuracy=[100 * found.accuracy[cut] for cut in said["k"]])


CHECKS: dict[str, Check] = {
    "lr_pretrain": lr_pretrain,
    "lr_linear": lr_linear,
    "linear_logits": logits,
    "linear_train_step": train_step,
    "linear_test_average": video_average,
    "retrieval_features": retrieval_features,
    "retrieval_accuracy": retrieval_accuracy,
}
