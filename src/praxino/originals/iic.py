"""The key names of IIC's published networks (github.com/BestJuly/IIC), and ours.

C3D, R3D and R(2+1)D go by the names of IIC's own code. Its ResNet-18-3D was never published; that one goes by the names
of the same author's later code (PCL), with `base_network.` before all of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor

from praxino.backbones.base import Backbone
from praxino.backbones.c3d import C3D, CONVOLUTIONS
from praxino.backbones.r3d import R3D, Layers
from praxino.backbones.r21d import R21D
from praxino.backbones.resnet3d import R3D18
from praxino.errors import UserError
from praxino.originals.keys import refuse_misshapen, refuse_unequal

Pairs = Iterator[tuple[str, str]]
CLASSIFIER = "linear."
BLOCK = re.compile(r"conv([2-5])\.(block1|blocks\.\d+)\.")
SPOKEN = {C3D: "C3D", R3D: "R3D", R21D: "R(2+1)D", R3D18: "ResNet-18-3D"}


def backbone_from_original(state: Mapping[str, Tensor]) -> Backbone:
    """The backbone that an original's state belongs to, with its weights.

    Which one, its width, channels and blocks are told by the keys and their shapes. Every key must be there, and none
    may be left.

    Args:
        state: the original's keys -> tensors, without the classifier (`linear.*`).

    Raises:
        UserError: naming the first key that is missing, too much, or misshapen.
    """
    with torch.device("meta"):
        backbone = _empty(state)
    names, expected = original_names(backbone), backbone.state_dict()
    shapes = {original: expected[ours].shape for ours, original in names.items()}
    refuse_unequal(state, shapes, f"IIC's {SPOKEN[type(backbone)]}")
    backbone.to_empty(device="cpu").load_state_dict({ours: state[original] for ours, original in names.items()})
    return backbone


def backbone_to_original(backbone: Backbone) -> dict[str, Tensor]:
    """A backbone's state under the original's key names, in the original's order, on the CPU.

    Raises:
        UserError: if the original has no such network.
    """
    state = backbone.state_dict()
    return {original: state[ours].detach().cpu() for ours, original in original_names(backbone).items()}


def classifier_from_original(state: Mapping[str, Tensor], dim: int) -> dict[str, Tensor]:
    """The last layer of a fine-tuned network: {"weight": [classes, dim], "bias": [classes]}; empty where there is none.

    Args:
        state: the original's keys -> tensors, of the whole network.
        dim: channels of the backbone's feature map, whose mean over time and space the layer takes.

    Raises:
        UserError: if one of the two is missing, or misshapen.
    """
    if not any(key.startswith(CLASSIFIER) for key in state):
        return {}
    classes, _ = refuse_misshapen(state, f"{CLASSIFIER}weight", ("classes", dim), "IIC's classifier")
    refuse_misshapen(state, f"{CLASSIFIER}bias", (classes,), "IIC's classifier")
    return {word: state[f"{CLASSIFIER}{word}"] for word in ("weight", "bias")}


def classifier_to_original(classifier: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A last layer, as `classifier_from_original` gives it, under the original's key names."""
    return {f"{CLASSIFIER}{word}": classifier[word].detach().cpu() for word in ("weight", "bias") if classifier}


def without_classifier(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A network's state without its last layer."""
    words = (f"{CLASSIFIER}weight", f"{CLASSIFIER}bias")
    return {key: tensor for key, tensor in state.items() if key not in words}


def original_names(backbone: Backbone) -> dict[str, str]:
    """Our keys -> the original's, of the whole state and in the original's order.

    Raises:
        UserError: if the original has no such network.
    """
    if type(backbone) not in SPOKEN:
        known = ", ".join(cls.__name__ for cls in SPOKEN)
        raise UserError(f"IIC has no network like {type(backbone).__name__}: there are {known}")
    words: dict[str, list[str]] = {}
    for key in backbone.state_dict():
        module, _, word = key.rpartition(".")
        words.setdefault(module, []).append(word)
    pairs = _layers(backbone)
    return {f"{ours}.{word}": f"{original}.{word}" for original, ours in pairs for word in words[ours]}


def _layers(backbone: Backbone) -> Pairs:
    """The original's name of each layer that has weights, and ours."""
    if isinstance(backbone, C3D):
        return _c3d_layers()
    if isinstance(backbone, R3D18):
        return _r3d18_layers()
    assert isinstance(backbone, R3D | R21D)
    return _r3d_layers(backbone.layers, _plain if isinstance(backbone, R3D) else _factored)


def _c3d_layers() -> Pairs:
    for stage, convolutions in enumerate(CONVOLUTIONS):
        for number in range(convolutions):
            letter = "ab"[number] if convolutions > 1 else ""
            yield f"conv{stage + 1}{letter}", f"stages.{stage}.conv{number + 1}"
            yield f"bn{stage + 1}{letter}", f"stages.{stage}.norm{number + 1}"


def _plain(original: str, ours: str) -> Pairs:
    yield f"{original}.temporal_spatial_conv", ours


def _factored(original: str, ours: str) -> Pairs:
    yield f"{original}.spatial_conv", f"{ours}.spatial"
    yield f"{original}.bn", f"{ours}.norm"
    yield f"{original}.temporal_conv", f"{ours}.temporal"


def _r3d_layers(layers: tuple[int, ...], conv: Callable[[str, str], Pairs]) -> Pairs:
    yield from conv("conv1", "stem.conv")
    yield "bn1", "stem.norm"
    for stage, blocks in enumerate(layers):
        for number in range(blocks):
            ours = f"stages.{stage}.{number}"
            original = f"conv{stage + 2}." + ("block1" if number == 0 else f"blocks.{number - 1}")
            if stage and not number:
                yield from conv(f"{original}.downsampleconv", f"{ours}.shortcut.conv")
                yield f"{original}.downsamplebn", f"{ours}.shortcut.norm"
            for half in (1, 2):
                yield from conv(f"{original}.conv{half}", f"{ours}.conv{half}")
                yield f"{original}.bn{half}", f"{ours}.norm{half}"


def _r3d18_layers() -> Pairs:
    yield "base_network.0.0", "stem.conv"
    yield "base_network.0.1", "stem.norm"
    for stage in range(4):
        for number in range(2):
            original, ours = f"base_network.{stage + 1}.{number}", f"stages.{stage}.{number}"
            for half in (1, 2):
                yield f"{original}.conv{half}.0", f"{ours}.conv{half}"
                yield f"{original}.conv{half}.1", f"{ours}.norm{half}"
            if stage and not number:
                yield f"{original}.downsample.0", f"{ours}.shortcut.conv"
                yield f"{original}.downsample.1", f"{ours}.shortcut.norm"


def _empty(state: Mapping[str, Tensor]) -> Backbone:
    """The network whose stem the state has, with the width, channels and blocks that its shapes tell."""
    if "conv1.temporal_spatial_conv.weight" in state:
        width, channels = _stem(state, "conv1.temporal_spatial_conv.weight", (3, 7, 7), "R3D")
        return R3D(width, channels, _blocks(state))
    if "conv1.spatial_conv.weight" in state:
        _, channels = _stem(state, "conv1.spatial_conv.weight", (1, 7, 7), "R(2+1)D")
        width, _ = _stem(state, "conv1.temporal_conv.weight", (3, 1, 1), "R(2+1)D")
        return R21D(width, channels, _blocks(state))
    if "base_network.0.0.weight" in state:
        return R3D18(*_stem(state, "base_network.0.0.weight", (3, 7, 7), "ResNet-18-3D"))
    if "conv1.weight" in state:
        return C3D(*_stem(state, "conv1.weight", (3, 3, 3), "C3D"))
    first = f"; its first key is {next(iter(state))}" if state else " and it is empty"
    raise UserError(
        f"this is no state of one of IIC's networks ({', '.join(SPOKEN.values())}): no stem of theirs{first}"
    )


def _stem(state: Mapping[str, Tensor], key: str, kernel: tuple[int, int, int], name: str) -> tuple[int, int]:
    """Channels out and in of the stem's convolution."""
    outputs, inputs, *_ = refuse_misshapen(state, key, ("w", "c", *kernel), f"IIC's {name}")
    return outputs, inputs


def _blocks(state: Mapping[str, Tensor]) -> Layers:
    """Blocks of each stage. They are counted: a number in a key is no reason to build as many."""
    found = {match.groups() for match in map(BLOCK.match, state) if match}
    first, second, third, fourth = (max(1, sum(stage == str(k) for stage, _ in found)) for k in (2, 3, 4, 5))
    return first, second, third, fourth
