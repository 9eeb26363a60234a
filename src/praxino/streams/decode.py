"""An open video file: frames from a key on, known by their timestamps, or counted from the start."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import dropwhile, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from praxino.streams.index import FrameIndex, Turn
from praxino.streams.opening import open_video

Put = Callable[[int, NDArray[np.uint8]], None]


def decoded(packets: Iterable[Any], decoder: Any) -> Iterator[tuple[Any, list[Any], str]]:
    """What comes out of a decoder, packet by packet, and at the end what it still holds.

    One bad packet is not the end, as what is decoded after it counts. Only where packets break off is the end.

    Args:
        packets: of one stream, from where a decode may begin.
        decoder: the stream's codec context.

    Yields:
        A packet (None at the end), its frames, and what went wrong, in a few words.

    Raises:
        MemoryError: since with more memory other frames would come out.
    """
    import av

    coming = iter(packets)
    while True:
        try:
            packet = next(coming, None)
        except IndexError:
            # PyAV at the end of a file in which streams began that were not there when it was opened.
            packet = None
        except av.FFmpegError as error:
            yield None, [], _said(error) or "breaks off"
            packet = None
        # To a decoder an empty packet is the end; within a file it is a frame that was left out.
        if packet is not None and packet.size == 0:
            continue
        frames: list[Any] = []
        said = ""
        try:
            frames = decoder.decode(packet)
        except av.FFmpegError as error:
            said = _said(error)
        yield packet, frames, said
        if packet is None:
            return


def _said(error: Any) -> str:
    if isinstance(error, MemoryError):
        raise error
    return str(error.strerror or type(error).__name__)


def from_key(packets: Iterable[Any]) -> Iterator[Any]:
    """Packets from the first key on: after a seek some containers land between keys (MPEG-TS)."""
    return dropwhile(lambda packet: not packet.is_keyframe or packet.pts is None, packets)


def _only(packets: Iterable[Any], wanted: Collection[int]) -> Iterator[Any]:
    """The packets of the wanted times, and no further than the last of them."""
    left = len(wanted)
    for packet in packets:
        if packet.pts in wanted:
            yield packet
            left -= 1
            if not left:
                return


class OpenFile:
    """A file that this process has open."""

    def __init__(self, path: str, index: FrameIndex, size: tuple[int, int], threads: int, quick: bool) -> None:
        from av.video.reformatter import Interpolation, VideoReformatter

        self.process = os.getpid()
        self.index = index
        self.quick = quick
        # Several threads conceal what is damaged in other ways than one.
        self.container, self.stream = open_video(path, threads if index.clean else 1, quick)
        self.fresh = True
        self.scaler = VideoReformatter()
        self.height, self.width = index.turn.size(*size)
        shrinks = self.height < index.height or self.width < index.width
        # A number and not a name, which the scaler would look up for each frame.
        self.filter = int(Interpolation.AREA if shrinks else Interpolation.BILINEAR)
        self.turn = None if index.turn == Turn() else index.turn
        self.apart = self._frames_apart()

    def _frames_apart(self) -> bool:
        """Whether no frame needs another one, so that packets that are not wanted need not be decoded."""
        context = self.stream.codec_context
        # A palette comes with some packet, and holds for those behind it.
        alone = context.codec.intra_only and context.pix_fmt not in (None, "pal8")
        return bool(alone and self.index.seekable and len(self.index.keys) == len(self.index.pts))

    def by_time(self, row: int, wanted: NDArray[np.int64], put: Put) -> bool:
        """Decodes from a key and knows frames by their timestamps; False as soon as anything is not as the index says.

        Args:
            row, wanted: as of `known_by_time`.
            put: takes a frame's number and its pixels.
        """
        count = 0
        for number, pixels in self.known_by_time(row, wanted):
            put(number, pixels)
            count += 1
        return count == len(wanted)

    def known_by_time(self, row: int, wanted: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """Numbers and pixels of frames, known by their timestamps; it ends where anything is not as the index says.

        Args:
            row: of `index.keys`, where to decode from; -1 is the start of the file.
            wanted: ascending frame numbers.
        """
        times = self.index.pts[wanted].tolist()
        numbers = dict(zip(times, wanted.tolist(), strict=True))
        coming = iter(times)
        next_time = next(coming)
        packets = self._packets(row, next_time)
        if self.apart:
            packets = _only(packets, numbers)
        elif self.index.skippable:
            packets = self._skipping(packets, numbers)
        for _, frames, said in decoded(packets, self.stream.codec_context):
            if said:
                return
            for frame in frames:
                time = frame.pts
                if time is None or time > next_time:
                    return
                if time == next_time:
                    if frame.is_corrupt:
                        return
                    yield numbers[time], self._pixels(frame)
                    next_time = next(coming, None)
                    if next_time is None:
                        return

    def _packets(self, row: int, first: int) -> Iterator[Any]:
        """Packets from a key on; none where the seek did not land on one that is in time for the first wanted frame."""
        # The first key of a fresh file lies ahead of it.
        seek = not (self.fresh and row <= 0)
        self.fresh = False
        if seek:
            self.container.seek(int(self.index.keys[row]), stream=self.stream, backward=True)
        packets = iter(self.container.demux(self.stream))
        if seek:
            packets = from_key(packets)
            key = next(packets, None)
            if key is None or key.pts > first:
                return
            yield key
        yield from packets

    def _skipping(self, packets: Iterable[Any], wanted: Collection[int]) -> Iterator[Any]:
        """Packets, the decoder being told before each whether it may be left out."""
        for packet in packets:
            # Only packets that nothing refers to are left out by this, so that the other frames stay the same.
            mode = "DEFAULT" if packet.pts is None or packet.pts in wanted else "NONREF"
            if mode != self._mode:
                self.stream.codec_context.skip_frame = self._mode = mode
            yield packet

    _mode = "DEFAULT"

    def by_count(self, wanted: NDArray[np.int64], put: Put) -> None:
        """Decodes a file that was just opened, and counts, to the last wanted frame or the end."""
        numbers = set(wanted.tolist())
        for number, frame in enumerate(self._frames()):
            if number in numbers:
                put(number, self._pixels(frame))
                numbers.remove(number)
                if not numbers:
                    return

    def in_order(self, begin: int = 0) -> Iterator[NDArray[np.uint8]]:
        """The pixels of the frames of a file that was just opened, from number `begin` on."""
        for frame in islice(self._frames(), begin, None):
            yield self._pixels(frame)

    def _frames(self) -> Iterator[Any]:
        self.fresh = False
        for _, frames, _ in decoded(self.container.demux(self.stream), self.stream.codec_context):
            yield from frames

    def _pixels(self, frame: Any) -> NDArray[np.uint8]:
        # One thread: by default the scaler starts one for each core, for each frame.
        rgb: Any = self.scaler.reformat(
            frame, width=self.width, height=self.height, format="rgb24", interpolation=self.filter, threads=1
        )
        # A view of the plane, whose lines are longer than the frame's: `to_ndarray` makes the same more slowly.
        plane = rgb.planes[0]
        pixels = np.ndarray((self.height, self.width, 3), np.uint8, plane, 0, (plane.line_size, 3, 1))
        return pixels if self.turn is None else self.turn(pixels)
