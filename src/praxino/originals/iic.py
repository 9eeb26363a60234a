"""The key names of IIC's published networks (github.com/BestJuly/IIC), and ours.

An original pretraining file holds a backbone's keys, without prefix, under `model`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypedDict

import torch
from torch import Tensor

from praxino.backbones.r3d import R3D
from praxino.errors import UserError

STEM_CONV = "conv1.temporal_spatial_conv.weight"
BLOCK_PARTS = {
    "conv1.temporal_spatial_conv": "conv1",
    "bn1": "norm1",
    "conv2.temporal_spatial_conv": "conv2",
    "bn2": "norm2",
    "downsampleconv.temporal_spatial_conv": "shortcut.conv",
    "downsamplebn": "shortcut.norm",
}
OUR_BLOCK = re.compile(r"stages\.(\d)\.(\d+)\.(.+)\.(\w+)")
BLOCK_OF_STAGE = re.compile(r"conv([2-5])\.(?:block1|blocks\.(\d+))\.")


class R3DArguments(TypedDict):
    """What R3D's constructor takes."""

    width: int
    in_channels: int
    layers: tuple[int, int, int, int]


def r3d_arguments(state: Mapping[str, Tensor]) -> R3DArguments:
    """The constructor arguments of the R3D that an original's state belongs to.

    Raises:
        UserError: if the stem is not there, or not shaped like one.
    """
    stem = state.get(STEM_CONV)
    if stem is None:
        raise UserError(f"this is no state of IIC's R3D: the key {STEM_CONV} is missing")
    if stem.ndim != 5 or stem.shape[2:] != (3, 7, 7):
        raise UserError(
            f"this is no state of IIC's R3D: {STEM_CONV} has the shape {list(stem.shape)}, not [w, c, 3, 7, 7]"
        )
    layers = [1, 1, 1, 1]
    for stage, number in (m.groups() for m in map(BLOCK_OF_STAGE.match, state) if m):
        # `block1` is the first block of a stage and `blocks.0` the second.
        layers[int(stage) - 2] = max(layers[int(stage) - 2], 1 if number is None else int(number) + 2)
    return R3DArguments(
        width=stem.shape[0], in_channels=stem.shape[1], layers=(layers[0], layers[1], layers[2], layers[3])
    )


def r3d_from_original(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state of `R3D(**r3d_arguments(state))` from an original's; every key must be there, none may be left.

    Args:
        state: the original's keys -> tensors: the backbone alone, without classifier (`linear.*`) and without prefix.

    Raises:
        UserError: naming the first key that is missing, too much, or misshapen.
    """
    with torch.device("meta"):
        expected = R3D(**r3d_arguments(state)).state_dict()
    names = {_original_key(key): key for key in expected}
    _refuse_unequal(state, {original: expected[key].shape for original, key in names.items()}, "IIC's R3D")
    return {key: state[original] for original, key in names.items()}


def r3d_to_original(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """An R3D's state under the original's key names.

    Raises:
        UserError: naming the first key that is missing, too much, or misshapen.
    """
    try:
        original = {_original_key(key): tensor for key, tensor in state.items()}
        arguments = r3d_arguments(original)
    except KeyError as error:
        raise UserError(f"this is no state of R3D: the key {error.args[0]} is none of its own") from None
    with torch.device("meta"):
        expected = R3D(**arguments).state_dict()
    _refuse_unequal(state, {key: tensor.shape for key, tensor in expected.items()}, "R3D")
    return original


def _original_key(key: str) -> str:
    """Ours -> the original's; KeyError for a key that no R3D has."""
    part, _, word = key.rpartition(".")
    if part in ("stem.conv", "stem.norm"):
        return f"{'conv1.temporal_spatial_conv' if part == 'stem.conv' else 'bn1'}.{word}"
    block = OUR_BLOCK.fullmatch(key)
    theirs = {ours: original for original, ours in BLOCK_PARTS.items()}
    if block is None or block[3] not in theirs:
        raise KeyError(key)
    number = int(block[2])
    place = "block1" if number == 0 else f"blocks.{number - 1}"
    return f"conv{int(block[1]) + 2}.{place}.{theirs[block[3]]}.{word}"


def _refuse_unequal(state: Mapping[str, Tensor], shapes: Mapping[str, torch.Size], what: str) -> None:
    for key, shape in shapes.items():
        if key not in state:
            raise UserError(f"this is no state of {what}: the key {key} is missing")
        if state[key].shape != shape:
            raise UserError(
                f"this is no state of {what}: {key} has the shape {list(state[key].shape)}, not {list(shape)}"
            )
    extra = next((key for key in state if key not in shapes), None)
    if extra is not None:
        raise UserError(f"this is no state of {what}: the key {extra} does not belong to it")
