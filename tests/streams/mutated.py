"""Damaged copies of small videos, and the law that holds for each: however a frame is asked for, it is the same one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

import videos
from praxino.catalogs.base import Video
from praxino.errors import UnreadableVideo
from praxino.streams.video import VideoFile

MPEG = {"codec": "mpeg4", "options": {"qscale": "4"}}
# Suffix and settings of `videos.write`.
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "h264": (".mp4", {"b_frames": 3, "gop": 20}),
    "h264_open_gop": (".mkv", {"b_frames": 3, "options": {"x264opts": "open-gop=1"}}),
    "h264_stream": (".ts", {}),
    "hevc": (".mp4", {"codec": "libx265", "options": {"x265-params": "log-level=none:pools=none:frame-threads=1"}}),
    "mpeg4": (".avi", MPEG),
    "mpeg4_mp4": (".mp4", MPEG),
    "mpeg2": (".mxf", MPEG | {"codec": "mpeg2video"}),
    "vp9": (".webm", {"codec": "libvpx-vp9", "b_frames": 0, "options": {"deadline": "realtime"}}),
    "mjpeg": (".avi", {"codec": "mjpeg", "b_frames": 0, "pixels": "yuvj420p"}),
    "flv": (".flv", MPEG | {"codec": "flv", "b_frames": 0}),
}


def made(kind: str, folder: Path) -> Path:
    """A whole video of this kind."""
    suffix, settings = KINDS[kind]
    return videos.write(folder / f"whole_{kind}{suffix}", 40, size=(48, 64), **settings)


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """One bit flipped, a few, or some bytes overwritten, left out, or cut off."""
    at, some = int(rng.integers(len(data))), int(rng.integers(1, 100))
    match int(rng.integers(8)):
        case 0:
            return data[:at] + bytes(len(data[at : at + some])) + data[at + some :]
        case 1:
            return data[:at] + rng.bytes(len(data[at : at + some])) + data[at + some :]
        case 2:
            return data[:at] + data[at + some :]
        case 3:
            return data[:at]
        case number:
            flipped = bytearray(data)
            for place in rng.integers(len(data), size=1 if number < 7 else 6):
                flipped[place] ^= 1 << int(rng.integers(8))
            return bytes(flipped)


def outcome(path: Path, rng: np.random.Generator, singles: int = 8, subsets: int = 6) -> str:
    """What a file is ("clean", "damaged" or "unreadable"), after frames alone and in subsets were found to be the same.

    The reference is a plain decode by PyAV, where its frames have the size of the first.
    """
    try:
        reader = VideoFile().open(Video(path.name, {"rgb": str(path)}))
    except UnreadableVideo:
        return "unreadable"
    index = reader.index
    with reader:
        frames = len(reader.times)
        asked = [[k] for k in rng.permutation(frames)[:singles]]
        asked += [rng.choice(frames, rng.integers(1, min(frames, 9) + 1), replace=False) for _ in range(subsets)]
        whole, there = reader.read(np.arange(frames))
        plain = [index.turn(frame) for frame in videos.decoded(path)]
        assert len(plain) == frames
        for number, frame in enumerate(plain):
            if there[number] and frame.shape == whole[number].shape:
                np.testing.assert_array_equal(whole[number], frame, err_msg=f"frame {number}")
        for numbers in asked:
            # Now with what the file was left in by the read before, now opened anew.
            if rng.integers(2):
                reader.close()
            try:
                pixels, present = reader.read(numbers)
            except UnreadableVideo:
                continue
            for number, got, is_there in zip(numbers, pixels, present, strict=True):
                if is_there:
                    np.testing.assert_array_equal(got, whole[number], err_msg=f"frame {number} of {list(numbers)}")
    return "clean" if index.clean else "damaged"


def outcomes(kind: str, folder: Path, mutations: int, seed: int = 0) -> Counter[str]:
    """How many of so many damaged copies are what."""
    data = made(kind, folder).read_bytes()
    rng = np.random.default_rng(seed)
    found: Counter[str] = Counter()
    for number in range(mutations):
        path = folder / f"{number}_{kind}{KINDS[kind][0]}"
        path.write_bytes(mutated(data, rng))
        found[outcome(path, rng)] += 1
        path.unlink()
    return found
