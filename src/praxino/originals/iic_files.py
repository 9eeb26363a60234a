"""The files that IIC's scripts write and read, as encoders and back.

Pretraining writes `{"opt", "model", "contrast", "optimizer", "epoch"}`, fine-tuning `{"model"}` with a classifier; its
test reads the bare state.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

from praxino.backbones.base import Backbone
from praxino.backbones.resnet3d import R3D18
from praxino.clips.samplers import EvenClips
from praxino.described import PLAIN
from praxino.errors import UserError
from praxino.methods.encoder import Encoder
from praxino.originals.iic import (
    SPOKEN,
    backbone_from_original,
    backbone_to_original,
    classifier_from_original,
    original_names,
    without_classifier,
)
from praxino.originals.keys import without_parallel
from praxino.originals.pickles import load_pickle, save_pickle
from praxino.views.geometry import Resize
from praxino.views.motion import Residual
from praxino.views.pipeline import Operation, View

Modality = Literal["residual", "rgb", "u", "v"]
# What the original calls its second views.
MODALITIES: dict[str, Modality] = {"res": "residual", "rgb": "rgb", "u": "u", "v": "v"}


@dataclass
class IICFile:
    """What a file of IIC holds.

    Attributes:
        backbone: with the file's weights.
        classifier: {"weight": [classes, dim], "bias": [classes]} of a fine-tuned file, else empty.
        settings: what the command line of the pretraining was; empty where the file does not say.
        epoch: after which it was written; None where the file does not say.
        unused: what else is in it, in words.
    """

    backbone: Backbone
    classifier: dict[str, Tensor] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    epoch: int | None = None
    unused: list[str] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """The original's keys of the backbone."""
        return list(original_names(self.backbone).values())


def read_file(path: str | Path) -> IICFile:
    """Reads a .pth or .pt file of IIC: of pretraining, of fine-tuning, or a bare state.

    Raises:
        UserError: if it cannot be read, asks for code, or its keys are not exactly those of one of IIC's networks.
    """
    content = load_pickle(path)
    if not isinstance(content, Mapping):
        raise UserError(f"{path} holds no state: it is a {type(content).__name__}")
    rest = {key: value for key, value in content.items() if key != "model"} if "model" in content else {}
    model = content.get("model", content)
    if not isinstance(model, Mapping) or not all(isinstance(value, Tensor) for value in model.values()):
        raise UserError(f"{path} holds no state: a file of IIC is a state, or holds one as 'model'")
    state = without_parallel(model)
    try:
        backbone = backbone_from_original(without_classifier(state))
        classifier = classifier_from_original(state, backbone.dim)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    opt = rest.get("opt")
    settings = {name: _plain(value) for name, value in vars(opt).items()} if isinstance(opt, argparse.Namespace) else {}
    epoch = rest.get("epoch")
    told = [f"classifier of {len(classifier['bias'])} classes"] if classifier else []
    told += [_told(key, value) for key, value in rest.items() if key not in ("opt", "epoch")]
    return IICFile(backbone, classifier, settings, epoch if isinstance(epoch, int) else None, told)


def encoder_of_file(path: Path, view: Modality | None = None) -> tuple[Encoder, list[str]]:
    """Makes an encoder of a file of IIC, with the evaluation protocol of its retrieval.

    Ten clips of 16 frames, whole frames resized to 128x171 and the 112x112 in the middle; the feature is the map that
    the original retrieves with (ResNet-18-3D: the mean over time and space, as in the author's later code). The
    residual is scaled to [0, 1] for pretrained networks, and not for fine-tuned ones, as in the original.

    Args:
        path: a .pth or .pt file.
        view: the encoder's own view: the residual, RGB, or one of the two directions of optical flow. None: what the
            file's settings say the second view was, else the residual.

    Returns:
        The encoder, and what was made of the file, in lines.

    Raises:
        UserError: as of `read_file`.
    """
    read = read_file(path)
    chosen = view or MODALITIES.get(str(read.settings.get("modality")), "residual")
    flow = chosen in ("u", "v")
    pooled = isinstance(read.backbone, R3D18)
    encoder = Encoder(
        read.backbone,
        _views(chosen, rescale=not read.classifier),
        # The original leaves the last RGB frame out because there is one frame of flow less. Where flow is read, the
        # shorter stream decides anyway.
        EvenClips(clips=10, frames=16, drop_last_frames=0 if flow else 1),
        feature="mean" if pooled else "map",
        reestimate_batchnorm=False,
        centred=False,
        record={"original": "IIC", "file": path.name, "epoch": read.epoch, "settings": read.settings},
    )
    return encoder, _report(read, encoder)


def write_file(encoder: Encoder, path: str | Path) -> int:
    """Writes an encoder as a file that IIC's scripts load: `{"model": state}`, under the original's names and order.

    Returns:
        How many tensors were written.

    Raises:
        UserError: if IIC has no network like the encoder's.
    """
    state = backbone_to_original(encoder.backbone)
    save_pickle(path, {"model": state})
    return len(state)


def _views(chosen: Modality, rescale: bool) -> dict[str, View]:
    def resized(*more: Operation, stream: str = "rgb") -> View:
        return View([Resize(128, 171, 112), *more], stream)

    if chosen in ("u", "v"):
        first = {f"flow_{chosen}": resized(stream=f"flow_{chosen}")}
    else:
        first = {}
    others = {"residual": resized(Residual(rescale)), "rgb": resized()}
    return first | ({"rgb": others["rgb"]} if chosen == "rgb" else {}) | others


def _report(read: IICFile, encoder: Encoder) -> list[str]:
    first, *others = encoder.views
    protocol = f"view {first} (also: {', '.join(others)}), 10 clips of 16 frames, feature {encoder.feature}"
    lines = [f"IIC's {SPOKEN[type(read.backbone)]}: all {len(read.names)} tensors mapped", protocol]
    if read.settings or read.epoch is not None:
        said = ", ".join(
            f"{name} {read.settings[name]}" for name in ("modality", "intra_neg", "neg") if name in read.settings
        )
        lines.append(f"kept in the description: epoch {read.epoch}, {len(read.settings)} settings ({said})")
    return [*lines, "not used: " + ("; ".join(read.unused) or "nothing")]


def _told(key: str, value: Any) -> str:
    if not isinstance(value, Mapping):
        return key
    shapes = [f"{name} {list(tensor.shape)}" for name, tensor in value.items() if isinstance(tensor, Tensor)]
    return f"{key} ({', '.join(shapes)})" if shapes else key


def _plain(value: Any) -> Any:
    return value if isinstance(value, PLAIN) else str(value)
