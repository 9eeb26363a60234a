"""Training a siamese head on a frozen trunk: a run of its own, at whose end the object of each sequence is followed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from praxino import ranks
from praxino.catalogs.base import Part
from praxino.catalogs.sequences import Sequences
from praxino.clips.samplers import EvenClips
from praxino.configuration.complete import instantiate
from praxino.encoders.encoder import Encoder
from praxino.encoders.siamese import HeadMaker
from praxino.errors import check_numbers, check_within
from praxino.evaluations.result import Result, read_result, write_result
from praxino.evaluations.tracking.augment import PairCrops
from praxino.evaluations.tracking.kept_boxes import followed, refuse_other_boxes
from praxino.evaluations.tracking.pairs import EXEMPLAR, LEAST_FRAMES, RGB, SEARCH, PairDataset
from praxino.evaluations.tracking.prepared import (
    KIND,
    pairs_of_each,
    say_what_was_damaged,
    tracker_with_new_head,
    training_part,
    usual_stages,
    with_pairs,
)
from praxino.evaluations.tracking.siamese import Loss, Siamese
from praxino.evaluations.tracking.tracker import Tracker, TrackerMaker
from praxino.evaluations.untrained import untrained
from praxino.printable import counted
from praxino.ranks import Device
from praxino.streams.base import Canvas, Stream
from praxino.streams.frames import FrameFolder
from praxino.streams.probe import How
from praxino.training.accumulation import Accumulate
from praxino.training.environment import environment
from praxino.training.precision import Precision
from praxino.training.run import Run
from praxino.training.session import Session
from praxino.training.stages import Stage, refuse_unknown_metrics, refuse_validation

START = "start.safetensors"  # in the run's folder: the encoder


@dataclass
class TrackerTrained:
    """What a training leaves: its run; the tracker, None where a signal stopped it; and how well it follows."""

    run: Run
    tracker: Tracker | None
    result: Result | None = None


def train_tracker(
    encoder: Encoder,
    train: Sequences,
    out: str | Path,
    catalog: Sequences | None = None,
    view: str | None = None,
    scratch: bool = False,
    head: HeadMaker | None = None,
    tracker: TrackerMaker = Tracker,
    margin: int = 8,
    stretch: float = 0.05,
    shift: int | None = None,
    loss: Loss = "focal",
    gamma: float = 2.0,
    positive: float = 16,
    neutral: float = 0,
    pairs: int | None = None,
    stages: list[Stage] | None = None,
    streams: dict[str, Stream] | None = None,
    part: Part = "test",
    baselines: bool = True,
    with_mil: bool = True,
    results: Path | None = None,
    batch_size: int = 8,
    seed: int = 0,
    workers: int = 2,
    threads: int | None = None,
    precision: Precision = "fp32",
    device: Device = "auto",
    devices: int = 1,
    prefetch: int = 3,
    accumulate: Accumulate = 1,
    clip_norm: float | None = None,
    drop_last: bool = True,
    max_left_out: float = 0.1,
    probe: How = "quick",
    checkpoint_steps: int | None = None,
    checkpoint_minutes: float | None = None,
    keep_epochs: int | None = None,
    compile: bool = False,
    *,
    recipe: Mapping[str, Any] | None = None,
    resume: bool = False,
) -> TrackerTrained:
    """Trains a siamese head on the frozen backbone of an encoder, then follows the objects of other sequences.

    The last epoch's head is kept. The run's folder is then a place of the encoder with its tracker: `Tracker.load`.

    Args:
        encoder: what is looked through; it stays as it is.
        train: sequences with boxes; of these the training part.
        out: the run's folder.
        catalog: sequences that are followed at the end; none: none are.
        view: of the encoder; none: its first of RGB frames.
        scratch: draws the backbone's weights anew: what the head makes of a network that has learnt nothing.
        head: on the trunk's maps; none: two projections whose cosines are compared, times 10, to as many channels as
            the maps have, 256 at most.
        tracker: what is followed by; it also says how large the training's crops are.
        margin: pixels, of which a training picture is cut off twice as many at places that are drawn.
        stretch: largest share by which a training picture is made larger or smaller.
        shift: largest number of pixels by which the object is off the middle of a search picture, in each direction. 0:
            it is always near the middle, and a head may learn the middle instead of the object. None: four fifths of
            how far it can be off and still have a place in the response.
        loss: "focal", or "balanced", SiamFC's own.
        gamma: of the focal loss: how little counts what is said rightly already.
        positive: pixels of the search picture from its middle, |x| + |y|, within which the object is found.
        neutral: pixels up to which a place counts neither way; 0: none does.
        pairs: of each sequence an epoch; none: as many as make at least 400 pairs, 1 of many sequences.
        stages: optimizer, schedule and length; none: those of the recipe `tracking`.
        streams: reader of "rgb"; none: pictures as they are stored.
        part: of the catalog.
        baselines: whether the maps without a head, the same of the network untrained, the box that never moves and MIL
            are measured, too.
        with_mil: whether MIL is one of them.
        results: a folder for all boxes in the files of the field's toolkits; it must not hold anything, but for what
            the same run has written there before it was ended.
        batch_size: pairs a batch, over all processes.
        seed: of everything random.
        workers: loading processes of each training process.
        threads: threads of the CPU; none: the cores, shared by the processes. A resumed run takes the first one's.
        precision: of the forward in training.
        device: auto takes a GPU where there is one.
        devices: for the command line only, which starts so many processes on this machine.
        prefetch: batches that each loading process holds ready.
        accumulate: batches that make one optimizer step.
        clip_norm: largest norm of the gradient.
        drop_last: leaves out an epoch's last, shorter batch.
        max_left_out: largest share of sequences that cannot be read, 0 to 1, that the run puts up with.
        probe: full also opens every picture.
        checkpoint_steps: a checkpoint every so many steps, besides one at each epoch's end; none: 200, or none where
            checkpoint_minutes is given.
        checkpoint_minutes: a checkpoint when so many minutes have passed since the last one.
        keep_epochs: keeps a copy of the checkpoint every so many epochs.
        compile: compiles the backbone (needs a C++ compiler).
        recipe: what is written as recipe.yaml; none: these arguments as far as they are plain.
        resume: goes on in `out`, which holds a run.

    Raises:
        UserError: for whatever the user has to mend, before the first decode wherever that is possible.
    """
    session = Session(
        out, seed=seed, batch_size=batch_size, workers=workers, threads=threads, prefetch=prefetch, precision=precision,
        device=device, accumulate=accumulate, clip_norm=clip_norm, drop_last=drop_last, max_left_out=max_left_out,
        probe=probe, checkpoint_steps=checkpoint_steps, checkpoint_minutes=checkpoint_minutes, keep_epochs=keep_epochs,
        compile=compile, resume=resume,
    )  # fmt: skip
    check_numbers(pairs=pairs)
    if session.finished:
        return TrackerTrained(session.run, Tracker.load(out), read_result(out, KIND) if catalog is not None else None)
    if results is not None:
        refuse_other_boxes(results, Path(out) if resume else None)
    recipe = dict(recipe) if recipe is not None else {"seed": seed, "batch_size": batch_size, "out": str(out)}
    if stages is None:
        recipe["stages"] = usual_stages()
        stages = [Stage(**instantiate(Stage, stage["init_args"])) for stage in recipe["stages"]]
    refuse_validation(stages, "a tracker's training validates nothing")
    encoder = untrained(encoder, seed) if scratch else encoder
    follower = tracker_with_new_head(encoder, head, tracker, seed)
    reach = max(0, (follower.instance - 2 * margin - follower.exemplar) // 2)
    if shift is None:
        shift = int(0.8 * reach)
    check_within(0, reach, shift=shift)
    crops = PairCrops(follower.exemplar, follower.instance, follower.context, margin, stretch, shift)
    task = Siamese(follower.trunk, follower.head, loss, gamma, positive, neutral, shift).train()
    streams = {RGB: FrameFolder(exif=False)} if streams is None else streams
    one = EvenClips(1, frames=1)
    canvas = {EXEMPLAR: Canvas(exact=(crops.exemplar,) * 2), SEARCH: Canvas(exact=(crops.search,) * 2)}
    refuse_unknown_metrics(stages, session.try_parts(task, stages, {}, one, None, canvas))
    training = training_part(train)
    run = session.begin({"kind": KIND, **recipe}, train.found)
    begun = run.checkpoint() is not None
    with session.withdrawn_on_mistake():
        usable, _ = session.usable(training, streams, (RGB,), LEAST_FRAMES)
        rows = with_pairs(training, usable, streams, run, begun)
        each = pairs or pairs_of_each(len(rows))
        loader = session.loaders.over(PairDataset(training, np.tile(rows, each), crops, streams, seed))
    if run.writes and not begun:
        encoder.save(run.path / START)
        network, channels = type(encoder.backbone).__name__, follower.head.channels
        learnt = f"{counted(len(rows), 'sequence')}, {counted(each, 'pair')} of each an epoch"
        run.log(f"{network} stays as it is, at a stride of {follower.trunk.stride} pixels; the new head "
                f"has {channels} channels; {learnt}")  # fmt: skip
    trained = session.fit(task, loader, stages, what="pairs")
    say_what_was_damaged(run)
    if not trained:
        return TrackerTrained(run, None)
    said = {"recipe": recipe, "seed": seed, "sequences": len(rows), "environment": environment()}
    result = None
    with ranks.first_alone():  # whether a run is finished is read from what rank 0 has written
        if run.writes:
            if catalog is not None:
                asked = {"part": part, "baselines": baselines, "with_mil": with_mil, "seed": seed, "device": device}
                result = followed(follower, catalog, run.path, results, **asked)
                result.settings |= {"training sequences": len(rows), "pairs of each an epoch": each, "scratch": scratch}
                write_result(run.path, KIND, result, catalog.classes, streams)
            follower.save(run.path / "encoder.safetensors", said)
    return TrackerTrained(run, follower, result)
