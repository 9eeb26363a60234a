"""The videos of a test, shared out over the processes: every one counts once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from praxino import ranks
from praxino.catalogs.base import Video
from praxino.clips.samplers import Sampler
from praxino.encoders.encoder import Encoder
from praxino.errors import UserError
from praxino.evaluations.features import Embed, NoneReadable, VideoFeatures, evens_out, extract, refuse_unreadable

MOST_CLIPS, MOST_FRAMES = 64, 1024


def of_each_video(
    encoder: Encoder,
    videos: Sequence[Video],
    view: str,
    sampler: Sampler,
    embed: Embed,
    workers: int,
    max_left_out: float,
    progress: Callable[[int, int], None] | None,
) -> VideoFeatures:
    """The mean over each video's clips of what `embed` makes of them; all processes have all of it.

    A video's clips, also random ones, and so the numbers, do not depend on how many processes there are.

    Args:
        encoder: brings streams and canvas; it is put into evaluation mode.
        videos: labelled.
        view: of the encoder.
        sampler: which clips.
        embed: as of `extract`.
        workers: loading processes of each process.
        max_left_out: largest share of unreadable videos, 0 to 1.
        progress: called with (videos done, videos of this process).

    Raises:
        UserError: if videos have no label, there are fewer than processes, or too much is unreadable.
    """
    for video in videos:
        if video.label is None:
            raise UserError(f"{video.id} has no label to test by")
    world = ranks.world()
    if len(videos) < world:
        raise UserError(f"{len(videos)} videos are fewer than {world} processes: lower --devices")
    encoder.eval()
    part: VideoFeatures | UserError
    try:
        part = extract(
            videos, {"": embed}, (encoder.view(view).stream,), sampler, encoder.streams, encoder.canvas,
            rows=range(ranks.rank(), len(videos), world), workers=workers, clips_at_once=at_once(sampler),
            padded=evens_out(encoder.view(view)),
            max_left_out=max_left_out if world == 1 else 1.0, progress=progress,
        )[""]  # fmt: skip
    except NoneReadable as none:
        part = _empty(none.left_out)
    except UserError as mistake:
        part = mistake
    found = _of_all(ranks.gather_objects(part))
    refuse_unreadable(found.left_out, len(videos), max_left_out)
    return found


def at_once(sampler: Sampler) -> int:
    """How many clips go through the network at once: as many frames as 64 clips of 16 have, where these are longer."""
    numbers = [getattr(sampler, name, 1) for name in ("blocks", "frames")]
    frames = max(1, int(np.prod([number for number in numbers if isinstance(number, int)])))
    return max(1, min(MOST_CLIPS, MOST_FRAMES // frames))


def _of_all(found: Sequence[VideoFeatures | UserError]) -> VideoFeatures:
    # Raised by all processes: one that raised before they meet would leave the others waiting for ever.
    parts = []
    for part in found:
        if isinstance(part, UserError):
            raise part
        parts.append(part)
    left_out = [one for part in parts for one in part.left_out]
    parts = [part for part in parts if len(part.rows)]
    if not parts:
        raise NoneReadable(left_out)
    rows = np.concatenate([part.rows for part in parts])
    order = np.argsort(rows)
    ids = [id for part in parts for id in part.ids]
    groups = [group for part in parts for group in part.groups]
    return VideoFeatures(
        np.concatenate([part.vectors for part in parts])[order],
        np.concatenate([part.labels for part in parts])[order],
        [ids[k] for k in order],
        [groups[k] for k in order],
        rows[order],
        left_out,
    )


def _empty(left_out: list[tuple[str, str]]) -> VideoFeatures:
    """A share of which nothing can be read: that is judged of all shares together."""
    none = np.empty(0, np.int64)
    return VideoFeatures(np.empty((0, 0), np.float32), none, [], [], none, left_out)
