"""Checks of CoCon's golden items: how fine-tuning is stepped, and what its tests say of videos."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from golden_items import Check, Item

from praxino.evaluations.classifying.ensemble import weighted_mean
from praxino.evaluations.classifying.recognition import scores, to_be_averaged
from praxino.training.schedules import Step


def rates(item: Item) -> None:
    """One epoch late, and the last milestone without effect: milestones one later, without the last."""
    found = {}
    for name, milestones in item.scalars["steps"].items():
        schedule = Step([one + 1 for one in sorted(milestones)[:-1]], item.scalars["gamma"])
        epochs = item.size(f"lr.{name}")
        found[f"lr.{name}"] = [item.scalars["lr"] * schedule(epoch, epochs) for epoch in range(epochs)]
    item.compare(**found)


def video(item: Item) -> None:
    logits = item.tensor("logits").flatten(0, 1)  # [windows, classes]
    mean = logits.mean(0, keepdim=True)
    item.compare(prob=to_be_averaged(logits, "softmax").mean(0), loss=scores(mean, [item.scalars["label"]]).loss)


def joined(item: Item) -> None:
    weights = item.scalars["weights"]
    said = {name: item.fill(name).astype(np.float64) for name in weights}
    said = {name: p / p.sum(1, keepdims=True) for name, p in said.items()}
    labels = torch.from_numpy(item.input("labels")).flatten()
    groups = {"all": list(weights), "rgb_flow": ["imgs", "flow"], "rgb_kphm": ["imgs", "kphm"]}
    found: dict[str, Any] = {}
    for name, members in groups.items():
        p = weighted_mean([said[member] for member in members], [weights[member] for member in members])
        found[f"prob.{name}"] = p
        found |= {f"top{k}.{name}": hits.mean() for k, hits in scores(p, labels).hits.items()}
    item.compare(**found)


CHECKS: dict[str, Check] = {"lr_finetune": rates, "video_score": video, "ensemble": joined}
