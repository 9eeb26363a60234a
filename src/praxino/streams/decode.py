"""An open video file: frames from a key on, known by their timestamps, or counted from the start."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from praxino.streams.index import FrameIndex, Turn

Put = Callable[[int, NDArray[np.uint8]], None]


def open_video(path: str, threads: int = 1, quick: bool = False) -> tuple[Any, Any]:
    """Opens a file for decoding: the container and its first real video stream.

    Args:
        path: the file.
        threads: decoder threads.
        quick: do not decode the first frames while opening. What they would have told (how far H.264 reorders) is then
            guessed while decoding, so that frames at the start may be lost: whoever passes this checks what comes out.

    Raises:
        OSError: if it cannot be opened.
        ValueError: if it holds no video.
    """
    import av

    try:
        # The option goes to the decoder that looks into the file while it is opened, not to the one that is used later.
        container = av.open(path, options={"skip_frame": "all"} if quick else {})
    except av.InvalidDataError:
        if os.path.getsize(path) == 0:
            raise ValueError("the file is empty") from None
        raise
    for stream in container.streams.video:
        # The cover picture of a piece of music is no video.
        if not stream.disposition & av.stream.Disposition.attached_pic:
            stream.codec_context.thread_count = threads
            return container, stream
    container.close()
    raise ValueError("the file has no video stream")


class OpenFile:
    """A file that this process has open."""

    def __init__(self, path: str, index: FrameIndex, size: tuple[int, int], threads: int, quick: bool) -> None:
        from av.video.reformatter import Interpolation, VideoReformatter

        self.process = os.getpid()
        self.index = index
        self.quick = quick
        self.container, self.stream = open_video(path, threads, quick)
        self.fresh = True
        self.scaler = VideoReformatter()
        self.height, self.width = index.turn.size(*size)
        shrinks = self.height < index.height or self.width < index.width
        # A number and not a name, which the scaler would look up for each frame.
        self.filter = int(Interpolation.AREA if shrinks else Interpolation.BILINEAR)
        self.turn = None if index.turn == Turn() else index.turn

    def by_time(self, row: int, wanted: NDArray[np.int64], put: Put) -> bool:
        """Decodes from a key and knows frames by their timestamps; False as soon as anything is not as the index says.

        Args:
            row: of `index.keys`; -1 is the start of the file.
            wanted: ascending frame numbers.
            put: takes a frame's number and its pixels.
        """
        import av

        times = self.index.pts[wanted].tolist()
        numbers = dict(zip(times, wanted.tolist(), strict=True))
        coming = iter(times)
        next_time = next(coming)
        skippable = self.index.skippable
        try:
            for packet in self._packets(row, next_time):
                if skippable:
                    self._skip(packet.pts is not None and packet.pts not in numbers)
                for frame in packet.decode():
                    time = frame.pts
                    if time is None or time > next_time:
                        return False
                    if time == next_time:
                        put(numbers[time], self._pixels(frame))
                        next_time = next(coming, None)
                        if next_time is None:
                            return True
        except av.FFmpegError:
            return False
        return False

    def _packets(self, row: int, first: int) -> Iterator[Any]:
        """Packets from a key on; none where the seek did not land on one that is in time for the first wanted frame."""
        # The first key of a fresh file lies ahead of it.
        seek = not (self.fresh and row <= 0)
        self.fresh = False
        if seek:
            self.container.seek(int(self.index.keys[row]), stream=self.stream, backward=True)
        packets = iter(self.container.demux(self.stream))
        if seek:
            # Some containers land between keys (MPEG-TS).
            key = next((packet for packet in packets if packet.is_keyframe and packet.pts is not None), None)
            if key is None or key.pts > first:
                return
            yield key
        yield from packets

    def _skip(self, skip: bool) -> None:
        # Only packets that nothing refers to are left out by this, so that the other frames stay the same.
        mode = "NONREF" if skip else "DEFAULT"
        if mode != self._mode:
            self.stream.codec_context.skip_frame = self._mode = mode

    _mode = "DEFAULT"

    def by_count(self, wanted: NDArray[np.int64], put: Put) -> None:
        """Decodes a file that was just opened, and counts, to the last wanted frame or the first error."""
        import av

        self.fresh = False
        number, numbers = 0, set(wanted.tolist())
        try:
            for packet in self.container.demux(self.stream):
                for frame in packet.decode():
                    if number in numbers:
                        put(number, self._pixels(frame))
                        numbers.remove(number)
                        if not numbers:
                            return
                    number += 1
        except av.FFmpegError:
            return

    def _pixels(self, frame: Any) -> NDArray[np.uint8]:
        # One thread: by default the scaler starts one for each core, for each frame.
        rgb: Any = self.scaler.reformat(
            frame, width=self.width, height=self.height, format="rgb24", interpolation=self.filter, threads=1
        )
        # A view of the plane, whose lines are longer than the frame's: `to_ndarray` makes the same more slowly.
        plane = rgb.planes[0]
        pixels = np.ndarray((self.height, self.width, 3), np.uint8, plane, 0, (plane.line_size, 3, 1))
        return pixels if self.turn is None else self.turn(pixels)
