"""A pretraining run from its arguments: the catalog is probed, the task tried, then trained, and its encoders saved."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch

from praxino import ranks
from praxino.catalogs.base import Catalog, Video
from praxino.clips.dataset import ClipDataset
from praxino.clips.loader import ClipLoader
from praxino.clips.samplers import Sampler
from praxino.described import class_path
from praxino.errors import UserError
from praxino.methods.base import Method
from praxino.methods.encoder import Evaluation
from praxino.ranks import Device
from praxino.rng import Rng
from praxino.streams.base import Canvas, Derived, Stream
from praxino.training.checkpoint import load_checkpoint
from praxino.training.fit import fit
from praxino.training.precision import Precision, check_precision
from praxino.training.prepare import (
    check_numbers,
    compile_backbones,
    try_out,
    try_out_encoders,
    usable_videos,
    withdrawn_on_mistake,
)
from praxino.training.run import Run, environment
from praxino.training.stages import Stage, refuse_validation

Weights = Literal["last", "best"]
CHOSEN_BY = "train/total"


def pretrain(
    catalog: Catalog,
    sampler: Sampler,
    method: Method,
    stages: list[Stage],
    evaluation: Evaluation,
    out: str | Path,
    streams: dict[str, Stream | Derived] | None = None,
    canvas: dict[str, Canvas] | None = None,
    batch_size: int = 32,
    seed: int = 0,
    workers: int = 2,
    threads: int | None = None,
    precision: Precision = "fp32",
    device: Device = "auto",
    devices: int = 1,
    accumulate: int = 1,
    clip_norm: float | None = None,
    drop_last: bool = True,
    max_left_out: float = 0.1,
    probe: Literal["quick", "full"] = "quick",
    checkpoint_steps: int = 200,
    keep_epochs: int | None = None,
    export: Weights = "last",
    compile: bool = False,
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
        evaluation: how the encoder is used afterwards; a stream that it does not name is read as in training.
        out: the run's folder.
        streams: stream -> its reader; a stream not named is told by the videos' files.
        canvas: stream -> the size at which its frames are read.
        batch_size: videos a batch, over all processes.
        seed: of everything random.
        workers: loading processes of each training process.
        threads: threads of the CPU; none: the cores, shared by the processes. A resumed run takes the first one's.
        precision: of the forward.
        device: auto takes a GPU where there is one.
        devices: for the command line only, which starts so many processes on this machine.
        accumulate: batches that make one optimizer step.
        clip_norm: largest norm of the gradient.
        drop_last: leaves out an epoch's last, shorter batch.
        max_left_out: largest share of unusable videos, 0 to 1, that the run puts up with.
        probe: full decodes every video before the first epoch.
        checkpoint_steps: a checkpoint every so many steps, besides one at each epoch's end.
        keep_epochs: keeps a copy of the checkpoint every so many epochs.
        export: the weights that the encoders have: the last ones, or those after the epoch with the lowest mean
            training loss (checkpoints/best.ckpt), as TCLR's published files. Nothing is validated in either case.
        compile: compiles the backbones (needs a C++ compiler).
        recipe: what is written as recipe.yaml; none: these arguments as far as they are plain.
        resume: goes on in `out`, which holds a run.

    Returns:
        The run; its `finished` is False where a signal stopped it.

    Raises:
        UserError: for whatever the user has to mend, before the first decode wherever that is possible.
    """
    target = ranks.pick_device(device)
    check_precision(precision, target)
    check_numbers(threads=threads, checkpoint_steps=checkpoint_steps, keep_epochs=keep_epochs, clip_norm=clip_norm)
    refuse_validation(stages, "pretraining holds out nothing")
    ranks.start(target)
    threads = threads or max(1, ranks.cores() // ranks.local_world())
    torch.set_num_threads(threads)
    if recipe is None:
        recipe = {"batch_size": batch_size, "seed": seed, "out": str(out), "method": class_path(type(method))}
    if resume and (run := Run.open(out)).finished:
        return run
    catalog = catalog.part("train")
    evaluation = _reading(evaluation, streams or {})

    def loader_of(videos: Sequence[Video], lengths: Sequence[int] | None = None) -> ClipLoader:
        dataset = ClipDataset(videos, method.streams, sampler, streams, canvas, seed, lengths=lengths)
        on_gpu = target.type == "cuda"
        return ClipLoader(dataset, batch_size, workers, ranks.rank(), ranks.world(), drop_last, on_gpu, accumulate)

    # Tried with all videos before the first is decoded; the probe may leave some out, which resizes the banks.
    loader_of(catalog)
    _refuse_fewer_videos(method, batch_size // ranks.world(), "a batch", "a larger --batch_size")
    method.setup(len(catalog), batch_size, Rng(seed, "setup"))
    method.to(target)
    for stage in stages:
        stage.make_optimizer(method.parameter_groups())
    try_out(method, sampler, canvas or {}, seed, batch_size // ranks.world(), precision, target, streams)
    try_out_encoders(method.exports(evaluation), target)

    run = Run.open(out) if resume else Run.create(out, {**recipe, "threads": threads})
    if catalog.found:
        run.log(catalog.found)
    needed = tuple(dict.fromkeys([*method.streams, *(view.stream for view in evaluation.views.values())]))
    with withdrawn_on_mistake(run, resume):
        videos, lengths = usable_videos(
            run,
            catalog,
            {**(evaluation.streams or {}), **(streams or {})},
            needed,
            sampler.min_frames,
            max_left_out,
            probe == "full",
            workers,
        )
        loader = loader_of(videos, lengths)
        mend = "--drop_last true or another --batch_size"
        _refuse_fewer_videos(method, loader.least_videos, "the last batch of each epoch", mend)
    method.setup(len(videos), batch_size, Rng(seed, "setup"))
    method.to(target)
    if loader.left_out and not resume:
        run.log(
            f"each epoch leaves out {loader.left_out} of {len(videos)} videos, other ones each time (whole batches)"
        )
    advice = method.advice(sum(stage.length(len(loader) // accumulate) for stage in stages))
    if advice and not resume:
        run.log(advice)
    if compile:
        compile_backbones(method)
    finished = fit(
        method, loader, stages, run, seed=seed, device=target, accumulate=accumulate, precision=precision,
        clip_norm=clip_norm, checkpoint_steps=checkpoint_steps, keep_epochs=keep_epochs,
        best=(CHOSEN_BY, "min") if export == "best" else None,
    )  # fmt: skip
    if finished:
        save_encoders(run, method, evaluation, recipe, seed, export)
        ranks.barrier()  # whether a run is finished is read from what rank 0 has written
    else:
        run.log(f"stopped and saved: go on with 'praxino resume {out}'")
    return run


def _reading(evaluation: Evaluation, streams: dict[str, Stream | Derived]) -> Evaluation:
    evaluation = copy.copy(evaluation)
    evaluation.streams = {**streams, **(evaluation.streams or {})}
    return evaluation


def _refuse_fewer_videos(method: Method, videos: int, what: str, mend: str) -> None:
    if videos < method.least_videos:
        needed = f"the {method.least_videos} videos that {type(method).__name__} needs in each process"
        raise UserError(f"{what} would hold only {videos} of {needed}: pass {mend}")


def save_encoders(
    run: Run, method: Method, evaluation: Evaluation, recipe: Mapping[str, Any], seed: int, export: Weights = "last"
) -> list[Path]:
    """Writes the method's encoders into the run's folder; with `export` "best" the method takes those weights."""
    if not run.writes:
        return []
    best = run.checkpoint_file.with_name("best.ckpt")
    if export == "best" and not best.exists():
        run.log("no epoch was completed, so none is the best: the encoder has the last weights")
        export = "last"
    checkpoint = load_checkpoint(best) if export == "best" else run.checkpoint()
    if checkpoint:
        method.load_state_dict(checkpoint["task"])
    at = checkpoint["position"] if checkpoint else {"step": 0, "epoch": 0}
    record = {"recipe": dict(recipe), "seed": seed, "steps": at["step"], "epochs": at["epoch"], "weights": export}
    saved = []
    for name, encoder in method.exports(evaluation).items():
        encoder.record = {**record, "environment": environment()}
        saved.append(encoder.save(run.path / (f"encoder-{name}.safetensors" if name else "encoder.safetensors")))
        run.log(f"encoder: {saved[-1]}")
    return saved
