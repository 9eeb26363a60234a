"""The files that TCLR's programs write and read, as encoders and back.

Pretraining writes `{"epoch", "state_dict", "optimizer", "learning_rate", "amp_scaler"}` (and, each epoch, "best_score"
and "scheduler_epoch"), linear evaluation `{"epoch", "state_dict", "optimizer"}`. Retrieval writes none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from praxino.backbones.base import Backbone
from praxino.backbones.r3d import DilatedR3D
from praxino.backbones.r21d import DilatedR21D18
from praxino.backbones.resnet3d import DilatedR3D18
from praxino.catalogs.lists import class_names
from praxino.clips.modes import TemporalModes
from praxino.described import PLAIN
from praxino.encoders.encoder import Encoder
from praxino.errors import UserError
from praxino.originals.keys import plain_classifier, refuse_misshapen, without_parallel
from praxino.originals.pickles import load_pickle, save_pickle
from praxino.originals.tclr import (
    BACKBONE,
    CLASSIFIER,
    SPOKEN,
    backbone_from_original,
    backbone_to_original,
    original_names,
    parts,
)
from praxino.views.geometry import CentreCrop
from praxino.views.pipeline import View

CONTAINERS = ("state_dict", "bb_state_dict")
FACTS = ("epoch", "learning_rate", "best_score", "scheduler_epoch")
# The gradient scaler is pickled as an object, by torch 1.9 and by others.
SCALER = (
    "torch.cuda.amp.grad_scaler.GradScaler",
    "torch.amp.grad_scaler.GradScaler",
    "torch.cuda.amp.grad_scaler._refresh_per_optimizer_state",
    "torch.amp.grad_scaler._refresh_per_optimizer_state",
    "collections.defaultdict",
)
READERS = {
    DilatedR3D18: "for its linear evaluation and retrieval",
    DilatedR21D18: "for its retrieval",
    DilatedR3D: "which none of its programs reads as it is shipped",
}
NEVER = -1e4  # logit of the output that is no class: its probability is 0


@dataclass
class TCLRFile:
    """What a file of TCLR holds.

    Attributes:
        backbone: the network, for RGB.
        head: of the MLP head, under its names (fc1, bn1, fc2, bn2); an older form has no BatchNorm; empty: none.
        classifier: {"weight": [outputs, dim], "bias": [outputs]} of the last layer; empty where there is none.
        facts: epoch (that has to come next), learning_rate, best_score and scheduler_epoch, as far as it says them.
        unused: what else it holds, in words.
    """

    backbone: Backbone
    head: dict[str, Tensor] = field(default_factory=dict)
    classifier: dict[str, Tensor] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)


def read_file(path: str | Path) -> TCLRFile:
    """Reads a .pth file of TCLR: of pretraining, of linear evaluation, or a bare state.

    Raises:
        UserError: if it cannot be read, asks for code, or its keys are not exactly those of one of TCLR's backbones
            (those of an MLP head, of whatever form, may stand beside).
    """
    content = load_pickle(path, unread=SCALER)
    if not isinstance(content, Mapping):
        raise UserError(f"{path} holds no state: it is a {type(content).__name__}")
    container = next((name for name in CONTAINERS if name in content), None)
    state = content if container is None else content[container]
    if not isinstance(state, Mapping) or not all(
        isinstance(k, str) and isinstance(v, Tensor) for k, v in state.items()
    ):
        raise UserError(f"{path} holds no state: a file of TCLR is a state, or holds one as 'state_dict'")
    try:
        found = parts(without_parallel(state))
        backbone = backbone_from_original(found.backbone)
        if found.classifier:
            refuse_misshapen(found.classifier, "weight", ("outputs", backbone.dim), "TCLR's classifier")
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    rest = {} if container is None else {key: value for key, value in content.items() if key != container}
    facts = {name: rest.pop(name) for name in FACTS if name in rest and isinstance(rest[name], PLAIN)}
    return TCLRFile(backbone, found.head, found.classifier, facts, [str(key) for key in rest])


def encoder_of_file(path: Path, classes: Path | None = None) -> tuple[Encoder, list[str]]:
    """Makes an encoder of a file of TCLR, with the evaluation protocol of its retrieval.

    Nine clips of 16 frames, every other frame of the video, the middle square of 0.8 times the shorter side resized to
    112x112, RGB in [0, 1] (the file's network takes BGR; the encoder's first convolution is turned around). The feature
    is the mean over space at each of the four time positions: 2048 numbers. With a classifier there are ten clips, as
    in its linear evaluation.

    Args:
        path: a .pth file.
        classes: the file with the class names that a linear evaluation was trained with, in lines like
            "1 ApplyEyeMakeup" (classInd.txt). Its output 0 is no class and is left out; null: the whole classifier is.

    Returns:
        The encoder, and what was made of the file, in lines.

    Raises:
        UserError: as of `read_file`, or if the classes are not as many as the classifier's.
    """
    read = read_file(path)
    names = _class_names(classes, read, path) if classes else ()
    sampler = TemporalModes(clips=10 if names else 9, frames=16, stride=2)
    encoder = Encoder(
        read.backbone,
        {"rgb": View([CentreCrop(112, share=0.8)])},
        sampler,
        feature="time",
        reestimate_batchnorm=False,
        centred=False,
        classes=names,
        record={"original": "TCLR", "file": path.name, **read.facts},
    )
    if encoder.head is not None:
        encoder.head.load_state_dict({word: tensor[-len(names) :] for word, tensor in read.classifier.items()})
    return encoder, _report(read, encoder, sampler.clips)


def write_file(encoder: Encoder, path: str | Path) -> list[str]:
    """Writes an encoder as a file that TCLR's programs load, under the original's names and in its order.

    `{"state_dict": state}` with `0.` before the keys, as pretraining leaves them, but without the MLP head, which its
    linear evaluation and retrieval take away. With a classifier as linear evaluation leaves it; its output 0, which is
    no class, has the probability 0.

    Returns:
        What was written, in lines.

    Raises:
        UserError: if TCLR has no network like the encoder's.
    """
    state = backbone_to_original(encoder.backbone)
    if encoder.head is None:
        state = {BACKBONE + key: tensor for key, tensor in state.items()}
        form = f"as 'state_dict', {READERS[type(encoder.backbone)]}"
    else:
        own = plain_classifier(encoder.head, "TCLR")
        none = {"weight": torch.zeros(1, encoder.backbone.dim), "bias": torch.full((1,), NEVER)}
        state |= {CLASSIFIER + word: torch.cat([none[word], own[word]]) for word in ("weight", "bias")}
        form = f"as 'state_dict', with a classifier of 1 + {len(encoder.classes)} outputs"
    save_pickle(path, {"state_dict": state})
    return [f"TCLR's {SPOKEN[type(encoder.backbone)]}: {len(state)} tensors, {form}"]


def _class_names(file: Path, read: TCLRFile, path: Path) -> tuple[str, ...]:
    if not file.is_file():
        raise UserError(f"--classes: there is no file {file}")
    names = class_names(file)
    outputs = len(read.classifier.get("bias", ()))
    if outputs - 1 != len(names):
        has = f"a classifier of 1 + {outputs - 1}" if outputs else "no classifier"
        raise UserError(f"--classes: {file} names {len(names)} classes, and {path} has {has}")
    return names


def _report(read: TCLRFile, encoder: Encoder, clips: int) -> list[str]:
    mapped = len(original_names(read.backbone)) + (len(read.classifier) if encoder.head else 0)
    lines = [
        f"TCLR's {SPOKEN[type(read.backbone)]}: {mapped} tensors mapped, the first convolution from BGR to RGB",
        f"view rgb, {clips} clips of 16 frames, feature {encoder.feature}",
    ]
    if encoder.classes:
        lines.append(f"classifier of {len(encoder.classes)} classes, without its output 0, which is none")
    if read.facts:
        said = ", ".join(f"{name} {value}" for name, value in read.facts.items())
        lines.append(f"written down, not used: {said}")
    unused = []
    if read.head:
        unused.append(f"MLP head ({len(read.head)} tensors)")
    if read.classifier and not encoder.classes:
        outputs = len(read.classifier["bias"])
        unused.append(f"classifier of {outputs} outputs (--classes classInd.txt keeps one of 1 + its classes)")
    return [*lines, "left out: " + ("; ".join([*unused, *read.unused]) or "nothing")]
