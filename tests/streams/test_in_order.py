"""All frames from a number on, in one pass: the frames that reading by number gives, wherever the pass begins."""

import numpy as np
import pytest

import videos
from praxino.catalogs.base import Video
from praxino.errors import UnreadableVideo
from praxino.streams.base import Canvas
from praxino.streams.decode import OpenFile
from praxino.streams.frames import FrameFolder
from praxino.streams.video import VideoFile


def opened(path, **more):
    return VideoFile().open(Video("v", {"rgb": str(path)}), **more)


@pytest.mark.parametrize("trap", sorted(videos.TRAPS))
def test_from_any_frame_on(tmp_path, trap):
    with opened(videos.make(trap, tmp_path), canvas=Canvas(short_side=32)) as reader:
        whole = list(reader.in_order())
        assert len(whole) == len(reader.times)
        for begin in sorted({0, 1, 11, 12, 13, len(whole) // 2, len(whole) - 1} & set(range(len(whole)))):
            some = list(reader.in_order(begin))
            assert len(some) == len(whole) - begin
            assert all(np.array_equal(a, b) for a, b in zip(some, whole[begin:], strict=True)), begin


def test_it_begins_at_a_key_and_not_at_the_start(tmp_path, monkeypatch):
    def refused(self, begin=0):
        raise AssertionError("counts from the start")

    with opened(videos.write(tmp_path / "v.mp4", 60, gop=12)) as reader:
        monkeypatch.setattr(OpenFile, "in_order", refused)
        assert [videos.number(frame) for frame in reader.in_order(50)] == list(range(50, 60))


def test_where_a_key_leads_astray_the_rest_is_counted_from_the_start(tmp_path, monkeypatch):
    """After three frames nothing more comes by time, as where a file has changed since it was indexed."""
    by_time = OpenFile.known_by_time

    def three(self, row, wanted):
        for k, found in enumerate(by_time(self, row, wanted)):
            if k == 3:
                return
            yield found

    monkeypatch.setattr(OpenFile, "known_by_time", three)
    with opened(videos.write(tmp_path / "v.mp4", 40)) as reader:
        assert [videos.number(frame) for frame in reader.in_order(20)] == list(range(20, 40))


def test_a_file_that_has_become_shorter_is_unreadable(tmp_path):
    path = videos.write(tmp_path / "v.mkv", 40)
    with opened(path) as reader:
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
        with pytest.raises(UnreadableVideo, match=r"it breaks off after \d+ frames, and had 40 before"):
            list(reader.in_order(13))


def test_pictures(tmp_path):
    from PIL import Image

    for k in (0, 1, 4):
        Image.fromarray(np.full((4, 5, 3), k, np.uint8)).save(tmp_path / f"{k}.png")
    paths = tuple(str(tmp_path / f"{k}.png") for k in range(5))
    with FrameFolder().open(Video("v", {"rgb": paths})) as reader:
        frames = list(reader.in_order(1))
    assert [None if frame is None else int(frame[0, 0, 0]) for frame in frames] == [1, None, None, 4]
