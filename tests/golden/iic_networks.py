"""Checks of the golden items of IIC's networks and of its pretraining file."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import torch
from golden_items import Check, Item

from praxino.backbones.pooling import pool
from praxino.backbones.resnet3d import R3D18
from praxino.originals.iic import backbone_from_original, classifier_to_original
from praxino.originals.iic_files import read_file


def network_eval(item: Item) -> None:
    network = backbone_from_original(item.state()).eval()
    with torch.no_grad():
        features = network(item.tensor("x"))
    # The later code retrieves with the pooled feature of ResNet-18-3D, so there is no other one.
    more = {} if isinstance(network, R3D18) else {"conv": pool(features, "map")}
    item.compare(pooled=pool(features, "mean"), **more)


def checkpoint(item: Item) -> None:
    held = item.scalars["file"]
    state = item.state()
    assert sorted(state) == sorted(held["model"])
    content = {
        "opt": argparse.Namespace(model="r3d", modality="res", epochs=held["epoch"]),
        "model": {key: state[key] for key in held["model"]},
        "contrast": {name: torch.zeros(shape) for name, shape in held["contrast"].items()},
        "optimizer": {name: [] for name in held["optimizer"]},
        "epoch": held["epoch"],
    }
    with tempfile.TemporaryDirectory() as scratch:
        torch.save(content, Path(scratch) / "ckpt.pth")
        read = read_file(Path(scratch) / "ckpt.pth")
    assert read.epoch == held["epoch"]
    assert not read.classifier
    # The original counts what its network with a classifier misses in the file: the classifier, which stays as drawn.
    classifier = classifier_to_original({"weight": torch.zeros(1, 1), "bias": torch.zeros(1)})
    whole = [*read.names, *classifier]
    missing = [key for key in whole if key not in held["model"]]
    unexpected = [key for key in held["model"] if key not in whole]
    assert missing == item.scalars["missing"]
    assert unexpected == item.scalars["unexpected"]
    with torch.no_grad():
        features = read.backbone.eval()(item.tensor("x"))
    item.compare(
        n_keys=len(read.names),
        n_missing=len(missing),
        n_unexpected=len(unexpected),
        pooled=pool(features, "mean"),
    )


CHECKS: dict[str, Check] = {
    "c3d_eval": network_eval,
    "r3d_eval": network_eval,
    "r21d_eval": network_eval,
    "r18_eval": network_eval,
    "checkpoint_r3d": checkpoint,
}
