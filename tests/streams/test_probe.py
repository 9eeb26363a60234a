"""The probe finds what cannot be used, and neither stops nor forgets a row."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import videos
from praxino.catalogs.base import Catalog, Video
from praxino.errors import UserError
from praxino.streams.base import Derived
from praxino.streams.flow_folder import FlowFolder
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
@pytest.mark.parametrize("how", ["quick", "full"])
def test_every_row_once_and_in_order(catalog, workers, how):
    seen = []
    found = probe(catalog, {}, ["rgb"], 16, how=how, workers=workers, progress=lambda *now: seen.append(now))
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
    # The same as columns.
    assert found.frames.tolist() == [one.frames for one in found]
    assert found.usable.tolist() == [one.status == "ok" for one in found]
    assert (found[-1], found[:2]) == (found[len(found) - 1], [found[0], found[1]])


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


@pytest.mark.parametrize(("flows", "said"), [(39, False), (37, False), (5, True)])
def test_streams_that_end_far_from_each_other_are_noted(tmp_path, flows, said):
    """Flow whose making broke off: the rest of the video is never seen."""
    for axis in "uv":
        folder = tmp_path / "flow" / axis / "one"
        folder.mkdir(parents=True)
        for number in range(1, flows + 1):
            Image.new("L", (8, 6), 128).save(folder / f"frame{number:06d}.jpg")
    video = Video("one.mp4", {"rgb": str(videos.write(tmp_path / "one.mp4", 40))})
    (one,) = probe(Listed([video]), {"flow": FlowFolder(str(tmp_path / "flow"))}, ["rgb", "flow"], 4)
    assert (one.status, one.frames) == ("ok", flows)
    assert ("not of one length (rgb 40, flow 5 frames)" in one.reason) == said


def test_an_error_in_a_stream_is_not_hidden(catalog):
    class Broken(VideoFile):
        def probe(self, video, full=False):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        probe(catalog, {"rgb": Broken()}, ["rgb"], 1, workers=2)


class Said(Listed):
    """Its list knows how many frames there are, of some or of all; none of its files is there."""

    def __init__(self, frames):
        super().__init__([Video(f"{row}", {"rgb": f"/gone/{row}"}) for row in range(len(frames))])
        self.said = frames

    def listed_frames(self, row):
        return self.said[row]


class Unopened(VideoFile):
    def open(self, video, canvas=None):
        raise AssertionError("something was opened")

    probe = open


class Shortened(Doubled):
    fewer = 3


@given(st.lists(st.integers(0, 30), min_size=1, max_size=40), st.integers(0, 30))
def test_the_catalogs_word_is_taken(frames, least):
    found = probe(Said(frames), {"rgb": Unopened()}, ["rgb"], least, "listed")
    assert [(one.row, one.id, one.frames) for one in found] == [(k, str(k), n) for k, n in enumerate(frames)]
    assert [one.status for one in found] == ["ok" if n >= least else "too short" for n in frames]
    reasons = ["" if n >= least else f"it has {n} frame{'s' * (n != 1)}, and {least} are needed" for n in frames]
    assert [one.reason for one in found] == reasons


def test_a_derived_stream_lacks_frames_of_those_that_are_listed():
    streams = {"rgb": Unopened(), "less": Shortened()}
    for needed in (["less"], ["rgb", "less"]):
        assert [one.frames for one in probe(Said([2, 3, 9]), streams, needed, 0, "listed")] == [0, 0, 6]
    assert [one.frames for one in probe(Said([2, 3, 9]), streams, ["rgb"], 0, "listed")] == [2, 3, 9]


def test_a_catalog_that_does_not_say_is_not_guessed_at(catalog):
    with pytest.raises(UserError, match=r"^--probe listed.*Said does not say it of 2: pass --probe quick$"):
        probe(Said([4, 4, None]), {"rgb": Unopened()}, ["rgb"], 4, "listed")
    for silent in (catalog, list(catalog)):
        with pytest.raises(UserError, match="does not say it of plain"):
            probe(silent, {}, ["rgb"], 4, "listed")
