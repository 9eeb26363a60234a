"""Long videos in stretches, each an item of its own."""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Sequence
from typing import Any

import numpy as np

from praxino.catalogs.base import Catalog, Files, Part, Video
from praxino.errors import UserError

LEAST_SECONDS = 0.001  # of a stretch: in less no video shows a frame
LEAST_REST = 0.5  # of a stretch; what is shorter at a video's end belongs to the stretch before it


class Cut(Catalog):
    """The videos of another catalog in stretches of so many seconds, so that one long file is many items.

    A stretch is named `file.mp4@60-120`, has its video's label, and its group, or else the video's id as its group: so
    stretches of one video are never divided between training and validation. A video that is no longer than one and a
    half stretches is one item, and one that is no video file (a folder of frames, a picture) stays what it is. How long
    a file is, its header says; where that is wrong, the last stretch takes all that comes, and stretches beyond the end
    are left out and listed. Streams that lie elsewhere (flow, maps) have no stretches.

    Args:
        catalog: the whole videos.
        seconds: of a stretch.

    Raises:
        UserError: if `seconds` is no length in which a frame is shown.
    """

    def __init__(self, catalog: Catalog, seconds: float) -> None:
        if not (seconds >= LEAST_SECONDS and math.isfinite(seconds)):
            raise UserError(f"--cut must be {LEAST_SECONDS} seconds or more, and finite, not {seconds}")
        self.catalog = catalog
        self.seconds = seconds
        self.root = getattr(catalog, "root", "")
        self.classes = catalog.classes
        self._counts = np.array([_stretches(video, seconds) for video in catalog], np.int64)
        self._ends = np.cumsum(self._counts)
        stretches = "1 stretch" if len(self) == 1 else f"{len(self)} stretches"
        self.found = f"{catalog.found}, in {stretches} of {seconds:g} s"

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def video(self, row: int) -> Video:
        whole = int(np.searchsorted(self._ends, row, side="right"))
        video, count = self.catalog[whole], int(self._counts[whole])
        if count == 1:
            return video
        number = row - int(self._ends[whole]) + count
        begin, end = (f"{self.seconds * k:.12g}" for k in (number, number + 1))
        end = "" if number == count - 1 else end
        files = {name: f"{path}#t={begin},{end}" for name, path in video.files.items() if isinstance(path, str)}
        return Video(f"{video.id}@{begin}-{end}", files, video.label, video.group or video.id)

    def wholes(self) -> Sequence[Video]:
        return self.catalog

    def part(self, name: Part) -> Catalog:
        part = self.catalog.part(name)
        return self if part is self.catalog else Cut(part, self.seconds)


def _stretches(video: Video, seconds: float) -> int:
    lengths = [seconds_said(path) for path in video.files.values()]
    known = [length for length in lengths if length is not None]
    if len(known) < len(lengths) or not known:
        return 1
    return max(1, math.floor(min(known) / seconds + 1 - LEAST_REST))


def seconds_said(files: Files) -> float | None:
    """How long a video file is, as its header has it; None where it does not say, or is none."""
    import av

    if not isinstance(files, str):
        return None
    # As `streams.opening` opens it: to open a pipe is to wait for its other end, what stands before a colon would be a
    # protocol, and a title that is no UTF-8 is no reason; PyAV 19 does not take the word for that any more.
    lenient: dict[str, Any] = {"metadata_errors": "replace"} if int(av.__version__.partition(".")[0]) < 19 else {}
    try:
        if not stat.S_ISREG(os.stat(files).st_mode):
            return None
        with av.open(os.path.abspath(files), **lenient) as file:
            if not file.streams.video:
                return None
            stream = file.streams.video[0]
            if stream.duration and stream.time_base:
                return float(stream.duration * stream.time_base)
            return file.duration / av.time_base if file.duration else None
    except (av.FFmpegError, OSError, ValueError):
        return None  # what cannot be read is told by the probe
