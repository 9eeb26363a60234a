"""All frames of a derived stream, from the first to the last, in one pass over the video."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from praxino.errors import UnreadableVideo, UserError
from praxino.streams.base import Derived, FrameReader, refuse_other_frames
from praxino.streams.opening import reason_of

MOST_FRAMES = 64
MOST_BYTES = 1 << 26


@dataclass(frozen=True)
class Made:
    """One frame of a derived stream.

    Attributes:
        number: counted from 0.
        pixels: uint8 [H, W, C]; None where a frame that it needs does not come out of the video.
        found: whether it shows what it is to show, as of `Derived.found`.
    """

    number: int
    pixels: NDArray[np.uint8] | None
    found: bool = True


def chunk_of(height: int, width: int) -> int:
    """How many frames of this size are made at once: a power of two, fewer of large ones."""
    fitting = max(1, min(MOST_FRAMES, MOST_BYTES // (3 * height * width)))
    return 1 << (fitting.bit_length() - 1)


def all_made(id: str, reader: FrameReader, provider: Derived, chunk: int | None = None) -> Iterator[Made]:
    """The frames of a derived stream in their order. No more are held than a chunk needs.

    Args:
        id: the video's.
        reader: of the stream from which it is made; read from its start.
        provider: makes it.
        chunk: frames that are made at once; None: by their size. It changes nothing of them.

    Raises:
        UnreadableVideo: if the video has too few frames, breaks off, or nothing can be made of its frames.
        UserError: if the provider needs frames that no video has, or gives others than it says.
    """
    frames = len(reader.times)
    count = frames - provider.fewer
    if count < 1:
        few = f"{frames} frame{'s' * (frames != 1)}"
        raise UnreadableVideo(id, f"it has {few}, and {type(provider).__name__} needs {provider.fewer + 1} at least")
    coming = reader.in_order()
    first = next(coming, None)
    if chunk is None:
        chunk = MOST_FRAMES if first is None else chunk_of(*first.shape[:2])
    coming = itertools.chain([first], coming)
    held: dict[int, NDArray[np.uint8]] = {}
    read = 0
    last_use = _last_uses(provider, frames, count, chunk)
    for turn, begin in enumerate(range(0, count, chunk)):
        wanted = np.arange(begin, min(begin + chunk, count))
        end = int(provider.needs(wanted).max(initial=-1)) + 1
        while read < end:
            pixels = next(coming, None)
            if pixels is not None and last_use[read] >= turn:
                held[read] = pixels
            read += 1
        yield from _chunk(id, provider, wanted, held)
        held = {number: pixels for number, pixels in held.items() if last_use[number] > turn}


def _last_uses(provider: Derived, frames: int, count: int, chunk: int) -> NDArray[np.int64]:
    """For each frame of the video the last chunk that needs it, -1 for none."""
    last = np.full(frames, -1, np.int64)
    for turn, begin in enumerate(range(0, count, chunk)):
        needed = provider.needs(np.arange(begin, min(begin + chunk, count)))
        if len(needed) and not (needed.min() >= 0 and needed.max() < frames):
            raise UserError(
                f"{type(provider).__name__} needs the frames {needed.min()} to {needed.max()} of a video of {frames}: "
                "correct what it says in needs and fewer"
            )
        last[needed] = turn
    return last


def _chunk(id: str, provider: Derived, wanted: NDArray[np.int64], held: dict[int, NDArray[np.uint8]]) -> Iterator[Made]:
    able = wanted
    if not all(number in held for number in provider.needs(wanted).tolist()):
        can = [all(number in held for number in provider.needs(one).tolist()) for one in wanted[:, None]]
        able = wanted[np.array(can, np.bool_)]
    made = dict[int, Made]()
    if len(able):
        name = type(provider).__name__
        try:
            pixels, found = provider.found(np.stack([held[k] for k in provider.needs(able).tolist()]), able)
        except (ValueError, MemoryError) as error:
            raise UnreadableVideo(id, reason_of(error)) from error
        refuse_other_frames(name, pixels, provider.channels)
        if len(pixels) != len(able):
            raise UserError(f"{name} makes {len(pixels)} frames where {len(able)} are wanted: correct its class")
        if np.shape(found) != able.shape:
            raise UserError(
                f"{name} says by found of {list(np.shape(found))} frames whether it has found something, and there are "
                f"{len(able)}: correct its class"
            )
        made = {int(k): Made(int(k), frame, bool(one)) for k, frame, one in zip(able, pixels, found, strict=True)}
    for number in wanted.tolist():
        yield made.get(number, Made(number, None))
