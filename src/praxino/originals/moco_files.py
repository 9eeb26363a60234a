"""The files that the programs of MoCo and CycleContrast write and read, as encoders and back.

Pretraining writes `{"epoch", "arch", "state_dict", "optimizer"}`, linear evaluation the same with "best_acc1", and the
classifier of UCF101 `{"epoch", "state_dict", "optimizer", "scheduler"}`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from praxino.catalogs.lists import class_names
from praxino.clips.samplers import EvenClips
from praxino.clips.seconds import EvenSeconds
from praxino.described import PLAIN
from praxino.encoders.encoder import Encoder
from praxino.errors import UserError
from praxino.originals.keys import without_parallel
from praxino.originals.moco import QUERY, SPOKEN, Parts, ResNet, backbone_from_original, backbone_to_original, parts
from praxino.originals.pickles import load_state, save_pickle
from praxino.views.colour import Normalise
from praxino.views.geometry import ResizeShorterSide
from praxino.views.pipeline import View

Original = Literal["moco", "cyclecontrast"]
NAMES: dict[Original, str] = {"moco": "MoCo", "cyclecontrast": "CycleContrast"}
CONTAINER = "state_dict"
UCF101 = "UCF101 classifier"
WIDTH = 64
STRIDE = 32  # a state does not tell: each program builds its own network
FACTS = ("epoch", "arch", "best_acc1")


@dataclass
class MoCoFile:
    """What a file of MoCo or CycleContrast holds.

    Attributes:
        backbone: the network; of a pretraining the query's.
        parts: the file's state, taken apart.
        original: which of the two has pretrained; None where the keys do not tell.
        facts: epoch (that has to come next), arch and best_acc1 (in percent), as far as it says them.
        unused: what stands beside the state and is not used.
    """

    backbone: ResNet
    parts: Parts
    original: Original | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)


def read_file(path: str | Path) -> MoCoFile:
    """Reads a .pth or .pth.tar file: of pretraining, linear evaluation, the classifier of UCF101, or a bare state.

    Raises:
        UserError: if it cannot be read, asks for code, or its keys are not exactly those of one of these programs.
    """
    state, rest = load_state(path, CONTAINER, "MoCo or CycleContrast")
    try:
        found = parts(without_parallel(state))
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    original: Original | None = "cyclecontrast" if "query cycle" in found.heads else None
    if original is None and found.key:
        original = "moco"
    facts = {name: rest.pop(name) for name in FACTS if isinstance(rest.get(name), PLAIN) and name in rest}
    return MoCoFile(backbone_from_original(found.trunk), found, original, facts, [str(key) for key in rest])


def encoder_of_file(
    path: Path, original: Original, clips: int = 10, classes: Path | None = None
) -> tuple[Encoder, list[str]]:
    """Makes an encoder of a file of MoCo or CycleContrast, which sees single frames.

    Of a classifier of UCF101 it takes the clips of its test, 32 frames in two seconds, and averages their features. A
    frame is shrunk to a shorter side of 256 pixels, of which the 224x224 in the middle are kept and normalised by
    ImageNet's mean and deviation, as in the originals' linear evaluation. The feature is the mean over space.

    Args:
        path: a .pth or .pth.tar file.
        original: which of the two has written it.
        clips: frames, or clips of UCF101's classifier, that are taken evenly over a video, each by itself; a video's
            vector is their mean. 1 takes the first, and is enough for pictures.
        classes: the file with the names of the classes of a linear evaluation or of UCF101, in lines like
            "1 ApplyEyeMakeup" (classInd.txt), in the order of the training's class folders; null: the classifier is
            left out.

    Returns:
        The encoder, and what was made of the file, in lines.

    Raises:
        UserError: as of `read_file`, or if the other original has written it, or if the classes are not as many as the
            classifier's.
    """
    read = read_file(path)
    _refuse_other(read, original, path)
    names = _class_names(classes, read, path) if classes else ()
    encoder = Encoder(
        read.backbone,
        {"rgb": View([ResizeShorterSide(256, crop=224), Normalise()])},
        EvenSeconds(clips, 32, 16.0) if read.parts.kind == UCF101 else EvenClips(clips, frames=1),
        feature="mean",
        reestimate_batchnorm=False,
        centred=False,
        classes=names,
        record={"original": NAMES[original], "file": path.name, **read.facts},
    )
    if encoder.head is not None:
        encoder.head.load_state_dict(read.parts.classifier)
    return encoder, _report(read, encoder, f"{NAMES[original]}'s {SPOKEN[type(read.backbone)]}")


def write_file(encoder: Encoder, path: str | Path) -> list[str]:
    """Writes an encoder as the file of a pretraining, under the originals' names and in their order.

    `{"arch", "state_dict"}` with `module.encoder_q.` before the keys and without a projection head, which an encoder
    does not have. Their linear evaluation, their tracker and their classifier of UCF101 read no more of a pretraining.

    Returns:
        What was written, in lines.

    Raises:
        UserError: if the originals have no network like the encoder's.
    """
    state = {f"module.{QUERY}{key}": tensor for key, tensor in backbone_to_original(encoder.backbone).items()}
    spoken, stride = SPOKEN[type(encoder.backbone)], encoder.backbone.output_stride
    save_pickle(path, {"arch": spoken.lower().replace("-", ""), CONTAINER: state})
    lines = [
        f"a {spoken} of MoCo and CycleContrast: {len(state)} tensors as 'state_dict', for linear evaluation, tracking "
        "and the classifier of UCF101"
    ]
    if stride != STRIDE:
        lines.append(f"output stride {stride} is the tracker's; the others run these weights at {STRIDE}")
    if encoder.classes:
        lines.append(f"left out: the classifier ({len(encoder.classes)} classes), which none of these programs reads")
    if encoder.backbone.width != WIDTH:
        lines.append(f"width {encoder.backbone.width}: the originals' programs build networks of width {WIDTH} only")
    lines.append("not in the file: views and clips; its readers take 224x224 pixels, normalised by ImageNet's numbers")
    return lines


def _refuse_other(read: MoCoFile, original: Original, path: Path) -> None:
    if read.original in (None, original):
        return
    has = "a cycle head (q_cycle_fc), so it is CycleContrast's"
    if original == "cyclecontrast":
        has = "no cycle head (q_cycle_fc), so it is MoCo's, or CycleContrast's without --sep-head, which is the same"
    raise UserError(f"{path} has {has}: praxino convert {read.original} {path} OUT.safetensors")


def _class_names(file: Path, read: MoCoFile, path: Path) -> tuple[str, ...]:
    if not file.is_file():
        raise UserError(f"--classes: there is no file {file}")
    names = class_names(file)
    outputs = len(read.parts.classifier.get("bias", ()))
    if outputs != len(names):
        has = f"a classifier of {outputs}" if outputs else "no classifier"
        raise UserError(f"--classes: {file} names {len(names)} classes, and {path} has {has}")
    return names


def _report(read: MoCoFile, encoder: Encoder, network: str) -> list[str]:
    sampler = encoder.sampler
    assert isinstance(sampler, EvenClips | EvenSeconds)
    clips = "1 clip" if sampler.clips == 1 else f"{sampler.clips} clips"
    found, mapped = read.parts, len(read.parts.trunk) + (len(read.parts.classifier) if encoder.head else 0)
    bare = found.kind == "linear evaluation" and not found.classifier
    lines = [
        f"{network}: {mapped} tensors mapped" + ("" if bare else f", of a {found.kind}"),
        f"view rgb, {clips} of {sampler.frames} frame{'s' * (sampler.frames > 1)}, feature {encoder.feature}",
    ]
    if encoder.classes:
        lines.append(f"classifier of {len(encoder.classes)} classes")
    if read.facts:
        said = ", ".join(f"{name} {value}" for name, value in read.facts.items())
        lines.append(f"written down, not used: {said}")
    unused = [f"{name} head ({len(head)} tensors)" for name, head in found.heads.items()]
    if found.key:
        unused.append(f"key network ({len(found.key)} tensors)")
    if found.queues:
        unused.append(f"queues ({len(found.queues)} tensors)")
    if found.classifier and not encoder.classes:
        unused.append(f"classifier of {len(found.classifier['bias'])} classes (--classes classInd.txt keeps it)")
    return [*lines, "left out: " + ("; ".join([*unused, *read.unused]) or "nothing")]
