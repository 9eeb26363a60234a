"""Which stream of a video is looked at."""

import pytest

from praxino.catalogs.base import Video
from praxino.errors import UnreadableVideo
from praxino.streams.choose import picture_name, picture_stream
from praxino.streams.frames import FrameFolder
from praxino.streams.video import VideoFile


@pytest.mark.parametrize(
    "files, name, kind",
    [
        ({"flow_u": "/u", "rgb": "/a.mp4"}, "rgb", VideoFile),
        ({"depth": "/a.jpg", "rest": "/b.mp4"}, "depth", FrameFolder),
    ],
)
def test_rgb_or_the_first_one_is_looked_at(files, name, kind):
    video = Video("a", files)
    assert picture_name(video) == name
    stream = picture_stream(video)
    assert (type(stream), stream.channels, stream.stream) == (kind, 3, name)


def test_what_has_no_files_is_one_line():
    with pytest.raises(UnreadableVideo, match=r"a: .*rgb"):
        picture_stream(Video("a", {}))
