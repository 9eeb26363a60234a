"""The videos of a run: probed once, the unusable ones listed and left out, the list then frozen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray

from praxino import ranks
from praxino.bars import bar_shown
from praxino.catalogs.base import Catalog, Video
from praxino.errors import UserError
from praxino.printable import are
from praxino.streams.base import Canvas
from praxino.streams.choose import Streams
from praxino.streams.probe import How, ProbedVideos, Smallest
from praxino.streams.probe import probe as probe_catalog
from praxino.training.listed import ListedVideo
from praxino.training.moved import differences
from praxino.training.run import Run
from praxino.views.pipeline import View

SEEN_SECONDS = 60.0  # within which a file that another machine has written is seen


class RunVideos(Sequence[Video]):
    """Some videos of a catalog, the usable ones: a video's place here is its row in the run.

    Args:
        catalog: the videos.
        rows: of these, in the run's order.
    """

    def __init__(self, catalog: Sequence[Video], rows: Sequence[int] | NDArray[np.int64]) -> None:
        self.catalog = catalog
        self.rows: NDArray[np.int64] = np.asarray(rows, np.int64)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, row: Any) -> Any:
        return (
            [self[r] for r in range(*row.indices(len(self)))]
            if isinstance(row, slice)
            else self.catalog[int(self.rows[row])]
        )


def smallest_frames(views: Iterable[View], canvas: Mapping[str, Canvas] | None) -> dict[str, tuple[Canvas, int]]:
    """The frames that views can be made from, as of `praxino.streams.probe.probe`.

    Args:
        views: of a task.
        canvas: stream -> the size at which its frames are read.
    """
    least: dict[str, int] = {}
    for view in views:
        least[view.stream] = max(least.get(view.stream, 0), view.least_side)
    return {name: ((canvas or {}).get(name, Canvas()), side) for name, side in least.items() if side}


def usable_videos(
    run: Run,
    catalog: Catalog,
    streams: Streams,
    needed: Sequence[str],
    min_frames: int,
    max_left_out: float,
    how: How,
    workers: int,
    smallest: Smallest | None = None,
) -> tuple[RunVideos, NDArray[np.int64]]:
    """The usable videos of the run's frozen list, and how many frames each has: int64 [usable].

    Raises:
        UserError: as of `frozen_list`.
    """
    listed = frozen_list(run, catalog, streams, needed, min_frames, max_left_out, how, workers, smallest)
    usable = np.flatnonzero(listed.usable)
    return RunVideos(catalog, usable), listed.frames[usable]


def frozen_list(
    run: Run,
    catalog: Catalog,
    streams: Streams,
    needed: Sequence[str],
    min_frames: int,
    max_left_out: float,
    how: How,
    workers: int,
    smallest: Smallest | None = None,
) -> ProbedVideos:
    """The run's videos.csv: probed once, then frozen. Each process reads it and compares it with its own catalog.

    Raises:
        UserError: if too many videos are unusable, or the catalog is not the one of the first start.
    """
    own: list[ProbedVideos] = []  # of the process that has written it, which need not read it

    def freeze() -> None:
        with bar_shown("looking at videos") as bar:
            found = probe_catalog(catalog, streams, needed, min_frames, how, max(1, workers), bar, smallest)
        own.append(found)
        run.write_videos(numbered(own[0]))

    if not ranks.broadcast_object(run.videos_file.exists()):  # one process looks, for all
        run.by_the_first(freeze)
    size = ranks.broadcast_object(run.videos_file.stat().st_size if run.writes else 0)
    listed = ranks.agreed(lambda: own[0] if own else _read(run, catalog, size))
    check_left_out(listed, max_left_out, run.log)
    return listed


def _read(run: Run, catalog: Catalog, size: int) -> ProbedVideos:
    _wait_for(run, size)
    listed = ProbedVideos(catalog)
    ids = (catalog[row].id for row in range(len(catalog)))
    for id, video in zip_longest(ids, run.videos()):
        if video is None or id != video.id:
            now = [catalog[row].id for row in range(len(catalog))]
            raise UserError(differences(run.path, [one.id for one in run.videos()], now))
        listed.add(video.frames, video.status, video.reason)
    return listed


def _wait_for(run: Run, size: int) -> None:
    # A disk that several machines share may show a file late.
    path, end = run.videos_file, time.monotonic() + SEEN_SECONDS
    while not (path.exists() and path.stat().st_size == size):
        if time.monotonic() > end:
            raise UserError(
                f"process {ranks.rank()} does not see {path}, which process 0 has: give --out a folder that all "
                "machines of the run share"
            )
        time.sleep(0.1)


def check_test_videos(
    run: Run,
    catalog: Catalog,
    streams: Streams,
    needed: Sequence[str],
    min_frames: int,
    max_left_out: float,
    how: How,
    workers: int,
) -> None:
    """Probes the videos that a run is tested on at its end, before it begins; they are on no list of the run's.

    Raises:
        UserError: if too many are unusable.
    """

    def check() -> None:
        with bar_shown("looking at test videos") as bar:
            probed = probe_catalog(catalog, streams, needed, min_frames, how, max(1, workers), bar)
        check_left_out(probed, max_left_out, run.log, "test videos", "")

    run.by_the_first(check)


def numbered(probed: ProbedVideos) -> Iterator[ListedVideo]:
    """The lines of videos.csv: the usable videos are numbered from 0, the others have no number."""
    row = 0
    for video in probed:
        usable = video.status == "ok"
        yield ListedVideo(row if usable else None, video.id, video.frames, video.status, video.reason)
        row += usable


def check_left_out(
    listed: ProbedVideos,
    max_left_out: float,
    say: Callable[[str], None],
    what: str = "videos",
    where: str = ", listed in videos.csv",
) -> None:
    """Counts what is left out on the screen.

    Args:
        listed: usable videos and others.
        max_left_out: largest share of the others, 0 to 1.
        say: takes the line.
        what: they are.
        where: the others are listed.

    Raises:
        UserError: if it is more than the share `max_left_out`, or everything.
    """
    if len(noted := np.flatnonzero(listed.noted)):
        odd, many = listed[int(noted[0])], f"{len(noted)} of {len(listed)} {what} {are(len(noted))}"
        say(f"{many} used, but odd{where} (the first: {odd.id}: {odd.reason})")
    rows = np.flatnonzero(~listed.usable)
    if not len(rows):
        return
    out = listed[int(rows[0])]
    first = f"{out.id}: {out.reason or out.status}"
    if len(rows) == len(listed):
        if len(listed) == 1:
            raise UserError(f"the only one of the {what} is not usable ({first})")
        raise UserError(f"none of the {len(listed)} {what} is usable (the first: {first})")
    share = len(rows) / len(listed)
    if share > max_left_out:
        raise UserError(
            f"{len(rows)} of {len(listed)} {what} {are(len(rows))} unusable (the first: {first}): pass --max_left_out "
            f"{min(1.0, round(share + 0.005, 2))} to go on without them"
        )
    say(f"{len(rows)} of {len(listed)} {what} {are(len(rows))} left out{where} (the first: {first})")
