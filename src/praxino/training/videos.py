"""The videos of a run: probed once, the unusable ones listed and left out, the list then frozen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from praxino import ranks
from praxino.catalogs.base import Catalog, Video
from praxino.errors import UserError
from praxino.streams.choose import Streams
from praxino.streams.probe import ProbedVideo
from praxino.streams.probe import probe as probe_catalog
from praxino.training.listed import ListedVideo
from praxino.training.run import Run


class RunVideos(Sequence[Video]):
    """Some videos of a catalog, the usable ones: a video's place here is its row in the run."""

    def __init__(self, catalog: Sequence[Video], rows: Sequence[int]) -> None:
        self.catalog = catalog
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, row: Any) -> Any:
        return (
            [self[r] for r in range(*row.indices(len(self)))]
            if isinstance(row, slice)
            else self.catalog[self.rows[row]]
        )


def usable_videos(
    run: Run,
    catalog: Catalog,
    streams: Streams,
    needed: Sequence[str],
    min_frames: int,
    max_left_out: float,
    full: bool,
    workers: int,
) -> tuple[RunVideos, list[int]]:
    """The usable videos of the run's frozen list, and how many frames each has.

    Raises:
        UserError: as of `frozen_list`.
    """
    listed = frozen_list(run, catalog, streams, needed, min_frames, max_left_out, full, workers)
    usable = [number for number, video in enumerate(listed) if video.row is not None]
    return RunVideos(catalog, usable), [listed[number].frames for number in usable]


def frozen_list(
    run: Run,
    catalog: Catalog,
    streams: Streams,
    needed: Sequence[str],
    min_frames: int,
    max_left_out: float,
    full: bool,
    workers: int,
) -> list[ListedVideo]:
    """The run's videos.csv: probed once, then frozen, and compared with the catalog on resume.

    Raises:
        UserError: if too many videos are unusable, or the catalog is no longer the one of the first start.
    """
    listed = ranks.broadcast_object(run.videos())  # one process looks, for all: rank 0 writes it below
    if listed is not None:
        now = [catalog[row].id for row in range(len(catalog))]
        then = [video.id for video in listed]
        if now != then:
            differ = next((a or b for a, b in zip([*now, None], [*then, None], strict=False) if a != b), None)
            raise UserError(f"the catalog is not the one that {run.path} began with (first difference: {differ})")
        check_left_out(listed, max_left_out, run.log)
        return listed
    if run.writes:
        probed = probe_catalog(catalog, streams, needed, min_frames, full=full, workers=max(1, workers))
        listed = number_usable(probed)
        run.write_videos(listed)
    listed = ranks.broadcast_object(listed)
    assert listed is not None
    check_left_out(listed, max_left_out, run.log)
    return listed


def check_test_videos(
    run: Run,
    catalog: Catalog,
    streams: Streams,
    needed: Sequence[str],
    min_frames: int,
    max_left_out: float,
    full: bool,
    workers: int,
) -> None:
    """Probes the videos that a run is tested on at its end, before it begins; they are on no list of the run's.

    Raises:
        UserError: if too many are unusable.
    """
    listed = None
    if run.writes:
        listed = number_usable(probe_catalog(catalog, streams, needed, min_frames, full=full, workers=max(1, workers)))
    check_left_out(ranks.broadcast_object(listed), max_left_out, run.log, "test videos", "")


def number_usable(probed: Sequence[ProbedVideo]) -> list[ListedVideo]:
    """Numbers the usable videos from 0; the others have no row."""
    listed, row = [], 0
    for video in probed:
        usable = video.status == "ok"
        listed.append(ListedVideo(row if usable else None, video.id, video.frames, video.status, video.reason))
        row += usable
    return listed


def check_left_out(
    listed: Sequence[ListedVideo],
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
    out = [video for video in listed if video.row is None]
    if not out:
        return
    first = f"{out[0].id}: {out[0].reason or out[0].status}"
    if len(out) == len(listed):
        raise UserError(f"none of the {len(listed)} {what} is usable (the first: {first})")
    share = len(out) / len(listed)
    if share > max_left_out:
        raise UserError(
            f"{len(out)} of {len(listed)} {what} are unusable (the first: {first}): pass --max_left_out "
            f"{min(1.0, round(share + 0.005, 2))} to go on without them"
        )
    say(f"{len(out)} of {len(listed)} {what} are left out{where} (the first: {first})")
