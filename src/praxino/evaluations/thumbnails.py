"""Small frames of the videos that a result shows, as JPEG files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from praxino.catalogs.base import Video
from praxino.clips.dataset import Streams
from praxino.errors import UnreadableVideo
from praxino.streams.base import Canvas, Stream
from praxino.streams.choose import stream_of

FRAMES = 4


class Thumbnails:
    """Frames of videos, each video once.

    Args:
        folder: where to.
        shown_as: that folder as seen from the run's.
        streams: readers, as of `load_clips`.
    """

    def __init__(self, folder: Path, shown_as: Path, streams: Streams) -> None:
        self.folder, self.shown_as, self.streams = folder, shown_as, streams
        self.made: dict[str, list[str]] = {}

    def of(self, video: Video) -> list[str]:
        """The files of a video, from its beginning on; none where it cannot be read."""
        if video.id not in self.made:
            self.made[video.id] = self._make(video)
        return self.made[video.id]

    def _make(self, video: Video) -> list[str]:
        from PIL import Image

        try:
            stream = stream_of(video, "rgb", self.streams)
            if not isinstance(stream, Stream) or stream.channels != 3:
                return []
            with stream.open(video, Canvas(short_side=96)) as reader:
                last = len(reader.times) - 1
                wanted = np.unique(np.linspace(last * 0.2, last * 0.8, FRAMES).astype(np.int64))  # of a picture, one
                pixels, _ = reader.read(wanted)
        except UnreadableVideo:
            return []
        names = [f"{len(self.made):03d}-{k}.jpg" for k in range(len(pixels))]
        for name, frame in zip(names, pixels, strict=True):
            Image.fromarray(frame).save(self.folder / name, quality=80)
        return [(self.shown_as / name).as_posix() for name in names]
