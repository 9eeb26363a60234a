"""The key names of CycleContrast's tracker (its fork of mmaction2, projects/siamfc-pytorch), and ours.

There every convolution is wrapped together with its BatchNorm: `conv1.conv.weight` and `conv1.bn.weight` are
torchvision's, and our, `conv1.weight` and `bn1.weight`. The trunk is `backbone.`, the two 1x1 convolutions of the head
are `head.z_convs.0.` of the exemplar and `head.x_convs.0.` of the search picture; without training there is no head.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from praxino.backbones.base import Backbone
from praxino.backbones.resnet2d import ResNet18, ResNet34, ResNet50
from praxino.encoders.siamese import SiameseHead
from praxino.errors import UserError
from praxino.originals.keys import refuse_misshapen, refuse_unequal
from praxino.originals.moco import SPOKEN, ResNet, backbone_from_original, backbone_to_original

TRUNK = "backbone."
HEADS = {"exemplar": "head.z_convs.0.", "search": "head.x_convs.0."}
WHAT = "CycleContrast's tracker"


def trunk_key(key: str) -> str:
    """The original's name of one of our backbone's tensors."""
    key = re.sub(r"\bconv(\d)\.", r"conv\1.conv.", key)
    key = re.sub(r"\bbn(\d)\.", r"conv\1.bn.", key)
    return TRUNK + key.replace("downsample.0.", "downsample.conv.").replace("downsample.1.", "downsample.bn.")


def from_original(state: Mapping[str, Tensor]) -> tuple[ResNet, SiameseHead | None]:
    """The backbone, at output stride 32, and the head that a state belongs to, with their weights.

    Args:
        state: the original's keys -> tensors, without `module.`.

    Returns:
        The head is None where the state has none. What scales its response no state tells: it is 1.

    Raises:
        UserError: naming the first key that is missing, too much, or misshapen.
    """
    with torch.device("meta"):
        empty = _empty(state)
    names = {key: trunk_key(key) for key in empty.state_dict()}
    shapes: dict[str, tuple[int, ...]] = {names[key]: tensor.shape for key, tensor in empty.state_dict().items()}
    channels = None
    if any(key.startswith("head.") for key in state):
        first = f"{HEADS['exemplar']}weight"
        channels = refuse_misshapen(state, first, ("channels", empty.dim, 1, 1), _owner(empty))[0]
        for place in HEADS.values():
            shapes |= {f"{place}weight": (channels, empty.dim, 1, 1), f"{place}bias": (channels,)}
    refuse_unequal(state, shapes, _owner(empty))
    backbone = backbone_from_original({key: state[name] for key, name in names.items()})
    if channels is None:
        return backbone, None
    with torch.device("meta"):
        head = SiameseHead(backbone.dim, channels, 1.0)
    head.to_empty(device="cpu").load_state_dict(
        {f"{own}.{word}": state[place + word] for own, place in HEADS.items() for word in ("weight", "bias")}
    )
    return backbone, head


def to_original(backbone: Backbone, head: SiameseHead | None) -> dict[str, Tensor]:
    """A backbone's and a head's state under the original's names, on the CPU.

    Raises:
        UserError: if the original has no such network.
    """
    state = {trunk_key(key): tensor for key, tensor in backbone_to_original(backbone).items()}
    if head is not None and head.cosine and head.channels is not None:
        raise UserError(f"{WHAT} has two convolutions and no more, and this head compares cosines")
    if head is not None and head.channels is not None:
        own = head.state_dict()
        for name, place in HEADS.items():
            state |= {place + word: own[f"{name}.{word}"].detach().cpu() for word in ("weight", "bias")}
    return state


def _empty(state: Mapping[str, Tensor]) -> ResNet:
    if not any(key.startswith(TRUNK) for key in state):
        first = f"; its first key is {next(iter(state))}" if state else ""
        raise UserError(f"this is no state of {WHAT}: it has no {TRUNK}{first}")
    cls: type[ResNet] = ResNet34 if any(key.startswith(f"{TRUNK}layer1.2.") for key in state) else ResNet18
    if any(key.startswith(f"{TRUNK}layer") and ".conv3." in key for key in state):
        cls = ResNet50
    return cls(refuse_misshapen(state, f"{TRUNK}conv1.conv.weight", ("width", 3, 7, 7), WHAT)[0])


def _owner(backbone: ResNet) -> str:
    return f"{WHAT} on a {SPOKEN[type(backbone)]}"
