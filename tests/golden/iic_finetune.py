"""Checks of the golden items of IIC's fine-tuning. The faithful settings are read from the recipe `finetune_iic`."""

from __future__ import annotations

import re

import numpy as np
import torch
from golden_items import Check, Item

from praxino.backbones.c3d import C3D
from praxino.backbones.r3d import R3D
from praxino.backbones.r21d import R21D
from praxino.configuration.documents import read
from praxino.configuration.recipes import recipe_file
from praxino.encoders.head import Head
from praxino.evaluations.classifying.classifier import Classifier
from praxino.evaluations.classifying.recognition import scores
from praxino.originals.iic import (
    backbone_from_original,
    classifier_from_original,
    original_names,
    without_classifier,
)
from praxino.training.schedules import Plateau
from praxino.training.stages import Stage
from praxino.views.motion import residual
from praxino.views.pipeline import View

(PATTERN,) = read(recipe_file("finetune_iic"))["stages"][0]["rate_factors"]
NETWORKS = {"c3d": C3D, "r3d": R3D, "r21d": R21D}


def original_parameter_names(task: Classifier) -> dict[str, str]:
    """The original's name -> ours, of the whole network."""
    names = {f"backbone.{ours}": original for ours, original in original_names(task.backbone).items()}
    names |= {f"linear.{word}": f"linear.{word}" for word in ("weight", "bias")}
    return {original: ours for ours, original in names.items()}


def stage_of(lr: float, ft_lr: float, **more: float) -> Stage:
    return Stage(lambda groups: torch.optim.SGD(groups, lr, **more), epochs=1).with_rates({PATTERN: ft_lr})


def group_of(name: str) -> int:
    return int(re.search(PATTERN, name) is not None)


def classifier_of(item: Item) -> Classifier:
    state = item.state()
    backbone = backbone_from_original(without_classifier(state))
    linear = classifier_from_original(state, backbone.dim)
    task = Classifier(backbone, View([]), Head(backbone.dim, len(linear["bias"])))
    task.linear.load_state_dict(linear)
    return task


def seen(item: Item, clips: torch.Tensor) -> torch.Tensor:
    return residual(clips, rescale=False) if item.scalars["modality"] == "res" else clips


def param_groups(item: Item) -> None:
    groups = {}
    for network, names in item.scalars["names"].items():
        backbone = NETWORKS[network](width=1)
        task = Classifier(backbone, View([]), Head(backbone.dim, 2))
        ours = original_parameter_names(task)
        groups[network] = [group_of(ours[name]) for name in names]
        assert sorted(ours[name] for name in names) == sorted(name for name, _ in task.named_parameters())
        made = stage_of(0.25, 0.5).make_optimizer(task).param_groups
        assert [len(group["params"]) for group in made] == [groups[network].count(0), groups[network].count(1)]
        assert [group["lr"] for group in made] == [0.25, 0.5]
    item.compare(**groups)


def lr_schedule(item: Item) -> None:
    said, losses = item.scalars, item.input("val_loss")
    rates = []
    for own in (said["lr"], said["ft_lr"]):
        schedule = Plateau(
            factor=said["factor"], patience=said["patience"], threshold=said["threshold"], minimum=said["min_lr"] / own
        )
        column = []
        for epoch, loss in enumerate(losses):
            column.append(own * schedule(epoch, len(losses)))
            schedule.observe({"validation/total": float(loss)})
        rates.append(column)
    item.compare(lr=np.array(rates).T, one=rates[0])


def train_step(item: Item) -> None:
    said = item.scalars
    task = classifier_of(item).train()
    before = {name: value.detach().clone() for name, value in task.named_parameters()}
    stage = stage_of(said["lr"], said["ft_lr"], momentum=said["momentum"], weight_decay=said["weight_decay"])
    optimizer = stage.make_optimizer(task)
    clips, labels = seen(item, item.tensor("x")), torch.from_numpy(item.input("label"))
    logits: list[torch.Tensor] = []
    task.linear.register_forward_hook(lambda layer, inputs, output: logits.append(output.detach()))
    losses = task.objective({"clips": clips}, labels=labels)
    losses.total.backward()
    optimizer.step()
    after = dict(task.named_parameters())
    values: dict[str, torch.Tensor] = {"logits": logits[0], "loss": losses.total}
    for original, ours in original_parameter_names(task).items():
        if ours in after:
            values[f"after.{original}"] = after[ours]
            values[f"grad.{original}"] = after[ours].grad
    wanted = {name: value for name, value in values.items() if name in item.entry["outputs"]}
    item.compare(**wanted)
    # A step is small beside the weights: what tells the groups apart is the difference.
    for original, ours in original_parameter_names(task).items():
        stored = item.stored.get(f"out.after.{original}", item.stored.get(f"out.after.{original}.head"))
        if stored is not None:
            start = before[ours].numpy().reshape(-1)[: stored.size]
            step = after[ours].detach().numpy().reshape(-1)[: stored.size] - start
            rate = (said["lr"], said["ft_lr"])[group_of(ours)]
            np.testing.assert_allclose(
                step, stored.reshape(-1) - start, rtol=item.entry["rtol"], atol=rate * item.entry["atol"]
            )


def video_logits(item: Item) -> None:
    task = classifier_of(item).eval()
    x = item.tensor("x")
    with torch.no_grad():
        logits = task.logits(seen(item, x.flatten(0, 1))).unflatten(0, x.shape[:2]).mean(1)
    item.compare(logits=logits, loss=scores(logits.numpy(), item.input("label"), len(logits)).loss)


def tested_accuracy(item: Item) -> None:
    labels = item.fill("label")
    clips = item.fill("noise").copy()
    clips[np.arange(len(labels)), :, labels] += item.scalars["boost"]
    found = scores(clips.mean(axis=1), labels, item.scalars["batch_size"])
    item.compare(reported_accuracy=found.batch_mean, true_accuracy=found.accuracy, loss=found.loss)


CHECKS: dict[str, Check] = {
    "finetune_param_groups": param_groups,
    "lr_schedule_finetune": lr_schedule,
    "finetune_train_step": train_step,
    "finetune_logits": video_logits,
    "finetune_test_accuracy": tested_accuracy,
}
