"""Checks of CoCon's and DPC's golden items: crops, colours, flow and maps as the networks see them."""

from __future__ import annotations

import numpy as np
import torch
from golden_items import Check, Item
from torch import Tensor

from praxino.rng import Rng
from praxino.streams.gaps import filled_in_clips
from praxino.views.channels import OneChannel
from praxino.views.colour import Normalise
from praxino.views.flow_values import FlowValues
from praxino.views.geometry import Flip
from praxino.views.nearest import LiveliestCrop, NearestCrop
from praxino.views.sized import SizedCrop


def clip_of(frames: Tensor) -> Tensor:
    """Frames [T, H, W, C] as a clip [1, 1, C, T, H, W]."""
    return frames.movedim(-1, 0)[None, None]


def floats(clip: Tensor) -> Tensor:
    """A clip as the network gets it, frame by frame: [T, C, h, w]."""
    return (clip if clip.is_floating_point() else clip / 255)[0, 0].transpose(0, 1)


def sizes(height: int, width: int, frames: int = 1) -> Tensor:
    return torch.tensor([height, width]).expand(1, 1, frames, 2)


def corner(*place: int) -> Tensor:
    """Top and left, given as x and y."""
    return torch.tensor(place[::-1]).view(1, 1, 1, 2)


def centre_boxes(item: Item) -> None:
    boxes = []
    for width, height in item.scalars["sizes_wh"]:
        side = item.scalars["size"]
        crop = NearestCrop(side, at="centre", outside="black")
        top, left = crop.draw(Rng(0), (1, 1, 1), sizes(height, width))["corner"].flatten().tolist()
        boxes.append([left, top, left + side, top + side])
    item.compare(boxes=boxes)


def test_frames(item: Item) -> None:
    said = item.scalars
    clip = clip_of(item.tensor("frames"))
    crop = NearestCrop(said["crop"], said["img_dim"], at="centre")
    y = crop.apply(clip, **crop.draw(Rng(0), (1, 1, clip.shape[3]), sizes(*clip.shape[-2:], clip.shape[3])))
    item.compare(y=floats(Normalise(tuple(said["mean"]), tuple(said["std"])).apply(y)))


def pretraining_frames(item: Item) -> None:
    said = item.scalars
    clip = Flip().apply(clip_of(item.tensor("frames")), on=torch.tensor([[[said["flip"]]]]))
    clip = NearestCrop(said["crop"], said["img_dim"]).apply(clip, corner=corner(said["x1"], said["y1"]))
    channel = torch.tensor(said["gray_channel_per_frame"]).view(1, 1, -1)
    item.compare(y=floats(OneChannel().apply(clip, on=channel >= 0, channel=channel.clamp(min=0))))


def sized_crop(item: Item) -> None:
    said = item.scalars
    frames = item.tensor("frames")
    numbers = (torch.tensor(said[name], dtype=torch.float64) for name in ("area_fraction", "aspect"))
    crop = SizedCrop(said["size"])
    height, width = crop.sides(*numbers, torch.tensor(said["swap"]), torch.tensor(frames.shape[1:3])).tolist()
    drawn = {
        "box": torch.tensor([said["y1"], said["x1"], height, width]).view(1, 1, 1, 4),
        "grid": torch.full((1, 1, 1, 2), crop.size),
        "corner": torch.zeros(1, 1, 1, 2, dtype=torch.int64),
    }
    y = crop.apply(clip_of(frames), **drawn)
    item.compare(box_wh=[width, height], y=y[0, 0].movedim(0, -1))


def proposed(item: Item) -> Tensor:
    """The places that the item's crops were drawn at: top and left."""
    return torch.tensor([place[::-1] for place in item.scalars["proposals_xy"]]).view(1, 1, 1, -1, 2)


def maps(item: Item) -> Tensor:
    """The item's maps, of which frame 1 is the mean of its neighbours, as bytes: [1, 1, C, T, H, W]."""
    bytes_ = item.tensor("maps").clone()
    bytes_[1] = ((bytes_[0].int() + bytes_[2].int()) // 2).to(torch.uint8)
    return bytes_.transpose(0, 1)[None, None]


def map_training(item: Item) -> None:
    crop = LiveliestCrop(item.scalars["crop"], item.scalars["out"], of="maps")
    item.compare(y=floats(crop.apply(maps(item), corners=proposed(item))))


def map_test(item: Item) -> None:
    clip = maps(item)
    crop = NearestCrop(item.scalars["crop"], item.scalars["out"], at="centre")
    drawn = crop.draw(Rng(0), (1, 1, clip.shape[3]), sizes(*clip.shape[-2:], clip.shape[3]))
    item.compare(y=floats(crop.apply(clip, **drawn)))


def flow(item: Item) -> None:
    said = item.scalars
    present = np.isin(said["frame_idx"], said["present_idx"])
    there = [np.stack([item.fill(f"{axis}{k}") for axis in "uv"], -1) for k in said["present_idx"]]
    frames = np.zeros((len(present), *there[0].shape), np.uint8)
    frames[present] = there
    frames, _, where = filled_in_clips(frames, present, np.arange(len(present))[None])
    clip = clip_of(torch.from_numpy(frames[where[0]]))
    crop = LiveliestCrop(said["crop"], said["img_dim"])
    y = FlowValues("cocon").apply(crop.apply(clip, corners=proposed(item)))
    blocks = y[0, 0].unflatten(1, (said["num_seq"], said["seq_len"])).transpose(0, 1)
    item.compare(y=blocks)


CHECKS: dict[str, Check] = {
    "center_crop_boxes": centre_boxes,
    "rgb_test_transform": test_frames,
    "rgb_pretrain_geometry": pretraining_frames,
    "rgb_sized_crop": sized_crop,
    "flow_decode": flow,
    "map_transform": map_training,
    "map_test_transform": map_test,
}
