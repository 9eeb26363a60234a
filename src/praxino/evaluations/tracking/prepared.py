"""What the training of a siamese head begins with: its head, its sequences, its stages."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from praxino.catalogs.sequences import Sequences
from praxino.configuration.complete import complete
from praxino.configuration.documents import read
from praxino.configuration.recipes import recipe_file
from praxino.described import class_path
from praxino.encoders.encoder import Encoder
from praxino.encoders.siamese import HeadMaker, SiameseHead
from praxino.errors import UnreadableVideo, UserError
from praxino.evaluations.tracking.pairs import LEAST_FRAMES, RGB, TOO_FEW, usable_frames
from praxino.evaluations.tracking.tracker import Tracker, TrackerMaker
from praxino.printable import counted
from praxino.rng import Rng
from praxino.streams.base import Stream
from praxino.streams.choose import stream_of
from praxino.training.run import Run
from praxino.training.stages import Stage
from praxino.training.videos import RunVideos

KIND = "tracking"
WITHOUT_PAIRS = "without_pairs.txt"  # in the run's folder: the ids of sequences that nothing is learnt from
PAIRS = 400  # of an epoch, at least
MOST_CHANNELS = 256
OUT_SCALE = 10.0  # of a mean cosine, so that a sigmoid of it can be sure


def training_part(sequences: Sequences) -> Sequences:
    """The sequences that are learnt from.

    Raises:
        UserError: if the catalog has no boxes.
    """
    if not isinstance(sequences, Sequences):
        name = type(sequences).__name__
        raise UserError(f"{name} has no boxes to learn from: pass --train GOT10k --train.root DIR, or OTB or VOT")
    part = sequences.part("train")
    assert isinstance(part, Sequences)
    return part


def pairs_of_each(sequences: int) -> int:
    """Pairs of each of so many sequences that make an epoch of 400 pairs or more."""
    return max(1, math.ceil(PAIRS / sequences))


def usual_stages() -> list[dict[str, Any]]:
    """Those of the recipe `tracking`, as complete plain data."""
    stages = read(recipe_file(KIND))["stages"]
    return [{"class_path": class_path(Stage), "init_args": complete(Stage, stage)} for stage in stages]


def tracker_with_new_head(encoder: Encoder, head: HeadMaker | None, tracker: TrackerMaker, seed: int) -> Tracker:
    """A tracker whose head is drawn by the seed.

    Args:
        encoder: what it looks through.
        head: makes the head of the number of channels; None: two projections to 256 channels, or fewer where the maps
            have fewer, whose cosines are compared.
        tracker: makes the tracker of both.
        seed: of the run.
    """
    dim = encoder.backbone.dim
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(Rng(seed, "siamese head").shared().integers(2**31)))
        made = head(dim) if head else SiameseHead(dim, min(dim, MOST_CHANNELS), OUT_SCALE, cosine=True)
    return tracker(encoder, made)


def with_pairs(
    sequences: Sequences, usable: RunVideos, streams: Mapping[str, Stream], run: Run, begun: bool
) -> NDArray[np.int64]:
    """The rows of the usable sequences that have two frames whose boxes are trained on; the others are listed.

    Raises:
        UserError: if none has.
    """
    without: list[str] = []
    rows: list[int] = []
    for row in usable.rows.tolist():
        video = sequences[row]
        stream = stream_of(video, RGB, streams)
        assert isinstance(stream, Stream)
        try:
            with stream.open(video) as reader:
                few = len(usable_frames(sequences, row, reader)[1]) < LEAST_FRAMES
        except UnreadableVideo as error:
            raise UserError(f"{error.id} broke since it was looked at: {error.reason}") from None
        without += [video.id] if few else []
        rows += [] if few else [row]
    if not rows:
        raise UserError(f"nothing can be learnt from {counted(len(usable), 'sequence')}: each {TOO_FEW} (sides of "
                        "20 to 500 pixels, and at most half of the picture's)")  # fmt: skip
    if without and run.writes and not begun:
        run.write(WITHOUT_PAIRS, "".join(f"{one}\n" for one in without))
        run.log(f"left out: {len(without)} of {counted(len(usable), 'sequence')}, listed in {WITHOUT_PAIRS}: each "
                f"{TOO_FEW} (the first: {without[0]})")  # fmt: skip
    return np.array(rows, np.int64)


def say_what_was_damaged(run: Run) -> None:
    """A line about pictures that did not come out in the training, where there were any."""
    steps = [line for line in run.metrics() if line["kind"] == "step"] if run.writes else []
    half, broken = (sum(line.get(name, 0) for line in steps) for name in ("missing_frames", "replaced_videos"))
    if half or broken:
        run.log(f"pictures are missing or damaged: pairs that show the other picture twice: {half}; pairs that others "
                f"were taken for: {broken}; a run with --probe full lists the pictures beforehand")  # fmt: skip
