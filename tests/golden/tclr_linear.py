"""Checks of the golden items of TCLR's schedules, linear evaluation and retrieval."""

from __future__ import annotations

import math

import numpy as np
import torch
from golden_items import Check, Item

from praxino.backbones.pooling import pool
from praxino.evaluations.metrics import retrieval
from praxino.evaluations.recognition import scores, to_be_averaged
from praxino.training.schedules import CountedPlateau


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
    "linear_test_average": video_average,
    "retrieval_features": retrieval_features,
    "retrieval_accuracy": retrieval_accuracy,
}
