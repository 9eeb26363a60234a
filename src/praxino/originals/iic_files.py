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
from praxino.catalogs.lists import class_names
from praxino.clips.samplers import EvenClips
from praxino.described import PLAIN
from praxino.encoders.encoder import Encoder
from praxino.errors import UserError
from praxino.originals.iic import (
    SPOKEN,
    backbone_from_original,
    backbone_to_original,
    classifier_from_original,
    classifier_to_original,
    original_names,
    without_classifier,
)
from praxino.originals.keys import plain_classifier, without_parallel
from praxino.originals.pickles import load_pickle, save_pickle
from praxino.streams.base import Derived, Stream
from praxino.views.flow import Component
from praxino.views.geometry import Resize
from praxino.views.motion import Residual
from praxino.views.pipeline import View

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
        unused: what else it holds, in words.
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
    if not isinstance(model, Mapping) or not all(
        isinstance(k, str) and isinstance(v, Tensor) for k, v in model.items()
    ):
        raise UserError(f"{path} holds no state: a file of IIC is a state, or holds one as 'model'")
    state = without_parallel(model)
    try:
        backbone = backbone_from_original(without_classifier(state))
        classifier = classifier_from_original(state, backbone.dim)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    opt = rest.get("opt")
    said = vars(opt) if isinstance(opt, argparse.Namespace) else {}
    settings = {str(name): _plain(value) for name, value in said.items()}
    epoch = rest.get("epoch")
    unused = [_told(str(key), value) for key, value in rest.items() if key not in ("opt", "epoch")]
    return IICFile(backbone, classifier, settings, epoch if isinstance(epoch, int) else None, unused)


def encoder_of_file(
    path: Path,
    view: Modality | None = None,
    classes: Path | None = None,
    streams: dict[str, Stream | Derived] | None = None,
) -> tuple[Encoder, list[str]]:
    """Makes an encoder of a file of IIC, with the evaluation protocol of its retrieval.

    Ten clips of 16 frames, whole frames resized to 128x171 and the 112x112 in the middle; the feature is the map that
    the original retrieves with (ResNet-18-3D: the mean over time and space, as in the author's later code). The
    residual is scaled to [0, 1] for pretrained networks, and not for fine-tuned ones, as in the original.

    Args:
        path: a .pth or .pt file.
        view: the encoder's own view: the residual, RGB, or one of the two directions of optical flow; null: what the
            file's settings say the second view was, else the residual.
        classes: the file with the class names that a fine-tuned network was trained with, in lines like
            "1 ApplyEyeMakeup" (classInd.txt); null: the classifier is left out.
        streams: stream -> its reader; a stream not named is told by the videos' files. `--streams.flow DISFlow`
            computes the flow from the video's frames.

    Returns:
        The encoder, and what was made of the file, in lines.

    Raises:
        UserError: as of `read_file`, or if the classes are not as many as the classifier's.
    """
    read = read_file(path)
    names = _class_names(classes, read, path) if classes else ()
    if read.classifier and not names:
        read.unused.insert(0, f"classifier of {len(read.classifier['bias'])} classes (--classes classInd.txt keeps it)")
    chosen = view or MODALITIES.get(str(read.settings.get("modality")), "residual")
    encoder = Encoder(
        read.backbone,
        _views(chosen, rescale=not read.classifier),
        # The original leaves the last RGB frame out because there is one frame of flow less. Where flow is read, it is
        # one frame shorter anyway.
        EvenClips(clips=10, frames=16, drop_last_frames=0 if chosen in ("u", "v") else 1),
        feature="mean" if isinstance(read.backbone, R3D18) else "map",
        streams=streams,
        reestimate_batchnorm=False,
        centred=False,
        classes=names,
        record={"original": "IIC", "file": path.name, "epoch": read.epoch, "settings": read.settings},
    )
    if encoder.head is not None:
        encoder.head.load_state_dict(read.classifier)
    return encoder, _report(read, encoder)


def write_file(encoder: Encoder, path: str | Path) -> list[str]:
    """Writes an encoder as a file that IIC's scripts load, under the original's names and in its order.

    `{"model": state}`, as its retrieval and its fine-tuning read it; with a classifier the bare state, as the test of
    its fine-tuning does.

    Returns:
        What was written, in lines.

    Raises:
        UserError: if IIC has no network like the encoder's.
    """
    state = backbone_to_original(encoder.backbone)
    if encoder.head is None:
        save_pickle(path, {"model": state})
        form = "as 'model', for its retrieval and fine-tuning"
    else:
        state |= classifier_to_original(plain_classifier(encoder.head, "IIC"))
        save_pickle(path, state)
        form = "and nothing else, with the classifier, for the test of its fine-tuning"
    return [f"IIC's {SPOKEN[type(encoder.backbone)]}: {len(state)} tensors, {form}"]


def _views(chosen: Modality, rescale: bool) -> dict[str, View]:
    """The chosen view, and after it the others that need nothing but RGB."""
    resize = Resize(128, 171, crop=112)
    views = {"residual": View([resize, Residual(rescale)]), "rgb": View([resize])}
    if chosen in ("u", "v"):
        return {f"flow_{chosen}": View([Component(chosen), resize], "flow"), **views}
    return {chosen: views.pop(chosen), **views}


def _class_names(file: Path, read: IICFile, path: Path) -> tuple[str, ...]:
    if not file.is_file():
        raise UserError(f"--classes: there is no file {file}")
    names = class_names(file)
    if len(names) != len(read.classifier.get("bias", ())):
        has = f"a classifier of {len(read.classifier['bias'])}" if read.classifier else "no classifier"
        raise UserError(f"--classes: {file} names {len(names)} classes, and {path} has {has}")
    return names


def _report(read: IICFile, encoder: Encoder) -> list[str]:
    mapped = len(read.names) + (len(read.classifier) if encoder.head else 0)
    first, *others = encoder.views
    lines = [
        f"IIC's {SPOKEN[type(read.backbone)]}: {mapped} tensors mapped",
        f"view {first} (also {', '.join(others)}), 10 clips of 16 frames, feature {encoder.feature}",
    ]
    if encoder.classes:
        lines.append(f"classifier of {len(encoder.classes)} classes")
    if read.settings or read.epoch is not None:
        said = [f"{name} {read.settings[name]}" for name in ("modality", "intra_neg", "neg") if name in read.settings]
        lines.append(f"written down, not used: {', '.join([f'epoch {read.epoch}', *said])}, ... (opt)")
    return [*lines, "left out: " + ("; ".join(read.unused) or "nothing")]


def _told(key: str, value: Any) -> str:
    if not isinstance(value, Mapping):
        return key
    shapes = [f"{name} {list(tensor.shape)}" for name, tensor in value.items() if isinstance(tensor, Tensor)]
    return f"{key} ({', '.join(shapes)})" if shapes else key


def _plain(value: Any) -> Any:
    return value if isinstance(value, PLAIN) else str(value)
