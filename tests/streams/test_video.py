"""VideoFile gives exactly the frames of a plain decode from the start, whatever the file is like."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import videos
from praxino.catalogs.base import Video
from praxino.errors import UnreadableVideo
from praxino.streams import decode, scan
from praxino.streams import video as module
from praxino.streams.base import Canvas
from praxino.streams.cache import frame_index
from praxino.streams.video import VideoFile

SHARED = Path(__file__).parents[2] / ".." / "shared" / "data"
# How the files that are turned look when they are shown, from the frames as they are stored.
SHOWN = {"turned": lambda x: np.rot90(x, -1), "upside_down": lambda x: np.rot90(x, 2)}


def as_video(path: Path | str) -> Video:
    return Video(Path(path).name, {"rgb": str(path)})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("traps")


def shared_files():
    files = [*sorted((SHARED / "odd").glob("*.*")), *sorted((SHARED / "ucf_raw").glob("*.avi"))]
    files += sorted((SHARED / "actions").glob("*/*.mp4"))[::71]
    return [file for file in files if file.suffix not in (".csv", ".md", ".mp3")]


def check(reader, expected, indices):
    pixels, present = reader.read(indices)
    assert present.all()
    assert pixels.dtype == np.uint8
    for index, got in zip(indices, pixels, strict=True):
        np.testing.assert_array_equal(got, expected[index], err_msg=f"frame {index} of {reader.path}")


def some_reads(length, rng, reads):
    """Clips of frames in a row, strided ones, and any order with repeats."""
    for kind in range(reads):
        start = int(rng.integers(length))
        if kind % 3 < 2:
            yield np.arange(start, min(length, start + 40), 1 + 4 * (kind % 3))
        else:
            yield rng.integers(0, length, 5)


@pytest.mark.parametrize("name", videos.TRAPS)
def test_traps(name, folder):
    path = videos.make(name, folder)
    stored = videos.decoded(path)
    rng = np.random.default_rng(0)
    with VideoFile().open(as_video(path)) as reader:
        assert len(reader.times) == len(stored)
        assert (np.diff(reader.times) >= 0).all()
        assert reader.times[0] == 0
        if name != "two_sizes":
            expected = [SHOWN.get(name, lambda x: x)(frame) for frame in stored]
            for indices in some_reads(len(stored), rng, 8):
                check(reader, expected, indices)
    # Independent of any reference: the number that each frame shows.
    with VideoFile().open(as_video(path)) as reader:
        indices = rng.permutation(len(stored))[:12]
        pixels, _ = reader.read(indices)
    back = {"turned": 1, "upside_down": 2}.get(name, 0)
    shown = [videos.number(np.rot90(frame, back)) for frame in pixels]
    first = videos.number(stored[0])
    # The last packet of the file that was cut is half a frame, and others refer to it.
    whole = [k for k, index in enumerate(indices) if not (name == "truncated_avi" and index >= len(stored) - 3)]
    assert [shown[k] for k in whole] == [first + indices[k] for k in whole]


@pytest.mark.parametrize("name", ["plain", "long_gop", "open_gop", "pyramid", "variable_rate", "edit_list", "matroska"])
def test_quick_opening(name, folder, monkeypatch):
    """Large frames are not decoded while a file is opened; forced here for small ones."""
    monkeypatch.setattr(scan, "QUICK_PIXELS", 0)
    path = videos.make(name, folder)
    expected = videos.decoded(path)
    index = scan.build_index(str(path))
    assert index.quick
    opened = []
    original = decode.open_video
    monkeypatch.setattr(decode, "open_video", lambda *all: opened.append(all[2]) or original(*all))
    for indices in some_reads(len(expected), np.random.default_rng(1), 6):
        with module.VideoReader(name, str(path), index, Canvas(), 1) as reader:
            check(reader, expected, indices)
    assert opened == [True] * 6


@pytest.mark.parametrize("name", ["motion_jpeg", "prores", "huffyuv", "plain"])
def test_where_no_frame_needs_another_only_wanted_ones_are_decoded(name, folder, monkeypatch):
    path = videos.make(name, folder)
    expected = videos.decoded(path)
    fed = []
    original = decode.decoded

    def counted(packets, decoder):
        return original((fed.append(packet.pts) or packet for packet in packets), decoder)

    with VideoFile().open(as_video(path)) as reader:
        monkeypatch.setattr(decode, "decoded", counted)
        for indices in ([30, 4, 12, 12], [39], [0, 1], [7]):
            fed.clear()
            check(reader, expected, indices)
            assert (len(fed) == len(set(indices))) == (name != "plain")


def test_edit_list_hides_frames(folder):
    path = videos.make("edit_list", folder)
    with VideoFile().open(as_video(path)) as reader:
        pixels, _ = reader.read([0])
        assert len(reader.times) < 60
        assert videos.number(pixels[0]) == 60 - len(reader.times)


@pytest.mark.parametrize("name", videos.BROKEN)
def test_broken(name, folder):
    path = videos.make(name, folder)
    with pytest.raises(UnreadableVideo) as error:
        VideoFile().open(as_video(path))
    assert error.value.id == path.name
    assert 0 < len(error.value.reason.split()) < 12


def test_what_is_not_there(tmp_path):
    with pytest.raises(UnreadableVideo, match="no such file"):
        VideoFile().open(as_video(tmp_path / "no.mp4"))
    with pytest.raises(UnreadableVideo, match="has no flow_u, only rgb"):
        VideoFile("flow_u").open(as_video(tmp_path / "no.mp4"))
    with pytest.raises(UnreadableVideo):
        VideoFile().open(as_video(tmp_path))


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data are not here")
@pytest.mark.parametrize("path", shared_files(), ids=lambda path: path.name)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_real_files(path, data):
    expected = cached_decode(path)
    indices = data.draw(st.lists(st.integers(0, len(expected) - 1), min_size=1, max_size=12))
    with VideoFile().open(as_video(path)) as reader:
        assert len(reader.times) == len(expected)
        check(reader, expected, indices)


_last: dict[Path, list[np.ndarray]] = {}


def cached_decode(path):
    if path not in _last:
        _last.clear()
        _last[path] = [np.rot90(frame, -1) if path.name == "video_90.mov" else frame for frame in videos.decoded(path)]
    return _last[path]


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data are not here")
def test_all_of_actions():
    rng = np.random.default_rng(0)
    files = sorted((SHARED / "actions").glob("*/*.mp4"))
    assert len(files) == 710
    for path in files:
        expected = videos.decoded(path)
        with VideoFile().open(as_video(path)) as reader:
            assert len(reader.times) == len(expected)
            for indices in some_reads(len(expected), rng, 4):
                check(reader, expected, indices)


def test_read_refuses_what_is_out_of_range(tmp_path):
    with VideoFile().open(as_video(videos.write(tmp_path / "a.mp4", 10))) as reader:
        for indices in ([10], [-1]):
            with pytest.raises(IndexError):
                reader.read(indices)
        pixels, present = reader.read([])
        assert pixels.shape == (0, videos.HEIGHT, videos.WIDTH, 3)
        assert present.shape == (0,)


@pytest.mark.parametrize("name", ["plain", "turned"])
def test_canvas(name, folder):
    path = videos.make(name, folder)
    shown = SHOWN.get(name, lambda x: x)
    height, width = shown(videos.frame(0)).shape[:2]
    for canvas in (Canvas(short_side=32), Canvas(exact=(40, 56)), Canvas(short_side=100)):
        with VideoFile().open(as_video(path), canvas) as reader:
            pixels, _ = reader.read([3, 20])
        assert pixels.shape[1:3] == canvas.size(height, width)
        back = {"turned": 1}.get(name, 0)
        assert [videos.number(np.rot90(frame, back)) for frame in pixels] == [3, 20]


def test_times(tmp_path):
    path = videos.write(tmp_path / "a.mp4", 30, ticks=lambda k: 40 * k + 10 * (k % 2))
    with VideoFile().open(as_video(path)) as reader:
        # Milliseconds are the file's ticks; containers may use finer ones.
        np.testing.assert_allclose(reader.times, [0.04 * k + 0.01 * (k % 2) for k in range(30)], atol=1e-4)


def test_frames_that_do_not_come_out(tmp_path):
    """An index that promises too much: the nearest frame stands in."""
    path = videos.write(tmp_path / "a.mp4", 20)
    index = frame_index(str(path))
    step = index.pts[1] - index.pts[0]
    longer = np.append(index.pts, index.pts[-1] + step * np.arange(1, 4))
    lying = module.FrameIndex(**{**index.__dict__, "pts": longer})
    reader = module.VideoReader("a", str(path), lying, Canvas(), 1)
    with reader:
        pixels, present = reader.read([22, 19, 3, 20])
        np.testing.assert_array_equal(present, [False, True, True, False])
        assert [videos.number(frame) for frame in pixels] == [19, 19, 3, 19]
        with pytest.raises(UnreadableVideo, match="none of the frames"):
            reader.read([20, 21])


def test_wrong_timestamps_fall_back_to_counting(tmp_path):
    path = videos.write(tmp_path / "a.mp4", 30)
    index = frame_index(str(path))
    wrong = module.FrameIndex(**{**index.__dict__, "pts": index.pts + 1, "keys": index.keys + 1})
    with module.VideoReader("a", str(path), wrong, Canvas(), 1) as reader:
        check(reader, videos.decoded(path), [29, 0, 14, 14])


def test_a_file_that_vanishes_or_changes(tmp_path):
    path = videos.write(tmp_path / "a.mp4", 20)
    with VideoFile().open(as_video(path)) as reader:
        path.unlink()
        with pytest.raises(UnreadableVideo):
            reader.read([3])
