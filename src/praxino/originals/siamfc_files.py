"""The files that CycleContrast's tracker writes and reads, as an encoder with its tracker and back.

`{"meta", "state_dict", "optimizer"}`, as mmcv saves them: `epoch_50.pth`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from praxino.clips.samplers import EvenClips
from praxino.described import PLAIN
from praxino.encoders.encoder import Encoder
from praxino.encoders.siamese import SiameseHead, tracker_file, write_tracker
from praxino.errors import UserError, check_finite, check_numbers
from praxino.originals.keys import without_parallel
from praxino.originals.moco import SPOKEN, ResNet
from praxino.originals.pickles import load_state, save_pickle
from praxino.originals.siamfc import WHAT, from_original, to_original
from praxino.views.colour import Normalise
from praxino.views.geometry import ResizeShorterSide
from praxino.views.pipeline import View

CONTAINER, META = "state_dict", "meta"
FACTS = ("epoch", "mmcv_version", "time")
# What the original tells its tracker, where that is not what ours does by itself.
PUBLISHED: dict[str, Any] = {"grid": 17, "middle": "grid", "bounded": False}
# Of its two configurations, by the depth of the network.
SCALES = {"ResNet-18": 1e-3}
SCALE = 1e-5


@dataclass
class SiamFCFile:
    """What a file of the tracker holds.

    Attributes:
        backbone: the network.
        head: with a scale of 1; None where it has none.
        facts: the epoch, counted from 0, and what has written it, as far as it says them.
        unused: what stands beside the state and is not used.
    """

    backbone: ResNet
    head: SiameseHead | None
    facts: dict[str, Any] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)


@dataclass
class Converted:
    """An encoder, and the tracker on it as the original has it.

    Attributes:
        encoder: of the trunk.
        head: of the tracker; None: it has none.
        record: where they come from.
    """

    encoder: Encoder
    head: SiameseHead | None
    record: Mapping[str, Any]

    def save(self, path: str | Path) -> Path:
        """Writes the encoder's files, and the tracker's beside them."""
        head = self.head or SiameseHead(self.encoder.backbone.dim)
        write_tracker(tracker_file(Path(path)), head, PUBLISHED, self.record)
        return self.encoder.save(path)


def read_file(path: str | Path) -> SiamFCFile:
    """Reads a .pth file of the tracker, or a bare state.

    Raises:
        UserError: if it cannot be read, asks for code, or its keys are not exactly those of the tracker.
    """
    state, rest = load_state(path, CONTAINER, WHAT)
    try:
        backbone, head = from_original(without_parallel(state))
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    meta = rest.pop(META, None)
    told = meta if isinstance(meta, Mapping) else {}
    facts = {name: told[name] for name in FACTS if isinstance(told.get(name), PLAIN) and name in told}
    return SiamFCFile(backbone, head, facts, [str(key) for key in rest])


def encoder_of_file(path: Path, out_scale: float | None = None) -> tuple[Converted, list[str]]:
    """Makes an encoder with its tracker of a file of CycleContrast's tracker.

    `Tracker.load` of what is written then tracks as the original does. As an encoder it sees single frames: ten of a
    video, shrunk to a shorter side of 256 pixels, of which the 224x224 in the middle are kept, normalised by ImageNet's
    numbers; the feature is the mean over space.

    Args:
        path: a .pth file.
        out_scale: of the response, which the file does not tell; null: the original's, 1e-3 on ResNet-18, else 1e-5.

    Returns:
        Both, and what was made of the file, in lines.

    Raises:
        UserError: as of `read_file`; or if `out_scale` is no number above 0, or the file has no head.
    """
    check_numbers(out_scale=out_scale)
    check_finite(out_scale=out_scale)
    read = read_file(path)
    if out_scale is not None and read.head is None:
        raise UserError(f"--out_scale: {path} has no head whose response it could scale")
    network = SPOKEN[type(read.backbone)]
    record = {"original": WHAT, "file": path.name, **read.facts}
    encoder = Encoder(
        read.backbone,
        {"rgb": View([ResizeShorterSide(256, crop=224), Normalise()])},
        EvenClips(10, frames=1),
        feature="mean",
        reestimate_batchnorm=False,
        centred=False,
        record=record,
    )
    lines = [f"{WHAT} on a {network}: {len(read.backbone.state_dict())} tensors of the trunk mapped"]
    if read.head is not None:
        read.head.out_scale = SCALES.get(network, SCALE) if out_scale is None else out_scale
        lines.append(f"head of {read.head.channels} channels: 4 tensors mapped; out_scale {read.head.out_scale:g}")
    else:
        lines.append("no head: the trunk's maps are correlated as they are")
    if read.facts:
        lines.append("written down, not used: " + ", ".join(f"{name} {value}" for name, value in read.facts.items()))
    return Converted(encoder, read.head, record), [*lines, "left out: " + ("; ".join(read.unused) or "nothing")]


def write_file(encoder: Encoder, path: str | Path, head: SiameseHead | None = None) -> list[str]:
    """Writes an encoder and a head as a file that the original's tracker loads (`--checkpoint`).

    Returns:
        What was written, in lines.

    Raises:
        UserError: if the original has no such network.
    """
    state = to_original(encoder.backbone, head)
    # Its epochs count from 0; -1 is before the first.
    save_pickle(path, {META: {"epoch": -1}, CONTAINER: state})
    spoken = SPOKEN[type(encoder.backbone)]
    lines = [f"{WHAT} on a {spoken}: {len(state)} tensors as 'state_dict'"]
    if head is None or head.channels is None:
        return [*lines, "no head: for its option --no-train"]
    scale = "the mean of the products" if head.out_scale is None else f"{head.out_scale:g}"
    return [*lines, f"not in the file: out_scale ({scale}), which its configuration tells"]
