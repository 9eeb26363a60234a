"""FrameFolder, and which stream is the default."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from mutated import mutated
from PIL import Image, ImageOps

import videos
from praxino.catalogs.base import Video
from praxino.errors import UnreadableVideo, UserError
from praxino.streams import frames
from praxino.streams.base import Canvas
from praxino.streams.choose import default_stream, stream_of
from praxino.streams.frames import FrameFolder, pictures_in
from praxino.streams.video import VideoFile

CASES = Path(__file__).parents[2] / ".." / "shared" / "cases"


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


def test_pictures_whose_headers_alone_are_whole(tmp_path):
    for k in range(3):
        Image.fromarray(videos.frame(k)).save(tmp_path / f"{k}.jpg")
        (tmp_path / f"{k}.jpg").write_bytes((tmp_path / f"{k}.jpg").read_bytes()[:-400])
    assert FrameFolder().probe(as_video(tmp_path)).frames == 3
    with pytest.raises(UnreadableVideo, match="none of its pictures can be decoded"):
        FrameFolder().probe(as_video(tmp_path), full=True)


@pytest.mark.parametrize("turn", [1, 6])
def test_grey_of_16_bits_becomes_8(tmp_path, turn):
    """Pillow's own conversion makes white of all that is above 255."""
    grey = videos.frame(9)[..., 0]
    exif = Image.Exif()
    exif[0x0112] = turn
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "a.png", exif=exif)
    with FrameFolder().open(as_video(tmp_path)) as reader:
        pixels, _ = reader.read([0])
    shown = np.rot90(grey, -1) if turn == 6 else grey
    np.testing.assert_array_equal(pixels[0], shown[..., None].repeat(3, axis=2))


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


ODD = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01%c\0\x01\0\0\0\x06\0\0\0\0\0\0\0"  # a tag of another type than a number's


@pytest.mark.parametrize("orientation", [0, *range(1, 10), 42, 255, 65535, ODD % 7, ODD % 2, ODD % 1])
def test_pictures_as_shown(tmp_path, orientation):
    """Turned as Pillow turns them, which is not at all by a tag that says nothing known."""
    exif = Image.Exif()
    if isinstance(orientation, int):
        exif[0x0112] = orientation
    Image.fromarray(videos.frame(9)).save(
        tmp_path / "a.jpg", exif=orientation if isinstance(orientation, bytes) else exif
    )
    with FrameFolder().open(as_video(tmp_path)) as reader:
        pixels, _ = reader.read([0])
    shown = ImageOps.exif_transpose(Image.open(tmp_path / "a.jpg"))
    np.testing.assert_array_equal(pixels[0], np.asarray(shown.convert("RGB")))


@pytest.mark.parametrize("fps", [0, -1, float("nan"), float("inf")])
def test_a_rate_that_is_none_is_refused(fps):
    with pytest.raises(UserError, match="FrameFolder takes fps above 0 frames a second, and finite"):
        FrameFolder(fps=fps)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_as_stored(tmp_path, orientation):
    """`exif=False` is Pillow's plain `convert("RGB")`, in size and pixels, whatever orientation is said."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(videos.frame(9)).save(tmp_path / "a.jpg", exif=exif)
    with FrameFolder(exif=False).open(as_video(tmp_path)) as reader:
        pixels, _ = reader.read([0])
    np.testing.assert_array_equal(pixels[0], np.asarray(Image.open(tmp_path / "a.jpg").convert("RGB")))
    assert FrameFolder(exif=False).probe(as_video(tmp_path), full=True).note == ""


def test_one_huge_picture_shrinks_and_the_others_stay(folder):
    Image.fromarray(videos.frame(7, 640, 1000)).save(folder.parent / "huge.png")
    for name, size in (("huge.png", (128, 200)), ("frames/frame1.png", (videos.HEIGHT, videos.WIDTH))):
        with FrameFolder().open(as_video(folder.parent / name), Canvas(longest=200)) as reader:
            pixels, _ = reader.read([0])
        assert pixels.shape[1:3] == size
    np.testing.assert_array_equal(pixels[0], videos.frame(1))


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


def write(folder, *names):
    folder.mkdir(exist_ok=True)
    for k, name in enumerate(names):
        Image.fromarray(videos.frame(k)).save(folder / name, format="PNG")
    return folder


def test_hidden_files_are_passed_over(tmp_path):
    """A Mac leaves one beside each picture on disks of other systems."""
    folder = write(tmp_path / "a", *(f"img_{k:05}.jpg" for k in range(5)))
    for k in range(5):
        (folder / f"._img_{k:05}.jpg").write_bytes(b"\x00\x05\x16\x07 Mac OS X")
    write(folder, ".hidden.png")
    assert pictures_in(str(folder)) == [f"img_{k:05}.jpg" for k in range(5)]
    with FrameFolder().open(as_video(folder)) as reader:
        assert len(reader.times) == 5
        assert reader.read(np.arange(5))[1].all()
    with FrameFolder(pattern="*").open(as_video(folder)) as reader:
        assert len(reader.times) == 5


def test_several_series_in_one_folder(tmp_path):
    names = [f"{kind}_{k:05}.jpg" for k in range(4) for kind in ("img", "flow_x", "flow_y")]
    folder = write(tmp_path / "a", *names)
    with pytest.raises(UnreadableVideo, match=r"3 series, flow_x_\*, flow_y_\*, img_\*: name one"):
        FrameFolder().open(as_video(folder))
    with pytest.raises(UnreadableVideo, match="3 series"):
        FrameFolder().probe(as_video(folder))
    for kind, pattern in (("img", "img_*"), ("flow_x", "flow_x_*.jpg"), ("flow_y", "*y_*")):
        with FrameFolder(pattern=pattern).open(as_video(folder)) as reader:
            assert [os.path.basename(path) for path in reader.paths] == [f"{kind}_{k:05}.jpg" for k in range(4)]
    with FrameFolder(pattern="*").open(as_video(folder)) as reader:
        assert len(reader.times) == 12
    with pytest.raises(UnreadableVideo, match="named depth"):
        FrameFolder(pattern="depth_*").open(as_video(folder))


@pytest.mark.parametrize(
    ("names", "series"),
    [
        (["1.jpg", "1.png", "2.jpg", "2.png"], r"\*.jpg, \*.png"),
        (["a_1.jpg", "a_2.jpg", "cover.jpg"], r"a_\*, cover.\*"),
        (["img_1.jpg", "img_1 (1).jpg"], r"img_\*, img_\* \(\*\)"),
        ([f"{letter}.jpg" for letter in "abcdefgh"], r"8 series, a.\*, b.\*, c.\*, d.\*, \.\.\.: name"),
    ],
)
def test_which_names_are_not_one_series(tmp_path, names, series):
    with pytest.raises(UnreadableVideo, match=series):
        FrameFolder().open(as_video(write(tmp_path / "a", *names)))


@pytest.mark.parametrize(
    "names",
    [
        ["2026-01-09_23-59-58.jpg", "2026-01-10_00-00-01.jpg"],
        ["v_Archery_g01_c01_1.jpg", "v_Archery_g01_c01_10.jpg"],
        ["frame1.jpg", "frame2.png", "frame3.JPEG"],
        ["only.png"],
    ],
)
def test_which_names_are_one_series(tmp_path, names):
    with FrameFolder().open(as_video(write(tmp_path / "a", *names))) as reader:
        assert len(reader.times) == len(names)


def bomb(side=20000):
    """The head of a PNG file that says it is so large."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)), (b"IDAT", b"\x78\x9c\x63"), (b"IEND", b"")]
    packed = (struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def test_a_picture_that_says_it_is_huge(folder):
    (folder / "frame3.png").write_bytes(bomb())
    (folder / "frame0.JPG").write_bytes(bomb())
    with FrameFolder().open(as_video(folder)) as reader:
        _, present = reader.read(np.arange(12))
    np.testing.assert_array_equal(np.flatnonzero(~present), [0, 3])
    with pytest.raises(UnreadableVideo, match="none of its pictures"):
        FrameFolder().open(as_video(folder / "frame3.png"))


@pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not here")
def test_the_shared_case():
    path = CASES / "20000x20000_header.png"
    stream = default_stream(str(path))
    with pytest.raises(UnreadableVideo, match="none of its pictures"):
        stream.open(as_video(path))
    with pytest.raises(UnreadableVideo):
        stream.probe(as_video(path), full=True)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "GIF", "WEBP", "TIFF"])
def test_damage_by_chance(tmp_path, format):
    """Whatever Pillow raises, the picture is not present; its neighbour is as it was."""
    exif = Image.Exif()
    exif[0x0112] = 3
    paths = (str(tmp_path / "0.png"), str(tmp_path / "1.png"))
    for k, path in enumerate(paths):
        Image.fromarray(videos.frame(k)).save(path, format=format, exif=exif)
    whole, _ = FrameFolder().open(as_video(paths)).read([0])
    data = (tmp_path / "1.png").read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(40):
        (tmp_path / "1.png").write_bytes(mutated(data[: int(rng.integers(200, len(data)))], rng))
        with FrameFolder().open(as_video(paths)) as reader:
            pixels, present = reader.read([1, 0])
        assert present[1]
        np.testing.assert_array_equal(pixels[1], whole[0])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_pipes_among_the_frames(folder):
    (folder / "frame3.png").unlink()
    os.mkfifo(folder / "frame3.png")
    assert "1 of its pictures are missing" in FrameFolder().probe(as_video(folder)).note
    with FrameFolder().open(as_video(folder)) as reader:
        assert not reader.read([3, 4])[1][0]
    os.mkfifo(folder.parent / "pipe")
    with pytest.raises(UnreadableVideo):
        FrameFolder().open(as_video(folder.parent / "pipe"))


def test_no_memory(folder, monkeypatch):
    def raises(*_):
        raise MemoryError

    with FrameFolder().open(as_video(folder)) as reader:
        monkeypatch.setattr(frames, "_in_colour", raises)
        with pytest.raises(UnreadableVideo, match="not enough memory"):
            reader.read([3])
