"""One pass over a video file from its start: what comes out of it, of which every other read must give the same."""

from __future__ import annotations

import zlib
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from praxino.streams.decode import decoded
from praxino.streams.index import MISSING, Turn
from praxino.streams.opening import open_video

# The loop filter changes pixels and nothing else: without it a pass takes two thirds of the time.
MENDING = {"skip_loop_filter": "all"}
# The decoder stops at what it would pass over. Where it does not, it leaves what it would mend, which looks otherwise.
STRICT = {"err_detect": "explode+crccheck+bitstream+buffer", **MENDING}
# Whose pixels need no scaler to be looked at.
PLAIN_FORMATS = ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "gray")


@dataclass
class Found:
    """What one pass over a file has seen.

    Attributes:
        facts: of the container and the stream: format, codec, header_frames, tick, rate, aspect.
        pts: timestamp of each frame, in ticks; MISSING where there is none.
        keys: timestamps of frames that are keys to the container and to the decoder.
        pictures: timestamp -> checksum, of the keys or of all frames.
        packets: timestamp and bytes of each packet.
        sizes, formats: of the frames.
        first: height and width of the first one; its turn is `turn`.
        interlaced, reordered: whether any is.
        corrupt: how many frames are marked corrupt.
        bad: how many packets do not decode.
        error: why the packets break off.
        notes: what is odd about the frames.
    """

    facts: dict[str, Any]

    pts: list[int] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)
    pictures: dict[int, int] = field(default_factory=dict)
    packets: list[tuple[int | None, int]] = field(default_factory=list)
    sizes: set[tuple[int, int]] = field(default_factory=set)
    formats: set[str] = field(default_factory=set)
    first: Any = None
    turn: Turn = field(default_factory=Turn)
    interlaced: bool = False
    reordered: bool = False
    corrupt: int = 0
    bad: int = 0
    error: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def damaged(self) -> bool:
        """Whether anything in the file did not decode as it should."""
        return bool(self.corrupt or self.bad or self.error)

    def heard(self, packet: Any, said: str) -> None:
        """What the decoder said of a packet, or the demuxer where there is none."""
        if packet is not None and (said or packet.is_corrupt):
            self.bad += 1
        elif said:
            self.error = said

    def add(self, frame: Any) -> None:
        """Takes a frame into account."""
        if self.first is None:
            self.first = (frame.height, frame.width)
            self.turn = _turn(frame, self.notes)
        self.sizes.add((frame.height, frame.width))
        self.formats.add(frame.format.name)
        self.interlaced |= frame.interlaced_frame
        self.corrupt += frame.is_corrupt
        self.pts.append(MISSING if frame.pts is None else frame.pts)


def one_pass(
    path: str,
    decoder: Mapping[str, str] | None = None,
    most: int | None = None,
    quick: bool = False,
    keys_only: Container[str] = (),
) -> Found:
    """Decodes from the start to the end, or, where the decoder has options, to the first sign of damage.

    Args:
        path: a video file.
        decoder: options of the decoder; with them pictures get checksums.
        most: no more frames than these.
        quick: as of `open_video`.
        keys_only: codecs of which only the keys' pictures get checksums.

    Raises:
        av.FFmpegError, OSError, ValueError, MemoryError: if it cannot be opened.
    """
    from av.video.reformatter import VideoReformatter

    scaler = VideoReformatter()
    flagged: set[int] = set()
    container, stream = open_video(path, quick=quick, decoder=decoder)
    with container:
        found = Found(_facts(container, stream))
        before = MISSING
        for packet, frames, said in decoded(container.demux(stream), stream.codec_context):
            found.heard(packet, said)
            if decoder and found.damaged:
                break
            if packet is not None:
                found.packets.append((packet.pts, packet.size))
            if packet is not None and packet.pts is not None:
                found.reordered |= packet.pts < before
                before = packet.pts
                if packet.is_keyframe:
                    flagged.add(packet.pts)
            for frame in frames:
                if most is not None and len(found.pts) == most:
                    return found
                found.add(frame)
                # Both must say so: a demuxer calls frames of an animated image keys which are differences.
                key = frame.key_frame and frame.pts in flagged
                if key:
                    found.keys.append(frame.pts)
                if decoder and frame.pts is not None and (key or found.facts["codec"] not in keys_only):
                    found.pictures[frame.pts] = checksum(scaler, frame)
    return found


def checksum(scaler: Any, frame: Any) -> int:
    """A number that tells pictures apart: of the frame as it is decoded, or else of its RGB pixels.

    Args:
        scaler: makes RGB; the same one for all frames.
        frame: a decoded one.
    """
    samples = 1
    if frame.format.name not in PLAIN_FORMATS:
        samples = 3
        frame = scaler.reformat(frame, format="rgb24", threads=1)
    number = zlib.crc32(f"{frame.format.name} {frame.color_range} {frame.colorspace}".encode())
    for plane in frame.planes:
        # Lines are longer than the picture, and what is behind it is anything.
        lines = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
        number = zlib.crc32(lines[:, : samples * plane.width].tobytes(), number)
    return number


def _facts(container: Any, stream: Any) -> dict[str, Any]:
    # Copied here, because a stream's values turn into garbage when its container is closed.
    aspect = stream.sample_aspect_ratio
    return {
        "format": container.format.name.split(","),
        "codec": stream.codec_context.codec.canonical_name,
        "header_frames": int(stream.frames),
        "tick": float(stream.time_base or Fraction(1, 1000)),
        "rate": float(stream.average_rate or stream.guessed_rate or 25),
        "aspect": "" if not aspect or aspect == 1 else f"{aspect.numerator}:{aspect.denominator}",
    }


def _turn(frame: Any, notes: list[str]) -> Turn:
    """The turn of a frame's display matrix: x' = a x + c y, y' = b x + d y of column x and row y."""
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return Turn()
    a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5].tolist()
    if a and d and not b and not c:
        return Turn(False, d < 0, a < 0)
    if b and c and not a and not d:
        return Turn(True, b < 0, c < 0)
    notes.append("its display matrix is no turn by a multiple of 90 degrees, and is left out")
    return Turn()
