"""Looks through a video file for its frames, once, by decoding all of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from praxino.streams.index import MISSING, FrameIndex, Turn
from praxino.streams.opening import refuse_odd_file, refuse_text
from praxino.streams.sequential import MENDING, STRICT, Found, one_pass
from praxino.streams.trial import keys_hold

# In these a key is a beginning: nothing before it is needed for what comes after it. Others keep something from packet
# to packet (a palette, a dictionary, a canvas), and are read from their start.
SEEKABLE_CODECS = (
    *("h264", "hevc", "av1", "vp8", "vp9", "theora", "mpeg4", "mpeg1video", "mpeg2video", "h263", "flv1"),
    *("msmpeg4v2", "msmpeg4v3", "wmv1", "wmv2", "mjpeg", "prores", "dnxhd", "huffyuv", "ffvhuff", "rawvideo"),
)
# Containers that find their place again, and know the times there. MXF without its index makes them up.
SEEKABLE_FORMATS = ("mov", "matroska", "avi", "mpegts", "flv", "asf")
# Their decoders stop at damage where they are told to, so that after a seek only the key is compared. Others mend it in
# silence, and are compared picture by picture.
FIRM_CODECS = ("h264", "av1", "mpeg1video", "mpeg2video")
# Keys that may lean on the tables of a picture before, although each should bring its own.
LEANING_CODECS = ("mjpeg",)
# Of these a packet that nothing refers to can be left out of a decode without a change to any other frame. HEVC is
# not among them: its frames without reference may have some in a higher temporal layer.
SKIPPABLE_CODECS = ("h264", "mpeg4")
# Frames of more pixels than this take longer to decode than FFmpeg takes to look further without decoding.
QUICK_PIXELS = 40_000
HEAD = 12
LONGEST_STEP = 1.5  # of the median from frame to frame; where a packet is lost it is 2


def build_index(path: str) -> FrameIndex:
    """Finds the frames of a file by decoding all of it.

    The first pass stops at the first sign of damage. Only where there is none may frames be looked for from a key, or
    without packets between, and this is tried; else a second pass finds what comes out nevertheless.

    Args:
        path: a video file.

    Raises:
        av.FFmpegError, OSError, ValueError, MemoryError: if nothing comes out, with the reason.
    """
    refuse_odd_file(path)
    refuse_text(path)
    found = one_pass(path, STRICT, keys_only=FIRM_CODECS)
    clean = not found.damaged
    if not clean:
        found = one_pass(path)
    if not found.pts:
        raise ValueError(f"no frame can be decoded{': ' + found.error if found.error else ''}")
    return _index(path, found, clean)


def _may_seek(found: Found) -> bool:
    codec_allows = found.facts["codec"] in SEEKABLE_CODECS and "pal8" not in found.formats
    return codec_allows and not set(SEEKABLE_FORMATS).isdisjoint(found.facts["format"])


def _nothing_lost(found: Found) -> bool:
    """Whether there is no sign of lost packets, in whose place a decoder puts, in silence, what it has seen before."""
    counted = len(found.packets) == len(found.pts) and found.facts["header_frames"] in (0, len(found.pts))
    steps = np.diff(found.pts)
    return counted and not (len(steps) and steps.max() > LONGEST_STEP * np.median(steps))


def _keys_hold(path: str, found: Found) -> bool:
    """Tries the keys; where packets may be lost, every picture behind them, too."""
    if not _nothing_lost(found) and found.facts["codec"] in FIRM_CODECS:
        found = one_pass(path, STRICT)
    anew = found.facts["codec"] in LEANING_CODECS
    return keys_hold(path, MENDING, found.keys, found.pictures, found.packets, anew)


def _index(path: str, found: Found, clean: bool) -> FrameIndex:
    facts = found.facts
    pts = np.array(found.pts, np.int64)
    told_apart = MISSING not in found.pts and bool((np.diff(pts) > 0).all())
    allowed = told_apart and clean and _may_seek(found)
    seekable = allowed and _keys_hold(path, found)
    height, width = found.first
    return FrameIndex(
        pts=pts,
        keys=np.unique(np.array(found.keys, np.int64)),
        tick=facts["tick"],
        rate=facts["rate"],
        height=height,
        width=width,
        turn=found.turn,
        clean=clean and (seekable or not allowed),
        seekable=seekable,
        skippable=seekable and _may_skip(found),
        quick=seekable and height * width > QUICK_PIXELS and _opens_quickly(path, found),
        note="; ".join(_notes(found, clean, told_apart, allowed and not seekable)),
    )


def _may_skip(found: Found) -> bool:
    codec_allows = found.facts["codec"] in SKIPPABLE_CODECS and not found.interlaced
    # Without a change of order there are no frames that nothing refers to, as a rule, and asking for it costs.
    return codec_allows and found.reordered and _nothing_lost(found)


def _opens_quickly(path: str, found: Found) -> bool:
    # MP4 and Matroska store each frame's time. In others it is worked out from what the first frames tell.
    if found.facts["codec"] != "h264" or {"mp4", "matroska"}.isdisjoint(found.facts["format"]):
        return False
    return one_pass(path, most=HEAD, quick=True).pts == found.pts[:HEAD]


def _notes(found: Found, clean: bool, told_apart: bool, astray: bool) -> list[str]:
    facts, pts, notes = found.facts, found.pts, list(found.notes)
    if not clean:
        notes.append(_damage(found))
    if found.error:
        header = f" of {facts['header_frames']}" if facts["header_frames"] else ""
        notes.append(f"breaks off after frame {len(pts)}{header} ({found.error})")
    elif facts["header_frames"] not in (0, len(pts)):
        notes.append(f"{len(pts)} frames come out, and its header says {facts['header_frames']}")
    if astray:
        notes.append("seeks go astray, so it is read from its start")
    if not told_apart:
        notes.append("timestamps do not tell the frames apart, so they are counted from the start")
    if told_apart and _varies(np.diff(pts)):
        notes.append("variable frame rate")
    if found.turn != Turn():
        notes.append("turned as its display matrix says")
    if facts["aspect"]:
        notes.append(f"pixels are not square ({facts['aspect']}) and stay as stored")
    if len(found.sizes) > 1:
        notes.append("the frame size changes, and later frames are scaled to the first's")
    return notes


def _damage(found: Found) -> str:
    signs = [("packets that do not decode", found.bad), ("frames marked corrupt", found.corrupt)]
    said = ", ".join(f"{what}: {count}" for what, count in signs if count) or "what is wrong is mended in silence"
    return f"damaged, so it is read from its start ({said})"


def _varies(steps: NDArray[np.int64]) -> bool:
    # Containers round to a tick, so a step of one tick more or less is no change of rate.
    return len(steps) > 0 and bool(steps.max() - steps.min() > max(2, 0.1 * float(np.median(steps))))
