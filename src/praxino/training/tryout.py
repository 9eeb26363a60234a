"""A recipe's parts tried together on black frames: what does not fit is found before anything is decoded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch

from praxino import ranks
from praxino.clips.black import zero_batch
from praxino.clips.samplers import Sampler
from praxino.encoders.encoder import Encoder
from praxino.errors import UserError
from praxino.methods.base import Losses, Task
from praxino.rng import Rng
from praxino.streams.base import Canvas
from praxino.streams.choose import Streams, channels_of
from praxino.training.precision import Precision, autocast
from praxino.training.validation import VALIDATION, untouched

TRIED = 2  # videos of a black batch, at most

LAST_BATCH = "--drop_last true or another --batch_size"  # what mends a last batch that is too small


def try_out(
    method: Task,
    sampler: Sampler,
    canvas: Mapping[str, Canvas],
    seed: int,
    batch_size: int,
    precision: Precision,
    device: torch.device,
    streams: Streams | None = None,
) -> list[str]:
    """One forward of a black batch, the state put back: what does not fit is found before anything is decoded.

    Returns:
        The names of the numbers that an epoch of training gives.

    Raises:
        UserError: saying what does not fit.
    """
    rows = min(batch_size, TRIED)
    before = {name: value.clone() for name, value in method.state_dict().items()}
    rng = Rng(seed, "try", rank=ranks.rank(), ranks=ranks.world())
    try:
        with (
            _misfit_told(f"{type(method).__name__} on {type(sampler).__name__}{_other_channels(method, streams)}"),
            torch.no_grad(),
            autocast(precision, device),
        ):
            batch = zero_batch(rows, method.streams, canvas, sampler, streams=streams)
            losses = method(batch.to(device), rng)
            _refuse_other_losses(method, losses)
    finally:
        method.load_state_dict(before)
    return ["train/" + name for name in ("total", *losses.terms)]


def _refuse_other_losses(task: Task, losses: object) -> None:
    name = type(task).__name__
    if not isinstance(losses, Losses):
        raise UserError(f"{name} gives a {type(losses).__name__}, and its forward should give praxino.methods.Losses")
    for word, value in {"total": losses.total, **losses.terms}.items():
        if not isinstance(value, torch.Tensor) or value.numel() != 1:
            raise UserError(f"{name}: the term '{word}' of its Losses should be a tensor of one number, detached")
    for word, rows in losses.embeddings.items():
        if rows.ndim != 2:
            raise UserError(
                f"{name}: the embeddings '{word}' of its Losses should be [videos, d], and are {list(rows.shape)}"
            )


def refuse_fewer_videos(task: Task, videos: int, what: str, mend: str) -> None:
    """Raises UserError if `what` holds fewer videos in each process than the task needs; `mend` says what to pass."""
    if videos < task.least_videos:
        needed = f"the {task.least_videos} videos that {type(task).__name__} needs in each process"
        raise UserError(f"{what} would hold only {videos} of {needed}: pass {mend}")


def refuse_more_videos(task: Task, videos: int) -> None:
    """Raises UserError if an optimizer step holds more videos than the task can remember."""
    if task.most_videos is not None and videos > task.most_videos:
        raise UserError(
            f"an optimizer step has {videos} videos (--batch_size times --accumulate), and the shortest queue of "
            f"{type(task).__name__} holds {task.most_videos}: make it longer (--method.queue_rows, of a second one "
            "--method.cycle_queue_rows), or the step smaller"
        )


def try_validation(
    task: Task,
    sampler: Sampler,
    canvas: Mapping[str, Canvas],
    seed: int,
    batch_size: int,
    precision: Precision,
    device: torch.device,
    streams: Streams | None = None,
) -> list[str]:
    """What the task says of a held-out batch, tried on a black one.

    Returns:
        The names of its numbers.

    Raises:
        UserError: saying what does not fit, or that the task cannot be validated.
    """
    rng = Rng(seed, "try", rank=ranks.rank(), ranks=ranks.world())
    batch = zero_batch(min(batch_size, TRIED), task.streams, canvas, sampler, streams=streams)
    told = _misfit_told(f"validation of {type(task).__name__}")
    with told, untouched(task), torch.no_grad(), autocast(precision, device):
        losses = task.validated(batch.to(device), rng)
    return [VALIDATION + name for name in ("total", *losses.terms)]


def try_out_encoders(encoders: Mapping[str, Encoder], device: torch.device) -> None:
    """One black clip through each encoder and view.

    Raises:
        UserError: saying what does not fit.
    """
    for name, encoder in encoders.items():
        with encoder.to(device).evaluating():
            for view in encoder.views:
                with _misfit_told(f"protocol, encoder '{name}', view '{view}'"):
                    needed = (encoder.view(view).stream,)
                    one = zero_batch(1, needed, encoder.canvas, encoder.sampler, encoder.streams, clips=1)
                    encoder.features(one, view)
        with _misfit_told(f"encoder '{name}'"):
            json.dumps(encoder.description())  # as encoder.json is written, hours later


def _other_channels(task: Task, streams: Streams | None) -> str:
    # A convolution says which numbers do not fit, and not whose they are.
    found = {name: channels_of(name, streams or {}) for name in task.streams}
    return "".join(f", {name} of {channels} channels" for name, channels in found.items() if channels != 3)


@contextmanager
def _misfit_told(what: str) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        if isinstance(error, torch.cuda.OutOfMemoryError):
            raise
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"the recipe's parts do not fit together ({what}): {reason}") from error
