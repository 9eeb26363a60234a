"""Checks of the golden items of TCLR's networks and of its pretraining file."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
from golden_items import Check, Item
from torch import Tensor

from praxino.backbones.base import Backbone
from praxino.methods.tclr import ProjectionHead
from praxino.originals.tclr import backbone_from_original, parts
from praxino.originals.tclr_files import FACTS, read_file


def made(state: dict[str, Tensor]) -> ProjectionHead:
    """The MLP head of these weights."""
    hidden, dim = state["fc1.weight"].shape
    head = ProjectionHead(dim, hidden, len(state["fc2.weight"]))
    head.load_state_dict(state)
    return head.eval()


def outputs(backbone: Backbone, head: dict[str, Tensor], clip: Tensor) -> dict[str, Tensor]:
    """All that an item may ask of a network; the item's clip is BGR."""
    with torch.no_grad():
        positions = backbone.eval()(clip.flip(1)).mean((3, 4))
        found = {"map": positions, "global": positions.mean(2), "pooled": positions.mean(2)}
        if head:
            project = made(head)
            found["d"] = project(positions.mean(2))
            found["s"] = torch.stack([found["d"], *map(project, positions.unbind(2))])
    return found


def network_eval(item: Item) -> None:
    state = parts(item.state())
    item.compare(**outputs(backbone_from_original(state.backbone), state.head, item.tensor("clip")))


def checkpoint(item: Item) -> None:
    said = item.scalars
    content = {
        **said,
        "state_dict": item.state(),
        "optimizer": {"state": {}, "param_groups": [{"lr": 1e-3, "params": [0]}]},
        "amp_scaler": torch.amp.GradScaler("cpu"),
    }
    with tempfile.TemporaryDirectory() as scratch:
        torch.save(content, Path(scratch) / "model_temp.pth")
        read = read_file(Path(scratch) / "model_temp.pth")
    assert read.facts == {name: said[name] for name in FACTS if name in said}
    assert read.unused[-2:] == ["optimizer", "amp_scaler"]
    assert not read.classifier
    found = outputs(read.backbone, read.head, item.tensor("clip"))
    item.compare(map=found["map"], pooled=found["pooled"], d=found["d"])


CHECKS: dict[str, Check] = {
    "model_eval": network_eval,
    "prp_eval": network_eval,
    "rpd_eval": network_eval,
    "checkpoint_fixture": checkpoint,
}
