"""Flat batches: clips of several videos, however many each has, as the rows of one batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from praxino.batch import ClipBatch
from praxino.clips.dataset import LoadedVideo, collate_frames

# Padding takes the size of the largest frame: 63 pictures of a thumbnail beside one of a camera would take gigabytes. A
# full batch of 64 clips of 16 frames stays below this up to 256x340 pixels, and on a canvas far below.
MOST_BYTES = 256 << 20


class Piece(NamedTuple):
    """Some clips of one video, in successive rows of a flat batch.

    Attributes:
        row: the video's.
        clips: how many.
        last: whether the video ends with them.
    """

    row: int
    clips: int
    last: bool


def flat_batch(videos: Sequence[LoadedVideo], index: Sequence[int], label: Sequence[int | None]) -> ClipBatch:
    """Puts clips of videos into one batch whose rows are clips; each pixel is held once, as in `collate`.

    Args:
        videos: each with any number of clips, all of T frames.
        index: row of each video.
        label: of each video; None where there is none.

    Returns:
        B is the number of all clips, in order, and N is 1.
    """
    counts = [len(video.numbers) for video in videos]
    labels = [-1 if one is None else one for one in label]
    return ClipBatch(
        {name: collate_frames([video.streams[name] for video in videos], _in_a_column) for name in videos[0].streams},
        index=torch.from_numpy(np.repeat(np.array(index, np.int64), counts)),
        label=torch.from_numpy(np.repeat(np.array(labels, np.int64), counts)),
        numbers=torch.from_numpy(_in_a_column([video.numbers for video in videos])),
        times=torch.from_numpy(np.concatenate([video.times for video in videos])[:, None]),
    )


def flat_batches(
    videos: Iterable[tuple[int, int | None, LoadedVideo]],
    clips_at_once: int = 64,
    padded: bool = False,
    most_bytes: int = MOST_BYTES,
) -> Iterator[tuple[ClipBatch, list[Piece]]]:
    """The clips of videos in flat batches, in order: small videos together, long ones in parts.

    A batch ends before clips of another length, and before its pixels, padding included, would be more than
    `most_bytes`; one clip always fits.

    Args:
        videos: (row, label, clips) of each, with one clip or more.
        clips_at_once: most clips of a batch.
        padded: frames of different sizes come into one batch, the smaller ones padded. False: a batch ends before
            frames of another size.
        most_bytes: most pixels of a batch of several clips.

    Yields:
        A batch, and whose clips its rows are.
    """
    filling = _Filling(clips_at_once, padded, most_bytes)
    for row, label, video in videos:
        first, clips = 0, len(video.numbers)
        while first < clips:
            more = filling.fitting(video, first)
            if more:
                part = video if more == clips else video.only(slice(first, first + more))
                first += more
                filling.add(part, label, Piece(row, more, last=first == clips))
            else:
                yield filling.taken()
    if filling.clips:
        yield filling.taken()


class _Filling:
    """A batch that is being filled."""

    def __init__(self, clips_at_once: int, padded: bool, most_bytes: int) -> None:
        self.clips_at_once, self.padded, self.most_bytes = clips_at_once, padded, most_bytes
        self._begin()

    def _begin(self) -> None:
        self.videos: list[LoadedVideo] = []
        self.labels: list[int | None] = []
        self.pieces: list[Piece] = []
        self.clips = 0
        self.kind: tuple | None = None
        self.frames: dict[str, tuple[int, int, int]] = {}  # how many, the greatest height, the greatest width

    def fitting(self, video: LoadedVideo, first: int) -> int:
        """How many clips of a video, from its clip `first` on, still come into the batch."""
        if self.kind not in (None, self._kind(video)):
            return 0
        some = slice(first, first + self.clips_at_once - self.clips)
        pixels = 0
        for name, stream in video.streams.items():
            held, *sides = self.frames.get(name, (0, 0, 0))
            height, width = np.maximum(sides, stream.pixels.shape[1:3])
            pixels = pixels + (held + _distinct(stream.where[some])) * height * width * stream.pixels.shape[3]
        fit = int(np.sum(pixels <= self.most_bytes))
        return fit if self.clips else max(1, fit)

    def add(self, part: LoadedVideo, label: int | None, piece: Piece) -> None:
        """Takes clips that fit."""
        self.videos.append(part)
        self.labels.append(label)
        self.pieces.append(piece)
        self.clips += piece.clips
        self.kind = self._kind(part)
        for name, stream in part.streams.items():
            count, height, width, _ = stream.pixels.shape
            held, tallest, widest = self.frames.get(name, (0, 0, 0))
            self.frames[name] = (held + count, max(tallest, height), max(widest, width))

    def taken(self) -> tuple[ClipBatch, list[Piece]]:
        """The batch so far; the next one begins."""
        pieces = self.pieces
        batch = flat_batch(self.videos, [piece.row for piece in pieces], self.labels)
        self._begin()
        return batch, pieces

    def _kind(self, video: LoadedVideo) -> tuple:
        """What all clips of a batch have in common."""
        shapes = [stream.pixels.shape[3 if self.padded else 1 :] for stream in video.streams.values()]
        return video.numbers.shape[1], shapes


def _in_a_column(clips: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Clips [N, T] of each video as rows of their own: [the sum of all N, 1, T]."""
    return np.concatenate(clips)[:, None]


def _distinct(where: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many different frames the first clip has, the first two, and so on: int64 [N] of rows [N, T]."""
    _, at = np.unique(where, return_index=True)
    return np.bincount(at // where.shape[1], minlength=len(where)).cumsum()
