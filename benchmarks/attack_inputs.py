"""Odd files for `attack.py`: each kind has a maker, which is given an empty folder and returns what is to be read."""

from __future__ import annotations

import gzip
import io
import os
import socket
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

import videos

Made = Path | tuple[str, ...]
Maker = Callable[[Path], Made]
MPEG4 = {"codec": "mpeg4", "options": {"qscale": "4"}}
HEVC = {"codec": "libx265", "options": {"x265-params": "log-level=none:pools=none:frame-threads=1"}}
TOO_LARGE = 20_000
KEY = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": "01" * 16, "encryption_kid": "23" * 16}

# Name of the file -> what is in it.
TEXTS: dict[str, bytes] = {
    "utf-8.txt": "Café, naïve, 東京.\n".encode() * 40,
    "latin-1.txt": "Café, naïve, Fußgänger.\n".encode("latin-1") * 40,
    "utf-16 with its mark.txt": ("clip.mp4,red\n" * 40).encode("utf-16"),
    "utf-16 without its mark.mp4": ("clip.mp4,red\n" * 40).encode("utf-16-le"),
    "utf-32.mp4": ("clip.mp4,red\n" * 40).encode("utf-32"),
    "shift-jis.mp4": "東京の動画\n".encode("shift-jis") * 40,
    "script.py.mp4": b"import os\nprint(os.name)\n" * 20,
    "script.sh.avi": b"#!/bin/sh\nexit 1\n",
    "data.json.mkv": b'{"videos": [{"id": "a.mp4", "label": 3}]}\n',
    "list.m3u8": b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:9.0,\nother.ts\n#EXT-X-ENDLIST\n",
    "list.mp4": b"ffconcat version 1.0\nfile other.mp4\n",
    "drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>\n',
    "subtitles.srt": b"1\n00:00:01,000 --> 00:00:02,000\nHello.\n\n",
    "page.webm": b"<!doctype html><title>404</title><p>Not found\n",
    "session.sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n",
}


def _of_a_whole(change: Callable[[bytes], bytes], name: str = "a.mp4", **settings: Any) -> Maker:
    def make(folder: Path) -> Path:
        path = videos.write(folder / name, **settings)
        path.write_bytes(change(path.read_bytes()))
        return path

    return make


def _renamed(name: str, to: str, **settings: Any) -> Maker:
    return lambda folder: videos.write(folder / name, **settings).rename(folder / to)


def _written(name: str, **settings: Any) -> Maker:
    return lambda folder: videos.write(folder / name, **settings)


def _turned(*matrix: int) -> Maker:
    return lambda folder: videos.turned(folder / "a.mp4", matrix)


def _trap(name: str) -> Maker:
    return lambda folder: videos.make(name, folder)


def _by_ffmpeg(name: str, *words: str) -> Maker:
    def make(folder: Path) -> Path:
        videos.ffmpeg("-i", videos.write(folder / "whole.mp4", 20), *words, folder / name)
        return folder / name

    return make


def _content(name: str, content: bytes) -> Maker:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


def _zipped(data: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.mp4", data)
    return packed.getvalue()


def _no_frames(name: str, folder: Path) -> Path:
    with av.open(str(folder / name), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.start_encoding()
    return folder / name


def _cover_only(folder: Path) -> Path:
    path = folder / "music.mp3"
    with av.open(str(path), "w") as container:
        sound, cover = container.add_stream("libmp3lame", rate=44100), container.add_stream("png", rate=25)
        cover.width, cover.height, cover.pix_fmt = 32, 32, "rgb24"
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 9216), np.int16), format="s16", layout="mono")
        silence.sample_rate = 44100
        picture = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8))
        for stream, frame in ((cover, picture), (cover, None), (sound, silence), (sound, None)):
            container.mux(stream.encode(frame))
    return path


def _socket(folder: Path) -> Path:
    # Bound from within its folder, since the system takes short names only.
    before = os.getcwd()
    os.chdir(folder)
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind("a.mp4")
    finally:
        os.chdir(before)
    return folder / "a.mp4"


def _pipe(folder: Path) -> Path:
    os.mkfifo(folder / "a.mp4")
    return folder / "a.mp4"


def _link(to: str) -> Maker:
    def make(folder: Path) -> Path:
        (folder / "a.mp4").symlink_to(to)
        return folder / "a.mp4"

    return make


def _not_permitted(folder: Path) -> Path:
    if os.geteuid() == 0:
        raise NotImplementedError("whoever may read everything is refused nothing")
    path = videos.write(folder / "a.mp4")
    path.chmod(0)
    return path


def _picture(number: int = 0, size: tuple[int, int] = (48, 64)) -> Image.Image:
    return Image.fromarray(videos.frame(number, *size))


def _saved(picture: Image.Image, name: str, format: str | None = None, **more: Any) -> Maker:
    def make(folder: Path) -> Path:
        picture.save(folder / name, format, **more)
        return folder / name

    return make


def _moving(format: str) -> Maker:
    rest = [_picture(number) for number in range(1, 5)]
    return _saved(_picture(), "a.png", format, save_all=True, append_images=rest)


def _cut_picture(folder: Path) -> Path:
    path = _saved(_picture(), "a.jpg")(folder)
    path.write_bytes(path.read_bytes()[:-400])
    return path


def _large_header(folder: Path) -> Path:
    path = _saved(_picture(), "a.png")(folder)
    data = path.read_bytes()
    header = b"IHDR" + struct.pack(">II", TOO_LARGE, TOO_LARGE) + data[24:29]
    path.write_bytes(data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:])
    return path


def _exif_turned(orientation: int) -> Maker:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return _saved(_picture(), "a.jpg", exif=exif)


def _frames(*others: Callable[[Path], object], named: Sequence[str] = ()) -> Maker:
    """A folder of six frames, and of what the others make in it; or what is named of it, one by one."""

    def make(folder: Path) -> Made:
        for number in range(6):
            _picture(number).save(folder / f"img_{number:05d}.png")
        for other in others:
            other(folder)
        return tuple(str(folder / name) for name in named) or folder

    return make


def _beside(name: str, content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(content)


def _kept(folder: Path) -> Path:
    return folder


NAMES = [
    "a b.mp4", " a .mp4", """it's "a".mp4""", "a\nb.mp4", os.fsdecode(b"caf\xe9.mp4"), "\N{CLAPPER BOARD}.mp4",
    "-a.mp4",
    "12:30.mp4", "file:a.mp4", "concat:a|b.mp4", "pipe:0.mp4", "frame%03d.mp4", "a\\b.mp4", "*?[a].mp4", "$HOME ~.mp4",
    "a\tb\x1b[31m.mp4", "\u202egpm.mp4", "a" * 250 + ".mp4", "a", "A.MP4", ".a.mp4",
]  # fmt: skip
# Group -> kind -> its maker.
KINDS: dict[str, dict[str, Maker]] = {
    "text": {name: _content(name, content) for name, content in TEXTS.items()},
    "bytes": {
        "empty": _content("a.mp4", b""),
        "one byte": _content("a.mp4", b"\0"),
        "zeros": _content("a.mp4", bytes(5000)),
        "as if encrypted": _content("a.mp4", np.random.default_rng(0).bytes(50_000)),
        "cut in its header": _of_a_whole(lambda data: data[:30], container={"movflags": "faststart"}),
        "cut in the middle": _of_a_whole(lambda data: data[: len(data) // 2], container={"movflags": "faststart"}),
        "cut in the middle, MKV": _of_a_whole(lambda data: data[: len(data) // 2], "a.mkv"),
        "its last bytes cut off": _of_a_whole(lambda data: data[:-5]),
        "its last bytes cut off, TS": _of_a_whole(lambda data: data[:-5], "a.ts"),
        "junk before": _of_a_whole(lambda data: bytes(range(256)) + data),
        "junk before, TS": _of_a_whole(lambda data: bytes(range(256)) + data, "a.ts"),
        "junk behind": _of_a_whole(lambda data: data + bytes(range(256)) * 9),
        "two in one, MP4": _of_a_whole(lambda data: data + data),
        "two in one, AVI": _of_a_whole(lambda data: data + data, "a.avi", **MPEG4),
        "two in one, MKV": _of_a_whole(lambda data: data + data, "a.mkv"),
        "gzip": _of_a_whole(gzip.compress),
        "zip": _of_a_whole(_zipped),
        "AVI without its index": _of_a_whole(lambda data: data[: data.rindex(b"idx1")], "a.avi", **MPEG4),
        "unknown fourcc": _of_a_whole(lambda data: data.replace(b"FMP4", b"zq9Z"), "a.avi", **MPEG4),
        "unknown fourcc, MP4": _of_a_whole(lambda data: data.replace(b"avc1", b"zq9Z")),
    },
    "wrong extension": {
        "MP4 as AVI": _renamed("a.mp4", "b.avi"),
        "AVI as MP4": _renamed("a.avi", "b.mp4", **MPEG4),
        "MKV as MOV": _renamed("a.mkv", "b.mov"),
        "TS as MP4": _renamed("a.ts", "b.mp4"),
        "FLV as WebM": _renamed("a.flv", "b.webm", codec="flv", b_frames=0),
        "GIF as MP4": _renamed("a.gif", "b.mp4", codec="gif", pixels="rgb8"),
        "MP4 as text": _renamed("a.mp4", "b.txt"),
        "MP4 as PNG": _renamed("a.mp4", "b.png"),
        "WebM without any": _renamed("a.webm", "b", codec="libvpx", b_frames=0),
    },
    "streams": {
        **{name: _trap(name) for name in (videos.TRAPS | videos.BROKEN)},
        "cover art only": _cover_only,
        "no frames, MP4": partial(_no_frames, "a.mp4"),
        "no frames, AVI": partial(_no_frames, "a.avi"),
        "two frames": _written("a.mp4", frames=2),
        "1x1": _written("a.mkv", size=(1, 1), codec="ffv1", pixels="bgr0", b_frames=0),
        "1x1, PNG": _written("a.mov", size=(1, 1), codec="png", pixels="rgb24", b_frames=0),
        "2x2": _written("a.mp4", size=(2, 2)),
        "2x2000": _written("a.avi", size=(2, 2000), **MPEG4),
        "alpha": _written("a.mov", codec="png", pixels="rgba", b_frames=0),
        "alpha between frames": _written("a.mov", codec="qtrle", pixels="argb", b_frames=0),
        "alpha, APNG": _written("a.apng", codec="apng", pixels="rgba", b_frames=0, format="apng"),
        "palette, PNG in AVI": _by_ffmpeg("a.avi", "-c:v", "png", "-pix_fmt", "pal8"),
        "palette, raw AVI": _by_ffmpeg("a.avi", "-c:v", "rawvideo", "-pix_fmt", "pal8"),
        "grey of 16 bits": _written("a.mkv", codec="ffv1", pixels="gray16le", b_frames=0),
        "no chroma left out": _written("a.mp4", pixels="yuv444p"),
        "turned by 270": _turned(0, -1, 1, 0),
        "flipped to the left": _turned(-1, 0, 0, 1),
        "flipped upside down": _turned(1, 0, 0, -1),
        "turned by 45": _turned(1, 1, -1, 1),
        "pixels not square": _written("a.mp4", options={"aspect": "2:1"}),
        "interlaced, MPEG-2": _written("a.mpg", codec="mpeg2video", options={"flags": "+ildct+ilme"}),
        "times below zero, MKV": _written("a.mkv", ticks=lambda k: 40 * k - 400),
        "times below zero, TS": _written("a.ts", ticks=lambda k: 40 * k - 400),
        "times below zero, MP4": _written("a.mp4", ticks=lambda k: 40 * k - 400),
        "only keys": _written("a.mp4", gop=1, b_frames=0),
        "fragmented": _written("a.mp4", container={"movflags": "frag_keyframe+empty_moov"}),
        "encrypted": _written("a.mp4", container=KEY),
    },
    "containers": {
        "HEVC as it is": _written("a.hevc", format="hevc", **HEVC),
        "MPEG-2 as it is": _written("a.m2v", codec="mpeg2video"),
        "JPEGs as they are": _written("a.mjpeg", codec="mjpeg", pixels="yuvj420p", b_frames=0),
        "MXF": _written("a.mxf", codec="mpeg2video"),
        "FLV": _written("a.flv", codec="flv", b_frames=0),
        "SWF": _written("a.swf", codec="flv", b_frames=0),
        "WebM": _written("a.webm", codec="libvpx", b_frames=0),
        "Ogg": _by_ffmpeg("a.ogv", "-c:v", "libtheora"),
        "AV1": _by_ffmpeg("a.mkv", "-c:v", "libaom-av1", "-cpu-used", "8", "-usage", "realtime"),
        "MPEG": _written("a.mpg", codec="mpeg1video"),
        "VOB": _written("a.vob", codec="mpeg2video"),
        "WMV": _written("a.wmv", codec="wmv2", b_frames=0),
        "3GP": _written("a.3gp", size=(96, 128), codec="h263", b_frames=0),
        "RealMedia": _written("a.rm", codec="rv20", b_frames=0),
        "DV": _written("a.dv", frames=3, size=(576, 720), codec="dvvideo", b_frames=0),
        "ProRes": _written("a.mov", codec="prores", pixels="yuv422p10le", b_frames=0),
        "HuffYUV": _written("a.avi", codec="ffvhuff", pixels="yuv422p", b_frames=0),
        "Cinepak": _written("a.avi", frames=4, codec="cinepak", pixels="rgb24", b_frames=0),
        "ZMBV": _written("a.avi", codec="zmbv", pixels="bgr0", b_frames=0),
        "Snow": _written("a.avi", codec="snow", b_frames=0, options={"strict": "-2"}),
        "raw AVI": _written("a.avi", codec="rawvideo", b_frames=0),
        "raw NUT": _written("a.nut", codec="rawvideo", b_frames=0),
        "YUV4MPEG": _written("a.y4m", codec="wrapped_avframe", b_frames=0),
        "animated WebP": _written("a.webp", codec="libwebp_anim", pixels="bgra", b_frames=0),
    },
    "no files": {
        "folder": _kept,
        "pipe": _pipe,
        "socket": _socket,
        "device": lambda folder: Path(os.devnull),
        "endless device": lambda folder: Path("/dev/zero"),
        "none at all": lambda folder: folder / "a.mp4",
        "link to nothing": _link("b.mp4"),
        "link to itself": _link("a.mp4"),
        "link to a folder": _link("."),
        "not permitted": _not_permitted,
        "NUL in its name": lambda folder: (f"{folder}/a\0b.mp4",),
        "too long a name": lambda folder: folder / ("a" * 300 + ".mp4"),
    },
    "names": {f"name {name[:20]!r}": _renamed("whole.mp4", name) for name in NAMES},
    "pictures": {
        "cut JPEG": _cut_picture,
        "too large a header": _large_header,
        "CMYK JPEG": _saved(_picture().convert("CMYK"), "a.jpg"),
        "PNG of 16 bits": _saved(Image.fromarray(np.arange(3072, dtype=np.uint16).reshape(48, 64) * 21), "a.png"),
        "PNG of 1 bit": _saved(_picture().convert("1"), "a.png"),
        "PNG with a palette": _saved(_picture().convert("P"), "a.png", transparency=3),
        "PNG with alpha": _saved(_picture().convert("LA"), "a.png"),
        "progressive JPEG": _saved(_picture(), "a.JPEG", "JPEG", progressive=True),
        **{f"EXIF turned, {turn}": _exif_turned(turn) for turn in (2, 3, 6, 8, 99)},
        "GIF as PNG": _moving("GIF"),
        "WebP as PNG": _moving("WEBP"),
        "APNG as PNG": _moving("PNG"),
        "JPEG as MP4": _saved(_picture(), "a.mp4", "JPEG"),
        "PNG as AVI": _saved(_picture(), "a.avi", "PNG"),
        "TIFF as JPEG": _saved(_picture(), "a.jpg", "TIFF"),
        "1x1 PNG": _saved(_picture(size=(2, 1)).resize((1, 1)), "a.png"),
        "empty PNG": _content("a.png", b""),
        "SVG as PNG": _content("a.png", TEXTS["drawing.svg"]),
    },
    "folders": {
        "hidden twins": _frames(*(_beside(f"._img_{number:05d}.png", b"\0\5\x16\7") for number in range(6))),
        "several patterns": _frames(lambda folder: _picture().save(folder / "flow_x_00001.png")),
        "frames twice": _frames(lambda folder: _picture().save(folder / "img_00001.jpg")),
        "one damaged": _frames(_beside("img_00003.png", b"\x89PNG\r\n\x1a\n" + bytes(90))),
        "one empty": _frames(_beside("img_00000.png", b"")),
        "mixed sizes": _frames(lambda folder: _picture(3, (60, 80)).save(folder / "img_00003.png")),
        "a pipe among them": _frames(lambda folder: os.mkfifo(folder / "img_00006.png")),
        "a pipe first": _frames(lambda folder: os.mkfifo(folder / "img_.png")),
        "a folder among them": _frames(lambda folder: (folder / "img_00006.png").mkdir()),
        "a link to nothing": _frames(lambda folder: (folder / "img_00006.png").symlink_to("gone.png")),
        "empty": _kept,
        "other files only": lambda folder: _content("notes.txt", b"Nothing.\n")(folder).parent,
        "named, one missing": _frames(named=["img_00001.png", "gone.png", "img_00004.png"]),
        "named, a video": _frames(lambda folder: videos.write(folder / "a.mp4"), named=["img_00001.png", "a.mp4"]),
        "named, none there": _frames(named=["gone.png", "gone_too.png"]),
        "none named": lambda folder: (),
    },
}  # fmt: skip


def made(group: str, kind: str, folder: Path) -> Made:
    """What a kind's maker makes in an empty folder.

    Args:
        group, kind: of `KINDS`.
        folder: exists, and is empty.

    Raises:
        NotImplementedError: if it cannot be made here.
    """
    import pytest

    try:
        return KINDS[group][kind](folder)
    # Tests skip where a program is not installed.
    except pytest.skip.Exception as error:
        raise NotImplementedError(str(error)) from None
