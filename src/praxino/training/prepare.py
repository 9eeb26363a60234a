"""What comes before the first step: trying the recipe's parts together, and the frozen list of the run's videos."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from praxino import ranks
from praxino.backbones.base import Backbone
from praxino.catalogs.base import Catalog, Video
from praxino.clips.black import zero_batch
from praxino.clips.samplers import Sampler
from praxino.errors import UserError
from praxino.methods.base import Task
from praxino.methods.encoder import Encoder
from praxino.rng import Rng
from praxino.streams.base import Canvas
from praxino.streams.choose import Streams
from praxino.streams.probe import ProbedVideo
from praxino.streams.probe import probe as probe_catalog
from praxino.training.precision import Precision, autocast, narrow_convolutions_refused
from praxino.training.run import ListedVideo, Run


def check_numbers(**numbers: float | None) -> None:
    """Raises UserError for a number that is given and not above 0, by its option's name."""
    for name, number in numbers.items():
        if number is not None and number <= 0:
            raise UserError(f"--{name} must be above 0, not {number}")


class RunVideos(Sequence[Video]):
    """Some videos of a catalog, the usable ones: a video's place here is its row in the run."""

    def __init__(self, catalog: Sequence[Video], rows: Sequence[int]) -> None:
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


def try_out(
    method: Task,
    sampler: Sampler,
    canvas: Mapping[str, Canvas],
    seed: int,
    batch_size: int,
    precision: Precision,
    device: torch.device,
    streams: Streams | None = None,
) -> None:
    """One forward of a black batch, the state put back: what does not fit is found before anything is decoded.

    Raises:
        UserError: saying what does not fit.
    """
    rows = min(batch_size, 2)
    before = {name: value.clone() for name, value in method.state_dict().items()}
    rng = Rng(seed, "try", rank=ranks.rank(), ranks=ranks.world())
    try:
        with (
            _misfit_told(f"{type(method).__name__} on {type(sampler).__name__}"),
            torch.no_grad(),
            autocast(precision, device),
            narrow_convolutions_refused(method, precision, device),
        ):
            batch = zero_batch(rows, method.streams, canvas, sampler, streams=streams)
            method(batch.to(device), rng)
    finally:
        method.load_state_dict(before)


def try_out_encoders(encoders: Mapping[str, Encoder], device: torch.device) -> None:
    """One black video through each encoder and view.

    Raises:
        UserError: saying what does not fit.
    """
    for name, encoder in encoders.items():
        was_training = encoder.backbone.training
        encoder.backbone.eval()
        for view in encoder.views:
            with _misfit_told(f"evaluation, encoder '{name}', view '{view}'"):
                one = zero_batch(
                    1, (encoder.view(view).stream,), encoder.canvas, encoder.sampler, streams=encoder.streams
                )
                encoder.to(device).features(one, view)
        encoder.backbone.train(was_training)


@contextmanager
def _misfit_told(what: str) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        if isinstance(error, torch.cuda.OutOfMemoryError):
            raise
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"the recipe's parts do not fit together ({what}): {reason}") from error


@contextmanager
def withdrawn_on_mistake(run: Run, resume: bool) -> Iterator[None]:
    """Where a user's mistake comes up before the first step, the folder is free again for another try."""
    try:
        yield
    except UserError:
        if not resume:
            run.withdraw()
        raise


def usable_videos(
    run: Run,
    catalog: Catalog,
    streams: Streams,
    needed: Sequence[str],
    min_frames: int,
    max_left_out: float,
    full: bool,
    workers: int,
) -> tuple[RunVideos, list[int]]:
    """The usable videos of the run's frozen list, and how many frames each has.

    Raises:
        UserError: as of `frozen_list`.
    """
    listed = frozen_list(run, catalog, streams, needed, min_frames, max_left_out, full, workers)
    usable = [number for number, video in enumerate(listed) if video.row is not None]
    return RunVideos(catalog, usable), [listed[number].frames for number in usable]


def compile_backbones(task: Task) -> None:
    """Compiles a task's backbones, in place."""
    for module in task.modules():
        if isinstance(module, Backbone):
            module.compile()


def frozen_list(
    run: Run,
    catalog: Catalog,
    streams: Streams,
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
        check_left_out(listed, max_left_out, run.log)
        return listed
    if run.writes:
        probed = probe_catalog(catalog, streams, needed, min_frames, full=full, workers=max(1, workers))
        listed = number_usable(probed)
        run.write_videos(listed)
    listed = ranks.broadcast_object(listed)
    assert listed is not None
    check_left_out(listed, max_left_out, run.log)
    return listed


def check_test_videos(
    run: Run,
    catalog: Catalog,
    streams: Streams,
    needed: Sequence[str],
    min_frames: int,
    max_left_out: float,
    full: bool,
    workers: int,
) -> None:
    """Probes the videos that a run is tested on at its end, before it begins; they are on no list of the run's.

    Raises:
        UserError: if too many are unusable.
    """
    listed = None
    if run.writes:
        listed = number_usable(probe_catalog(catalog, streams, needed, min_frames, full=full, workers=max(1, workers)))
    check_left_out(ranks.broadcast_object(listed), max_left_out, run.log, "test videos", "")


def number_usable(probed: Sequence[ProbedVideo]) -> list[ListedVideo]:
    """Numbers the usable videos from 0; the others have no row."""
    listed, row = [], 0
    for video in probed:
        usable = video.status == "ok"
        listed.append(ListedVideo(row if usable else None, video.id, video.frames, video.status, video.reason))
        row += usable
    return listed


def check_left_out(
    listed: Sequence[ListedVideo],
    max_left_out: float,
    say: Callable[[str], None],
    what: str = "videos",
    where: str = ", listed in videos.csv",
) -> None:
    """Counts what is left out on the screen.

    Args:
        listed: usable videos and others.
        max_left_out: largest share of the others, 0 to 1.
        say: takes the line.
        what: they are.
        where: the others are listed.

    Raises:
        UserError: if it is more than the share `max_left_out`, or everything.
    """
    out = [video for video in listed if video.row is None]
    if not out:
        return
    first = f"{out[0].id}: {out[0].reason or out[0].status}"
    if len(out) == len(listed):
        raise UserError(f"none of the {len(listed)} {what} is usable (the first: {first})")
    share = len(out) / len(listed)
    if share > max_left_out:
        raise UserError(
            f"{len(out)} of {len(listed)} {what} are unusable (the first: {first}): pass --max_left_out "
            f"{min(1.0, round(share + 0.005, 2))} to go on without them"
        )
    say(f"{len(out)} of {len(listed)} {what} are left out{where} (the first: {first})")
