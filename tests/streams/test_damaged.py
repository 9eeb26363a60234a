"""Damaged files: however a frame is asked for it is that of one pass from the start, or is not present."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import av
import mutated
import numpy as np
import pytest

import videos
from praxino.catalogs.base import Video
from praxino.streams.base import Canvas
from praxino.streams.scan import build_index
from praxino.streams.video import VideoFile, VideoReader

CASES = Path(__file__).parents[2] / ".." / "shared" / "cases"


def as_video(path: Path) -> Video:
    return Video(path.name, {"rgb": str(path)})


def alone(path: Path) -> None:
    """Every frame alone, by a reader of its own and by one that goes on, is that of a plain decode."""
    expected = videos.decoded(path)
    assert expected
    with VideoFile().open(as_video(path)) as going_on:
        assert len(going_on.times) == len(expected)
        for number in np.random.default_rng(0).permutation(len(expected)):
            with VideoFile().open(as_video(path)) as reader:
                for one in (reader, going_on):
                    pixels, present = one.read([number])
                    assert present.all()
                    np.testing.assert_array_equal(pixels[0], expected[number], err_msg=f"frame {number}")


@pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not here")
@pytest.mark.parametrize(
    ("name", "frames", "note"),
    [
        ("pixels_one_bit.mp4", 81, "damaged"),
        ("damaged_seek.mxf", 30, "damaged"),
        ("intact_palette.avi", 12, ""),
    ],
)
def test_shared_cases(name, frames, note):
    alone(CASES / name)
    found = VideoFile().probe(as_video(CASES / name))
    assert found.frames == frames
    assert note in found.note
    assert bool(note) == bool(found.note)


@pytest.mark.parametrize("kind", ["h264", "hevc", "mpeg4"])
def test_damage_by_chance(kind, tmp_path):
    found = mutated.outcomes(kind, tmp_path, 12)
    assert found.total() == 12
    assert found["damaged"] + found["unreadable"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", mutated.KINDS)
def test_much_damage_by_chance(kind, tmp_path):
    """2,200 in all. In a process of its own, which can be given up where it hangs."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.apply_async(mutated.outcomes, (kind, tmp_path, 220, 1)).get(timeout=1800)
    print(f"{kind}: {dict(found)}")
    assert found.total() == 220


def test_a_palette_that_comes_with_the_first_packet(tmp_path):
    path = tmp_path / "palette.avi"
    whole = videos.write(tmp_path / "whole.mp4", 30, gop=1)
    videos.ffmpeg("-i", whole, "-pix_fmt", "pal8", "-c:v", "rawvideo", path)
    with av.open(str(path)) as container:
        assert next(container.decode(video=0)).format.name == "pal8"
    alone(path)


@pytest.mark.parametrize("bad", [0, 10])
def test_one_bad_packet_is_not_the_end(tmp_path, bad):
    """Every frame is a key of its own, so that whatever comes out is undamaged."""
    path = videos.write(tmp_path / "a.avi", 30, codec="mjpeg", b_frames=0, pixels="yuvj420p", options={"qscale": "2"})
    with av.open(str(path)) as container:
        packet = [packet for packet in container.demux(video=0) if packet.size][bad]
        position, size = packet.pos, packet.size
    data = bytearray(path.read_bytes())
    at = data.index(bytes(packet), position)
    data[at : at + size] = bytes(size)
    path.write_bytes(data)
    with VideoFile().open(as_video(path)) as reader:
        pixels, present = reader.read(np.arange(len(reader.times)))
    assert present.all()
    assert [videos.number(frame) for frame in pixels] == [k for k in range(30) if k != bad]
    assert "damaged" in VideoFile().probe(as_video(path)).note
    alone(path)


def test_several_threads_conceal_nothing_otherwise(tmp_path):
    path = videos.write(tmp_path / "a.mp4", 40, gop=40)
    data = path.read_bytes()
    for seed in range(50):
        flipped = bytearray(data)
        flipped[int(np.random.default_rng(seed).integers(len(data) // 8, len(data) // 2))] ^= 16
        path.write_bytes(flipped)
        index = build_index(str(path))
        if not index.clean:
            break
    assert not index.clean
    expected = videos.decoded(path)
    with VideoReader("a", str(path), index, Canvas(), threads=4) as reader:
        for number in (5, 12, 30, 8):
            np.testing.assert_array_equal(reader.read([number])[0][0], expected[number])


@pytest.mark.parametrize("kind", ["h264_open_gop", "h264", "h264_stream", "mpeg4_mp4"])
def test_lost_packets(kind, tmp_path):
    """H.264 says nothing of a packet that is gone, and puts in its place what it has decoded before."""
    whole = mutated.made(kind, tmp_path)
    for first, count in [(12, 3), (13, 1), (13, 7), (14, 7), (21, 3), (25, 7), (30, 3)]:
        path = tmp_path / f"{first}_{count}{whole.suffix}"
        with av.open(str(whole)) as container, av.open(str(path), "w") as written:
            stream = written.add_stream_from_template(container.streams.video[0])
            for number, packet in enumerate(container.demux(video=0)):
                if packet.size and not first <= number < first + count:
                    packet.stream = stream
                    written.mux(packet)
        alone(path)


def test_a_container_that_lies_about_its_packets(tmp_path):
    """An AVI whose index lacks an entry: after a seek all timestamps are one too late."""
    path = videos.write(tmp_path / "a.avi", 40, codec="mpeg4", b_frames=0, options={"qscale": "2"})
    data = path.read_bytes()
    at = data.rindex(b"idx1") + 8
    entry = at + 16 * 5
    path.write_bytes(data[:entry] + data[entry + 16 :] + bytes(16))
    alone(path)
