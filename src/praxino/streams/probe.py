"""Looks at every video before the first epoch: how long it is, and what cannot be used."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from praxino.catalogs.base import Catalog, Video
from praxino.errors import UnreadableVideo, UserError
from praxino.streams.base import Canvas
from praxino.streams.choose import Streams, derived_among, opened_for, shortest_of

How = Literal["quick", "full", "listed"]
Status = Literal["ok", "too short", "unreadable", "too small"]
STATUSES: tuple[Status, ...] = get_args(Status)
# Frames by which the streams of one video differ anyhow: flow lies between frames, maps are counted from 0 or 1.
USUAL_DIFFERENCE = 3
Smallest = Mapping[str, tuple[Canvas, int]]  # stream -> on which canvas its frames are seen, and their least side there


class ProbedVideo(NamedTuple):
    """One row of a catalog, looked at.

    Attributes:
        row: in the catalog.
        id: the video's.
        frames: that come out, of the shortest stream; 0 if unreadable.
        status: whether it can be used.
        reason: why not, or what is odd about it; empty for most.
    """

    row: int
    id: str
    frames: int
    status: Status
    reason: str = ""


class ProbedVideos(Sequence[ProbedVideo]):
    """What a probe found, in the catalog's order: columns, so that a catalog of millions stays small.

    Args:
        videos: that are looked at; an id comes from there.
    """

    def __init__(self, videos: Sequence[Video]) -> None:
        self.videos = videos
        self._frames, self._status, self._reason = array("q"), array("b"), array("q")
        self._reasons = [""]  # each one once: few videos have any, and many of these the same
        self._places = {"": 0}

    def add(self, frames: int, status: Status, reason: str = "") -> None:
        """What was found of the next row."""
        place = self._places.setdefault(reason, len(self._reasons))
        if place == len(self._reasons):
            self._reasons.append(reason)
        self._frames.append(frames)
        self._status.append(STATUSES.index(status))
        self._reason.append(place)

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, row: Any) -> Any:
        if isinstance(row, slice):
            return [self[r] for r in range(*row.indices(len(self)))]
        row = range(len(self))[row]
        status, reason = STATUSES[self._status[row]], self._reasons[self._reason[row]]
        return ProbedVideo(row, self.videos[row].id, self._frames[row], status, reason)

    @property
    def frames(self) -> NDArray[np.int64]:
        """How many frames each has: int64 [rows]."""
        return np.array(self._frames, np.int64)

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Which ones can be used: bool [rows]."""
        return np.array(self._status, np.int8) == STATUSES.index("ok")

    @property
    def noted(self) -> NDArray[np.bool_]:
        """Which ones can be used, and are odd in some way, as their reason says: bool [rows]."""
        return self.usable & (np.array(self._reason, np.int64) > 0)


def probe(
    catalog: Catalog | Sequence[Video],
    streams: Streams,
    needed: Sequence[str],
    min_frames: int,
    how: How = "quick",
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
    smallest: Smallest | None = None,
) -> ProbedVideos:
    """Looks at every video of a catalog, or takes the catalog's word.

    Threads do it: decoding holds no lock of the interpreter's, and nothing is forked or stays open.

    Args:
        catalog: the videos.
        streams: name -> stream, of those that a recipe names.
        needed: names of the streams that a run reads.
        min_frames: shorter videos are too short.
        how: full opens every picture of a folder, too; a video file is decoded completely in any case. listed opens
            nothing: a video has as many frames as the catalog's list says, less those that a derived stream lacks.
        workers: threads.
        progress: called with (done, all) after each video that was opened, in this thread.
        smallest: videos whose frames have a shorter side than that are too small, where a stream's size is known
            without decoding. Of streams that are made from others, and of a catalog's word, it is not.

    Returns:
        One item a row, in the catalog's order.

    Raises:
        UserError: if the catalog is to be taken at its word, and does not say how long a video is.
    """
    if how == "listed":
        return _as_listed(catalog, streams, needed, min_frames)
    found = ProbedVideos(catalog)
    with ThreadPoolExecutor(max(1, workers)) as pool:
        how_each = streams, needed, min_frames, how == "full", smallest or {}
        # Else all threads would decode one and the same file, of which stretches follow each other.
        wholes = catalog.wholes() if isinstance(catalog, Catalog) else ()
        for future in _bounded(pool, wholes, 4 * max(1, workers), *how_each):
            future.result()
        for future in _bounded(pool, catalog, 4 * max(1, workers), *how_each):
            found.add(*future.result())
            if progress is not None:
                progress(len(found), len(catalog))
    return found


def _as_listed(
    catalog: Catalog | Sequence[Video], streams: Streams, needed: Sequence[str], min_frames: int
) -> ProbedVideos:
    fewer = max([0, *(source.fewer for source in derived_among(needed, streams).values())])
    found = ProbedVideos(catalog)
    for row in range(len(catalog)):
        said = catalog.listed_frames(row) if isinstance(catalog, Catalog) else None
        if said is None:
            raise UserError(
                f"--probe listed takes the catalog's word for how many frames a video has, and "
                f"{type(catalog).__name__} does not say it of {catalog[row].id}: pass --probe quick"
            )
        found.add(*_judged(max(0, said - fewer), min_frames))
    return found


def _bounded(
    pool: ThreadPoolExecutor, catalog: Catalog | Sequence[Video], most: int, *settings: object
) -> Iterator[Future[tuple[int, Status, str]]]:
    # A catalog of millions is not queued at once.
    waiting: deque[Future[tuple[int, Status, str]]] = deque()
    try:
        for row in range(len(catalog)):
            waiting.append(pool.submit(_probe_one, catalog[row], *settings))  # type: ignore[arg-type]
            if len(waiting) == most:
                yield waiting.popleft()
        while waiting:
            yield waiting.popleft()
    finally:
        for future in waiting:
            future.cancel()


def _probe_one(
    video: Video, streams: Streams, needed: Sequence[str], min_frames: int, full: bool, smallest: Smallest
) -> tuple[int, Status, str]:
    frames: dict[str, int] = {}
    notes: list[str] = []
    small: list[str] = []
    name = "rgb"
    try:
        for name, stream in opened_for(video, needed, streams).items():
            found = stream.probe(video, full)
            frames[name] = found.frames
            if name in smallest and found.size is not None:
                small += _too_small(name, found.size, *smallest[name])
            if found.note and found.note not in notes:
                notes.append(found.note)
    except UnreadableVideo as error:
        return 0, "unreadable", error.reason if name == "rgb" else f"{name}: {error.reason}"
    shortest, longest = shortest_of(frames, needed, streams), max(frames.values(), default=0)
    if longest - shortest > USUAL_DIFFERENCE:
        # Where the making of flow or maps broke off, most of a video would never be seen.
        said = ", ".join(f"{name} {count}" for name, count in frames.items())
        notes.append(f"its streams are not of one length ({said} frames), and what only one has is not used")
    judged = _judged(shortest, min_frames, notes)
    return (shortest, "too small", "; ".join([*small, *notes])) if small and judged[1] == "ok" else judged


def _too_small(stream: str, size: tuple[int, int], canvas: Canvas, least: int) -> list[str]:
    height, width = canvas.size(*size)
    if min(height, width) >= least:
        return []
    return [f"its {stream} has frames of {height}x{width} pixels, and a view needs {least} of the shorter side"]


def _judged(frames: int, min_frames: int, notes: Sequence[str] = ()) -> tuple[int, Status, str]:
    if frames < min_frames:
        has = "1 frame" if frames == 1 else f"{frames} frames"
        return frames, "too short", "; ".join([f"it has {has}, and {min_frames} are needed", *notes])
    return frames, "ok", "; ".join(notes)
