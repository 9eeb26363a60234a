"""Small video files for the tests: each frame carries its number, and each trap of real files has its maker.

`write(path, 60)` makes an ordinary file, `make("open_gop", folder)` one of `TRAPS` or `BROKEN`, and
`number(frame)` reads the number back from pixels.
"""

from __future__ import annotations

import struct
import subprocess
import wave
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

HEIGHT, WIDTH = 64, 96
COLUMNS, ROWS = 8, 2


def frame(number: int, height: int = HEIGHT, width: int = WIDTH, seed: int = 0) -> NDArray[np.uint8]:
    """uint8 [height, width, 3]: 10 bits of number and 6 of a sum in the upper half, a moving texture in the lower."""
    word = number << 6 | _sum(number)
    bits = np.array([word >> bit & 1 for bit in reversed(range(COLUMNS * ROWS))]).reshape(ROWS, COLUMNS)
    rows = np.arange(height // 2) * ROWS // (height // 2)
    columns = np.arange(width) * COLUMNS // width
    texture = np.random.default_rng(seed).integers(40, 216, (height, width, 3)).astype(np.uint8)
    pixels = np.roll(texture, (number, 2 * number), (0, 1))
    pixels[: height // 2] = (20 + 215 * bits[rows][:, columns])[:, :, None]
    return pixels


def number(pixels: NDArray[np.uint8]) -> int:
    """The number in a frame of any size; -1 where it cannot be read (another orientation, a damaged frame)."""
    height, width = pixels.shape[:2]
    rows = (np.arange(ROWS) * 2 + 1) * (height // 2) // (2 * ROWS)
    columns = (np.arange(COLUMNS) * 2 + 1) * width // (2 * COLUMNS)
    bits = pixels[rows][:, columns].mean(axis=-1).reshape(-1) > 128
    word = int("".join("1" if bit else "0" for bit in bits), 2)
    return word >> 6 if word & 63 == _sum(word >> 6) else -1


def _sum(number: int) -> int:
    return (number * 37 + 11) % 64


def write(
    path: Path | str,
    frames: int | Sequence[int] = 40,
    *,
    size: tuple[int, int] = (HEIGHT, WIDTH),
    rate: int = 25,
    codec: str = "libx264",
    gop: int = 12,
    b_frames: int = 2,
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
    container: dict[str, str] | None = None,
    ticks: Callable[[int], int] | None = None,
    format: str | None = None,
    seed: int = 0,
    picture: Callable[[int], NDArray[np.uint8]] | None = None,
) -> Path:
    """Writes a video file.

    Args:
        path: its suffix says which container, unless `format` does.
        frames: how many, or the very numbers.
        size: height and width.
        rate: frames a second.
        codec, gop, b_frames, pixels, options: of the encoder.
        container: options of the container.
        ticks: milliseconds of the k-th frame, for a variable rate.
        seed: of the texture.
        picture: draws a frame of this size, by its number, in place of `frame`.
    """
    numbers = range(frames) if isinstance(frames, int) else frames
    defaults = {"bf": str(b_frames), "g": str(gop)}
    if codec == "libx264":
        # Scene cuts off: keys lie where `gop` says.
        defaults |= {"preset": "veryfast", "crf": "18", "sc_threshold": "0"}
    with av.open(str(path), "w", format=format, options=container or {}) as file:
        stream = file.add_stream(codec, rate=rate, options=defaults | (options or {}))
        stream.height, stream.width = size
        stream.pix_fmt = pixels
        stream.codec_context.thread_count = 1
        stream.codec_context.time_base = Fraction(1, 1000 if ticks else rate)
        for k, shown in enumerate(numbers):
            pixels_shown = picture(shown) if picture else frame(shown, *size, seed=seed)
            coded = av.VideoFrame.from_ndarray(pixels_shown, format="rgb24")
            coded.pts = ticks(k) if ticks else k
            coded.time_base = stream.codec_context.time_base
            file.mux(stream.encode(coded))
        file.mux(stream.encode(None))
    return Path(path)


def ffmpeg(*arguments: str | Path) -> None:
    """Runs the program that imageio-ffmpeg brings; skips the test where it is not installed."""
    program = pytest.importorskip("imageio_ffmpeg", reason="imageio-ffmpeg makes this file").get_ffmpeg_exe()
    subprocess.run([program, "-y", "-loglevel", "error", *map(str, arguments)], check=True, timeout=60)


def turned(path: Path, matrix: tuple[int, int, int, int], **settings: int) -> Path:
    """A file whose display matrix is (a, b, c, d): x' = a x + c y, y' = b x + d y."""
    return with_matrix(write(path, **settings), matrix)


def with_matrix(path: Path, matrix: tuple[int, int, int, int]) -> Path:
    """An MP4 file, of which the display matrix is changed."""
    data = bytearray(path.read_bytes())
    # After its name: version and flags, five words, two reserved, four halves; then the matrix.
    at = data.index(b"tkhd") + 4 + 4 + 20 + 8 + 8
    a, b, c, d = (value << 16 for value in matrix)
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


def _cut(path: Path, share: float, **settings: object) -> Path:
    write(path, **settings)  # type: ignore[arg-type]
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def _overwritten(path: Path) -> Path:
    write(path, gop=250)
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    for position, size in packets[25:]:
        data[position : position + size] = bytes(size)
    path.write_bytes(data)
    return path


def _cut_copy(path: Path) -> Path:
    whole = write(path.with_stem("whole"), 60, gop=20)
    ffmpeg("-ss", "1.05", "-i", whole, "-c", "copy", path)
    whole.unlink()
    return path


def _packed(path: Path) -> Path:
    whole = write(path.with_name("whole.mp4"), 40)
    ffmpeg("-i", whole, "-c:v", "libxvid", "-bf", "2", "-g", "15", "-q:v", "2", path)
    whole.unlink()
    return path


def _two_sizes(path: Path) -> Path:
    small = write(path.with_name("small.ts"), range(20, 40), size=(48, 80), gop=10)
    write(path, 20, gop=10)
    path.write_bytes(path.read_bytes() + small.read_bytes())
    small.unlink()
    return path


def _sound(path: Path) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(8000))
    return path


def _uneven(k: int) -> int:
    return 40 * k + (15 if k % 3 == 1 else 0) + (600 if k >= 20 else 0)


# Files that are odd, and readable: what comes out of a full decode is what a reader must give.
TRAPS: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "plain": (".mp4", write),
    "long_gop": (".mp4", lambda path: write(path, 60, gop=250, b_frames=3)),
    "pyramid": (".mp4", lambda path: write(path, 60, gop=30, b_frames=5, options={"x264opts": "b-pyramid=normal"})),
    "no_b_frames": (".mp4", lambda path: write(path, b_frames=0)),
    "open_gop": (".mp4", lambda path: write(path, 60, b_frames=3, options={"x264opts": "open-gop=1"})),
    "intra_refresh": (".mkv", lambda path: write(path, 60, b_frames=0, options={"x264opts": "intra-refresh=1"})),
    "interlaced": (".mp4", lambda path: write(path, options={"x264opts": "interlaced=1"})),
    "variable_rate": (".mp4", lambda path: write(path, 40, ticks=_uneven)),
    "edit_list": (".mp4", _cut_copy),
    "mpeg4_b_frames": (".avi", lambda path: write(path, codec="mpeg4", options={"qscale": "2"})),
    "mpeg4_mp4": (".mp4", lambda path: write(path, codec="mpeg4", options={"qscale": "2"})),
    "packed": (".avi", _packed),
    "transport_stream": (".ts", lambda path: write(path, 60)),
    "matroska": (".mkv", write),
    "vp9": (".webm", lambda path: write(path, codec="libvpx-vp9", b_frames=0, options={"deadline": "realtime"})),
    "missing_times": (".h264", lambda path: write(path, format="h264")),
    "repeated_times": (".mkv", lambda path: write(path, rate=3000, b_frames=0)),
    "turned": (".mp4", lambda path: turned(path, (0, 1, -1, 0))),
    "upside_down": (".mp4", lambda path: turned(path, (-1, 0, 0, -1))),
    "odd_size": (".avi", lambda path: write(path, size=(67, 99), codec="mpeg4", options={"qscale": "2"})),
    "ten_bits": (".mp4", lambda path: write(path, pixels="yuv420p10le")),
    "grey": (".mp4", lambda path: write(path, pixels="gray")),
    "two_sizes": (".ts", _two_sizes),
    "animation": (".gif", lambda path: write(path, codec="gif", pixels="rgb8")),
    "motion_jpeg": (".avi", lambda path: write(path, codec="mjpeg", pixels="yuvj420p", b_frames=0)),
    "prores": (".mov", lambda path: write(path, codec="prores", pixels="yuv422p10le", b_frames=0)),
    "huffyuv": (".avi", lambda path: write(path, codec="huffyuv", pixels="yuv422p", b_frames=0)),
    "one_frame": (".mp4", lambda path: write(path, 1)),
    "twelve_frames": (".mp4", lambda path: write(path, 12)),
    "truncated": (".mkv", lambda path: _cut(path, 0.6)),
    "truncated_avi": (".avi", lambda path: _cut(path, 0.6, codec="mpeg4", options={"qscale": "2"})),
    "truncated_mp4": (".mp4", lambda path: _cut(path, 0.6, container={"movflags": "faststart"})),
    "overwritten": (".mp4", _overwritten),
}


def _text(path: Path) -> Path:
    path.write_text("This is no video.\n" * 50)
    return path


def _empty(path: Path) -> Path:
    path.write_bytes(b"")
    return path


# Files of which nothing comes out.
BROKEN: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "empty": (".mp4", _empty),
    "text": (".mp4", _text),
    "sound": (".mp4", _sound),
    "no_header": (".mp4", lambda path: _cut(path, 0.6)),
}


def make(name: str, folder: Path) -> Path:
    """Makes one of `TRAPS` or `BROKEN` in a folder and returns its path."""
    suffix, maker = (TRAPS | BROKEN)[name]
    return maker(folder / f"{name}{suffix}")


def decoded(path: Path | str) -> list[NDArray[np.uint8]]:
    """All frames of a plain decode from the start, as stored (not turned), those behind bad packets, too."""
    frames = []
    lenient = {"metadata_errors": "replace"} if int(av.__version__.partition(".")[0]) < 19 else {}
    with av.open(str(path), **lenient) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        for packet in [*packets(container, stream), None]:
            try:
                pictures = stream.codec_context.decode(packet)
            except av.FFmpegError:
                continue
            # Kept until the next ones are there, as in any loop: what a decoder leaves out of a damaged picture shows
            # whatever lay in the memory of one that was given back.
            for picture in pictures:
                frames.append(picture.to_ndarray(format="rgb24"))
    return frames


def packets(container: av.container.InputContainer, stream: av.VideoStream) -> Iterator[av.Packet]:
    """The packets of a stream, but for empty ones, until the end or the first that cannot be read."""
    try:
        yield from (packet for packet in container.demux(stream) if packet.size)
    except (av.FFmpegError, IndexError):
        # PyAV's IndexError at the end: a stream has begun that was not there when the file was opened.
        return
