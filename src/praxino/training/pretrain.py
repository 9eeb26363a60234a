"""A pretraining run from its arguments: the catalog is probed, the task tried, then trained, and its encoders saved."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch

from praxino import ranks
from praxino.catalogs.base import Catalog, Video
from praxino.clips.dataset import ClipDataset, zero_batch
from praxino.clips.loader import ClipLoader
from praxino.clips.samplers import Sampler
from praxino.described import class_path
from praxino.errors import UserError
from praxino.methods.base import Method, Task
from praxino.methods.encoder import Evaluation
from praxino.rng import Rng
from praxino.streams.base import Canvas, Derived, Stream
from praxino.streams.probe import probe as probe_catalog
from praxino.training.fit import fit
from praxino.training.precision import Precision, autocast, check_precision, narrow_convolutions_refused
from praxino.training.run import ListedVideo, Run, environment
from praxino.training.stages import Stage

Device = Literal["auto", "cpu", "cuda"]


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
        evaluation: how the encoder is used afterwards.
        out: the run's folder.
        streams: stream -> its reader; a stream not named is told by the videos' files.
        canvas: stream -> the size at which its frames are read.
        batch_size: videos a batch, over all processes.
        seed: of everything random.
        workers: loading processes of each training process.
        threads: threads of the CPU; none: as many as there are cores. A resumed run takes the first one's.
        precision: of the forward.
        device: auto takes a GPU where there is one.
        devices: training processes on this machine.
        accumulate: batches that make one optimizer step.
        clip_norm: largest norm of the gradient.
        drop_last: leaves out an epoch's last, shorter batch.
        max_left_out: largest share of unusable videos, 0 to 1, that the run puts up with.
        probe: full decodes every video before the first epoch.
        checkpoint_steps: a checkpoint every so many steps, besides one at each epoch's end.
        keep_epochs: keeps a copy of the checkpoint every so many epochs.
        compile: compiles the backbones (needs a C++ compiler).
        recipe: what is written as recipe.yaml; none: these arguments as far as they are plain.
        resume: goes on in `out`, which holds a run.

    Returns:
        The run; its `finished` is False where a signal stopped it.

    Raises:
        UserError: for whatever the user has to mend, before the first decode wherever that is possible.
    """
    target = pick_device(device)
    check_precision(precision, target)
    ranks.start(target)
    threads = threads or os.cpu_count() or 1
    torch.set_num_threads(threads)
    if recipe is None:
        recipe = {"batch_size": batch_size, "seed": seed, "out": str(out), "method": class_path(type(method))}
    run = Run.open(out) if resume else Run.create(out, {**recipe, "threads": threads})
    if resume and run.finished:
        run.log(f"{out} is finished already: nothing to do")
        return run

    needed = _needed_streams(method, evaluation)
    catalog = catalog.part("train")
    if catalog.found:
        run.log(catalog.found)

    def loader_of(videos: Sequence[Video]) -> ClipLoader:
        dataset = ClipDataset(videos, method.streams, sampler, streams, canvas, seed)
        on_gpu = target.type == "cuda"
        return ClipLoader(dataset, batch_size, workers, ranks.rank(), ranks.world(), drop_last, on_gpu, accumulate)

    # Tried with all videos before the first is decoded; the probe may leave some out, which resizes the banks.
    loader_of(catalog)
    method.setup(len(catalog), batch_size, Rng(seed, "setup"))
    method.to(target)
    try_out(method, sampler, canvas or {}, seed, batch_size // ranks.world(), precision, target)
    try_out_encoders(method, evaluation, target)

    listed = frozen_list(
        run, catalog, streams or {}, needed, sampler.min_frames, max_left_out, probe == "full", workers
    )
    videos = RunVideos(catalog, [number for number, video in enumerate(listed) if video.row is not None])

    method.setup(len(videos), batch_size, Rng(seed, "setup"))
    method.to(target)
    loader = loader_of(videos)
    if loader.left_out and not resume:
        run.log(
            f"each epoch leaves out {loader.left_out} of {len(videos)} videos, other ones each time (whole batches)"
        )
    if compile:
        for module in method.modules():
            if getattr(module, "dim", None) is not None and hasattr(module, "compile"):
                module.compile()
    finished = fit(
        method, loader, stages, run, seed=seed, device=target, accumulate=accumulate, precision=precision,
        clip_norm=clip_norm, checkpoint_steps=checkpoint_steps, keep_epochs=keep_epochs,
    )  # fmt: skip
    if finished:
        save_encoders(run, method, evaluation, recipe, seed)
    else:
        run.log(f"stopped and saved: go on with 'praxino resume {out}'")
    return run


class RunVideos(Sequence[Video]):
    """The usable videos of a catalog: a video's place here is its row in the run."""

    def __init__(self, catalog: Catalog, rows: Sequence[int]) -> None:
        self.catalog = catalog
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, row: Any) -> Any:
        return (
            [self[r] for r in range(*row.indices(len(self)))]
            if isinstance(row, slice)
            else self.catalog[self.rows[row]]
        )


def pick_device(name: Device) -> torch.device:
    """The device of this process.

    Raises:
        UserError: if a GPU is asked for and there is none.
    """
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise UserError("--device cuda: there is no GPU that torch can use here; pass --device cpu or auto")
    target = torch.device("cuda", ranks.local_rank())
    torch.cuda.set_device(target)
    return target


def _needed_streams(method: Task, evaluation: Evaluation) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*method.streams, *(view.stream for view in evaluation.views.values())]))


def try_out(
    method: Task,
    sampler: Sampler,
    canvas: Mapping[str, Canvas],
    seed: int,
    batch_size: int,
    precision: Precision,
    device: torch.device,
) -> None:
    """One forward of a black batch, the state put back: what does not fit is found before anything is decoded.

    Raises:
        UserError: saying what does not fit.
    """
    rows = min(batch_size, 2)
    before = {name: value.clone() for name, value in method.state_dict().items()}
    batch = zero_batch(rows, method.streams, canvas, sampler).to(device)
    rng = Rng(seed, "try", rank=ranks.rank(), ranks=ranks.world())
    try:
        with (
            _misfit_told(f"{type(method).__name__} on {type(sampler).__name__}"),
            torch.no_grad(),
            autocast(precision, device),
            narrow_convolutions_refused(method, precision, device),
        ):
            method(batch, rng)
    finally:
        method.load_state_dict(before)


def try_out_encoders(method: Method, evaluation: Evaluation, device: torch.device) -> None:
    """One black clip through each encoder and view.

    Raises:
        UserError: saying what does not fit.
    """
    was_training = method.training
    method.eval()
    for name, encoder in method.exports(evaluation).items():
        for view in encoder.views:
            with _misfit_told(f"evaluation, encoder '{name}', view '{view}'"):
                one = zero_batch(1, (encoder.view(view).stream,), encoder.canvas, encoder.sampler)
                encoder.to(device).features(one, view)
    method.train(was_training)


@contextmanager
def _misfit_told(what: str) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        if isinstance(error, torch.cuda.OutOfMemoryError):
            raise
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"the recipe's parts do not fit together ({what}): {reason}") from error


def frozen_list(
    run: Run,
    catalog: Catalog,
    streams: Mapping[str, Stream | Derived],
    needed: Sequence[str],
    min_frames: int,
    max_left_out: float,
    full: bool,
    workers: int,
) -> list[ListedVideo]:
    """The run's videos.csv: probed once, then frozen, and compared with the catalog on resume.

    Raises:
        UserError: if too many videos are unusable, or the catalog is no longer the one of the first start.
    """
    listed = ranks.broadcast_object(run.videos())  # one process looks, for all: rank 0 writes it below
    if listed is not None:
        now = [catalog[row].id for row in range(len(catalog))]
        then = [video.id for video in listed]
        if now != then:
            differ = next((a or b for a, b in zip([*now, None], [*then, None], strict=False) if a != b), None)
            raise UserError(f"the catalog is not the one that {run.path} began with (first difference: {differ})")
        return listed
    if run.writes:
        probed = probe_catalog(catalog, streams, needed, min_frames, full=full, workers=max(1, workers))
        listed = number_usable(probed)
        run.write_videos(listed)
    listed = ranks.broadcast_object(listed)
    assert listed is not None
    check_left_out(listed, max_left_out, run.log)
    return listed


def number_usable(probed: Sequence[Any]) -> list[ListedVideo]:
    """Numbers the usable videos from 0; the others have no row."""
    listed, row = [], 0
    for video in probed:
        usable = video.status == "ok"
        listed.append(ListedVideo(row if usable else None, video.id, video.frames, video.status, video.reason))
        row += usable
    return listed


def check_left_out(listed: Sequence[ListedVideo], max_left_out: float, say: Callable[[str], None]) -> None:
    """Counts what is left out on the screen.

    Raises:
        UserError: if it is more than the share `max_left_out`, or everything.
    """
    out = [video for video in listed if video.row is None]
    if not out:
        return
    first = f"{out[0].id}: {out[0].reason or out[0].status}"
    if len(out) == len(listed):
        raise UserError(f"none of the {len(listed)} videos is usable (the first: {first})")
    share = len(out) / len(listed)
    if share > max_left_out:
        raise UserError(
            f"{len(out)} of {len(listed)} videos are unusable (the first: {first}): pass --max_left_out "
            f"{min(1.0, round(share + 0.005, 2))} to go on without them"
        )
    say(f"{len(out)} of {len(listed)} videos are left out, listed in videos.csv (the first: {first})")


def save_encoders(run: Run, method: Method, evaluation: Evaluation, recipe: Mapping[str, Any], seed: int) -> list[Path]:
    """Writes the method's encoders into the run's folder."""
    if not run.writes:
        return []
    checkpoint = run.checkpoint()
    steps = checkpoint["position"]["step"] if checkpoint else 0
    saved = []
    for name, encoder in method.exports(evaluation).items():
        encoder.record = {"recipe": dict(recipe), "seed": seed, "steps": steps, "environment": environment()}
        saved.append(encoder.save(run.path / (f"encoder-{name}.safetensors" if name else "encoder.safetensors")))
    return saved
