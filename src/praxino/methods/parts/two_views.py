"""Two views of a video: the first of its first clip, the second of its last one, which may be the same clip."""

from __future__ import annotations

from torch import Tensor

from praxino.batch import ClipBatch
from praxino.errors import UserError
from praxino.rng import Rng
from praxino.views.pipeline import View


def two_views(batch: ClipBatch, rng: Rng, first: View, second: View | None, aligned: bool) -> dict[str, Tensor]:
    """The floats of both views.

    Args:
        batch: one clip of each video, or two.
        rng: the step's.
        first: view of the first clip.
        second: view of the last clip; None: the first view is the second one too, and "second" is not made.
        aligned: both views draw the same boxes and flips; else each its own.

    Returns:
        "first" and "second": float32 [B, C, T, h, w].

    Raises:
        UserError: if there are more than two clips, or two where there is one view.
    """
    clips = batch.numbers.shape[1]
    if clips > 2 or (second is None and clips != 1):
        most = "one clip" if second is None else "one clip or two"
        raise UserError(f"this method takes {most} of each video, not {clips}: --sampler.clips 1")
    views = {"first": first(batch, rng.child("view"), slice(0, 1)).squeeze(1)}
    if second is not None:
        key = rng.child("view" if aligned else "second view")
        views["second"] = second(batch, key, slice(clips - 1, clips)).squeeze(1)
    return views
