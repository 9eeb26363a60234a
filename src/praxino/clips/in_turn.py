"""All clips of videos, one video after the other: for what looks at each of them once, and trains nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torch.utils.data import DataLoader

from praxino.catalogs.base import Video
from praxino.clips.dataset import LoadedVideo, load_clips
from praxino.clips.samplers import Sampler
from praxino.errors import UnreadableVideo, UserError
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

    def __getitem__(self, row: int) -> tuple[int, LoadedVideo | str | UserError]:
        video = self.videos[row]
        generator = Rng(0, "evaluation", row).shared()
        try:
            return row, load_clips(video, self.needed, self.streams, self.canvas, self.sampler, generator)
        except UnreadableVideo as error:
            return row, error.reason
        except UserError as mistake:
            return row, mistake  # a loading process would add its traceback to the line


def loaded_videos(
    videos: Sequence[Video],
    needed: Sequence[str],
    sampler: Sampler,
    streams: Streams,
    canvas: Mapping[str, Canvas],
    rows: Sequence[int] | None = None,
    workers: int = 0,
) -> Iterator[tuple[int, LoadedVideo | str]]:
    """(row, clips or the reason why there are none), in order.

    Args:
        videos, needed, sampler, streams, canvas: as of `load_clips`.
        rows: of which videos; None: of all.
        workers: loading processes.

    Raises:
        UserError: if a stream gives other frames than it says.
    """
    rows = range(len(videos)) if rows is None else rows
    clips = _Clips(videos, needed, sampler, streams, canvas)
    return _raised(iter(DataLoader(clips, batch_size=None, sampler=rows, collate_fn=_as_is, num_workers=workers)))  # type: ignore[arg-type]


def _raised(items: Iterator[tuple[int, LoadedVideo | str | UserError]]) -> Iterator[tuple[int, LoadedVideo | str]]:
    for row, item in items:
        if isinstance(item, UserError):
            raise item
        yield row, item


def _as_is(item: Any) -> Any:
    return item
