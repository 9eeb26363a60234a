"""Checks of the golden items of CycleContrast's networks, its checkpoints and the classifiers on them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import torch
from golden_items import Check, Item
from torch import Tensor, nn

from praxino.backbones.base import Backbone
from praxino.backbones.pooling import pool
from praxino.encoders.head import Head
from praxino.evaluations.classifying.classifier import Classifier
from praxino.evaluations.classifying.recognition import scores, to_be_averaged
from praxino.originals.keys import without_parallel
from praxino.originals.moco import backbone_from_original, parts
from praxino.originals.moco_files import MoCoFile, read_file
from praxino.views.pipeline import View


def read(content: Any) -> MoCoFile:
    """What is read of a file with this content."""
    with tempfile.TemporaryDirectory() as scratch:
        torch.save(content, Path(scratch) / "checkpoint_0009.pth.tar")
        return read_file(Path(scratch) / "checkpoint_0009.pth.tar")


def clip_of(frames: Tensor) -> Tensor:
    """Pictures [b, C, H, W] as clips of one frame."""
    return frames[:, :, None]


def features(backbone: Backbone, clips: Tensor) -> Tensor:
    return pool(backbone.eval()(clips), "mean")


def projected(head: dict[str, Tensor], feature: Tensor) -> Tensor:
    """What a projection head of this state gives."""
    words = sorted({key.rpartition(".")[0] for key in head})
    layers: list[nn.Module] = []
    for word in words:
        own = {key.rpartition(".")[2]: tensor for key, tensor in head.items() if key.rpartition(".")[0] == word}
        layer = nn.Linear(*reversed(own["weight"].shape))
        layer.load_state_dict(own)
        layers += [nn.ReLU(), layer] if layers else [layer]
    return nn.Sequential(*layers)(feature)


def classifier(backbone: Backbone, state: dict[str, Tensor], **more: Any) -> Classifier:
    """Our classifier on the backbone, with a head of this weight and bias."""
    head = Head(backbone.dim, len(state["bias"]))
    head.load_state_dict(state)
    return Classifier(backbone, View([]), head, **more)


def own(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): tensor for key, tensor in state.items()}


@torch.no_grad()
def trunk(item: Item) -> None:
    found = parts(without_parallel(item.state()))
    feature = features(backbone_from_original(found.trunk), clip_of(item.tensor("x")))
    item.compare(feat=feature, embedding=projected(found.heads["query"], feature))


@torch.no_grad()
def checkpoint(item: Item) -> None:
    said, state = item.scalars, item.state()
    for key, shape in said["int_buffers"].items():
        state[key] = torch.full(shape, said["ptr"]) if key.endswith("ptr") else torch.arange(said["K"]).view(shape)
    found = read({"epoch": 10, "arch": "resnet18", "state_dict": state, "optimizer": {}})
    assert found.original == ("moco" if said["cycle_K"] is None else "cyclecontrast")
    assert (found.facts, found.unused) == ({"epoch": 10, "arch": "resnet18"}, ["optimizer"])
    held = found.parts
    places = (held.trunk, held.key, held.queues, *held.heads.values())
    assert sum(map(len, places)) == len(state)
    x = clip_of(item.tensor("x"))
    feature = {"q": features(found.backbone, x), "k": features(backbone_from_original(held.key), x)}
    outputs = {"feat_q": feature["q"], "queue_sum": held.queues["queue"].double().sum()}
    outputs["queue_head"] = held.queues["queue"][:4, :4]
    for name, head in held.heads.items():
        short = name.replace("query", "q").replace("key", "k")
        outputs[short.replace(" ", "_")] = projected(head, feature[short[0]])
    if "queue_cycle" in held.queues:
        outputs["queue_cycle_sum"] = held.queues["queue_cycle"].double().sum()
    item.compare(**outputs)


def linear_logits(item: Item) -> None:
    """The rule by which the linear evaluation loads a pretraining, then one batch of it."""
    backbone = backbone_from_original(parts(without_parallel(item.state())).trunk)
    task = classifier(backbone, own(item.state("fc"), "fc."), frozen=True).train()
    target = torch.from_numpy(item.input("target"))
    x = clip_of(item.tensor("x"))
    losses = task.objective({"clips": x}, labels=target)
    losses.total.backward()
    assert all(parameter.grad is None for parameter in backbone.parameters())
    with torch.no_grad():
        logits = task.logits(x)
    found = scores(logits, target)
    item.compare(
        logits=logits, loss=losses.total, grad_w=task.linear.weight.grad, grad_b=task.linear.bias.grad,
        **{f"top{k}": 100 * hits.mean() for k, hits in found.hits.items()},
    )  # fmt: skip


@torch.no_grad()
def linear_checkpoint(item: Item) -> None:
    accuracy = {"best_acc1": torch.tensor([55.7])}
    found = read({"epoch": 100, "arch": "resnet18", "state_dict": item.state(), "optimizer": {}} | accuracy)
    assert found.facts["best_acc1"] == accuracy["best_acc1"].item()
    task = classifier(found.backbone, found.parts.classifier).eval()
    item.compare(logits=task.logits(clip_of(item.tensor("x"))))


@torch.no_grad()
def ucf_checkpoint(item: Item) -> None:
    schedule = torch.optim.lr_scheduler.MultiStepLR(torch.optim.Adam([torch.zeros(1)]), [6, 10, 14], 0.3)
    found = read({"epoch": 16, "state_dict": item.state(), "optimizer": {}, "scheduler": schedule.state_dict()})
    assert found.unused == ["optimizer", "scheduler"]
    task = classifier(found.backbone, found.parts.classifier).eval()
    item.compare(logits=task.logits(item.tensor("video")))


def ucf_head(item: Item) -> None:
    backbone = backbone_from_original(parts(without_parallel(item.state())).trunk)
    task = classifier(backbone, own(item.state("head"), "classifier.")).eval()
    video = item.tensor("video")
    losses = task.objective({"clips": video}, labels=torch.arange(len(video)))
    losses.total.backward()
    with torch.no_grad():
        logits = task.logits(video)
        found = {"pool": features(backbone, video), "logits": logits, "loss": losses.total}
    item.compare(
        **found, grad_classifier=task.linear.weight.grad, grad_conv1=backbone.conv1.weight.grad,
        video_confidence=to_be_averaged(logits, "softmax").mean(0, keepdim=True),
    )  # fmt: skip


CHECKS: dict[str, Check] = {
    "trunk_r18_eval": trunk,
    "trunk_r50_eval": trunk,
    "ckpt_keys_r18": checkpoint,
    "ckpt_keys_moco_r18": checkpoint,
    "lincls_logits": linear_logits,
    "ckpt_lincls_r18": linear_checkpoint,
    "ckpt_ucf_r18": ucf_checkpoint,
    "ucf_head_r18": ucf_head,
}
