"""Follows a box through a video, and writes what was found: an annotated video, and a table beside it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import ArrayLike, NDArray

from praxino.errors import UnreadableVideo, UserError
from praxino.evaluations.tracking.annotated import FORMATS, AnnotatedVideo, is_annotated
from praxino.evaluations.tracking.baselines import Follows
from praxino.evaluations.tracking.beginning import begun, checked_box, frames_between, opened
from praxino.files import encoded, writing, written_aside

HEADING = encoded("frame,seconds,x,y,width,height,confidence\n")
SLOWEST = Fraction(1, 1001)  # frames a second that a container is told


@dataclass(frozen=True)
class Tracked:
    """What was written.

    Attributes:
        out: the annotated video.
        table: the CSV beside it.
        first: number of the frame that the box was given in.
        frames: how many were followed, that one among them.
        wanted: how many there are from it to the end, or to `until`.
        missing: of those followed, how many do not come out of the video.
        ended: why fewer were followed than wanted; empty where all were.
    """

    out: Path
    table: Path
    first: int
    frames: int
    wanted: int
    missing: int
    ended: str


def track_video(
    video: str | Path,
    tracker: Follows,
    box: ArrayLike,
    out: str | Path,
    begin: float = 0.0,
    until: float | None = None,
    stopped: Callable[[], bool] = lambda: False,
    progress: Callable[[int, int], None] | None = None,
) -> Tracked:
    """Follows a box; writes an annotated video and a CSV: frame, seconds, x, y, width, height, confidence.

    Frames are counted from 0, and seconds from the first one. Boxes are in pixels of the frame as it is shown, turned
    as the file says, the corner counted from 0. The annotated video begins with the frame of the box, and has the
    source's times from there. No more than a frame of the source is held, however long it is. A frame that does not
    come out has the box of the one before and no confidence, as the first one has none. Both files are written aside,
    and renamed at the end: also where `stopped` ends it, or the video breaks off.

    Args:
        video: a file, or a folder of pictures.
        tracker: is given the box in the first frame, and asked in each later one.
        box: [4], x, y, width, height.
        out: .mp4, .mkv (H.264) or .webm (VP9); the table has its name and the ending .csv.
        begin: seconds; the frame that is shown then is the first.
        until: seconds; the frame that is shown then is the last. None: that of the video.
        stopped: asked before each frame but the first; True ends it there.
        progress: called with (frames done, frames).

    Raises:
        UnreadableVideo: if there is nothing to decode.
        UserError: if a time or the box lies outside of the video, or a file cannot be written or is another's.
    """
    out = Path(out)
    refuse_out(out, Path(video))
    table = table_of(out)
    with opened(video) as reader:
        first, last = frames_between(reader.times, begin, until)
        pixels, coming = begun(reader, first)
        given = checked_box(box, *pixels.shape[:2])
        with (
            written_aside(out) as video_aside,
            written_aside(table) as table_aside,
            AnnotatedVideo(video_aside, out, _rate(reader.times)) as annotated,
            table_aside.open("wb") as rows,
        ):
            written = _Written(annotated, rows, reader.times)
            tracker.init(pixels, given)
            written.add(first, pixels, given, np.nan)
            later = islice(coming, last - first)
            ended = _follow(tracker, enumerate(later, first + 1), written, last - first + 1, stopped, progress)
    return Tracked(out, table, first, written.count, last - first + 1, written.missing, ended)


class _Written:
    """Both files, frame by frame."""

    def __init__(self, annotated: AnnotatedVideo, rows: IO[bytes], times: NDArray[np.float64]) -> None:
        self.annotated, self.rows, self.times = annotated, rows, times
        self.count = self.missing = 0
        rows.write(HEADING)

    def add(self, number: int, pixels: NDArray[np.uint8], box: NDArray[np.float64], confidence: float) -> None:
        seconds = float(self.times[number])
        self.annotated.add(pixels, seconds, box, confidence)
        x, y, width, height = box.tolist()
        sure = "" if np.isnan(confidence) else f"{confidence:.6f}"
        self.rows.write(encoded(f"{number},{seconds:.6f},{x:.3f},{y:.3f},{width:.3f},{height:.3f},{sure}\n"))
        self.count += 1
        self.last = (pixels, box)

    def add_missing(self, number: int) -> None:
        self.missing += 1
        self.add(number, *self.last, np.nan)


def _follow(
    tracker: Follows,
    coming: Iterator[tuple[int, NDArray[np.uint8] | None]],
    written: _Written,
    wanted: int,
    stopped: Callable[[], bool],
    progress: Callable[[int, int], None] | None,
) -> str:
    """Why it ended before the last frame; empty where it did not."""
    while written.count < wanted:
        if progress is not None:
            progress(written.count, wanted)
        if stopped():
            return "stopped"
        try:
            number, pixels = next(coming)
        except UnreadableVideo as error:
            return error.reason
        if pixels is None:
            written.add_missing(number)
            continue
        pixels = np.ascontiguousarray(pixels)
        box = np.array(tracker.update(pixels), np.float64)
        if not np.isfinite(box).all():
            return f"the tracker's box of frame {number} is no finite numbers"
        written.add(number, pixels, box, float(tracker.confidence))
    return ""


def table_of(out: Path) -> Path:
    """The CSV beside an annotated video."""
    return out.with_suffix(".csv")


def refuse_out(out: Path, video: Path) -> None:
    """Refuses to write where something else is, or nothing can be.

    Args:
        out: the annotated video.
        video: the source.

    Raises:
        UserError: naming the file, or the folder.
    """
    if out.suffix.lower() not in FORMATS:
        raise UserError(f"--out {out} must end with one of {', '.join(FORMATS)}")
    if not out.parent.is_dir():
        raise UserError(f"the folder {out.parent} does not exist: make it, or pass another --out")
    if out.exists() and video.exists() and out.samefile(video):
        raise UserError(f"--out {out} is the video itself: pass another one")
    for path, ours in ((out, is_annotated), (table_of(out), _is_table)):
        if path.exists() and not ours(path):
            raise UserError(f"{path} is there, and not of 'praxino track': pass another --out, or move it away")
    if not os.access(out.parent, os.W_OK):  # told before a long video is followed
        raise UserError(f"{out} cannot be written: the folder {out.parent} is read-only for you")


def _is_table(path: Path) -> bool:
    if not path.is_file():
        return False
    with writing(path), path.open("rb") as file:
        return file.read(len(HEADING)) == HEADING


def _rate(times: NDArray[np.float64]) -> Fraction:
    """Frames a second on average."""
    seconds = float(times[-1] - times[0])
    return max(SLOWEST, Fraction((len(times) - 1) / seconds if seconds > 0 else 25).limit_denominator(1001))
