"""FrameFolder, and which stream is the default."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import videos
from praxino.catalogs.base import Video
from praxino.errors import UnreadableVideo
from praxino.streams.base import Canvas
from praxino.streams.choose import default_stream, stream_of
from praxino.streams.frames import FrameFolder
from praxino.streams.video import VideoFile


@pytest.fixture
def folder(tmp_path):
    """12 pictures whose names sort wrongly as text, and things that are no pictures."""
    folder = tmp_path / "frames"
    (folder / "more").mkdir(parents=True)
    for k in range(12):
        Image.fromarray(videos.frame(k)).save(folder / f"frame{k}.{'png' if k % 2 else 'JPG'}", format="PNG")
    (folder / "n_frames").write_text("12")
    (folder / "notes.txt").write_text("x")
    return folder


def as_video(files):
    return Video("a", {"rgb": files if isinstance(files, tuple) else str(files)})


def test_folder(folder):
    with FrameFolder(fps=10).open(as_video(folder)) as reader:
        np.testing.assert_allclose(reader.times, np.arange(12) / 10)
        indices = [11, 0, 3, 3, 10]
        pixels, present = reader.read(indices)
        assert present.all()
        # PNG keeps every pixel.
        np.testing.assert_array_equal(pixels, np.stack([videos.frame(k) for k in indices]))
        with pytest.raises(IndexError):
            reader.read([12])
        assert reader.read([])[0].shape == (0, videos.HEIGHT, videos.WIDTH, 3)


def test_named_frames_in_their_order_and_missing_ones(folder):
    names = tuple(str(folder / f"frame{k}.png") for k in (5, 1, 99, 3))
    with FrameFolder().open(as_video(names)) as reader:
        pixels, present = reader.read([3, 2, 0, 1])
    np.testing.assert_array_equal(present, [True, False, True, True])
    # Of the neighbours 1 and 3 of the missing one, the earlier stands in.
    assert [videos.number(frame) for frame in pixels] == [3, 1, 5, 1]


def test_the_first_named_frame_is_missing(folder):
    names = (str(folder / "no.png"), str(folder / "frame1.png"))
    with FrameFolder().open(as_video(names)) as reader:
        pixels, present = reader.read([0, 1])
        np.testing.assert_array_equal(present, [False, True])
        assert videos.number(pixels[0]) == 1
        with pytest.raises(UnreadableVideo):
            reader.read([0])


def test_damaged_pictures(folder):
    (folder / "frame3.png").write_bytes((folder / "frame3.png").read_bytes()[:200])
    (folder / "frame5.png").write_text("no picture")
    video = as_video(folder)
    with FrameFolder().open(video) as reader:
        _, present = reader.read(np.arange(12))
    np.testing.assert_array_equal(np.flatnonzero(~present), [3, 5])
    assert FrameFolder().probe(video).note == ""
    assert "2 of its pictures" in FrameFolder().probe(video, full=True).note


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "RGB"])
def test_modes_become_rgb(tmp_path, mode):
    Image.fromarray(videos.frame(9)).convert(mode).save(tmp_path / "a.png")
    with FrameFolder().open(as_video(tmp_path)) as reader:
        pixels, _ = reader.read([0])
    assert pixels.shape == (1, videos.HEIGHT, videos.WIDTH, 3)
    assert videos.number(pixels[0]) == 9


def test_shown_orientation(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(videos.frame(9)).save(tmp_path / "a.png", exif=exif)
    with FrameFolder().open(as_video(tmp_path)) as reader:
        pixels, _ = reader.read([0])
    np.testing.assert_array_equal(pixels[0], np.rot90(videos.frame(9), -1))


def test_canvas_and_other_sizes(folder):
    Image.fromarray(videos.frame(4, 100, 100)).save(folder / "frame4.JPG", format="PNG")
    with FrameFolder().open(as_video(folder), Canvas(short_side=32)) as reader:
        pixels, _ = reader.read(np.arange(12))
    assert pixels.shape == (12, 32, 48, 3)
    assert [videos.number(frame) for frame in pixels] == list(range(12))
    reference = Image.fromarray(videos.frame(0)).resize((48, 32), Image.Resampling.BILINEAR, reducing_gap=2)
    np.testing.assert_array_equal(pixels[0], np.asarray(reference))


def test_nothing_to_read(tmp_path):
    with pytest.raises(UnreadableVideo, match="no JPEG or PNG"):
        FrameFolder().open(as_video(tmp_path))
    with pytest.raises(UnreadableVideo):
        FrameFolder().open(as_video(tmp_path / "no"))
    with pytest.raises(UnreadableVideo, match="none of its pictures"):
        FrameFolder().open(as_video((str(tmp_path / "a.png"),)))


def test_defaults(folder, tmp_path):
    picture = folder / "frame1.png"
    assert isinstance(default_stream(str(tmp_path / "a.mp4")), VideoFile)
    for files in (str(folder), str(picture), (str(picture),)):
        stream = default_stream(files, "rgb")
        assert isinstance(stream, FrameFolder)
        assert stream.probe(as_video(files)).frames in (1, 12)
    with stream.open(as_video(picture)) as reader:
        assert len(reader.times) == 1
    mine = VideoFile()
    assert stream_of(as_video(folder), "rgb", {"rgb": mine}) is mine
    assert stream_of(as_video(folder), "rgb", {}).stream == "rgb"
    with pytest.raises(UnreadableVideo, match="no flow"):
        stream_of(as_video(folder), "flow", {})
