"""Which stream reads a video's files, where a recipe does not say."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from praxino.catalogs.base import Files, Video
from praxino.catalogs.names import is_picture
from praxino.catalogs.rendered import rendering_of
from praxino.errors import UserError
from praxino.streams.base import Derived, Stream, files_of
from praxino.streams.stretch import Stretch, is_stretch, whole

FLOW, FLOW_CHANNELS = "flow", 2
FOUND = "flow_u"  # what catalogs call a folder of pictures that they have found
Streams = Mapping[str, Stream | Derived]


def default_stream(files: Files, stream: str = "rgb") -> Stream:
    """`VideoFile` for a file, `FrameFolder` for a folder, a picture, or frames that are named one by one.

    What `Rendered` lists is read by `RenderedVideo`.

    Args:
        files: what the video has for the stream.
        stream: its name.
    """
    from praxino.streams.frames import FrameFolder
    from praxino.streams.rendered import RenderedVideo
    from praxino.streams.video import VideoFile

    if rendering_of(files) is not None:
        return RenderedVideo(stream)
    if not isinstance(files, str) or is_picture(files) or os.path.isdir(files):
        return FrameFolder(stream)
    return VideoFile(stream)


def stream_of(video: Video, stream: str, streams: Streams) -> Stream | Derived:
    """The stream of this name: the recipe's, else the default for the video's files.

    Raises:
        UnreadableVideo: if the recipe does not name it and the video has none.
    """
    if stream in streams:
        found = streams[stream]
    elif stream == FLOW and stream not in video.files and FOUND in video.files:
        from praxino.streams.flow_folder import FlowFolder

        found = FlowFolder()  # of the folders that the catalog has found
    else:
        found = default_stream(whole(files_of(video, stream)), stream)
    if isinstance(found, Stream) and is_stretch(video):
        return Stretch(found)
    return found


def picture_name(video: Video) -> str:
    """The stream of a video that is looked at: rgb, or the first one that it has."""
    return "rgb" if "rgb" in video.files else next(iter(video.files), "rgb")


def picture_stream(video: Video) -> Stream:
    """The stream of a video that is looked at: files that no recipe names are read as pictures of three channels.

    Raises:
        UnreadableVideo: if it has none.
    """
    stream = stream_of(video, picture_name(video), {})
    assert isinstance(stream, Stream)  # only a recipe's may be derived
    return stream


def channels_of(stream: str, streams: Streams) -> int:
    """How many channels the frames of a stream have: as the recipe's stream says, else those of the default ones."""
    if stream in streams:
        return streams[stream].channels
    return FLOW_CHANNELS if stream == FLOW else Stream.channels


def derived_among(needed: Iterable[str], streams: Streams) -> dict[str, Derived]:
    """Those of the needed streams that are made from another one's frames.

    Raises:
        UserError: if that other one is made itself.
    """
    derived = {name: source for name in needed if isinstance(source := streams.get(name), Derived)}
    for name, source in derived.items():
        if isinstance(streams.get(source.of), Derived):
            raise UserError(
                f"the stream {name} is made from {source.of}, which is made itself: name one that is read from files"
            )
    return derived


def opened_for(video: Video, needed: Iterable[str], streams: Streams) -> dict[str, Stream]:
    """The streams to open for the needed ones: themselves, or what they are made from.

    Raises:
        UnreadableVideo: if the recipe does not name one and the video has none.
        UserError: as `derived_among`.
    """
    names = list(needed)
    derived = derived_among(names, streams)
    opened = {}
    for name in dict.fromkeys(derived[name].of if name in derived else name for name in names):
        stream = stream_of(video, name, streams)
        assert isinstance(stream, Stream)
        opened[name] = stream
    return opened


def shortest_of(frames: Mapping[str, int], needed: Iterable[str], streams: Streams) -> int:
    """How many frames a video has of all needed streams.

    Args:
        frames: of the opened streams.
        needed: names of the streams that are needed.
        streams: name -> stream, of those that a recipe names.
    """
    derived = derived_among(needed, streams)
    return max(0, min([*frames.values(), *(frames[source.of] - source.fewer for source in derived.values())]))
