"""The files that the programs of CoCon and DPC write and read, as encoders and back.

CoCon's pretraining writes a file for each view, `{"epoch", "mode", "net", "state_dict", "best_acc", "optimizer",
"iteration"}`; its fine-tuning, and both programs of DPC, the same without "mode".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from praxino.backbones.block_recurrent import BlockRecurrent, Rectified
from praxino.catalogs.lists import class_names
from praxino.clips.blocks import BlockWindows
from praxino.described import PLAIN
from praxino.encoders.encoder import Encoder
from praxino.encoders.head import Head
from praxino.errors import UserError
from praxino.methods.parts.prediction import with_running_statistics
from praxino.originals.cocon import NETWORKS, Parts, head_to_original, network_from_original, network_to_original, parts
from praxino.originals.keys import without_parallel
from praxino.originals.pickles import load_state, save_pickle
from praxino.views.colour import Normalise
from praxino.views.flow_values import FlowValues
from praxino.views.nearest import NearestCrop
from praxino.views.pipeline import Operation, View

Original = Literal["cocon", "dpc"]
NAMES: dict[Original, str] = {"cocon": "CoCon", "dpc": "DPC"}
RECTIFIED: dict[Original, Rectified] = {"cocon": "no", "dpc": "before_pooling"}
CONTAINER = "state_dict"
FACTS = ("epoch", "mode", "net", "best_acc", "iteration")
BLOCK_FRAMES = 5
# What a network sees, by the channels of its first convolution: our view, the originals' word, and its crop in tests.
SEEN = {3: ("rgb", "imgs", 224), 2: ("flow", "flow", 224), 17: ("keypoints", "kphm", 192), 1: ("mask", "seg", 192)}


@dataclass
class CoConFile:
    """What a file of CoCon or DPC holds.

    Attributes:
        network: the backbone with its cell; its BatchNorm keeps no statistics where the file has none.
        parts: the file's state, taken apart.
        facts: epoch (that has to come next), mode (CoCon's word for the view), net, best_acc and iteration, as far as
            it says them.
        unused: what stands beside the state and is not used.
    """

    network: BlockRecurrent
    parts: Parts
    facts: dict[str, Any] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)


def read_file(path: str | Path, original: Original = "cocon") -> CoConFile:
    """Reads a .pth.tar file: of pretraining or fine-tuning, of CoCon or DPC, or a bare state.

    Raises:
        UserError: if it cannot be read, asks for code, or its keys are not exactly those of one of these programs.
    """
    state, rest = load_state(path, CONTAINER, "CoCon or DPC")
    try:
        found = parts(without_parallel(state))
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    network = network_from_original(found, block_frames=BLOCK_FRAMES, rectified=RECTIFIED[original])
    facts = {name: rest.pop(name) for name in FACTS if name in rest and isinstance(rest[name], PLAIN)}
    return CoConFile(network, found, facts, [str(key) for key in rest])


def encoder_of_file(
    path: Path, original: Original, side: int | None = None, classes: Path | None = None
) -> tuple[Encoder, list[str]]:
    """Makes an encoder of a file of CoCon or DPC: the network that both fine-tune.

    It sees windows of eight blocks of five frames, every third frame of the video, as in the tests of both on UCF101;
    of a frame the 224x224 pixels in the middle (192x192 of keypoints and masks), resized by the nearest pixel. Which
    view it is, follows from the channels of the first convolution. The feature is the mean of the last context.

    Args:
        path: a .pth.tar file.
        original: which of the two has written it.
        side: pixels that the network sees, which no file tells: 64, 128 or 224 in the published runs; null: 128, and 64
            of keypoints and masks.
        classes: the file with the names of the classes of a fine-tuning, in lines like "1 ApplyEyeMakeup"
            (classInd.txt); null: the classifier is left out.

    Returns:
        The encoder, and what was made of the file, in lines.

    Raises:
        UserError: as of `read_file`, or if the classes are not as many as the classifier's.
    """
    if side is not None and side < 1:
        raise UserError(f"--side must be at least 1 pixel, not {side}")
    read = read_file(path, original)
    names = _class_names(classes, read, path) if classes else ()
    view, operations = _seen(read.network, side)
    encoder = Encoder(
        with_running_statistics(read.network),
        {view: View(operations, "rgb" if view == "rgb" else view)},
        BlockWindows(short="stretch" if original == "cocon" else "refuse"),
        feature="mean",
        # DPC's pretraining keeps no statistics: without any of its own such an encoder would normalise by 0 and 1.
        reestimate_batchnorm=not read.network.backbone.running_statistics,
        centred=False,
        classes=names,
        head=_head(read, names),
        record={"original": NAMES[original], "file": path.name, **read.facts},
    )
    return encoder, _report(read, encoder, f"{NAMES[original]}'s {NETWORKS[type(read.network.backbone)]}")


def write_file(encoder: Encoder, path: str | Path) -> list[str]:
    """Writes an encoder as the file of a pretraining, or with a classifier as that of a fine-tuning.

    `{"state_dict"}` with `module.` before the keys, the ConvGRU under both of its names. Without a classifier there is
    no prediction network, which an encoder does not have; the fine-tunings of both read no more of a pretraining.

    Returns:
        What was written, in lines.

    Raises:
        UserError: if the originals have no network like the encoder's.
    """
    state = network_to_original(encoder.backbone)
    if encoder.head is not None:
        state |= head_to_original(encoder.head)
    network: Any = encoder.backbone
    save_pickle(path, {CONTAINER: {f"module.{key}": tensor for key, tensor in state.items()}})
    form = "with a classifier, for the tests of both" if encoder.classes else "for the fine-tuning of both"
    lines = [f"a {NETWORKS[type(network.backbone)]} of CoCon and DPC: {len(state)} tensors as 'state_dict', {form}"]
    if network.unit_length:
        lines.append("the file's network does not divide maps and context by their length, and this encoder does")
    if network.backbone.width != 64:
        lines.append(f"width {network.backbone.width}: the originals' programs build networks of width 64 only")
    lines.append("not in the file: views, blocks and clips, which their options say")
    return lines


def _seen(network: BlockRecurrent, side: int | None) -> tuple[str, list[Operation]]:
    """The view, and the operations of its test."""
    channels: Any = network.backbone.in_channels
    if channels not in SEEN:
        raise UserError(f"CoCon and DPC have no view of {channels} channels: there are {', '.join(map(str, SEEN))}")
    name, _, crop = SEEN[channels]
    cut = NearestCrop(crop, side or (64 if crop == 192 else 128), at="centre", outside="black")
    values: dict[str, Operation] = {"rgb": Normalise(), "flow": FlowValues()}
    return name, [cut, *(values[name] for _ in range(name in values))]


def _head(read: CoConFile, names: tuple[str, ...]) -> Head | None:
    if not names:
        return None
    head = Head(read.network.dim, len(names), norm=True, dropout=0.5)
    head.load_state_dict(read.parts.classifier)
    return head


def _class_names(file: Path, read: CoConFile, path: Path) -> tuple[str, ...]:
    if not file.is_file():
        raise UserError(f"--classes: there is no file {file}")
    names = class_names(file)
    outputs = len(read.parts.classifier.get("bias", ()))
    if outputs != len(names):
        has = f"a classifier of {outputs}" if outputs else "no classifier"
        raise UserError(f"--classes: {file} names {len(names)} classes, and {path} has {has}")
    return names


def _report(read: CoConFile, encoder: Encoder, network: str) -> list[str]:
    found = read.parts
    mapped = len(found.backbone) + len(found.cell) + (len(found.classifier) if encoder.head else 0)
    view = next(iter(encoder.views))
    lines = [
        f"{network}: {mapped} tensors mapped, of a {found.kind}",
        f"view {view}, windows of 8 blocks of {BLOCK_FRAMES} frames, feature {encoder.feature}",
    ]
    if not read.network.backbone.running_statistics:
        lines.append("the file keeps no BatchNorm statistics: evaluations re-estimate them on the gallery")
    if encoder.classes:
        lines.append(f"classifier of {len(encoder.classes)} classes")
    if read.facts:
        said = ", ".join(f"{name} {value}" for name, value in read.facts.items())
        lines.append(f"written down, not used: {said}")
    unused = [f"prediction network ({len(found.prediction)} tensors)"] if found.prediction else []
    if found.classifier and not encoder.classes:
        unused.append(f"classifier of {len(found.classifier['bias'])} classes (--classes classInd.txt keeps it)")
    return [*lines, "left out: " + ("; ".join([*unused, *read.unused]) or "nothing")]
