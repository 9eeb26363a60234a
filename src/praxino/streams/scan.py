"""Looks through a video file for its frames: at its packets where they can be trusted, else by decoding all of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from praxino.streams.decode import open_video
from praxino.streams.index import MISSING, FrameIndex, Turn

# In MP4 a packet of these is a frame, and the header knows how many there are. MPEG-4's may hold frames not coded.
TRUSTED_CODECS = ("h264", "hevc")
# Of these a packet that nothing refers to can be left out of a decode without a change to any other frame. HEVC is
# not among them: its frames without reference may have some in a higher temporal layer.
SKIPPABLE_CODECS = ("h264", "mpeg4")
# Frames of more pixels than this take longer to decode than FFmpeg takes to look further without decoding.
QUICK_PIXELS = 40_000
HEAD = 12


@dataclass
class _Found:
    """What one pass over a file has seen."""

    pts: list[int] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)
    sizes: set[tuple[int, int]] = field(default_factory=set)
    first: Any = None
    turn: Turn = field(default_factory=Turn)
    interlaced: bool = False
    reordered: bool = False
    corrupt: bool = False
    error: str = ""
    notes: list[str] = field(default_factory=list)

    def add(self, frame: Any) -> None:
        if self.first is None:
            self.first = (frame.height, frame.width)
            self.turn = _turn(frame, self.notes)
        self.sizes.add((frame.height, frame.width))
        self.interlaced |= frame.interlaced_frame
        self.corrupt |= frame.is_corrupt
        self.pts.append(MISSING if frame.pts is None else frame.pts)


def build_index(path: str, full: bool = False) -> FrameIndex:
    """Finds the frames of a file, from its packets where they can be trusted, else by decoding all of it.

    Args:
        path: a video file.
        full: decode in any case.

    Raises:
        OSError, ValueError: if nothing comes out, with the reason.
    """
    container, stream = open_video(path)
    with container:
        facts = _facts(container, stream)
        if not full and "mp4" in facts["format"] and facts["codec"] in TRUSTED_CODECS:
            packets, keys = _trusted_packets(container, stream, facts["header_frames"])
        else:
            packets, keys = [], []
    if packets:
        pts = sorted(packets)
        found = _decode(path, HEAD)
        head_is_right = found.pts == pts[: len(found.pts)] and len(found.pts) == min(HEAD, len(pts))
        if head_is_right and not found.corrupt and not found.error:
            found.pts, found.keys, found.reordered = pts, keys, packets != pts
            return _index(path, found, facts, decoded=False)
    found = _decode(path, None)
    if not found.pts:
        raise ValueError(f"no frame can be decoded{': ' + found.error if found.error else ''}")
    return _index(path, found, facts, decoded=True)


def _facts(container: Any, stream: Any) -> dict[str, Any]:
    # Copied here, because a stream's values turn into garbage when its container is closed.
    aspect = stream.sample_aspect_ratio
    return {
        "format": container.format.name.split(","),
        "codec": stream.codec_context.name,
        "header_frames": int(stream.frames),
        "tick": float(stream.time_base or Fraction(1, 1000)),
        "rate": float(stream.average_rate or stream.guessed_rate or 25),
        "aspect": "" if not aspect or aspect == 1 else f"{aspect.numerator}:{aspect.denominator}",
    }


def _trusted_packets(container: Any, stream: Any, header_frames: int) -> tuple[list[int], list[int]]:
    """Timestamps of all packets and of the keys, as they lie; nothing where anything about the packets is odd."""
    import av

    pts, keys = [], []
    first = None
    length_bytes = _length_bytes(stream.codec_context.name, bytes(stream.codec_context.extradata or b""))
    try:
        for packet in container.demux(stream):
            if packet.size == 0 and packet.dts is None:
                continue
            odd = packet.pts is None or packet.dts is None or packet.is_discard or packet.is_corrupt
            if odd or not _whole_units(bytes(packet), length_bytes):
                return [], []
            if first is None:
                first = packet.pts if packet.is_keyframe else MISSING
            pts.append(packet.pts)
            if packet.is_keyframe:
                keys.append(packet.pts)
    except av.FFmpegError:
        return [], []
    if not pts or min(pts) != first or len(set(pts)) != len(pts) or len(pts) != header_frames:
        return [], []
    return pts, keys


def _length_bytes(codec: str, configuration: bytes) -> int:
    """Bytes of the length before each unit of a packet, from the avcC or hvcC box; 0 where there is none."""
    at = {"h264": 4, "hevc": 21}[codec]
    return (configuration[at] & 3) + 1 if len(configuration) > at and configuration[0] == 1 else 0


def _whole_units(packet: bytes, length_bytes: int) -> bool:
    """Whether the lengths within a packet add up to it: in a file that was overwritten or not written they do not."""
    at = 0
    while length_bytes and at < len(packet):
        length = int.from_bytes(packet[at : at + length_bytes], "big")
        if length == 0:
            return False
        at += length_bytes + length
    return at == len(packet) > 0


def _decode(path: str, most: int | None, quick: bool = False) -> _Found:
    """Decodes from the start to the end, to the first error, or until `most` frames came out."""
    import av

    found = _Found()
    flagged: set[int] = set()
    before = MISSING
    container, stream = open_video(path, quick=quick)
    with container:
        try:
            for packet in container.demux(stream):
                if packet.pts is not None:
                    found.reordered |= packet.pts < before
                    before = packet.pts
                    if packet.is_keyframe:
                        flagged.add(packet.pts)
                for frame in packet.decode():
                    if most is not None and len(found.pts) == most:
                        return found
                    found.add(frame)
                    # Both must say so: a demuxer calls frames of an animated image keys which are differences.
                    if frame.key_frame and frame.pts in flagged:
                        found.keys.append(frame.pts)
        except av.FFmpegError as error:
            found.error = error.strerror or type(error).__name__
    return found


def _index(path: str, found: _Found, facts: dict[str, Any], decoded: bool) -> FrameIndex:
    pts = np.array(found.pts, np.int64)
    seekable = MISSING not in found.pts and bool((np.diff(pts) > 0).all())
    clean = not (found.corrupt or found.error or found.interlaced)
    height, width = found.first
    notes = found.notes
    if found.error:
        header = f" of {facts['header_frames']}" if facts["header_frames"] else ""
        notes.append(f"breaks off after frame {len(pts)}{header} ({found.error})")
    elif facts["header_frames"] not in (0, len(pts)):
        notes.append(f"{len(pts)} frames come out, and its header says {facts['header_frames']}")
    if not seekable:
        notes.append("timestamps do not tell the frames apart, so they are counted from the start")
    elif _varies(np.diff(pts)):
        notes.append("variable frame rate")
    if found.turn != Turn():
        notes.append("turned as its display matrix says")
    if facts["aspect"]:
        notes.append(f"pixels are not square ({facts['aspect']}) and stay as stored")
    if len(found.sizes) > 1:
        notes.append("the frame size changes, and later frames are scaled to the first's")
    return FrameIndex(
        pts=pts,
        keys=np.unique(np.array(found.keys, np.int64)),
        tick=facts["tick"],
        rate=facts["rate"],
        height=height,
        width=width,
        turn=found.turn,
        seekable=seekable,
        # Without a change of order there are no frames that nothing refers to, as a rule, and asking for it costs.
        skippable=seekable and clean and found.reordered and facts["codec"] in SKIPPABLE_CODECS,
        quick=seekable and height * width > QUICK_PIXELS and _opens_quickly(path, found, facts),
        decoded=decoded,
        note="; ".join(notes),
    )


def _opens_quickly(path: str, found: _Found, facts: dict[str, Any]) -> bool:
    # MP4 and Matroska store each frame's time. In others it is worked out from what the first frames tell.
    if facts["codec"] != "h264" or {"mp4", "matroska"}.isdisjoint(facts["format"]):
        return False
    return _decode(path, HEAD, quick=True).pts == found.pts[:HEAD]


def _varies(steps: NDArray[np.int64]) -> bool:
    # Containers round to a tick, so a step of one tick more or less is no change of rate.
    return len(steps) > 0 and bool(steps.max() - steps.min() > max(2, 0.1 * float(np.median(steps))))


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
