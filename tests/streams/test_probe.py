"""The probe finds what cannot be used, and neither stops nor forgets a row."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import videos
from praxino.catalogs.base import Catalog, Video
from praxino.streams.base import Derived
from praxino.streams.probe import probe
from praxino.streams.video import VideoFile

NAMES = ["plain", "empty", "one_frame", "truncated_mp4", "twelve_frames", "sound", "text", "variable_rate", "odd_size"]


class Listed(Catalog):
    def __init__(self, videos):
        self.videos = videos

    def __len__(self):
        return len(self.videos)

    def video(self, row):
        return self.videos[row]


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    folder = tmp_path_factory.mktemp("probe")
    return Listed([Video(name, {"rgb": str(videos.make(name, folder))}) for name in NAMES])


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("full", [False, True])
def test_every_row_once_and_in_order(catalog, workers, full):
    seen = []
    found = probe(catalog, {}, ["rgb"], 16, full=full, workers=workers, progress=lambda *now: seen.append(now))
    assert [(one.row, one.id) for one in found] == list(enumerate(NAMES))
    assert seen == [(k + 1, len(NAMES)) for k in range(len(NAMES))]
    status = {one.id: (one.status, one.frames) for one in found}
    assert status == {
        "plain": ("ok", 40),
        "empty": ("unreadable", 0),
        "one_frame": ("too short", 1),
        "truncated_mp4": ("ok", 24),
        "twelve_frames": ("too short", 12),
        "sound": ("unreadable", 0),
        "text": ("unreadable", 0),
        "variable_rate": ("ok", 40),
        "odd_size": ("ok", 40),
    }
    reasons = {one.id: one.reason for one in found}
    assert reasons["plain"] == ""
    assert reasons["empty"] == "the file is empty"
    assert reasons["twelve_frames"] == "it has 12 frames, and 16 are needed"
    assert "damaged" in reasons["truncated_mp4"]
    assert "its header says 40" in reasons["truncated_mp4"]


class Doubled(Derived):
    def __init__(self, of="rgb"):
        self.of = of

    def needs(self, wanted):
        return wanted

    def make(self, pixels, wanted):
        return pixels


def test_the_shortest_of_all_needed_streams(tmp_path):
    path = videos.write(tmp_path / "a.mp4", 30)
    (tmp_path / "flow").mkdir()
    for k in range(20):
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "flow" / f"{k:03}.jpg")
    both = Video("both", {"rgb": str(path), "flow_u": str(tmp_path / "flow")})
    one = Video("one", {"rgb": str(path)})
    streams = {"twice": Doubled(), "rgb": VideoFile()}
    found = probe([both, one], streams, ["rgb", "flow_u", "twice"], 10)
    assert [item.frames for item in found] == [20, 0]
    assert found[1].status == "unreadable"
    assert "no flow_u" in found[1].reason
    assert [item.frames for item in probe([both, one], streams, ["twice"], 10)] == [30, 30]


def test_an_error_in_a_stream_is_not_hidden(catalog):
    class Broken(VideoFile):
        def probe(self, video, full=False):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        probe(catalog, {"rgb": Broken()}, ["rgb"], 1, workers=2)
