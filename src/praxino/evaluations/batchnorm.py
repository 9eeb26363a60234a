"""BatchNorm statistics re-estimated on clips of the view that is evaluated.

A network's running statistics belong to the view (and the videos) that it was trained on; with another view, or with no
training at all, features taken with them are worthless, and a comparison unfair.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from praxino.catalogs.base import Video
from praxino.clips.dataset import LoadedVideo, Streams, collate
from praxino.encoders.encoder import Encoder
from praxino.evaluations.features import loaded_videos, one_frame_only
from praxino.rng import Rng


@torch.no_grad()
def reestimate_batchnorm(
    encoders: Mapping[str, tuple[Encoder, str | None]],
    videos: Sequence[Video],
    *,
    streams: Streams | None = None,
    workers: int = 0,
    sample: int = 256,
    batch_size: int = 32,
    one_frame: Collection[str] = (),
) -> int:
    """Replaces the running statistics by plain means over batches of one clip of each of some videos.

    Args:
        encoders: name -> (encoder, its view); all read the same streams, with the first one's sampler and canvas.
        videos: training videos (the gallery).
        streams: as of `load_clips`.
        workers: loading processes.
        sample: how many videos, drawn without regard to labels; the same ones each time.
        batch_size: clips a batch.
        one_frame: names of those that see one frame of each clip, repeated.

    Returns:
        How many clips were used.
    """
    layers = [
        layer
        for encoder, _ in encoders.values()
        for layer in encoder.backbone.modules()
        if isinstance(layer, _BatchNorm)
    ]
    if not layers:
        return 0
    first, _ = next(iter(encoders.values()))
    needed = tuple(dict.fromkeys(encoder.view(view).stream for encoder, view in encoders.values()))
    rows = Rng(0, "batchnorm").shared().permutation(len(videos))[:sample].tolist()
    momenta = [layer.momentum for layer in layers]
    _set_training(encoders, True)
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # a plain mean over all batches
    used, waiting = 0, []
    try:
        source = loaded_videos(videos, needed, first.sampler, streams or first.streams, first.canvas, rows, workers)
        for _, loaded in source:
            if isinstance(loaded, LoadedVideo):
                middle = len(loaded.numbers) // 2
                waiting.append(loaded.only(slice(middle, middle + 1)))
            if len(waiting) == batch_size:
                used += _pass(encoders, waiting, one_frame)
                waiting = []
        # A last batch of a few clips would weigh as much as a full one: it counts only where there is no other.
        if waiting and not used:
            used += _pass(encoders, waiting, one_frame)
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
        _set_training(encoders, False)
    return used


def _pass(
    encoders: Mapping[str, tuple[Encoder, str | None]], clips: Sequence[LoadedVideo], one_frame: Collection[str]
) -> int:
    batch = collate(clips, list(range(len(clips))), [None] * len(clips))
    for name, (encoder, view) in encoders.items():
        encoder.features(one_frame_only(batch) if name in one_frame else batch, view)
    return len(clips)


def _set_training(encoders: Mapping[str, tuple[Encoder, str | None]], training: bool) -> None:
    # Only BatchNorm: dropout stays off.
    for encoder, _ in encoders.values():
        encoder.backbone.eval()
        for layer in encoder.backbone.modules():
            if isinstance(layer, _BatchNorm):
                nn.Module.train(layer, training)
