"""Fine-tuning: an encoder's backbone trained on with labels, and tested. The protocol of VCOP, IIC and TCLR.

With a backbone that stays as it is, it is linear evaluation on clips that are drawn anew each time, as TCLR does it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch

from praxino import ranks
from praxino.catalogs.base import Catalog
from praxino.clips.dataset import ClipDataset
from praxino.clips.loader import ClipLoader
from praxino.clips.samplers import Sampler
from praxino.described import describe
from praxino.errors import UserError
from praxino.evaluations.finetune_parts import (
    START,
    FineTuned,
    check_share,
    classifier_on,
    labelled_parts,
    named,
    only_view,
    protocol_name,
    say_what_it_is,
    split_off,
    take_best,
    usual_stage,
)
from praxino.evaluations.finetune_protocol import fewer_clips, one_random_clip, protocol_of, trained_as
from praxino.evaluations.holdout import By
from praxino.evaluations.recognition import Average, recognise, video_logits
from praxino.evaluations.result import read_result, write_result
from praxino.evaluations.validation import TestedAfter, Validation
from praxino.methods.encoder import Encoder, Evaluation
from praxino.ranks import Device
from praxino.training.fit import fit
from praxino.training.precision import Precision, check_precision
from praxino.training.prepare import (
    RunVideos,
    check_numbers,
    check_test_videos,
    compile_backbones,
    try_out,
    try_out_encoders,
    usable_videos,
    withdrawn_on_mistake,
)
from praxino.training.run import Run, environment
from praxino.training.stages import Stage, refuse_validation
from praxino.views.pipeline import View


def finetune(
    encoder: Encoder,
    catalog: Catalog,
    out: str | Path,
    view: str | None = None,
    scratch: bool = False,
    frozen: bool = False,
    frozen_statistics: bool = True,
    evaluation: Evaluation | None = None,
    sampler: Sampler | None = None,
    training_view: View | None = None,
    flip: bool = True,
    rates: dict[str, float] | None = None,
    stages: list[Stage] | None = None,
    validation: float = 0.1,
    validation_by: By = "group",
    validation_as_trained: bool = False,
    validation_clips: int = 3,
    tested_after: list[int] | None = None,
    average: Average = "logits",
    test_batch_size: int = 16,
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
    compile: bool = False,
    *,
    recipe: Mapping[str, Any] | None = None,
    resume: bool = False,
) -> FineTuned:
    """Trains a classifier on an encoder, with the encoder, on the catalog's training part, and tests it.

    The weights of the epoch with the least validation loss are tested: a video's class is the largest of the mean of
    its clips' logits. With `frozen` only the classifier is trained: linear evaluation as a run of its own.

    Args:
        encoder: what is trained on; it stays as it is.
        catalog: labelled videos with a training and a test part.
        out: the run's folder.
        view: of the evaluation; none: its first.
        scratch: draws the backbone's weights anew, instead of taking the encoder's.
        frozen: the backbone's weights stay as they are.
        frozen_statistics: and so do its BatchNorm statistics; false: as TCLR, each batch's own, and averaged on.
        evaluation: how the classifier is tested; none: as the encoder is evaluated.
        sampler: the training clips; none: one clip of the test's length at a random place.
        training_view: what the network sees in training; none: the test's view with its crop at a random place.
        flip: mirrors half of the training clips, where training_view is not given and the stream is RGB.
        rates: part of a parameter's name, as a regular expression -> its learning rate (praxino.methods.classifier).
        stages: optimizer, schedule and length; none: those of the recipe `finetune`.
        validation: share (below 1) or number of the training videos that is held out to choose the epoch by; 0: none,
            and the last epoch is tested.
        validation_by: whole groups, of each class the same share; or any videos alike.
        validation_as_trained: validates on training clips instead of test clips.
        validation_clips: at most so many test clips of each of its videos.
        tested_after: epochs, counted from 0, after which the test part is tested, and the best of them is taken: as
            TCLR does it, and a choice that has seen the test. It takes the place of a validation.
        average: of a video's clips in the test: the mean of their logits, or of their softmax (TCLR).
        test_batch_size: videos a batch, of the accuracy that is a mean over batches.
        batch_size: videos a batch, over all processes.
        seed: of everything random.
        workers: loading processes of each training process.
        threads: threads of the CPU; none: the cores, shared by the processes. A resumed run takes the first one's.
        precision: of the forward in training and validation.
        device: auto takes a GPU where there is one.
        devices: for the command line only, which starts so many processes on this machine.
        accumulate: batches that make one optimizer step.
        clip_norm: largest norm of the gradient.
        drop_last: leaves out an epoch's last, shorter batch, which BatchNorm would see last before validation.
        max_left_out: largest share of unusable videos of a part, 0 to 1, that the run puts up with.
        probe: full decodes every video, also those of the test, before the first epoch.
        checkpoint_steps: a checkpoint every so many steps, besides one at each epoch's end.
        keep_epochs: keeps a copy of the checkpoint every so many epochs.
        compile: compiles the backbone (needs a C++ compiler).
        recipe: what is written as recipe.yaml; none: these arguments as far as they are plain.
        resume: goes on in `out`, which holds a run.

    Raises:
        UserError: for whatever the user has to mend, before the first decode wherever that is possible.
    """
    target = ranks.pick_device(device)
    check_precision(precision, target)
    check_numbers(threads=threads, checkpoint_steps=checkpoint_steps, keep_epochs=keep_epochs, clip_norm=clip_norm,
                  validation_clips=validation_clips, test_batch_size=test_batch_size)  # fmt: skip
    ranks.start(target)
    threads = threads or max(1, ranks.cores() // ranks.local_world())
    torch.set_num_threads(threads)
    if resume and (run := Run.open(out)).finished:
        return FineTuned(run, read_result(run.path, protocol_name(frozen)))
    if tested_after is not None and validation:
        raise UserError("--tested_after chooses the epoch by the test part: pass --validation 0, or leave it out")
    training, test_part = labelled_parts(catalog)
    check_share("the test part has", len(test_part))
    protocol = protocol_of(encoder, evaluation, view)
    shown, test_view = next(iter(protocol.views.items()))
    sampler = sampler or one_random_clip(protocol.sampler)
    training_view = training_view or trained_as(test_view, flip)
    stages = stages or [usual_stage()]
    task, tested = classifier_on(
        encoder, protocol, catalog.classes, training_view, rates, scratch, seed, frozen, frozen_statistics
    )

    def loader_of(videos: RunVideos, clips: Sampler, seen: View, lengths: list[int] | None, train: bool) -> ClipLoader:
        rank, world, size, parts = ranks.rank(), ranks.world(), batch_size, accumulate
        if not train:  # this process's share alone: what they share of one batch would have to divide
            videos = RunVideos(videos.catalog, videos.rows[rank::world])
            rank, world, size, parts = 0, 1, batch_size // world, 1
        own = None if lengths is None else [lengths[row] for row in videos.rows]
        dataset = ClipDataset(videos, (seen.stream,), clips, tested.streams, tested.canvas, seed, train, own)
        return ClipLoader(dataset, size, workers, rank, world, drop_last and train, target.type == "cuda", parts)

    # Tried with all videos before the first is decoded; the probe may leave some out.
    kept, held_out = split_off(training, validation, validation_by, seed)
    if not held_out.rows:
        refuse_validation(stages, "nothing is held out (--validation 0)")
    loader_of(kept, sampler, training_view, None, train=True)
    task.to(target)
    for stage in stages:
        stage.make_optimizer(task.parameter_groups())
    try_out(task, sampler, tested.canvas, seed, batch_size // ranks.world(), precision, target, tested.streams)
    try_out_encoders({"": only_view(tested, shown)}, target)

    derived = {"evaluation": protocol, "sampler": sampler, "training_view": training_view}
    recipe = recipe if recipe is not None else {"seed": seed, "batch_size": batch_size, "out": str(out)}
    recipe = {"protocol": protocol_name(frozen), **recipe, **{name: describe(one) for name, one in derived.items()}}
    run = Run.open(out) if resume else Run.create(out, {**recipe, "threads": threads})
    say_what_it_is(run, tested, catalog, scratch, frozen)
    saved = run.checkpoint()
    with withdrawn_on_mistake(run, resume):
        streams = tuple(dict.fromkeys([*task.streams, test_view.stream]))
        least = max(sampler.min_frames, protocol.sampler.min_frames)
        how = (max_left_out, probe == "full", workers)
        usable, lengths = usable_videos(run, training, tested.streams, streams, least, *how)
        if saved is None:
            shortest = protocol.sampler.min_frames
            check_test_videos(run, test_part, tested.streams, (test_view.stream,), shortest, *how)
        kept, held_out = split_off(usable, validation, validation_by, seed)
        loader = loader_of(kept, sampler, training_view, lengths, train=True)
    if loader.left_out and not resume:
        run.log(f"each epoch leaves out {loader.left_out} of {len(kept)} training videos, other ones each time")
    if run.writes and saved is None:
        tested.save(run.path / START)
        run.write("validation.txt", "".join(f"{video.id}\n" for video in held_out))
    if compile:
        compile_backbones(task)
    validating = None
    if held_out.rows:
        clips = sampler if validation_as_trained else fewer_clips(protocol.sampler, validation_clips)
        seen = training_view if validation_as_trained else test_view
        epoch = saved["position"]["epoch"] if saved else 0
        validated = loader_of(held_out, clips, seen, lengths, train=False)
        validating = Validation(validated, seen, seed, epoch, precision, target)
    choosing: Validation | TestedAfter | None = validating
    if tested_after is not None:
        test = partial(video_logits, tested, test_part, shown, average, workers, max_left_out)
        choosing = TestedAfter(tested_after, test)
    with validating or nullcontext():
        finished = fit(
            task, loader, stages, run, seed=seed, device=target, accumulate=accumulate, precision=precision,
            clip_norm=clip_norm, checkpoint_steps=checkpoint_steps, keep_epochs=keep_epochs,
            after_epoch=choosing, best=choosing.best if choosing else None,
        )  # fmt: skip
    if not finished:
        run.log(f"stopped and saved: go on with 'praxino resume {out}'")
        return FineTuned(run, None)
    at = take_best(run, task)
    tested.record = {"recipe": recipe, "seed": seed, "steps": at["step"], "environment": environment()}
    result = recognise(
        tested, catalog, part="test", view=shown, average=average, test_batch_size=test_batch_size, workers=workers,
        device=device, max_left_out=max_left_out,
    )  # fmt: skip
    result = named(result, catalog, scratch, frozen)
    result.settings |= {"training videos": len(kept), "held out videos": len(held_out), "seed": seed}
    result.settings |= {"weights after epoch": at["epoch"], "weights after step": at["step"]}
    result.settings["weights chosen by"] = choosing.best[0] if choosing and at["chosen"] else "nothing"
    if run.writes:
        write_result(run.path, result.protocol, result, catalog.classes, tested.streams)
        tested.save(run.path / "encoder.safetensors")
    ranks.barrier()  # whether a run is finished is read from what rank 0 has written
    return FineTuned(run, result)
