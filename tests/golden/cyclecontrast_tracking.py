"""Checks of CycleContrast's tracker: its crops, its pairs, its network and its loop."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import golden_items
import numpy as np
import torch
from golden_items import Item
from torch import Tensor, nn

from praxino.backbones.base import Backbone
from praxino.clips.samplers import EvenClips
from praxino.encoders.encoder import Encoder
from praxino.encoders.siamese import SiameseHead
from praxino.evaluations.tracking.augment import Drawn, PairCrops
from praxino.evaluations.tracking.crops import INTERPOLATIONS, crop
from praxino.evaluations.tracking.pairs import frames_for_pairs
from praxino.evaluations.tracking.tracker import Tracker
from praxino.evaluations.tracking.trunk import Trunk
from praxino.losses.siamese import focal, label_map
from praxino.originals.keys import without_parallel
from praxino.originals.moco import backbone_from_original, parts
from praxino.originals.siamfc_files import encoder_of_file
from praxino.views.colour import Normalise
from praxino.views.pipeline import View

FROM_ONE = np.array([1, 1, 0, 0])  # the golden boxes count the corner from 1
PUBLISHED = {"grid": 17, "middle": "grid", "bounded": False}


OPENCV = {0: "nearest", 1: "linear", 2: "cubic", 3: "area", 4: "lanczos4"}


def pair_filter(item: Item) -> None:
    boxes, size = item.input("anno") - FROM_ONE, (item.scalars["H"], item.scalars["W"])
    cover, low = item.input("cover"), item.input("cover_low")
    item.compare(
        valid=frames_for_pairs(boxes, *size, cover),
        valid_low=frames_for_pairs(boxes, *size, low),
        valid_nocover=frames_for_pairs(boxes, *size),
    )


def pair_transform(item: Item) -> None:
    said, crops = item.scalars, PairCrops()
    assert set(OPENCV.values()) == set(INTERPOLATIONS)
    found = {}
    for own, cut in (("z", crops.exemplar_of), ("x", crops.search_of)):
        given = [said[f"{own}_{word}"] for word in ("crop_interp", "stretch_interp", "stretch", "i", "j")]
        drawn = Drawn(OPENCV[given[0]], OPENCV[given[1]], *given[2:])
        picture = cut(item.input(f"image_{own}"), said[f"box_{own}"] - FROM_ONE, drawn)
        chw = picture.transpose(2, 0, 1).astype(np.float32)
        found |= {own: chw[:, ::4, ::4], f"{own}_shape": chw.shape}
    item.compare(**found)


def trunk_of(item: Item) -> Trunk:
    """The trunk of a pretraining's state. Normalised pictures go to its backbone; it is in training mode."""
    backbone = backbone_from_original(parts(without_parallel(item.state())).trunk)
    return Trunk.of(Encoder(backbone, {"rgb": View([])}, EvenClips(1, frames=1))).train()


def maps(trunk: Trunk, pictures: Tensor) -> Tensor:
    return trunk.backbone(pictures[:, :, None]).squeeze(2)


def head_of(state: dict[str, Tensor], dim: int, out_scale: float) -> SiameseHead:
    """Our head with the original's weights."""
    head = SiameseHead(dim, len(state["head.z_convs.0.bias"]), out_scale)
    own = {"exemplar": "z", "search": "x"}
    head.load_state_dict(
        {f"{name}.{kind}": state[f"head.{z}_convs.0.{kind}"] for name, z in own.items() for kind in ("weight", "bias")}
    )
    return head


def crops(item: Item) -> None:
    image, out = item.input("image"), item.scalars["out"]
    found = [crop(image, box[:2], box[2], out) for box in item.scalars["boxes"]]
    item.compare(**{f"crop{k}": one[::2, ::2].astype(np.float64) for k, one in enumerate(found)})


@torch.no_grad()
def trunk(item: Item) -> None:
    found = maps(trunk_of(item), item.tensor("x"))
    item.compare(feat=found, feat_mean=found.mean((2, 3)))


def network(item: Item) -> None:
    trunk, said = trunk_of(item), item.scalars
    head = head_of(item.state("head"), trunk.dim, said["out_scale"])
    response = head(maps(trunk, item.tensor("z")), maps(trunk, item.tensor("x")))
    loss = focal(response, label_map(*response.shape[-2:], trunk.stride))
    loss.backward()
    assert all(parameter.grad is None for parameter in trunk.parameters())
    gradients = {
        f"grad_{z}_{kind}": getattr(getattr(head, name), kind).grad
        for name, z in {"exemplar": "z", "search": "x"}.items()
        for kind in ("weight", "bias")
    }
    item.compare(response=response, loss=loss, **gradients)


class OneLayer(Backbone):
    """A convolution of stride 8."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.dim, _, kernel, _ = weight.shape
        self.weight = nn.Parameter(weight)
        self.padding = kernel // 2

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.conv2d(x[:, :, 0], self.weight, stride=8, padding=self.padding)[:, :, None]


def tracker_on(weight: Tensor, out_scale: float = 1.0, **more: Any) -> Tracker:
    encoder = Encoder(OneLayer(weight), {"rgb": View([Normalise()])}, EvenClips(1, frames=1))
    return Tracker(encoder, SiameseHead(len(weight), out_scale=out_scale), **PUBLISHED, **more)


def tracker_post(item: Item) -> None:
    said = item.scalars
    same = {name: said[name] for name in ("exemplar", "instance", "context", "scale_step", "scale_penalty")}
    tracker = tracker_on(
        torch.zeros(1, 3, 11, 11), scale_rate=said["scale_lr"], window=said["window_influence"], **same
    )
    assert tracker.response_up * PUBLISHED["grid"] == said["upsampled"]
    height, width = said["height"], said["width"]
    tracker.init(np.zeros((height, width, 3), np.uint8), said["box"] - FROM_ONE)
    boxes, sides = [], []
    for number, (scale, row, column) in enumerate(said["peaks"]):
        responses = item.fill(f"r{number}").squeeze(1)
        responses[scale, row, column] += np.float32(0.01)
        boxes.append(tracker.moved(responses, height, width) + FROM_ONE)
        sides.append(tracker.search_side)
    item.compare(boxes=boxes, x_side=sides[-1] if item.size("x_side") == 1 else sides)


def tracker_sequence(item: Item) -> None:
    tracker = tracker_on(item.state("net")["conv.weight"], item.scalars["out_scale"])
    frames = item.input("frames")
    tracker.init(frames[0], item.scalars["box"] - FROM_ONE)
    boxes = [np.array(item.scalars["box"]), *(tracker.update(frame) + FROM_ONE for frame in frames[1:])]
    item.compare(boxes=boxes)


@torch.no_grad()
def checkpoint(item: Item) -> None:
    """Through a file, as the original writes it, and through ours."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        content = {"meta": {"epoch": 49, "time": "now"}, "state_dict": item.state(), "optimizer": {}}
        torch.save(content, folder / "epoch_50.pth")
        made, _ = encoder_of_file(folder / "epoch_50.pth", item.scalars["out_scale"])
        made.save(folder / "tracker.safetensors")
        tracker = Tracker.load(folder / "tracker.safetensors")
    found = tracker.head(maps(tracker.trunk, item.tensor("z")), maps(tracker.trunk, item.tensor("x")))
    assert tracker.head.channels == item.scalars["head_channels"]
    item.compare(response=found)


CHECKS: dict[str, golden_items.Check] = {
    "siamfc_crop": crops,
    "siamfc_pair_filter": pair_filter,
    "siamfc_pair_transform": pair_transform,
    "siamfc_trunk_r18": trunk,
    "ckpt_siamfc_r18": checkpoint,
    "siamfc_tracker_post": tracker_post,
    "siamfc_tracker_sequence": tracker_sequence,
    "siamfc_net_r50": network,
}
