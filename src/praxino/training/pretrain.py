"""A pretraining run from its arguments: the catalog is probed, the task tried, then trained, and its encoders saved."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from praxino import ranks
from praxino.catalogs.base import Catalog, Video
from praxino.clips.loader import ClipLoader
from praxino.clips.samplers import Sampler
from praxino.described import class_path
from praxino.encoders.files import file_name
from praxino.encoders.protocol import Protocol
from praxino.encoders.reestimate import give_statistics
from praxino.encoders.trained_views import TRAINED, trained_views, views_of
from praxino.errors import UserError, nearest
from praxino.methods.base import Method
from praxino.ranks import Device
from praxino.rng import Rng
from praxino.streams.base import Canvas, Derived, Stream
from praxino.streams.probe import How
from praxino.training.accumulation import Accumulate, Accumulation, most_batches
from praxino.training.checkpoint import load_checkpoint
from praxino.training.environment import environment
from praxino.training.held_out import By, split_off
from praxino.training.precision import Asked
from praxino.training.restoring import restore_weights
from praxino.training.run import Run
from praxino.training.session import Session
from praxino.training.stages import Stage, refuse_unknown_metrics, refuse_validation
from praxino.training.start_weights import begin_with, note, noted
from praxino.training.tryout import LAST_BATCH, refuse_fewer_videos, refuse_more_videos
from praxino.training.validation import TOTAL, Choice, choice_of, together
from praxino.training.videos import RunVideos, smallest_frames

Weights = Literal["last", "best"]
KIND = "pretrain"
TRAINED_TOTAL = "train/total"


def pretrain(
    catalog: Catalog,
    sampler: Sampler,
    method: Method,
    stages: list[Stage],
    protocol: Protocol,
    out: str | Path,
    streams: dict[str, Stream | Derived] | None = None,
    canvas: dict[str, Canvas] | None = None,
    batch_size: int = 32,
    seed: int = 0,
    workers: int = 2,
    threads: int | None = None,
    precision: Asked = "fp32",
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
    export: Weights = "last",
    chosen_by: str | None = None,
    validation: float = 0.0,
    validation_by: By = "group",
    compile: bool = False,
    start: str | dict[str, str] | None = None,
    *,
    recipe: Mapping[str, Any] | None = None,
    resume: bool = False,
) -> Run:
    """Trains a method on a catalog's videos without their labels.

    Args:
        catalog: the videos; where it has lists, its training part is taken.
        sampler: which frames make the clips.
        method: what is trained.
        stages: optimizer, schedule and length; nearly always one.
        protocol: how the encoder is used afterwards; a stream that it does not name is read as in training.
        out: the run's folder.
        streams: stream -> its reader; a stream not named is told by the videos' files.
        canvas: stream -> the size at which its frames are read.
        batch_size: videos a batch, over all processes.
        seed: of everything random.
        workers: loading processes of each training process.
        threads: threads of the CPU; none: the cores, shared by the processes. A resumed run takes the first one's.
        precision: of the forward. auto: bf16 where the processor or GPU has it and convolutions are quicker in it, each
            in a way that is right; else fp32. What was chosen is in recipe.yaml, and a resumed run keeps it.
        device: auto takes a GPU where there is one.
        devices: for the command line only, which starts so many processes on this machine.
        prefetch: batches that each loading process holds ready.
        accumulate: batches that make one optimizer step; or cocon: the rule of CoCon's code, which steps at all but
            every fourth batch (`praxino.training.accumulation.Accumulation`).
        clip_norm: largest norm of the gradient.
        drop_last: leaves out an epoch's last, shorter batch.
        max_left_out: largest share of unusable videos, 0 to 1, that the run puts up with.
        probe: full also opens every picture of folders of frames; a video file that is new is decoded in any case.
            listed opens nothing, and takes the word of a catalog that knows how many frames its videos have.
        checkpoint_steps: a checkpoint every so many steps, besides one at each epoch's end; none: 200, or none where
            checkpoint_minutes is given.
        checkpoint_minutes: a checkpoint when so many minutes have passed since the last one. For large ones: that of
            IIC's banks of 240,000 videos has 1.46 GB, and every 200 steps that is 110 GB an epoch.
        keep_epochs: keeps a copy of the checkpoint every so many epochs.
        export: the weights that the encoders have: the last ones, or those after the best epoch
            (checkpoints/best.ckpt), as TCLR's published files.
        chosen_by: the number of an epoch that the best one is chosen by, of an accuracy the largest, else the smallest;
            none: validation/total where videos are held out, else train/total.
        validation: share (below 1) or number of the videos that is held out, and looked at after each epoch without
            being trained on: the numbers validation/...; 0: none. It says how far the task itself carries to other
            videos, and nothing of what the representation is good for.
        validation_by: whole groups, of each class the same share; or any videos alike.
        compile: compiles the backbones (needs a C++ compiler).
        start: an encoder whose weights the method's network begins with, strictly (built-in, a run's folder, RUN:rgb,
            an encoder file); of a method that leaves several encoders, by their names. A resumed run does not need it
            any more. The running averages of BatchNorm come along, an encoder's statistics of single views do not.
        recipe: what is written as recipe.yaml; none: these arguments as far as they are plain.
        resume: goes on in `out`, which holds a run.

    Returns:
        The run; its `finished` is False where a signal stopped it.

    Raises:
        UserError: for whatever the user has to mend, before the first decode wherever that is possible.
    """
    session = Session(
        out, seed=seed, batch_size=batch_size, workers=workers, threads=threads, prefetch=prefetch, precision=precision,
        device=device, accumulate=accumulate, clip_norm=clip_norm, drop_last=drop_last, max_left_out=max_left_out,
        probe=probe, checkpoint_steps=checkpoint_steps, checkpoint_minutes=checkpoint_minutes, keep_epochs=keep_epochs,
        compile=compile, resume=resume,
    )  # fmt: skip
    if session.finished:
        return session.run
    if not validation:
        refuse_validation(stages, "nothing is held out (--validation 0)")
    if recipe is None:
        recipe = {"batch_size": batch_size, "seed": seed, "out": str(out), "method": class_path(type(method))}
    catalog = catalog.part("train")
    protocol = _reading(protocol, streams or {})

    def loader_of(videos: RunVideos, lengths: NDArray[np.int64] | None = None) -> ClipLoader:
        return session.loaders.training(videos, method.streams, sampler, streams, canvas, lengths)

    # Tried with all videos before the first is decoded; the probe may leave some out, which resizes the banks.
    kept, held_out = split_off(catalog, validation, validation_by, seed)
    loader_of(kept)
    if len(held_out):
        together(len(held_out), batch_size)
    refuse_fewer_videos(method, batch_size // ranks.world(), "a batch", "a larger --batch_size")
    refuse_more_videos(method, batch_size * most_batches(accumulate))
    tried = len(kept)
    method.setup(tried, batch_size, Rng(seed, "setup"))
    begun = resume and session.run.checkpoint() is not None
    started = [] if start is None or begun else begin_with(method, start)
    encoders = method.exports(protocol)
    numbers = session.try_parts(method, stages, encoders, sampler, streams, canvas, len(held_out) > 0)
    refuse_unknown_metrics(stages, numbers)
    best = _choice(chosen_by, export, numbers)

    recipe = {**recipe, **session.settled}
    run = session.begin({"kind": KIND, **recipe}, catalog.found)
    note(run, started)
    needed = tuple(dict.fromkeys([*method.streams, *(view.stream for view in protocol.views.values())]))
    with session.withdrawn_on_mistake():
        read = {**(protocol.streams or {}), **(streams or {})}
        smallest = smallest_frames(views_of(method), canvas)
        usable, lengths = session.usable(catalog, read, needed, sampler.min_frames, smallest)
        kept, held_out = split_off(usable, validation, validation_by, seed)
        loader = loader_of(kept, lengths[kept.rows])
        if len(held_out):
            together(len(held_out), batch_size)
        refuse_fewer_videos(method, loader.least_videos, "the last batch of each epoch", LAST_BATCH)
    if len(kept) != tried:
        # Else it would make the same once more, and banks are large.
        method.setup(len(kept), batch_size, Rng(seed, "setup"))
        method.to(session.device)
    advice = method.advice(sum(stage.length(Accumulation(accumulate, len(loader)).steps) for stage in stages))
    if advice and not resume:
        run.log(advice)
    validating = None
    if len(held_out):
        # Mixed once and for all: in the catalog's order a batch would be of one class, and other ones each epoch could
        # not be compared.
        order = Rng(seed, "validation order").shared().permutation(held_out.rows)
        session.write_held_out(held_out)
        mixed = RunVideos(usable, order)
        validating = session.validation(mixed, method.streams, sampler, streams, canvas, lengths[order])
    if session.fit(method, loader, stages, validating, best):
        # Whether a run is finished is read from what rank 0 has written.
        run.by_the_first(lambda: save_encoders(run, method, protocol, recipe, seed, export, kept, workers))
    return run


def _reading(protocol: Protocol, streams: dict[str, Stream | Derived]) -> Protocol:
    protocol = copy.copy(protocol)
    protocol.streams = {**streams, **(protocol.streams or {})}
    return protocol


def _choice(chosen_by: str | None, export: Weights, numbers: Sequence[str]) -> Choice | None:
    """The number that the best epoch is chosen by, of those that an epoch gives."""
    if export == "last":
        if chosen_by is not None:
            raise UserError(f"--chosen_by {chosen_by} chooses nothing, since the last weights are taken: --export best")
        return None
    name = (TOTAL if TOTAL in numbers else TRAINED_TOTAL) if chosen_by is None else chosen_by
    if name not in numbers:
        raise UserError(f"--chosen_by {name}: an epoch gives no such number.{nearest(name, numbers)}")
    return choice_of(name)


def save_encoders(
    run: Run,
    method: Method,
    protocol: Protocol,
    recipe: Mapping[str, Any],
    seed: int,
    export: Weights = "last",
    videos: Sequence[Video] = (),
    workers: int = 0,
) -> list[Path]:
    """Writes the method's encoders into the run's folder; with `export` "best" the method takes those weights.

    Where the protocol asks for statistics the encoders get their own, from `videos`, before they are written: a kill in
    between leaves the run unfinished.
    """
    if not run.writes:
        return []
    best = run.checkpoint_file.with_name("best.ckpt")
    if export == "best" and not best.exists():
        run.log("no epoch was completed, so none is the best: the encoder has the last weights")
        export = "last"
    checkpoint = load_checkpoint(best) if export == "best" else run.checkpoint()
    if checkpoint:
        restore_weights(method, checkpoint, best if export == "best" else run.checkpoint_file)
    at = checkpoint["position"] if checkpoint else {"step": 0, "epoch": 0}
    record = {"recipe": dict(recipe), "seed": seed, "steps": at["step"], "epochs": at["epoch"], "weights": export}
    record |= noted(run)
    seen = views_of(method)
    saved = []
    encoders = method.exports(protocol)
    for name, encoder in encoders.items():
        encoder.record = {**record, "encoders": list(encoders), "environment": environment()}
        if seen:
            encoder.record[TRAINED] = trained_views(encoder.views, seen)
        if line := give_statistics(encoder, videos, workers):
            run.log(line)
        saved.append(encoder.save(run.path / file_name(name)))
        run.log(f"encoder: {saved[-1]}")
    return saved
