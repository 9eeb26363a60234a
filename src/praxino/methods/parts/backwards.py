"""Videos played backwards: they look the same, and only the direction of the motion tells them apart."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from praxino.batch import ClipBatch


def with_backwards(batch: ClipBatch) -> ClipBatch:
    """A batch of 2B videos: each video, and behind it the same one played backwards. No pixel is copied.

    Args:
        batch: B videos of N clips.
    """

    def both(x: Tensor) -> Tensor:
        return torch.stack([x, x.flip(-1)], 1).flatten(0, 1)

    streams = {name: replace(frames, where=both(frames.where)) for name, frames in batch.streams.items()}
    index, label = (x.repeat_interleave(2) for x in (batch.index, batch.label))
    return replace(
        batch, streams=streams, index=index, label=label, numbers=both(batch.numbers), times=both(batch.times)
    )
