"""Fine-tuning: an encoder's backbone trained on with labels, and tested. The protocol of VCOP, IIC and TCLR.

With a backbone that stays as it is, it is linear evaluation on clips that are drawn anew each time, as TCLR does it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from praxino import ranks
from praxino.catalogs.base import Catalog
from praxino.clips.samplers import Sampler
from praxino.configuration.complete import instantiate
from praxino.described import describe
from praxino.encoders.encoder import Encoder
from praxino.encoders.head import Head
from praxino.encoders.protocol import Protocol
from praxino.errors import UserError, check_numbers
from praxino.evaluations.classifying.classifier import HeadMaker, classifier_on, refuse_changed
from praxino.evaluations.classifying.defaults import fewer_clips, only_view, taken_from, usual_stages
from praxino.evaluations.classifying.labelled import labelled_parts
from praxino.evaluations.classifying.outcome import START, FineTuned, kind, named, say_what_it_is, take_best
from praxino.evaluations.classifying.recognition import Average, recognise, try_test, video_logits
from praxino.evaluations.classifying.tested_after import TESTED, Every, TestedAfter
from praxino.evaluations.result import read_result, write_result
from praxino.ranks import Device
from praxino.streams.probe import How
from praxino.training.accumulation import Accumulate
from praxino.training.environment import environment
from praxino.training.held_out import By, check_share, split_off
from praxino.training.precision import Precision
from praxino.training.session import Session
from praxino.training.stages import Stage, refuse_unknown_metrics, refuse_validation
from praxino.training.tryout import LAST_BATCH, refuse_fewer_videos
from praxino.training.validation import ACCURACY, TOTAL, Validation, choice_of
from praxino.views.pipeline import View


def finetune(
    encoder: Encoder,
    catalog: Catalog,
    out: str | Path,
    view: str | None = None,
    scratch: bool = False,
    frozen: bool = False,
    frozen_statistics: bool = True,
    protocol: Protocol | None = None,
    head: HeadMaker = Head,
    sampler: Sampler | None = None,
    training_view: View | None = None,
    flip: bool = True,
    rates: dict[str, float] | None = None,
    stages: list[Stage] | None = None,
    validation: float = 0.1,
    validation_by: By = "group",
    validation_as_trained: bool = False,
    validation_clips: int = 3,
    tested_after: list[int] | Every | None = None,
    average: Average = "logits",
    clip_sampler: Sampler | None = None,
    test_batch_size: int = 16,
    batch_size: int = 32,
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
) -> FineTuned:
    """Trains a classifier on an encoder, with the encoder, on the catalog's training part, and tests it.

    The weights of the epoch with the least validation loss are tested: a video's class is the largest of the mean of
    its clips' logits. With `frozen` only the classifier is trained: linear evaluation as a run of its own.

    Args:
        encoder: what is trained on; it stays as it is.
        catalog: labelled videos with a training and a test part.
        out: the run's folder.
        view: of the protocol; none: its first.
        scratch: draws the backbone's weights anew, instead of taking the encoder's.
        frozen: the backbone's weights stay as they are.
        frozen_statistics: and so do its BatchNorm statistics; false: as TCLR, each batch's own, and averaged on.
        protocol: how the classifier is tested; none: as the encoder is evaluated.
        head: the classifier on the mean of the map.
        sampler: the training clips; none: one clip of the test's length at a random place.
        training_view: what the network sees in training; none: the test's view with its crop at a random place.
        flip: mirrors half of the training clips, where training_view is not given and the stream is RGB.
        rates: part of a parameter's name, as a regular expression -> its learning rate. The `rate_factors` of a stage
            in other words: divided by the optimizer's rate it is written so into the recipe.
        stages: optimizer, schedule and length; none: those of the recipe `finetune`.
        validation: share (below 1) or number of the training videos that is held out to choose the epoch by; 0: none,
            and the last epoch is tested.
        validation_by: whole groups, of each class the same share; or any videos alike.
        validation_as_trained: validates on training clips instead of test clips.
        validation_clips: at most so many test clips of each of its videos.
        tested_after: epochs, counted from 0, or "every" one, after which the test part is tested, and the best of them
            is taken: as TCLR and MoCo do it, and a choice that has seen the test. It takes the place of a validation.
        average: of a video's clips in the test: the mean of their logits, or of their softmax (TCLR).
        clip_sampler: clips of the test that are scored one by one, as of `recognise`; none: none are.
        test_batch_size: videos a batch, of the accuracy that is a mean over batches.
        batch_size: videos a batch, over all processes.
        seed: of everything random.
        workers: loading processes of each training process.
        threads: threads of the CPU; none: the cores, shared by the processes. A resumed run takes the first one's.
        precision: of the forward in training and validation.
        device: auto takes a GPU where there is one.
        devices: for the command line only, which starts so many processes on this machine.
        prefetch: batches that each loading process holds ready.
        accumulate: batches that make one optimizer step; or cocon: as of `praxino.training.pretrain.pretrain`.
        clip_norm: largest norm of the gradient.
        drop_last: leaves out an epoch's last, shorter batch, which BatchNorm would see last before validation.
        max_left_out: largest share of unusable videos of a part, 0 to 1, that the run puts up with.
        probe: full also opens every picture of folders of frames, those of the test, too; a video file is decoded once
            in any case, when it is new. listed opens nothing, and takes the word of a catalog that knows how many
            frames its videos have.
        checkpoint_steps: a checkpoint every so many steps, besides one at each epoch's end; none: 200, or none where
            checkpoint_minutes is given.
        checkpoint_minutes: a checkpoint when so many minutes have passed since the last one. For large ones: that of
            IIC's banks of 240,000 videos has 1.46 GB, and every 200 steps that is 110 GB an epoch.
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
    check_numbers(validation_clips=validation_clips, test_batch_size=test_batch_size)
    if session.finished:
        return FineTuned(session.run, read_result(session.run.path, kind(frozen)))
    if tested_after is not None and validation:
        raise UserError("--tested_after chooses the epoch by the test part: pass --validation 0, or leave it out")
    training, test_part = labelled_parts(catalog)
    check_share("the test part has", len(test_part))
    protocol, sampler, training_view = taken_from(encoder, protocol, sampler, training_view, view, flip)
    shown, test_view = next(iter(protocol.views.items()))
    recipe = dict(recipe) if recipe is not None else {"seed": seed, "batch_size": batch_size, "out": str(out)}
    if stages is None:
        recipe["stages"] = usual_stages()
        stages = [Stage(**instantiate(Stage, stage["init_args"])) for stage in recipe["stages"]]
    stages = [stage.with_rates(rates) for stage in stages] if rates else stages
    validated_view = training_view if validation_as_trained else test_view
    task, tested = classifier_on(
        encoder, protocol, catalog.classes, head, training_view, validated_view, scratch, seed, frozen,
        frozen_statistics,
    )  # fmt: skip
    training_clips: dict[str, Any] = {
        "needed": task.streams, "sampler": sampler, "streams": tested.streams, "canvas": tested.canvas,
    }  # fmt: skip

    # Tried with all videos before the first is decoded; the probe may leave some out.
    kept, held_out = split_off(training, validation, validation_by, seed)
    if not len(held_out):
        refuse_validation(stages, "nothing is held out (--validation 0)")
    session.loaders.training(kept, **training_clips)
    refuse_fewer_videos(task, batch_size // ranks.world(), "a batch", "a larger --batch_size")
    numbers = session.try_parts(task, stages, {"": only_view(tested, shown)}, sampler, tested.streams, tested.canvas)
    numbers += [TOTAL, ACCURACY] if len(held_out) else []
    refuse_unknown_metrics(stages, [*numbers, *([] if tested_after is None else [TESTED])])

    derived = {"protocol": protocol, "sampler": sampler, "training_view": training_view}
    recipe = {"kind": kind(frozen), **recipe, **{name: describe(one) for name, one in derived.items()}}
    run = session.begin(recipe, catalog.found)
    say_what_it_is(run, tested, scratch, frozen)
    begun = run.checkpoint() is not None
    with session.withdrawn_on_mistake():
        streams = tuple(dict.fromkeys([*task.streams, test_view.stream]))
        least = max(sampler.min_frames, protocol.sampler.min_frames)
        usable, lengths = session.usable(training, tested.streams, streams, least)
        if not begun:
            least = max(one.min_frames for one in (protocol.sampler, clip_sampler) if one is not None)
            session.check_test(test_part, tested.streams, (test_view.stream,), least)
        kept, held_out = split_off(usable, validation, validation_by, seed)
        loader = session.loaders.training(kept, **training_clips, lengths=lengths[kept.rows])
        refuse_fewer_videos(task, loader.least_videos, "the last batch of each epoch", LAST_BATCH)
        if not begun:
            try_test(tested, test_part, shown)
    if run.writes and not begun:
        tested.save(run.path / START)
        session.write_held_out(held_out)
    choosing: Validation | TestedAfter | None = None
    best = None
    if len(held_out):
        clips = sampler if validation_as_trained else fewer_clips(protocol.sampler, validation_clips)
        seen = training_clips | {"needed": (validated_view.stream,), "sampler": clips}
        choosing = session.validation(held_out, **seen, lengths=lengths[held_out.rows], apart=True)
        best = choice_of(TOTAL)
    if tested_after is not None:
        test = partial(video_logits, tested, test_part, shown, average, workers, max_left_out)
        choosing = TestedAfter(tested_after, test)
        best = choosing.best
    stays = {name: value.clone() for name, value in task.frozen_state().items()}
    if not session.fit(task, loader, stages, choosing, best, "training videos"):
        return FineTuned(run, None)
    at = take_best(run, task)
    refuse_changed(stays, task)
    tested.record = {"recipe": recipe, "seed": seed, "steps": at["step"], "environment": environment()}
    result = recognise(
        tested, catalog, part="test", view=shown, average=average, clip_sampler=clip_sampler,
        test_batch_size=test_batch_size, workers=workers, device=device, max_left_out=max_left_out,
    )  # fmt: skip
    result = named(result, catalog, scratch, frozen)
    result.settings |= {"training videos": len(kept), "held out videos": len(held_out), "seed": seed}
    result.settings |= {"weights after epoch": at["epoch"], "weights after step": at["step"]}
    result.settings["weights chosen by"] = best[0] if best and at["chosen"] else "nothing"
    if run.writes:
        write_result(run.path, result.protocol, result, catalog.classes, tested.streams)
        tested.save(run.path / "encoder.safetensors")
    ranks.barrier()  # whether a run is finished is read from what rank 0 has written
    return FineTuned(run, result)
