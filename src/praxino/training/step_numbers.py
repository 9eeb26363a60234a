"""What a step gives besides gradients, of all its parts and all processes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from praxino import ranks
from praxino.batch import ClipBatch
from praxino.methods.base import Losses
from praxino.training.run import Run

WORTH_A_LINE = 64  # MiB in memory at once


def terms_of(parts: Sequence[Losses]) -> dict[str, float]:
    """Means over the parts of a step, and over the ranks."""
    rows = [{"total": part.total.detach(), **part.terms} for part in parts]
    names = list(rows[0])
    values = torch.stack([torch.stack([row[name].float().reshape(()) for name in names]) for row in rows]).mean(0)
    return dict(zip(names, ranks.mean_over_ranks(values).tolist(), strict=True))


def missed_of(batch: ClipBatch, run: Run | None) -> Tensor:
    """How many videos of a batch were replaced (the log says which), and how many frames are not there."""
    if run is not None:
        for line in batch.replaced:
            run.log_own_once(line)
    missing = torch.stack([(~frames.present).sum() for frames in batch.streams.values()]).sum()
    return torch.stack([torch.full_like(missing, len(batch.replaced)), missing])


def memory_line(batch: ClipBatch, in_flight: int) -> str | None:
    """How much memory batches like this one take while they wait for the training, of each process; None: little."""
    size = batch.pixel_bytes / 2**20
    if in_flight * size < WORTH_A_LINE:
        return None
    return (
        f"a batch holds {size:.1f} MiB of pixels; up to {in_flight} are in memory at once: {in_flight * size:.0f} MiB"
    )


def gaps_of(missed: Tensor) -> dict[str, int]:
    """Of all ranks; only what is not 0."""
    numbers = (ranks.mean_over_ranks(missed) * ranks.world()).round().int().tolist()
    return {name: n for name, n in zip(("replaced_videos", "missing_frames"), numbers, strict=True) if n}


def kept_of(parts: Sequence[Losses]) -> dict[str, Tensor]:
    """The kept rows of all parts, in order, of all ranks, in rank order within each part."""
    with torch.no_grad():
        return {name: torch.cat([ranks.gather_rows(part.kept[name]) for part in parts]) for name in parts[0].kept}
