"""The frame index: what is trusted, what is decoded, and how it is kept."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import zlib
from pathlib import Path

import av
import numpy as np
import pytest

import videos
from praxino.cache import cache_folder
from praxino.streams import cache
from praxino.streams.cache import frame_index
from praxino.streams.index import MISSING
from praxino.streams.scan import build_index


@pytest.fixture
def built(tmp_path, monkeypatch):
    """Paths of which an index was built, in a cache of the test's own."""
    monkeypatch.setenv("PRAXINO_CACHE", str(tmp_path / "cache"))
    paths = []
    original = build_index
    monkeypatch.setattr(cache, "build_index", lambda path: paths.append(path) or original(path))
    return paths


def entries():
    return sorted((Path(cache_folder()) / "frames").iterdir())


@pytest.mark.parametrize("name", sorted(videos.TRAPS))
def test_timestamps_are_those_of_a_decode(name, tmp_path):
    path = str(videos.make(name, tmp_path))
    index = build_index(path)
    times = []
    with av.open(path) as container:
        stream = container.streams.video[0]
        for packet in [*videos.packets(container, stream), None]:
            with contextlib.suppress(av.FFmpegError):
                times += [MISSING if frame.pts is None else frame.pts for frame in stream.codec_context.decode(packet)]
    np.testing.assert_array_equal(index.pts, times)
    assert set(index.keys) <= set(times)


def test_what_is_claimed_of_which_file(tmp_path):
    found = {name: build_index(str(videos.make(name, tmp_path))) for name in videos.TRAPS}
    damaged = {"two_sizes", "truncated_avi", "truncated_mp4", "overwritten"}
    assert {name for name, index in found.items() if not index.clean} == damaged
    from_start = {"packed", "missing_times", "repeated_times", "animation"}
    assert {name for name, index in found.items() if not index.seekable} == damaged | from_start
    skippable = {name for name, index in found.items() if index.skippable}
    assert {"plain", "long_gop", "pyramid", "open_gop", "matroska", "mpeg4_b_frames"} <= skippable
    # Frames come out that are fewer than the packets, a packet may be lost, two fields make a frame, or every frame may
    # be referred to.
    assert not skippable & {"edit_list", "variable_rate", "interlaced", "vp9", "no_b_frames"}


@pytest.mark.parametrize(
    "name, words",
    [
        ("truncated_mp4", "damaged, so it is read from its start (packets that do not decode: 1)"),
        ("truncated_mp4", "24 frames come out, and its header says 40"),
        ("truncated_avi", "its header says 40"),
        ("variable_rate", "variable frame rate"),
        ("turned", "turned"),
        ("two_sizes", "frame size changes"),
        ("repeated_times", "counted"),
        ("plain", ""),
    ],
)
def test_notes(name, words, tmp_path):
    note = build_index(str(videos.make(name, tmp_path))).note
    assert words in note
    assert bool(words) == bool(note)


def test_kept_and_found_again(tmp_path, built):
    path = str(videos.make("variable_rate", tmp_path))
    first, second = frame_index(path), frame_index(os.path.relpath(path))
    assert built == [path]
    for name, value in first.__dict__.items():
        np.testing.assert_equal(second.__dict__[name], value)
    assert not list(tmp_path.glob("variable_rate*"))[1:]
    assert len(entries()) == 1


def test_a_changed_file_is_looked_through_anew(tmp_path, built):
    path = videos.write(tmp_path / "a.mp4", 20)
    assert len(frame_index(str(path)).pts) == 20
    videos.write(path, 30)
    assert len(frame_index(str(path)).pts) == 30
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    frame_index(str(path))
    assert len(built) == 3
    assert len(entries()) == 1


def test_an_entry_of_an_earlier_version_is_built_anew(tmp_path, built, monkeypatch):
    """What an earlier version claimed of a damaged file must not come back."""
    path = str(videos.make("overwritten", tmp_path))
    wrong = dataclasses.replace(build_index(path), clean=True, seekable=True)
    monkeypatch.setattr(cache, "VERSION", 1)
    monkeypatch.setattr(cache, "build_index", lambda path: wrong)
    assert frame_index(path).seekable
    monkeypatch.undo()
    monkeypatch.setenv("PRAXINO_CACHE", str(tmp_path / "cache"))
    assert not frame_index(path).seekable


def test_an_entry_in_the_form_of_version_1_is_built_anew(tmp_path, built):
    path = str(videos.write(tmp_path / "a.mp4", 20))
    good = frame_index(path)
    (entry,) = entries()
    header = json.loads(entry.read_bytes().split(b"\n")[1])
    header["key"]["version"] = 1
    header["facts"] |= {"decoded": False, "note": "earlier"}
    numbers = np.concatenate([good.pts, good.keys]).astype("<i8").tobytes()
    entry.write_bytes(json.dumps(header | {"crc": zlib.crc32(numbers)}).encode() + b"\n" + numbers)
    assert frame_index(path).note == ""
    assert len(built) == 2


def test_a_file_that_changes_meanwhile_is_not_kept(tmp_path, built, monkeypatch):
    path = videos.write(tmp_path / "a.mp4", 20)
    once = cache.build_index

    def build(path):
        index = once(path)
        videos.write(path, 30)
        return index

    monkeypatch.setattr(cache, "build_index", build)
    assert len(frame_index(str(path)).pts) == 20
    assert not (Path(cache_folder()) / "frames").exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_a_pipe_in_the_cache_is_passed_over(tmp_path, built):
    path = str(videos.write(tmp_path / "a.mp4", 20))
    frame_index(path)
    (entry,) = entries()
    entry.unlink()
    os.mkfifo(entry)
    assert len(frame_index(path).pts) == 20
    assert len(built) == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-3],
        lambda data: data[:-1] + b"\xff",
        lambda data: b"[]\n" + data,
        lambda data: data.replace(b'"height": 64', b'"height": 65'),
        lambda data: data.replace(b'"seekable": true', b'"seekable": null'),
    ],
)
def test_a_damaged_entry_is_built_anew(tmp_path, built, damage):
    path = str(videos.write(tmp_path / "a.mp4", 20))
    frame_index(path)
    (entry,) = entries()
    good = entry.read_bytes()
    entry.write_bytes(damage(good))
    assert len(frame_index(path).pts) == 20
    assert len(built) == 2
    assert entries() == [entry]
    assert entry.read_bytes() == good


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path, built, monkeypatch):
    path = str(videos.write(tmp_path / "a.mp4", 20))
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PRAXINO_CACHE", str(tmp_path / "file"))
    assert len(frame_index(path).pts) == 20


def test_where_the_cache_is(monkeypatch, tmp_path):
    monkeypatch.delenv("PRAXINO_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == str(tmp_path / "praxino")
