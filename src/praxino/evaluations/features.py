"""One vector a video, streamed: memory grows with the videos and not with their clips."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from praxino.batch import ClipBatch
from praxino.catalogs.base import Video
from praxino.clips.dataset import LoadedVideo, Streams
from praxino.clips.flat import flat_batches
from praxino.clips.in_turn import loaded_videos
from praxino.clips.samplers import Sampler
from praxino.errors import UserError, check_numbers
from praxino.printable import counted
from praxino.streams.base import Canvas
from praxino.views.pipeline import View

Embed = Callable[[ClipBatch], Tensor]


class NoneReadable(UserError):
    """None of the videos can be read.

    Args:
        left_out: (id, reason) of all of them.
    """

    def __init__(self, left_out: list[tuple[str, str]]) -> None:
        many = counted(len(left_out), "video")
        super().__init__(f"none of {many} can be read (the first: {': '.join(left_out[0])})")
        self.left_out = left_out


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


def embedded(
    videos: Sequence[Video],
    embeds: Mapping[str, Embed],
    needed: Sequence[str],
    sampler: Sampler,
    streams: Streams | None = None,
    canvas: Mapping[str, Canvas] | None = None,
    *,
    left_out: list[tuple[str, str]],
    rows: Sequence[int] | None = None,
    workers: int = 0,
    clips_at_once: int = 64,
    padded: bool = False,
    max_left_out: float = 1.0,
    progress: Callable[[int, int], None] | None = None,
    repeats: bool = True,
) -> Iterator[tuple[int, dict[str, Tensor]]]:
    """The clips' vectors of each readable video in turn, put back from flat batches (`flat_batches`).

    Args:
        videos, embeds, needed, sampler, streams, canvas: as of `extract`.
        left_out: gets (id, reason) of each unreadable video as soon as it is met.
        rows, workers, clips_at_once, padded, max_left_out, progress: as of `extract`.
        repeats: False: where all clips of a video are the same frames, as those of a picture are, it has one.

    Yields:
        A video's row, and by name [clips, d] on the CPU.

    Raises:
        UserError: if `clips_at_once` is below 1, or more than `max_left_out` of the videos cannot be read.
    """
    check_numbers(clips_at_once=clips_at_once)
    source = loaded_videos(videos, needed, sampler, streams or {}, canvas or {}, rows, workers)
    many = len(videos if rows is None else rows)
    done = itertools.count(1)
    told = progress or (lambda done, videos: None)

    def readable() -> Iterator[tuple[int, int | None, LoadedVideo]]:
        for row, loaded in source:
            video = videos[row]
            if isinstance(loaded, LoadedVideo) and len(loaded.numbers):
                alike = not repeats and bool((loaded.numbers == loaded.numbers[0]).all())
                yield row, video.label, loaded.only(slice(0, 1)) if alike else loaded
            else:
                reason = loaded if isinstance(loaded, str) else "the sampler takes no clip of it"
                left_out.append((video.id, reason))
                refuse_unreadable(left_out, many, max_left_out)
                told(next(done), many)

    parts: list[dict[str, Tensor]] = []  # of the video that is not complete yet
    for batch, pieces in flat_batches(readable(), clips_at_once, padded):
        with torch.no_grad():
            made = {name: embed(batch).cpu() for name, embed in embeds.items()}
        counts = [piece.clips for piece in pieces]
        cut = {name: vectors.split(counts) for name, vectors in made.items()}
        for at, piece in enumerate(pieces):
            parts.append({name: vectors[at] for name, vectors in cut.items()})
            if piece.last:
                yield piece.row, {name: torch.cat([part[name] for part in parts]) for name in embeds}
                parts = []
                told(next(done), many)


def extract(
    videos: Sequence[Video],
    embeds: Mapping[str, Embed],
    needed: Sequence[str],
    sampler: Sampler,
    streams: Streams | None = None,
    canvas: Mapping[str, Canvas] | None = None,
    *,
    rows: Sequence[int] | None = None,
    workers: int = 0,
    clips_apart: bool = False,
    clips_at_once: int = 64,
    padded: bool = False,
    max_left_out: float = 1.0,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, VideoFeatures]:
    """Vectors of videos by several functions, in one pass over the data.

    Args:
        videos: which; a catalog's part.
        embeds: name -> function of a batch whose rows are clips: B clips, N = 1, to [B, d]. What it makes of a clip
            must not depend on the others: networks in evaluation mode, views without randomness.
        needed: names of the streams to read.
        sampler, streams, canvas: which frames, by which reader, at which size.
        rows: of which videos, ascending; None: of all. A video's random clips do not depend on the others.
        workers: loading processes.
        clips_apart: keeps the clips' vectors instead of their mean; all videos then have equally many clips.
        clips_at_once: clips in a batch: those of small videos together, those of long ones in parts.
        padded: frames of different sizes share a batch, the smaller ones padded; right where `evens_out` is true of all
            views. False: a batch has frames of one size.
        max_left_out: largest share of videos that may turn out unreadable.
        progress: called with (videos done, videos).

    Raises:
        UserError: if there are no videos, or more than `max_left_out` of them, or all, cannot be read, or the vectors
            of one do not fit those of the others.
    """
    many = len(videos if rows is None else rows)
    if not many:
        raise UserError("there are no videos to take features of: this part of the catalog is empty")
    vectors: dict[str, NDArray[np.float32]] = {}
    taken: list[int] = []
    left_out: list[tuple[str, str]] = []
    source = embedded(
        videos, embeds, needed, sampler, streams, canvas, left_out=left_out, rows=rows,
        workers=workers, clips_at_once=clips_at_once, padded=padded, max_left_out=max_left_out, progress=progress,
        repeats=clips_apart,
    )  # fmt: skip
    for row, found in source:
        for name, clips in found.items():
            made = (clips.float() if clips_apart else clips.float().mean(0)).numpy()
            if name not in vectors:
                # Asked for whole, so that nothing is copied at the end; memory is taken by the rows written.
                vectors[name] = np.empty((many, *made.shape), np.float32)
            if made.shape != vectors[name].shape[1:]:
                raise _other_shape(videos[row].id, made.shape, vectors[name].shape[1:])
            vectors[name][len(taken)] = made
        taken.append(row)
    if not taken:
        raise NoneReadable(left_out)
    readable = [videos[row] for row in taken]
    labels = np.array([-1 if v.label is None else v.label for v in readable], np.int64)
    common = {"labels": labels, "ids": [v.id for v in readable], "groups": [v.group for v in readable]}
    return {
        name: VideoFeatures(made[: len(taken)], rows=np.array(taken), left_out=left_out, **common)  # type: ignore[arg-type]
        for name, made in vectors.items()
    }


def _other_shape(id: str, own: tuple[int, ...], first: tuple[int, ...]) -> UserError:
    if own[-1] != first[-1]:
        return UserError(
            f"{id} gives a vector of {own[-1]} numbers, and the first video one of {first[-1]}: let the view, or a "
            "canvas, make frames of one size"
        )
    return UserError(
        f"{id} has {own[0]} clips, and the first video {first[0]}: clips are kept apart only where all videos have "
        "equally many"
    )


def evens_out(view: View) -> bool:
    """Whether a view first of all gives frames of all sizes one size, so that it never sees how they were padded."""
    sizes = torch.tensor([[48, 64], [64, 48], [90, 120]]).reshape(3, 1, 1, 2)
    return bool(view.operations) and len(view.operations[0].size_after(sizes).reshape(3, 2).unique(dim=0)) == 1


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


def refuse_infinite(features: VideoFeatures) -> None:
    """Raises UserError where a number is not finite."""
    if not np.isfinite(features.vectors).all():
        raise UserError(
            "features hold numbers that are not finite: the network has diverged, take an earlier checkpoint"
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
