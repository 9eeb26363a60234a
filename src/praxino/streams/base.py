"""Kinds of pixels, and how frames come out of a video by their numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from praxino.catalogs.base import Files, Video
from praxino.errors import UnreadableVideo, UserError


@dataclass(frozen=True)
class Canvas:
    """The size at which frames leave the reader, made by the decoder's scaler in the loading process.

    Small canvases save memory and time; but the scaler's filter is not Pillow's, so recipes that must agree with an
    original to the bit take frames as they are (`Canvas()`).

    Args:
        short_side: the shorter side becomes this many pixels, the aspect ratio is kept.
        exact: (height, width) in pixels, the aspect ratio is not kept.
        longest: no side is longer than this many pixels, the aspect ratio is kept: what exceeds it shrinks, so that one
            huge picture does not decide the size of a batch. Without `short_side` everything else stays as it is.
        even: sides that are scaled become even numbers, the nearest ones; the decoder's scaler is quicker on them.

    Raises:
        UserError: if `exact` is given beside another one, or a size is below 1.
    """

    short_side: int | None = None
    exact: tuple[int, int] | None = None
    longest: int | None = None
    even: bool = False

    def __post_init__(self) -> None:
        if self.exact is not None and (self.short_side is not None or self.longest is not None or self.even):
            raise UserError("a canvas takes exact, or short_side, longest and even, not both")
        sides = (self.short_side, *(self.exact or ()), self.longest)
        if min((side for side in sides if side is not None), default=1) < 1:
            raise UserError("the sides of a canvas are at least 1 pixel")

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width on this canvas of a frame of the given height and width."""
        if self.exact is not None:
            return self.exact[0], self.exact[1]
        scale = 1.0 if self.short_side is None else self.short_side / min(height, width)
        if self.longest is not None:
            scale = min(scale, self.longest / max(height, width))
        if self.even and scale != 1:
            return max(2, 2 * round(height * scale / 2)), max(2, 2 * round(width * scale / 2))
        return max(1, round(height * scale)), max(1, round(width * scale))


class FrameReader(ABC):
    """The frames of one stream of one open video; a context manager.

    Attributes:
        times: float64 [frames], the seconds of each frame. Its length is THE length; frame k is the k-th that comes
            out of a decode from the start.
    """

    times: NDArray[np.float64]

    @abstractmethod
    def read(self, indices: Sequence[int] | NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Exact frames in one ordered pass, in any order and with repeats.

        Args:
            indices: n frame numbers, each in [0, len(times)).

        Returns:
            pixels uint8 [n, H, W, C] and present bool [n]; where a frame does not come out although it should,
            present is False and its pixels are those of the nearest one that did.

        Raises:
            UnreadableVideo: if none of the frames comes out.
            IndexError: if an index is out of range.
        """

    def in_order(self, begin: int = 0) -> Iterator[NDArray[np.uint8] | None]:
        """All frames from number `begin` to the last, [H, W, C] each; None in place of one that does not come out.

        Here each is read by itself. A reader for which one pass is quicker overrides it. Between two frames nothing
        else is read.

        Raises:
            UnreadableVideo: if no more frames can be read.
        """
        for number in range(begin, len(self.times)):
            try:
                pixels, present = self.read([number])
            except UnreadableVideo:  # that none of the one frame comes out
                yield None
            else:
                yield pixels[0] if present[0] else None

    def shown(
        self, pixels: NDArray[np.uint8], present: NDArray[np.bool_], where: NDArray[np.int64]
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.int64]]:
        """What clips show of frames that were read, for a reader to which a missing frame's clip matters.

        Args:
            pixels, present: as `read` gave them, of n frames.
            where: int64 [N, T], which of these frames N clips of T frames show.

        Returns:
            The three again; by default as they are, since `read` has filled in what is missing.
        """
        return pixels, present, where

    def close(self) -> None:  # noqa: B027  (nothing to close is a valid reader)
        """Frees what is open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def files_of(video: Video, stream: str) -> Files:
    """The files of one stream of a video.

    Raises:
        UnreadableVideo: if it has none.
    """
    if stream not in video.files:
        there = ", ".join(sorted(video.files)) or "nothing"
        raise UnreadableVideo(video.id, f"it has no {stream}, only {there}, and no stream is named that makes it")
    return video.files[stream]


def checked(id: str, indices: Sequence[int] | NDArray[np.int64], frames: int) -> NDArray[np.int64]:
    """Frame numbers as int64 [n].

    Raises:
        IndexError: if one is not in [0, frames).
    """
    numbers = np.asarray(indices, np.int64).reshape(-1)
    if len(numbers) and not (numbers.min() >= 0 and numbers.max() < frames):
        raise IndexError(f"{id} has {frames} frames, and {numbers.min()}..{numbers.max()} were asked for")
    return numbers


def fill_missing(id: str, indices: NDArray[np.int64], pixels: NDArray[np.uint8], present: NDArray[np.bool_]) -> None:
    """Gives frames that did not come out the pixels of the nearest one that did (of two, the earlier), in place.

    Args:
        id: the video's.
        indices: n frame numbers.
        pixels: [n, H, W, C].
        present: [n].

    Raises:
        UnreadableVideo: if none came out.
    """
    if not present.any():
        raise UnreadableVideo(id, "none of the frames asked for comes out")
    there = np.flatnonzero(present)[np.argsort(indices[present], kind="stable")]
    for row in np.flatnonzero(~present):
        pixels[row] = pixels[there[np.argmin(np.abs(indices[there] - indices[row]))]]


def refuse_other_frames(stream: str, pixels: Any, channels: int) -> None:
    """Refuses frames that are not what their stream says.

    Args:
        stream: its name.
        pixels: what was read or made.
        channels: what the stream says.

    Raises:
        UserError: unless they are uint8 [n, H, W, channels], with H and W above 0.
    """
    if not isinstance(pixels, np.ndarray):
        raise UserError(
            f"the stream {stream} should give its frames as an array of NumPy, and gives a {type(pixels).__name__}: "
            "correct its class"
        )
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[3] != channels or 0 in pixels.shape[1:]:
        raise UserError(
            f"the stream {stream} says channels = {channels}, so its frames should be uint8 [H, W, {channels}], and "
            f"they are {pixels.dtype} {list(pixels.shape[1:])}: correct its class, or what it is told to read"
        )


@dataclass(frozen=True)
class Probed:
    """What a probe of one video found.

    Attributes:
        frames: how many come out.
        note: anything odd about it, in a few words.
        size: height and width of its frames without a canvas; None: not known.
    """

    frames: int
    note: str = ""
    size: tuple[int, int] | None = None


class Stream(ABC):
    """Opens videos. An object of a few settings: never an open file, so that it may cross a fork.

    Attributes:
        channels: C, how many channels its frames have: 3 of colours, 2 of flow, 1 of masks. Of the class, or set from
            an argument. It is what a network is tried with before anything is decoded; a file with another number is a
            video that cannot be read, and the reader says so.
    """

    channels: int = 3

    @abstractmethod
    def open(self, video: Video, canvas: Canvas = Canvas()) -> FrameReader:
        """Opens the stream of a video.

        Raises:
            UnreadableVideo: if there is nothing to decode.
        """

    def probe(self, video: Video, full: bool = False) -> Probed:
        """How many frames come out. `full`: by decoding all of it, else as cheaply as is safe.

        Raises:
            UnreadableVideo: if there is nothing to decode.
        """
        with self.open(video) as reader:
            return Probed(len(reader.times))


class Derived(ABC):
    """A stream made in the loading process from another stream's frames, in one decode for both (flow on the fly).

    A new one overrides `needs` and `make`; one that may find nothing in a frame says so by `found`.

    Attributes:
        of: the stream it is made from, one that is read from files.
        channels: C, how many channels its frames have.
        fewer: how many frames fewer than that stream it has: the last ones, for which a frame to come is needed.
    """

    of: str
    channels: int = 3
    fewer: int = 0

    @abstractmethod
    def needs(self, wanted: NDArray[np.int64]) -> NDArray[np.int64]:
        """The frames of `of` that are needed for the frames `wanted`, e.g. k -> k, k + 1."""

    @abstractmethod
    def make(self, pixels: NDArray[np.uint8], wanted: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The derived frames uint8 [len(wanted), H, W, C].

        Args:
            pixels: uint8 [n, H, W, C'], the n frames `needs(wanted)` of `of`.
            wanted: numbers of the frames to make, ascending.

        Raises:
            ValueError: if nothing can be made of frames like these.
        """

    def found(
        self, pixels: NDArray[np.uint8], wanted: NDArray[np.int64]
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """The derived frames, and in which of them what is looked for was found: others are not present.

        By default what `make` makes, and all of them. One that looks for something overrides it, and lets `make` return
        its frames.

        Args:
            pixels, wanted: as of `make`.

        Returns:
            uint8 [len(wanted), H, W, C] and present bool [len(wanted)].

        Raises:
            ValueError: if nothing can be made of frames like these.
        """
        return self.make(pixels, wanted), np.ones(len(wanted), np.bool_)
