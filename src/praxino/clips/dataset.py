"""From videos to batches: which frames, each decoded once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from praxino.batch import ClipBatch, Frames
from praxino.catalogs.base import Video
from praxino.clips.derived import canvas_of, make, rows_for
from praxino.clips.samplers import Sampler
from praxino.errors import UnreadableVideo, UserError
from praxino.printable import counted
from praxino.rng import Rng
from praxino.streams.base import Canvas, Derived, FrameReader, refuse_other_frames
from praxino.streams.choose import Streams, channels_of, derived_among, opened_for, shortest_of


@dataclass
class LoadedFrames:
    """One stream of one video: uint8 pixels [F, H, W, C], bool present [F], int64 where [N, T]."""

    pixels: NDArray[np.uint8]
    present: NDArray[np.bool_]
    where: NDArray[np.int64]


@dataclass
class LoadedVideo:
    """The clips of one video: int64 numbers and float64 times [N, T], and their pixels by stream."""

    numbers: NDArray[np.int64]
    times: NDArray[np.float64]
    streams: dict[str, LoadedFrames]

    def only(self, clips: slice) -> LoadedVideo:
        """The same with some of the clips and no other pixels."""
        streams = {}
        for name, frames in self.streams.items():
            rows, where = np.unique(frames.where[clips], return_inverse=True)
            where = where.reshape(frames.where[clips].shape).astype(np.int64)
            streams[name] = LoadedFrames(frames.pixels[rows], frames.present[rows], where)
        return LoadedVideo(self.numbers[clips], self.times[clips], streams)


def load_clips(
    video: Video,
    needed: Iterable[str],
    streams: Streams,
    canvas: Mapping[str, Canvas],
    sampler: Sampler,
    generator: np.random.Generator,
    length: int | None = None,
) -> LoadedVideo:
    """Samples the clips of a video and reads their frames, every distinct frame once.

    Args:
        video: one item of a catalog.
        needed: names of the streams to read.
        streams: name -> reader; one not named is told by the video's files.
        canvas: name -> size of its frames.
        sampler: which frames.
        generator: the clip's own.
        length: how many frames the probe found. The draw is of these, whatever the file turns out to hold: a clip
            drawn again after a crash is the same one. Frames beyond what there is are not present.

    Raises:
        UnreadableVideo: if a stream cannot be read, or the video is too short for the sampler.
        UserError: if a stream gives other frames than it says.
    """
    needed = tuple(needed)
    derived = derived_among(needed, streams)
    with ExitStack() as stack:
        readers = {
            name: stack.enter_context(stream.open(video, canvas_of(name, canvas, derived)))
            for name, stream in opened_for(video, needed, streams).items()
        }
        frames = shortest_of({name: len(reader.times) for name, reader in readers.items()}, needed, streams)
        times = min((reader.times for reader in readers.values()), key=len)[:frames]
        times = times if length is None else _as_long_as(times, length)
        if len(times) < sampler.min_frames:
            raise UnreadableVideo(
                video.id, f"has {counted(len(times), 'frame')}, and the sampler needs {sampler.min_frames}"
            )
        numbers = sampler(times, generator)
        try:
            loaded = read_frames(readers, derived, numbers, streams)
        except ValueError as error:
            raise UnreadableVideo(video.id, str(error)) from error
    return LoadedVideo(numbers, times[numbers], {name: loaded[name] for name in needed})


def read_frames(
    readers: Mapping[str, FrameReader], derived: Mapping[str, Derived], numbers: NDArray[np.int64], streams: Streams
) -> dict[str, LoadedFrames]:
    """The frames `numbers` [N, T] of all readers, and of the streams that are made from them, in one pass.

    Raises:
        UnreadableVideo: if none of a reader's frames comes out.
        ValueError: if nothing can be made of them.
        UserError: if they are other frames than one of `streams` says.
    """
    wanted, where = np.unique(numbers, return_inverse=True)
    where = where.reshape(numbers.shape).astype(np.int64)
    loaded = {}
    for name, reader in readers.items():
        sources = {target: source for target, source in derived.items() if source.of == name}
        rows = rows_for(wanted, sources.values())
        pixels, present = reader.read(np.minimum(rows, len(reader.times) - 1))
        refuse_other_frames(name, pixels, channels_of(name, streams))
        present = present & (rows < len(reader.times))
        for target, (made, there) in make(sources, wanted, rows, pixels, present).items():
            refuse_other_frames(target, made, sources[target].channels)
            loaded[target] = LoadedFrames(made, there, where)
        if len(rows) > len(wanted):  # else they are the same, and copying a stretch of frames is not free
            at = np.searchsorted(rows, wanted)
            pixels, present = pixels[at], present[at]
        loaded[name] = LoadedFrames(*reader.shown(pixels, present, where))
    return loaded


def _as_long_as(times: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    if len(times) >= length or not len(times):
        return times[:length]
    step = float(np.diff(times).mean()) if len(times) > 1 else 0.04
    return np.concatenate([times, times[-1] + step * np.arange(1, length - len(times) + 1)])


def collate(videos: Sequence[LoadedVideo], index: Sequence[int], label: Sequence[int | None]) -> ClipBatch:
    """Puts videos into one batch, padding their frames right and below to the largest."""
    names = videos[0].streams
    return ClipBatch(
        {name: collate_frames([video.streams[name] for video in videos]) for name in names},
        index=torch.tensor(index, dtype=torch.int64),
        label=torch.tensor([-1 if one is None else one for one in label], dtype=torch.int64),
        numbers=torch.from_numpy(np.stack([video.numbers for video in videos])),
        times=torch.from_numpy(np.stack([video.times for video in videos])),
    )


def collate_frames(
    parts: Sequence[LoadedFrames], joined: Callable[[list[NDArray[np.int64]]], NDArray[np.int64]] = np.stack
) -> Frames:
    """Puts one stream of several videos together, padding its frames right and below to the largest.

    Args:
        parts: of each video.
        joined: makes one array of the rows `where` [N, T] of each video: [B, N, T].
    """
    counts = [len(part.pixels) for part in parts]
    sizes = np.array([part.pixels.shape[1:3] for part in parts], dtype=np.int64)
    height, width = sizes.max(axis=0)
    pixels = np.zeros((sum(counts), height, width, parts[0].pixels.shape[3]), np.uint8)
    first = np.concatenate([[0], np.cumsum(counts)])
    for part, start in zip(parts, first, strict=False):
        frames, own_height, own_width, _ = part.pixels.shape
        pixels[start : start + frames, :own_height, :own_width] = part.pixels
    return Frames(
        pixels=torch.from_numpy(pixels),
        size=torch.from_numpy(np.repeat(sizes, counts, axis=0)),
        present=torch.from_numpy(np.concatenate([part.present for part in parts])),
        where=torch.from_numpy(joined([part.where + start for part, start in zip(parts, first, strict=False)])),
    )


class BatchKey(NamedTuple):
    """Which batch: an epoch, this rank's positions [first, last) in its order, and where the whole batch lies."""

    epoch: int
    first: int
    last: int
    batch_first: int
    batch_last: int


class ClipDataset:
    """Makes the batch of a key: the same one in whichever process, after whatever came before.

    Args:
        videos: the run's videos; a video's number here is its `index` in batches and its row in memory banks.
        needed: names of the streams to read.
        streams, canvas: as for `load_clips`.
        sampler: which frames.
        seed: of the run.
        shuffle: a new order each epoch, else the videos' own.
        lengths: frames of each video, as probed: int64 [videos].
    """

    def __init__(
        self,
        videos: Sequence[Video],
        needed: Sequence[str],
        sampler: Sampler,
        streams: Streams | None = None,
        canvas: Mapping[str, Canvas] | None = None,
        seed: int = 0,
        shuffle: bool = True,
        lengths: NDArray[np.int64] | Sequence[int] | None = None,
    ) -> None:
        self.videos = videos
        self.needed = tuple(needed)
        self.sampler = sampler
        self.streams = dict(streams or {})
        self.canvas = dict(canvas or {})
        self.seed = seed
        self.shuffle = shuffle
        self.lengths = None if lengths is None else np.asarray(lengths, np.int64)
        self._order: tuple[int, NDArray[np.int64]] = (-1, np.arange(0))

    def order(self, epoch: int) -> NDArray[np.int64]:
        """The videos in the order of an epoch: a function of (seed, epoch)."""
        if self._order[0] != epoch:
            videos = len(self.videos)
            shared = Rng(self.seed, "order", epoch).shared()
            self._order = (epoch, shared.permutation(videos) if self.shuffle else np.arange(videos))
        return self._order[1]

    def __getitem__(self, key: BatchKey) -> ClipBatch:
        order = self.order(key.epoch)
        taken = set(order[key.batch_first : key.batch_last].tolist())
        loaded, index, replaced = [], [], []
        for position in range(key.first, key.last):
            generator = Rng(self.seed, "clip", key.epoch, position).shared()
            row = int(order[position])
            try:
                loaded.append(self.load(row, generator))
            except UnreadableVideo as error:
                substitute = self._substitutes(order, position, key, taken)
                row, one = self._first_readable(substitute, generator, error)
                loaded.append(one)
                replaced.append(self.said_of(error, row))
                taken.add(row)
            index.append(row)
        batch = collate(loaded, index, [self.videos[row].label for row in index])
        batch.replaced = replaced
        return batch

    def load(self, row: int, generator: np.random.Generator) -> LoadedVideo:
        """The clips of one video; what a data set of another kind overrides or calls.

        Args:
            row: of the video.
            generator: what the sampler draws from.

        Raises:
            UnreadableVideo: if it cannot be decoded, or is too short.
        """
        length = int(self.lengths[row]) if self.lengths is not None else None
        return load_clips(self.videos[row], self.needed, self.streams, self.canvas, self.sampler, generator, length)

    def said_of(self, error: UnreadableVideo, row: int) -> str:
        """The line about a video that broke, and the row that was taken in its place."""
        return f"{error.id} broke while loading ({error.reason}); took {self.videos[row].id}"

    def _substitutes(self, order: NDArray[np.int64], position: int, key: BatchKey, taken: set[int]) -> Iterator[int]:
        # Steps of the batch's size from this position on: two broken videos of one batch, even on two ranks, walk
        # through different rows.
        step = key.batch_last - key.batch_first
        for k in range(1, len(order) + 1):
            row = int(order[(position + k * step + (k * step) // len(order)) % len(order)])
            if row not in taken:
                yield row

    def _first_readable(
        self, rows: Iterator[int], generator: np.random.Generator, error: UnreadableVideo
    ) -> tuple[int, LoadedVideo]:
        for row in rows:
            try:
                return row, self.load(row, generator)
            except UnreadableVideo:
                continue
        raise UserError(f"no video outside of the batch can replace {error.id}, which broke: {error.reason}")
