"""Looks at every video before the first epoch: how long it is, and what cannot be used."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from praxino.catalogs.base import Catalog, Video
from praxino.errors import UnreadableVideo
from praxino.streams.choose import Streams, opened_for, shortest_of


@dataclass(frozen=True)
class ProbedVideo:
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
    status: Literal["ok", "too short", "unreadable"]
    reason: str = ""


def probe(
    catalog: Catalog | Sequence[Video],
    streams: Streams,
    needed: Sequence[str],
    min_frames: int,
    full: bool = False,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[ProbedVideo]:
    """Looks at every video of a catalog.

    Threads do it: decoding holds no lock of the interpreter's, and nothing is forked or stays open.

    Args:
        catalog: the videos.
        streams: name -> stream, of those that a recipe names.
        needed: names of the streams that a run reads.
        min_frames: shorter videos are too short.
        full: open every picture of a folder, too; a video file is decoded completely in any case.
        workers: threads.
        progress: called with (done, all) after each video, in this thread.

    Returns:
        One item a row, in the catalog's order.
    """
    done: list[ProbedVideo] = []
    with ThreadPoolExecutor(max(1, workers)) as pool:
        for future in _bounded(pool, catalog, 4 * max(1, workers), streams, needed, min_frames, full):
            done.append(future.result())
            if progress is not None:
                progress(len(done), len(catalog))
    return done


def _bounded(
    pool: ThreadPoolExecutor, catalog: Catalog | Sequence[Video], most: int, *settings: object
) -> Iterator[Future[ProbedVideo]]:
    # A catalog of millions is not queued at once.
    waiting: deque[Future[ProbedVideo]] = deque()
    try:
        for row in range(len(catalog)):
            waiting.append(pool.submit(_probe_one, row, catalog[row], *settings))  # type: ignore[arg-type]
            if len(waiting) == most:
                yield waiting.popleft()
        while waiting:
            yield waiting.popleft()
    finally:
        for future in waiting:
            future.cancel()


def _probe_one(
    row: int,
    video: Video,
    streams: Streams,
    needed: Sequence[str],
    min_frames: int,
    full: bool,
) -> ProbedVideo:
    frames: dict[str, int] = {}
    notes: list[str] = []
    name = "rgb"
    try:
        for name, stream in opened_for(video, needed, streams).items():
            found = stream.probe(video, full)
            frames[name] = found.frames
            if found.note and found.note not in notes:
                notes.append(found.note)
    except UnreadableVideo as error:
        return ProbedVideo(row, video.id, 0, "unreadable", error.reason if name == "rgb" else f"{name}: {error.reason}")
    shortest = shortest_of(frames, needed, streams)
    if shortest < min_frames:
        reason = "; ".join([f"it has {shortest} frames, and {min_frames} are needed", *notes])
        return ProbedVideo(row, video.id, shortest, "too short", reason)
    return ProbedVideo(row, video.id, shortest, "ok", "; ".join(notes))
