"""Long videos in stretches: which there are, and that their frames are those of the file."""

import os
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import videos
from praxino.catalogs.base import Catalog, Video
from praxino.catalogs.cut import Cut, seconds_said
from praxino.catalogs.folder import VideoFolder
from praxino.errors import UnreadableVideo, UserError
from praxino.streams import stretch
from praxino.streams.base import FrameReader
from praxino.streams.choose import stream_of
from praxino.streams.probe import probe
from praxino.streams.stretch import Stretch, StretchReader, piece_of, whole
from praxino.streams.video import VideoFile


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """25 frames a second: 4.4, 2.8, 1.2 seconds."""
    root = tmp_path_factory.mktemp("long")
    for k, (name, frames) in enumerate((("a/one.mp4", 110), ("a/two.mp4", 70), ("b/v_YoYo_g07_c01.mp4", 30))):
        (root / name).parent.mkdir(exist_ok=True)
        videos.write(root / name, frames, size=(16, 24), seed=k)
    return root


def test_stretches_of_a_folder(folder):
    cut = Cut(VideoFolder(folder), 1)
    assert [video.id for video in cut] == [
        "a/one.mp4@0-1", "a/one.mp4@1-2", "a/one.mp4@2-3", "a/one.mp4@3-",
        "a/two.mp4@0-1", "a/two.mp4@1-2", "a/two.mp4@2-", "b/v_YoYo_g07_c01.mp4",
    ]  # fmt: skip
    assert [video.group for video in cut] == ["a/one.mp4"] * 4 + ["a/two.mp4"] * 3 + ["YoYo_g07"]
    assert [video.label for video in cut] == [0] * 7 + [1]
    assert cut.classes == ("a", "b")
    assert cut.found.endswith("in 8 stretches of 1 s")
    assert cut[-1].files == {"rgb": str(folder / "b/v_YoYo_g07_c01.mp4")}


@pytest.mark.parametrize("seconds", [0.3, 1, 1.7, 10])
def test_stretches_are_the_whole_video_once(folder, seconds):
    for video in VideoFolder(folder):
        frames = VideoFile().open(video)
        all_frames, _ = frames.read(range(len(frames.times)))
        parts = [one for one in Cut(VideoFolder(folder), seconds) if one.id.partition("@")[0] == video.id]
        readers = [stream_of(part, "rgb", {}).open(part) for part in parts]
        np.testing.assert_array_equal(np.concatenate([reader.times for reader in readers]), frames.times)
        there = [reader.read(range(len(reader.times)))[0] for reader in readers]
        np.testing.assert_array_equal(np.concatenate(there), all_frames)
        np.testing.assert_array_equal([one for reader in readers for one in reader.in_order()], all_frames)


def test_one_file_is_a_folder_of_one(folder):
    (video,) = VideoFolder(folder / "a/one.mp4")
    assert (video.id, video.files, video.label) == ("one.mp4", {"rgb": str(folder / "a/one.mp4")}, None)
    assert len(Cut(VideoFolder(folder / "a/one.mp4"), 2)) == 2
    (folder / "notes.txt").write_text("")
    with pytest.raises(UserError, match=r"notes\.txt is no video file by its name \(they end in .*\): pass a folder"):
        VideoFolder(folder / "notes.txt")


class Times(FrameReader):
    """A reader of nothing but times."""

    def __init__(self, times):
        self.times = np.asarray(times)
        self.closed = False

    def read(self, indices):
        return np.asarray(indices)[:, None, None, None].astype(np.uint8), np.ones(len(indices), bool)

    def close(self):
        self.closed = True


@settings(max_examples=100)
@given(st.lists(st.integers(0, 90), min_size=1, max_size=120), st.sampled_from([0.25, 0.4, 1.0, 3.0]), st.floats(0, 50))
def test_every_frame_is_in_one_stretch(steps, seconds, begin):
    """However the times are spaced, and wherever they begin: by hand each frame by its own time."""
    times = begin + np.cumsum(steps) / 100
    whole_seconds = (times - times[0]) // seconds
    for k in range(int(whole_seconds[-1]) + 1):
        by_hand = np.flatnonzero(np.abs((times - times[0] + 1e-6) // seconds - k) < 0.5)
        if len(by_hand):
            reader = StretchReader("x", Times(times), k * seconds, (k + 1) * seconds)
            assert reader.read(range(len(reader.times)))[0].ravel().tolist() == by_hand.tolist()
        else:
            with pytest.raises(UnreadableVideo):
                StretchReader("x", Times(times), k * seconds, (k + 1) * seconds)


def test_beyond_the_end_is_a_line_and_closed(folder):
    reader = Times([0.0, 0.04])
    with pytest.raises(UnreadableVideo, match="the file ends before, after 2 frames"):
        StretchReader("x", reader, 5, 6)
    assert reader.closed
    with pytest.raises(UnreadableVideo, match=r"it shows no new frame between 0\.01 and 0\.03 s"):
        StretchReader("x", Times([0.0, 0.04]), 0.01, 0.03)
    with pytest.raises(UserError, match=r"--cut must be 0\.001 seconds or more, and finite, not 0"):
        Cut(VideoFolder(folder), 0)


def test_a_file_of_such_a_name_is_a_file(tmp_path):
    path = tmp_path / "v.mp4#t=1,2"
    assert piece_of(str(path)) == (str(tmp_path / "v.mp4"), 1, 2)
    assert whole(str(path)) == str(tmp_path / "v.mp4")
    path.touch()
    assert piece_of(str(path)) is None
    assert whole((str(path),)) == (str(path),)
    assert piece_of("v.mp4#t=3,")[2] == np.inf


def test_what_is_no_video_file_stays_whole(tmp_path):
    class Folders(Catalog):
        def __len__(self):
            return 2

        def video(self, row):
            return Video(f"v{row}", {"rgb": (str(tmp_path), ("a.jpg", "b.jpg"))[row]})

    assert list(Cut(Folders(), 1)) == list(Folders())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.mp4")
    assert seconds_said(str(tmp_path / "a.mp4")) is None


def test_a_file_with_a_title_in_another_encoding_is_cut(folder, tmp_path):
    path = tmp_path / "a.mp4"
    videos.ffmpeg("-i", folder / "a/one.mp4", "-c", "copy", "-metadata", "title=ABCDEFGH", path)
    data = path.read_bytes()
    assert b"ABCDEFGH" in data
    path.write_bytes(data.replace(b"ABCDEFGH", b"caf\xe9\xff\xfe\x80\x81"))
    assert len(Cut(VideoFolder(tmp_path), 1)) == len(Cut(VideoFolder(folder / "a/one.mp4"), 1)) == 4


def test_a_name_with_a_colon_is_no_protocol(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(folder / "a/one.mp4", "12:30.mp4")
    assert seconds_said("12:30.mp4") == pytest.approx(4.4)


def test_seconds_that_are_powers(folder):
    """Python writes a million as 1e+06."""
    piece = stretch.piece_of("v.mp4#t=1e+06,1.00006e+06")
    assert (piece.begin, piece.end) == (1e6, 1.00006e6)
    video = Video("v", {"rgb": f"{folder}/a/one.mp4#t=0,1"})
    assert Stretch(VideoFile()).probe(video).frames == 25


@pytest.mark.parametrize("begin, end", [(0.00001, 0.00005), (1e-7, 3), (0.5, 1e22), (0, 1e300)])
def test_a_stretch_of_any_seconds_is_read_back(begin, end):
    name = f"a.mp4#t={begin:.12g},{end:.12g}"
    assert piece_of(name) == ("a.mp4", begin, end)
    assert whole(name) == "a.mp4"


@pytest.mark.parametrize("said", ["x", "1.2.3,4", "e,", ",", ".,1", "1,2,3", "+1,2", "1", "nan,2", "1e,2", "1,inf"])
def test_what_is_no_seconds_is_part_of_a_name(said):
    assert piece_of(f"a.mp4#t={said}") is None
    assert whole(f"a.mp4#t={said}") == f"a.mp4#t={said}"


def test_a_probe_opens_each_file_once_before_its_stretches(folder, monkeypatch):
    """Else several threads would decode the same file at once."""
    probed, looked = VideoFile.probe, []

    def counted(self, video, full=False):
        looked.append(video.files["rgb"])
        return probed(self, video, full)

    monkeypatch.setattr(VideoFile, "probe", counted)
    whole = VideoFolder(folder / "a/one.mp4")
    found = probe(Cut(whole, 2), {}, ("rgb",), 1, workers=4)
    assert looked[0] == str(folder / "a/one.mp4")
    assert len(looked) == 1 + len(found) == 3
