"""Which stream reads a video's files, where a recipe does not say."""

from __future__ import annotations

import os
from collections.abc import Mapping

from praxino.catalogs.base import Files, Video
from praxino.streams.base import Derived, Stream, files_of


def default_stream(files: Files, stream: str = "rgb") -> Stream:
    """`VideoFile` for a file, `FrameFolder` for a folder, a picture, or frames that are named one by one.

    Args:
        files: what the video has for the stream.
        stream: its name.
    """
    from praxino.streams.frames import PICTURES, FrameFolder
    from praxino.streams.video import VideoFile

    if not isinstance(files, str) or files.lower().endswith(PICTURES) or os.path.isdir(files):
        return FrameFolder(stream)
    return VideoFile(stream)


def stream_of(video: Video, stream: str, streams: Mapping[str, Stream | Derived]) -> Stream | Derived:
    """The stream of this name: the recipe's, else the default for the video's files.

    Raises:
        UnreadableVideo: if the recipe does not name it and the video has none.
    """
    if stream in streams:
        return streams[stream]
    return default_stream(files_of(video, stream), stream)
