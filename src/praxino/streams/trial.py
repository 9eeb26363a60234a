"""Tries what a frame index is about to claim: that decoding may begin at each key."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from praxino.streams.decode import decoded, from_key
from praxino.streams.opening import open_video
from praxino.streams.sequential import checksum

LAST = int(np.iinfo(np.int64).max)


def keys_hold(
    path: str,
    decoder: Mapping[str, str],
    keys: Sequence[int],
    pictures: Mapping[int, int],
    packets: Sequence[tuple[int | None, int]],
    anew: bool = False,
) -> bool:
    """Whether a seek to each key finds the very packets and the very pictures that the pass from the start found.

    A container whose index is damaged guesses timestamps, and a packet that is called a key may be none.

    Args:
        path: the file.
        decoder: options of the decoder, that change pixels as those of that pass do.
        keys: their timestamps, ascending.
        pictures: timestamp -> checksum of the pictures to be compared, those of the keys at least.
        packets: timestamp and bytes of each packet, in order.
        anew: each key gets a decoder that has seen nothing else.
    """
    import av
    from av.video.reformatter import VideoReformatter

    rows = {time: row for row, (time, _) in reversed(list(enumerate(packets)))}
    times = sorted(pictures)
    scaler = VideoReformatter()
    container, stream = open_video(path, decoder=decoder)
    end = LAST  # of the frames that a reader looks for from a key
    with container:
        # The last one first: a decoder that has not seen the start lacks what is said there once.
        for key in reversed(keys):
            try:
                container.seek(key, stream=stream, backward=True)
                coming = from_key(container.demux(stream))
                first = next(coming, None)
                if first is None:
                    continue
                same = _Same(packets, rows.get(first.pts, len(packets)))
                begin, there = key, end
                if same.next() == (first.pts, first.size) and first.pts > key:
                    # A reader that sees itself behind its frames tries the key before, and then the start. From here,
                    # and from there, it decodes those that are not behind.
                    begin = first.pts
                else:
                    end = key
                wanted = {time: pictures[time] for time in times[bisect_left(times, begin) : bisect_left(times, there)]}
                if begin != key and not wanted:
                    continue
                using = _another(stream, decoder) if anew else stream.codec_context
                if not _found_again(same, same(chain([first], coming)), using, wanted, scaler):
                    return False
            except av.FFmpegError:
                return False
    return True


def _found_again(same: _Same, packets: Iterator[Any], decoder: Any, wanted: dict[int, int], scaler: Any) -> bool:
    for _, frames, said in decoded(packets, decoder):
        came = [frame for frame in frames if frame.pts in wanted]
        if said or same.differ or any(checksum(scaler, frame) != wanted.pop(frame.pts, None) for frame in came):
            return False
        if not wanted:
            # What is not decoded here has to be there nevertheless.
            next((packet for packet in packets if packet.is_keyframe), None)
            return not same.differ
    return False


def _another(stream: Any, options: Mapping[str, str]) -> Any:
    import av

    known = stream.codec_context
    other: Any = av.CodecContext.create(known.codec.name, "r")
    other.codec_tag, other.extradata = known.codec_tag, known.extradata
    other.width, other.height, other.thread_count, other.options = known.width, known.height, 1, dict(options)
    return other


class _Same:
    """Lets packets through as long as they are the expected ones."""

    def __init__(self, expected: Sequence[tuple[int | None, int]], row: int) -> None:
        self.expected = expected
        self.row = row
        self.differ = False

    def next(self) -> tuple[int | None, int] | None:
        """The packet that is to come."""
        return self.expected[self.row] if self.row < len(self.expected) else None

    def __call__(self, packets: Iterator[Any]) -> Iterator[Any]:
        for packet in packets:
            if packet.size:
                self.differ |= (packet.pts, packet.size) != self.next()
                self.row += 1
            if self.differ:
                return
            yield packet
