"""BatchNorm statistics re-estimated on clips of the view that is seen, and the mean of the view's vectors.

A network's running statistics belong to the view (and the videos) that it was trained on; with another view, or with no
training at all, features taken with them are worthless, and a comparison unfair.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from praxino.backbones.base import Backbone
from praxino.bars import bar_shown
from praxino.batch import ClipBatch
from praxino.catalogs.base import Video
from praxino.clips.dataset import LoadedVideo, collate
from praxino.clips.flat import flat_batches
from praxino.clips.in_turn import loaded_videos
from praxino.clips.samplers import Sampler
from praxino.encoders.cautions import asks_for_statistics
from praxino.encoders.encoder import Encoder
from praxino.encoders.statistics import Statistics, averages, batchnorms
from praxino.errors import UserError
from praxino.rng import Rng
from praxino.streams.choose import Streams

SAMPLE = 256  # videos
BATCH = 32  # clips


def sampled_clips(
    videos: Sequence[Video],
    needed: Sequence[str],
    encoder: Encoder,
    streams: Streams | None = None,
    workers: int = 0,
    sample: int = SAMPLE,
    left_out: dict[str, str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[LoadedVideo]:
    """The middle clip of each of some videos, which are drawn without regard to labels; the same ones each time.

    Args:
        videos: of which some are drawn.
        needed: names of the streams to read.
        encoder: by whose sampler and canvas.
        streams: as of `load_clips`; None: the encoder's.
        workers: loading processes.
        sample: how many videos.
        left_out: gets id -> reason of those that cannot be read.
        progress: called with (videos read, videos).
    """
    rows = Rng(0, "batchnorm").shared().permutation(len(videos))[:sample].tolist()
    sampler, streams = _MiddleClip(encoder.sampler), streams or encoder.streams
    source = loaded_videos(videos, needed, sampler, streams, encoder.canvas, rows, workers)
    for read, (row, loaded) in enumerate(source, 1):
        if isinstance(loaded, LoadedVideo) and len(loaded.numbers):
            yield loaded
        elif left_out is not None:
            left_out[videos[row].id] = loaded if isinstance(loaded, str) else "the sampler takes no clip of it"
        if progress is not None:
            progress(read, len(rows))


@torch.no_grad()
def average_anew(
    backbones: Collection[Backbone],
    clips: Iterable[LoadedVideo],
    see: Callable[[ClipBatch], object],
    batch_size: int = BATCH,
) -> int:
    """Replaces the running statistics of backbones by plain means over batches, and leaves them in evaluation mode.

    Args:
        backbones: with a BatchNorm at least, all together.
        clips: one of each video.
        see: puts a batch through the backbones.
        batch_size: clips a batch.

    Returns:
        How many clips were used.
    """
    layers = [layer for backbone in backbones for layer in batchnorms(backbone).values()]
    momenta = [layer.momentum for layer in layers]
    _set_training(backbones, True)
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # a plain mean over all batches
    used: int = 0
    waiting: list[LoadedVideo] = []

    def seen() -> int:
        see(collate(waiting, list(range(len(waiting))), [None] * len(waiting)))
        return len(waiting)

    try:
        for clip in clips:
            waiting.append(clip)
            if len(waiting) == batch_size:
                used += seen()
                waiting.clear()
        # A last batch of a few clips would weigh as much as a full one: it counts only where there is no other.
        if waiting and not used:
            used += seen()
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
        _set_training(backbones, False)
    return used


def _set_training(backbones: Iterable[Backbone], training: bool) -> None:
    # Only BatchNorm: dropout stays off.
    for backbone in backbones:
        backbone.eval()
        for layer in batchnorms(backbone).values():
            nn.Module.train(layer, training)


def give_statistics(encoder: Encoder, videos: Sequence[Video], workers: int = 0, sample: int = SAMPLE) -> str | None:
    """Gives an encoder statistics of its own of each view, as far as its protocol asks for them.

    One clip of each of some videos goes through the network, with all weights fixed; without labels.

    Args:
        encoder: gets them as its `statistics`: all, or none where something stands against it.
        videos: those that it was trained on.
        workers: loading processes.
        sample: how many of the videos.

    Returns:
        One line that says on what, or why there are none; None where the protocol asks for none.
    """
    encoder.statistics = {}
    if not asks_for_statistics(encoder):
        return None
    left_out: dict[str, str] = {}
    began = time.perf_counter()
    found: dict[str, Statistics] = {}
    try:
        with bar_shown("statistics of the encoder's views") as bar:
            for stream in dict.fromkeys(view.stream for view in encoder.views.values()):
                # By itself, as an evaluation of the view reads it: a video is as long as its shortest stream.
                views = [name for name, view in encoder.views.items() if view.stream == stream]
                clips = partial(sampled_clips, videos, (stream,), encoder, None, workers, sample, left_out, bar)
                found |= _of_views(encoder, views, clips, left_out)
    except (UserError, ValueError, torch.cuda.OutOfMemoryError) as error:  # ValueError: BatchNorm of a single value
        reason = str(error).splitlines()[0]
        return f"the encoder is saved without BatchNorm statistics and centre of its own: {reason}"
    encoder.statistics = {name: found[name] for name in encoder.views}
    first = next(iter(left_out.items()), None)
    without = f", {len(left_out)} cannot be read any more (the first: {first[0]}: {first[1]})" if first else ""
    took = f"{time.perf_counter() - began:.0f} s"
    used = min(sample, len(videos)) - len(left_out)
    return f"statistics of the encoder's views from {used} training videos ({took}){without}"


class _MiddleClip(Sampler):
    """Of a sampler's clips the one in the middle: others would be decoded for nothing."""

    def __init__(self, sampler: Sampler) -> None:
        self.sampler = sampler
        self.min_frames = sampler.min_frames

    def __call__(self, times: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
        numbers = self.sampler(times, rng)
        middle = len(numbers) // 2
        return numbers[middle : middle + 1]


def _of_views(
    encoder: Encoder,
    views: Sequence[str],
    clips: Callable[[], Iterator[LoadedVideo]],
    left_out: Mapping[str, str],
) -> dict[str, Statistics]:
    twins = {name: _twin(encoder) for name in views}
    batchnorm: dict[str, dict[str, Tensor]] = {name: {} for name in views}
    if encoder.reestimate_batchnorm and batchnorms(encoder.backbone):

        def see(batch: ClipBatch) -> None:
            for name, twin in twins.items():
                twin.features(batch, name)

        if not average_anew([twin.backbone for twin in twins.values()], clips(), see):
            raise _unreadable(left_out)
        batchnorm = {name: averages(twin.backbone) for name, twin in twins.items()}
    centres = _centres(twins, clips(), left_out) if encoder.centred else {}
    return {name: Statistics(batchnorm[name], centres.get(name), encoder.feature) for name in views}


def _centres(
    twins: Mapping[str, Encoder], clips: Iterator[LoadedVideo], left_out: Mapping[str, str]
) -> dict[str, Tensor]:
    """The means of the clips' vectors, by view: float32 [d], summed up in float64."""
    sums: dict[str, Tensor] = {}
    count = 0
    for batch, _ in flat_batches(((row, None, clip) for row, clip in enumerate(clips)), BATCH):
        for name, twin in twins.items():
            vectors = twin.features(batch, name).double()
            if name in sums and sums[name].shape != vectors.shape[1:]:
                raise UserError(f"frames of several sizes give vectors of several lengths in the view '{name}'")
            sums[name] = sums[name] + vectors.sum(0) if name in sums else vectors.sum(0)
        count += len(batch)
    if not count:
        raise _unreadable(left_out)
    return {name: (total / count).float() for name, total in sums.items()}


def _twin(encoder: Encoder) -> Encoder:
    twin = copy.copy(encoder)
    twin.backbone = copy.deepcopy(encoder.backbone).eval()
    return twin


def _unreadable(left_out: Mapping[str, str]) -> UserError:
    first = "".join(f" (the first: {id}: {reason})" for id, reason in list(left_out.items())[:1])
    return UserError(f"none of {len(left_out)} training videos can be read any more{first}")
