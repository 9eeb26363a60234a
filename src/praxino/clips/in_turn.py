"""All clips of videos, one video after the other: for what looks at each of them once, and trains nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from praxino.catalogs.base import Video
from praxino.clips.dataset import LoadedVideo, load_clips
from praxino.clips.loading_process import Handed
from praxino.clips.patience import PATIENCE_SECONDS
from praxino.clips.samplers import Sampler
from praxino.clips.waiting import Awaited
from praxino.errors import UnreadableVideo
from praxino.rng import Rng
from praxino.streams.base import Canvas
from praxino.streams.choose import Streams


class _Clips:
    """All clips of the video at a row, or the reason why there are none."""

    def __init__(
        self,
        videos: Sequence[Video],
        needed: Sequence[str],
        sampler: Sampler,
        streams: Streams,
        canvas: Mapping[str, Canvas],
    ) -> None:
        self.videos, self.needed, self.sampler = videos, needed, sampler
        self.streams, self.canvas = streams, canvas

    def __getitem__(self, row: int) -> tuple[int, LoadedVideo | str]:
        video = self.videos[row]
        generator = Rng(0, "evaluation", row).shared()
        try:
            return row, load_clips(video, self.needed, self.streams, self.canvas, self.sampler, generator)
        except UnreadableVideo as error:
            return row, error.reason


def loaded_videos(
    videos: Sequence[Video],
    needed: Sequence[str],
    sampler: Sampler,
    streams: Streams,
    canvas: Mapping[str, Canvas],
    rows: Sequence[int] | None = None,
    workers: int = 0,
    patience: float = PATIENCE_SECONDS,
) -> Awaited[tuple[int, LoadedVideo | str]]:
    """(row, clips or the reason why there are none), in order.

    Args:
        videos, needed, sampler, streams, canvas: as of `load_clips`.
        rows: of which videos; None: of all.
        workers: loading processes.
        patience: seconds without any work of theirs, as of `Awaited`.

    Raises:
        UserError: as of `Awaited`; from `next`, if a stream gives other frames than it says.
    """
    rows = range(len(videos)) if rows is None else rows
    return Awaited(Handed(_Clips(videos, needed, sampler, streams, canvas)), rows, workers, patience)
