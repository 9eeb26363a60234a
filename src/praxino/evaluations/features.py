"""One vector a video, streamed: memory grows with the videos and not with their clips."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader

from praxino.batch import ClipBatch
from praxino.catalogs.base import Video
from praxino.clips.dataset import LoadedVideo, Streams, collate, load_clips
from praxino.clips.samplers import Sampler
from praxino.errors import UnreadableVideo, UserError
from praxino.rng import Rng
from praxino.streams.base import Canvas

Embed = Callable[[ClipBatch], Tensor]
Say = Callable[[str], None]


@dataclass
class VideoFeatures:
    """Vectors of the readable videos, in the catalog's order.

    Attributes:
        vectors: float32 [videos, d], the mean over a video's clips; or [videos, clips, d] where clips are kept apart.
        labels: int64 [videos], -1 where there is none.
        ids, groups: of the same videos.
        rows: int64 [videos], their rows in the catalog.
        left_out: (id, reason) of the others.
    """

    vectors: NDArray[np.float32]
    labels: NDArray[np.int64]
    ids: list[str]
    groups: list[str | None]
    rows: NDArray[np.int64]
    left_out: list[tuple[str, str]] = field(default_factory=list)


class _Clips:
    """All clips of the video at a row, or the reason why there are none."""

    def __init__(
        self,
        videos: Sequence[Video],
        needed: Sequence[str],
        sampler: Sampler,
        streams: Streams,
        canvas: Mapping[str, Canvas],
    ) -> None:
        self.videos, self.needed, self.sampler = videos, needed, sampler
        self.streams, self.canvas = streams, canvas

    def __getitem__(self, row: int) -> tuple[int, LoadedVideo | str | UserError]:
        video = self.videos[row]
        generator = Rng(0, "evaluation", row).shared()
        try:
            return row, load_clips(video, self.needed, self.streams, self.canvas, self.sampler, generator)
        except UnreadableVideo as error:
            return row, error.reason
        except UserError as mistake:
            return row, mistake  # a loading process would add its traceback to the line


def loaded_videos(
    videos: Sequence[Video],
    needed: Sequence[str],
    sampler: Sampler,
    streams: Streams,
    canvas: Mapping[str, Canvas],
    rows: Sequence[int] | None = None,
    workers: int = 0,
) -> Iterator[tuple[int, LoadedVideo | str]]:
    """(row, clips or the reason why there are none), in order."""
    rows = range(len(videos)) if rows is None else rows
    clips = _Clips(videos, needed, sampler, streams, canvas)
    return _raised(iter(DataLoader(clips, batch_size=None, sampler=rows, collate_fn=_as_is, num_workers=workers)))  # type: ignore[arg-type]


def _raised(items: Iterator[tuple[int, LoadedVideo | str | UserError]]) -> Iterator[tuple[int, LoadedVideo | str]]:
    for row, item in items:
        if isinstance(item, UserError):
            raise item
        yield row, item


def _as_is(item: Any) -> Any:
    return item


@torch.no_grad()
def extract(
    videos: Sequence[Video],
    embeds: Mapping[str, Embed],
    needed: Sequence[str],
    sampler: Sampler,
    streams: Streams | None = None,
    canvas: Mapping[str, Canvas] | None = None,
    *,
    workers: int = 0,
    clips_apart: bool = False,
    max_left_out: float = 1.0,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, VideoFeatures]:
    """Vectors of videos by several functions, in one pass over the data.

    Args:
        videos: which; a catalog's part.
        embeds: name -> function of a batch of one video: [N, d].
        needed: names of the streams to read.
        sampler, streams, canvas: which frames, by which reader, at which size.
        workers: loading processes.
        clips_apart: keeps the clips' vectors instead of their mean.
        max_left_out: largest share of videos that may turn out unreadable.
        progress: called with (videos done, videos).

    Raises:
        UserError: if there are no videos, or more than `max_left_out` of them, or all, cannot be read.
    """
    if not len(videos):
        raise UserError("there are no videos to take features of: this part of the catalog is empty")
    vectors: dict[str, NDArray[np.float32]] = {}
    rows: list[int] = []
    left_out: list[tuple[str, str]] = []
    source = loaded_videos(videos, needed, sampler, streams or {}, canvas or {}, workers=workers)
    for done, (row, loaded) in enumerate(source, start=1):
        if isinstance(loaded, str):
            left_out.append((videos[row].id, loaded))
            refuse_unreadable(left_out, len(videos), max_left_out)
        else:
            batch = collate([loaded], [row], [videos[row].label])
            for name, embed in embeds.items():
                clips = embed(batch).float()
                made = (clips if clips_apart else clips.mean(0)).cpu().numpy()
                if name not in vectors:
                    # Asked for whole, so that nothing is copied at the end; memory is taken by the rows written.
                    vectors[name] = np.empty((len(videos), *made.shape), np.float32)
                vectors[name][len(rows)] = made.reshape(vectors[name].shape[1:])
            rows.append(row)
        if progress:
            progress(done, len(videos))
    if not rows:
        raise UserError(f"none of the {len(videos)} videos can be read (the first: {': '.join(left_out[0])})")
    found = [videos[row] for row in rows]
    labels = np.array([-1 if v.label is None else v.label for v in found], np.int64)
    common = {"labels": labels, "ids": [v.id for v in found], "groups": [v.group for v in found]}
    return {
        name: VideoFeatures(made[: len(rows)], rows=np.array(rows), left_out=left_out, **common)  # type: ignore[arg-type]
        for name, made in vectors.items()
    }


def refuse_unreadable(left_out: Sequence[tuple[str, str]], videos: int, max_left_out: float) -> None:
    """Judges how many of some videos cannot be read.

    Args:
        left_out: (id, reason) of these.
        videos: how many there are in all.
        max_left_out: largest share of them that may be left out.

    Raises:
        UserError: if it is more.
    """
    if len(left_out) > max_left_out * videos:
        raise UserError(
            f"more than {max_left_out:.0%} of {videos} videos cannot be read (the last: {': '.join(left_out[-1])}): "
            "pass --max_left_out 1 to go on without them"
        )


def one_frame_only(batch: ClipBatch) -> ClipBatch:
    """The batch with each clip's middle frame repeated: what a network can tell without motion."""
    streams = {
        name: type(frames)(
            frames.pixels,
            frames.size,
            frames.present,
            frames.where[..., frames.where.shape[-1] // 2, None].expand_as(frames.where),
        )
        for name, frames in batch.streams.items()
    }
    return ClipBatch(streams, batch.index, batch.label, batch.numbers, batch.times)
