"""Trackers are shown the frames of a sequence, all of them the same ones in one pass."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from praxino.catalogs.sequences import Sequences
from praxino.errors import UnreadableVideo
from praxino.evaluations.tracking.baselines import Follows
from praxino.evaluations.tracking.boxes import fault_of, written
from praxino.streams.frames import FrameFolder

# Boxes are of the pixels as they are stored, whatever a picture's EXIF says of how it is to be turned.
FRAMES = FrameFolder(exif=False)


@dataclass(eq=False)
class Track:
    """What a tracker made of a sequence.

    Attributes:
        boxes: float64 [frames, 4]; the first is the one that it was given.
        seconds: float64 [frames] that it took for each; 0 where there was no frame to look at.
        failures: frames in which it said itself that it had failed.
        reason: of the first failure, or "".
    """

    boxes: NDArray[np.float64]
    seconds: NDArray[np.float64]
    failures: int = 0
    reason: str = ""


@dataclass(eq=False)
class Followed:
    """A sequence, and what each tracker made of it.

    Attributes:
        id: the sequence's.
        truth: float64 [frames, 4].
        cover: int64 [frames], or None.
        note: what is odd about it, or "".
        height, width: of its frames.
        tracks: by the trackers' names.
        missing: numbers of frames that are missing or damaged; there every tracker keeps its last box.
        shown: some of the frames by their numbers, uint8 [H, W, 3].
    """

    id: str
    truth: NDArray[np.float64]
    cover: NDArray[np.int64] | None
    note: str
    height: int
    width: int
    tracks: dict[str, Track]
    missing: list[int] = field(default_factory=list)
    shown: dict[int, NDArray[np.uint8]] = field(default_factory=dict)


def follow(catalog: Sequences, row: int, trackers: Mapping[str, Follows], frames_shown: int = 0) -> Followed:
    """Shows a sequence to some trackers, frame by frame; each frame is decoded once, and one is held at a time.

    Args:
        catalog: the sequences.
        row: which one.
        trackers: by name.
        frames_shown: how many frames, evenly over the sequence, are kept to be looked at.

    Raises:
        UnreadableVideo: if the sequence has no frames, its first frame is missing, or that has no box in it.
        UserError: if the file of its boxes is no such file.
    """
    video, truth = catalog[row], catalog.boxes(row)
    with FRAMES.open(video) as reader:
        if fault := fault_of(truth[0], reader.height, reader.width):
            raise UnreadableVideo(video.id, f"its first box, {written(truth[0])}, {fault}")
        count = len(truth)
        kept = set(np.linspace(0, count - 1, frames_shown).round().astype(int).tolist())
        tracks = {name: Track(np.repeat(truth[:1], count, axis=0), np.zeros(count)) for name in trackers}
        followed = Followed(video.id, truth, catalog.cover(row), catalog.note(row), reader.height, reader.width, tracks)
        for number, frame in enumerate(reader.in_order()):
            if frame is None:
                _keep_the_last(followed, number)
                continue
            if number in kept:
                followed.shown[number] = frame
            for name, tracker in trackers.items():
                _show(tracker, tracks[name], number, frame)
    for name, tracker in trackers.items():
        tracks[name].failures = getattr(tracker, "failures", 0)
        tracks[name].reason = getattr(tracker, "reason", "")
    return followed


def seconds_a_frame(tracks: Collection[Track]) -> float:
    """The mean over all frames that a tracker looked at; 0 if there were none."""
    seconds = np.concatenate([track.seconds[track.seconds > 0] for track in tracks])
    return float(seconds.mean()) if len(seconds) else 0.0


def _show(tracker: Follows, track: Track, number: int, frame: NDArray[np.uint8]) -> None:
    begun = time.perf_counter()
    if number == 0:
        tracker.init(frame, track.boxes[0])
    else:
        track.boxes[number] = tracker.update(frame)
    track.seconds[number] = time.perf_counter() - begun


def _keep_the_last(followed: Followed, number: int) -> None:
    if number == 0:
        raise UnreadableVideo(followed.id, "its first frame is missing or damaged")
    followed.missing.append(number)
    for track in followed.tracks.values():
        track.boxes[number] = track.boxes[number - 1]
