"""The key names of TCLR's published networks (github.com/DAVEISHAN/TCLR), and ours.

Its networks see frames as OpenCV gives them, blue first; ours see RGB. So the first convolution's input channels are
turned around on the way here, and back on the way there: both compute the same of the same video.

A network of pretraining is a pair, `0.` before the backbone's keys and `1.` before those of its MLP head; the networks
of linear evaluation and retrieval have the backbone's keys alone, and a last layer (`fc.*`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from praxino.backbones.base import Backbone
from praxino.backbones.r3d import DilatedR3D
from praxino.backbones.r21d import DilatedR21D18
from praxino.backbones.resnet3d import DilatedR3D18
from praxino.errors import UserError
from praxino.originals.keys import refuse_misshapen, refuse_unequal

Pairs = Iterator[tuple[str, str]]
BACKBONE, HEAD, CLASSIFIER = "0.", "1.", "fc."
CLASSIFIER_KEYS = (f"{CLASSIFIER}weight", f"{CLASSIFIER}bias")
SPOKEN = {DilatedR3D18: "R3D-18", DilatedR3D: "R3D of PRP", DilatedR21D18: "R(2+1)D-18"}
LAYERS, TEMPORAL_STRIDES, CHANNELS = (1, 1, 1, 1), (1, 2, 2, 1), 3


@dataclass(frozen=True)
class Parts:
    """A state of TCLR, taken apart; the keys are without `0.` and `1.`.

    Attributes:
        backbone: of the backbone.
        head: of the MLP head, in whatever form; empty where there is none.
        classifier: {"weight": [outputs, dim], "bias": [outputs]}; empty where there is none.
    """

    backbone: dict[str, Tensor]
    head: dict[str, Tensor]
    classifier: dict[str, Tensor]


def parts(state: Mapping[str, Tensor]) -> Parts:
    """Takes a state apart.

    Args:
        state: the original's keys -> tensors, without `module.`.

    Raises:
        UserError: if some keys are a pair's and others are not, or the last layer is incomplete.
    """
    backbone, head = dict(state), dict[str, Tensor]()
    if any(key.startswith(BACKBONE) for key in state):
        backbone, head = (
            {key.removeprefix(part): tensor for key, tensor in state.items() if key.startswith(part)}
            for part in (BACKBONE, HEAD)
        )
        extra = next((key for key in state if not key.startswith((BACKBONE, HEAD))), None)
        if extra is not None:
            raise UserError(f"this is no state of TCLR: the key {extra} is neither the backbone's (0.) nor the head's")
    found = {key: backbone.pop(key) for key in CLASSIFIER_KEYS if key in backbone}
    if found:
        outputs, _ = refuse_misshapen(found, f"{CLASSIFIER}weight", ("outputs", "dim"), "TCLR's classifier")
        refuse_misshapen(found, f"{CLASSIFIER}bias", (outputs,), "TCLR's classifier")
    return Parts(backbone, head, {key.removeprefix(CLASSIFIER): tensor for key, tensor in found.items()})


def backbone_from_original(state: Mapping[str, Tensor]) -> Backbone:
    """The backbone that an original's state belongs to, with its weights, for RGB.

    Which one is told by the keys, and its width by their shapes. Every key must be there, and none may be left.

    Args:
        state: the original's keys -> tensors, as `parts` gives those of the backbone.

    Raises:
        UserError: naming the first key that is missing, too much, or misshapen.
    """
    with torch.device("meta"):
        backbone = _empty(state)
    names, expected = original_names(backbone), backbone.state_dict()
    shapes = {original: expected[ours].shape for ours, original in names.items()}
    refuse_unequal(state, shapes, f"TCLR's {SPOKEN[type(backbone)]}")
    made = {ours: state[original] for ours, original in names.items()}
    backbone.to_empty(device="cpu").load_state_dict(other_channel_order(made))
    return backbone


def backbone_to_original(backbone: Backbone) -> dict[str, Tensor]:
    """A backbone's state under the original's key names, in the original's order, on the CPU, for BGR.

    Raises:
        UserError: if the original has no such network.
    """
    names = original_names(backbone)
    state = other_channel_order(backbone.state_dict())
    return {original: state[ours].detach().cpu() for ours, original in names.items()}


def other_channel_order(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A backbone's state under our keys, its first convolution (or the gradient of it) from RGB to BGR, or back."""
    first = next(key for key in ("stem.conv.weight", "stem.conv.spatial.weight") if key in state)
    return {**state, first: state[first].flip(1)}


def original_names(backbone: Backbone) -> dict[str, str]:
    """Our keys -> the original's, of the whole state and in the original's order.

    Raises:
        UserError: if the original has no such network.
    """
    _refuse_unknown(backbone)
    words: dict[str, list[str]] = {}
    for key in backbone.state_dict():
        module, _, word = key.rpartition(".")
        words.setdefault(module, []).append(word)
    pairs = _r3d_layers() if type(backbone) is DilatedR3D else _layers(backbone)
    return {f"{ours}.{word}": f"{original}.{word}" for original, ours in pairs for word in words[ours]}


def _refuse_unknown(backbone: Backbone) -> None:
    if type(backbone) not in SPOKEN:
        known = ", ".join(cls.__name__ for cls in SPOKEN)
        raise UserError(f"TCLR has no network like {type(backbone).__name__}: there are {known}")
    fixed: dict[str, object] = {"in_channels": CHANNELS, "temporal_strides": TEMPORAL_STRIDES}
    if type(backbone) is DilatedR3D:
        fixed["layers"] = LAYERS
    for name, value in fixed.items():
        has = getattr(backbone, name)
        if has != value:
            raise UserError(f"TCLR's {SPOKEN[type(backbone)]} has {name} {value}, and this network {has}")


def _r3d_layers() -> Pairs:
    yield "conv1.temporal_spatial_conv", "stem.conv"
    yield "bn1", "stem.norm"
    for stage in range(4):
        original, ours = f"conv{stage + 2}.block1", f"stages.{stage}.0"
        # The two convolutions that TCLR put in place of PRP's have no module around them.
        replaced = "" if stage == 3 else ".temporal_spatial_conv"
        if stage:
            yield f"{original}.downsampleconv{replaced}", f"{ours}.shortcut.conv"
            yield f"{original}.downsamplebn", f"{ours}.shortcut.norm"
        yield f"{original}.conv1{replaced}", f"{ours}.conv1"
        yield f"{original}.bn1", f"{ours}.norm1"
        yield f"{original}.conv2.temporal_spatial_conv", f"{ours}.conv2"
        yield f"{original}.bn2", f"{ours}.norm2"


def _whole(original: str, ours: str) -> Pairs:
    yield original, ours


def _pair(original: str, ours: str) -> Pairs:
    yield f"{original}.0", f"{ours}.spatial"
    yield f"{original}.1", f"{ours}.norm"
    yield f"{original}.3", f"{ours}.temporal"


def _layers(backbone: Backbone) -> Pairs:
    """torchvision's names: whole convolutions, or pairs of them."""
    conv: Callable[[str, str], Pairs] = _whole
    if isinstance(backbone, DilatedR21D18):
        conv = _pair
        yield from _pair("stem", "stem.conv")
        yield "stem.4", "stem.norm"
    else:
        yield "stem.0", "stem.conv"
        yield "stem.1", "stem.norm"
    for stage in range(4):
        for number in range(2):
            original, ours = f"layer{stage + 1}.{number}", f"stages.{stage}.{number}"
            for half in (1, 2):
                dilated = stage == 3 and number == 0 and half == 1
                yield from (_whole if dilated else conv)(f"{original}.conv{half}.0", f"{ours}.conv{half}")
                yield f"{original}.conv{half}.1", f"{ours}.norm{half}"
            if stage and not number:
                yield f"{original}.downsample.0", f"{ours}.shortcut.conv"
                yield f"{original}.downsample.1", f"{ours}.shortcut.norm"


def _empty(state: Mapping[str, Tensor]) -> Backbone:
    """The network whose stem the state has, with the width that its shapes tell."""
    if "conv1.temporal_spatial_conv.weight" in state:
        return DilatedR3D(_width(state, "conv1.temporal_spatial_conv.weight", ("w", CHANNELS, 3, 7, 7), "R3D of PRP"))
    if "stem.3.weight" in state:
        return DilatedR21D18(_width(state, "stem.3.weight", ("w", "m", 3, 1, 1), "R(2+1)D-18"))
    if "stem.0.weight" in state:
        return DilatedR3D18(_width(state, "stem.0.weight", ("w", CHANNELS, 3, 7, 7), "R3D-18"))
    first = f"; its first key is {next(iter(state))}" if state else " and it is empty"
    raise UserError(
        f"this is no state of one of TCLR's networks ({', '.join(SPOKEN.values())}): no stem of theirs{first}"
    )


def _width(state: Mapping[str, Tensor], key: str, shape: tuple[int | str, ...], name: str) -> int:
    return refuse_misshapen(state, key, shape, f"TCLR's {name}")[0]
