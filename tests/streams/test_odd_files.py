"""What is no video is unreadable, whatever FFmpeg or the system make of it, and nothing waits for a pipe."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import av
import numpy as np
import pytest

import videos
from praxino.catalogs.base import Video
from praxino.errors import UnreadableVideo
from praxino.streams import decode
from praxino.streams.frames import FrameFolder
from praxino.streams.probe import probe
from praxino.streams.video import VideoFile

CASES = Path(__file__).parents[2] / ".." / "shared" / "cases"
pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")


def as_video(files) -> Video:
    return Video("a", {"rgb": files if isinstance(files, tuple) else str(files)})


def reason(files, stream=None) -> str:
    """Why it cannot be read, and in time."""
    said = []

    def look() -> None:
        try:
            (stream or VideoFile()).open(as_video(files))
        except UnreadableVideo as error:
            said.append(error.reason)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(30)
    assert not thread.is_alive(), "it hangs"
    assert said
    assert 0 < len(said[0].split()) < 16
    return said[0]


@pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not here")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cut_at_95_percent.mp4", "breaks off before its first frame"),
        ("head_of_a_ts.ts", "breaks off before its first frame"),
        ("no_decoder_one_bit.mp4", "no decoder for its video"),
        ("unknown_fourcc.avi", "no decoder for its video"),
        ("20000x20000_header.png", "no frame can be decoded"),
    ],
)
def test_shared_cases(name, words):
    assert words in reason(CASES / name)


@pytest.mark.parametrize(
    ("suffix", "settings"),
    [(".mp4", {}), (".ts", {}), (".mkv", {}), (".avi", {"codec": "mpeg4"})],
)
def test_cut_anywhere(tmp_path, suffix, settings):
    """What was not copied to its end is unreadable, or has the frames that come out."""
    data = videos.write(tmp_path / f"whole{suffix}", 20, size=(48, 64), **settings).read_bytes()
    places = np.unique(np.linspace(1, len(data) - 1, 30).astype(int)).tolist() + list(range(1, 600, 97))
    paths = []
    for at in places:
        paths.append(tmp_path / f"{at}{suffix}")
        paths[-1].write_bytes(data[:at])
    found = probe([Video(path.name, {"rgb": str(path)}) for path in paths], {}, ["rgb"], 1)
    assert {one.status for one in found} <= {"ok", "unreadable"}
    assert all(one.reason for one in found if one.status == "unreadable")
    for path, one in zip(paths, found, strict=True):
        if one.status == "ok":
            assert one.frames == len(videos.decoded(path))


@pytest.mark.parametrize(("suffix", "known", "codec"), [(".mp4", b"avc1", "libx264"), (".avi", b"FMP4", "mpeg4")])
def test_no_decoder(tmp_path, suffix, known, codec):
    path = videos.write(tmp_path / f"a{suffix}", 10, codec=codec)
    data = path.read_bytes()
    assert known in data
    path.write_bytes(data.replace(known, b"zq9Z"))
    assert "no decoder" in reason(path)


TEXTS = {
    "train.txt": b"a/1.mp4 0\nb/2.mp4 1\n" * 40,
    "latin.txt": "caf\xe9.mp4 0\n".encode("latin-1") * 40,
    "utf16.txt": "clip.mp4,red\n".encode("utf-16"),
    "art.ans": b"\x1b[31mred\x1b[0m\r\n" * 60,
    "subtitles.srt": b"1\n00:00:01,000 --> 00:00:02,000\nHello.\n\n",
    "list.m3u8": b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:9.0,\nother.ts\n#EXT-X-ENDLIST\n",
    "several.mp4": b"ffconcat version 1.0\nfile other.mp4\n",
    "code.avi": b"import os\n" * 50,
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_file_is_no_video(tmp_path, name):
    videos.write(tmp_path / "other.mp4", 5)
    videos.write(tmp_path / "other.ts", 5)
    (tmp_path / name).write_bytes(TEXTS[name])
    assert reason(tmp_path / name) == "it is a text file, not a video"


def test_no_video_is_taken_for_text(tmp_path):
    for name in ("plain", "mpeg4_b_frames", "transport_stream", "matroska", "animation", "missing_times"):
        assert VideoFile().probe(as_video(videos.make(name, tmp_path))).frames > 0


def test_bytes_that_are_named_as_text(tmp_path):
    """FFmpeg reads them as letters on a terminal, because of the name."""
    (tmp_path / "a.txt").write_bytes(np.random.default_rng(0).bytes(5000))
    assert reason(tmp_path / "a.txt")


def test_a_name_that_looks_like_an_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    videos.write(tmp_path / "b.mp4", 5).rename("12:30.mp4")
    assert VideoFile().probe(as_video("12:30.mp4")).frames == 5
    assert reason("http://localhost:1/a.mp4") == "there is no such file"


def test_words_of_another_encoding_in_a_header(tmp_path):
    """A title that is no UTF-8 is no reason not to read a video."""
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "ABCDEFGH"
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for k in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(videos.frame(k, 48, 64), format="rgb24")))
        container.mux(stream.encode(None))
    data = path.read_bytes()
    assert b"ABCDEFGH" in data
    path.write_bytes(data.replace(b"ABCDEFGH", b"caf\xe9\xff\xfe\x80\x81"))
    assert VideoFile().probe(as_video(path)).frames == 5


@pipes
def test_pipes(tmp_path):
    pipe = tmp_path / "a.mp4"
    os.mkfifo(pipe)
    assert "pipe" in reason(pipe)
    assert "none of its pictures" in reason((str(pipe),), FrameFolder())


def test_folders_and_devices(tmp_path):
    assert "folder" in reason(tmp_path)
    if os.path.exists(os.devnull):
        assert "device" in reason(os.devnull)
    assert reason("a\0b.mp4")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (av.error.EOFError(541478725, "End of file"), "breaks off"),
        (av.error.ExitError(1414092869, "Immediate exit requested"), "Immediate exit"),
        (av.error.PatchWelcomeError(1163346256, "Not yet implemented"), "Not yet"),
        (MemoryError(), "not enough memory"),
        (OSError(5, "Input/output error"), "Input/output"),
        (ValueError("cannot convert"), "cannot convert"),
    ],
)
def test_whatever_a_reader_meets(tmp_path, monkeypatch, error, words):
    """Raised where pixels are made, in a file that opened well."""

    def raises(*_):
        raise error

    path = videos.write(tmp_path / "a.mp4", 10)
    with VideoFile().open(as_video(path)) as reader:
        monkeypatch.setattr(decode.OpenFile, "_pixels", raises)
        with pytest.raises(UnreadableVideo, match=words):
            reader.read([3])
        monkeypatch.undo()
        assert videos.number(reader.read([3])[0][0]) == 3


def test_no_memory_for_the_result(tmp_path):
    with VideoFile().open(as_video(videos.write(tmp_path / "a.mp4", 10))) as reader:
        reader.height = 1 << 50
        with pytest.raises(UnreadableVideo, match=r"memory|large|size"):
            reader.read([3])
