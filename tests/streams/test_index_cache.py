"""The frame index: what is trusted, what is decoded, and how it is kept."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import videos
from praxino.streams import cache
from praxino.streams.cache import cache_folder, frame_index
from praxino.streams.scan import build_index


@pytest.fixture
def built(tmp_path, monkeypatch):
    """Paths of which an index was built, in a cache of the test's own."""
    monkeypatch.setenv("PRAXINO_CACHE", str(tmp_path / "cache"))
    paths = []
    original = build_index
    monkeypatch.setattr(cache, "build_index", lambda path, full: paths.append(path) or original(path, full))
    return paths


def entries():
    return sorted((Path(cache_folder()) / "frames").iterdir())


@pytest.mark.parametrize("name", sorted(set(videos.TRAPS) - {"edit_list", "packed"}))
def test_packets_and_decode_agree(name, tmp_path):
    path = str(videos.make(name, tmp_path))
    quick, full = build_index(path), build_index(path, full=True)
    assert full.decoded
    np.testing.assert_array_equal(quick.pts, full.pts)
    np.testing.assert_array_equal(quick.keys, full.keys)
    assert quick.turn == full.turn
    assert (quick.height, quick.width, quick.seekable, quick.tick) == (
        full.height,
        full.width,
        full.seekable,
        full.tick,
    )


def test_only_packets_that_pass_all_checks_are_trusted(tmp_path):
    trusted = {name for name in videos.TRAPS if not build_index(str(videos.make(name, tmp_path))).decoded}
    assert {"plain", "open_gop", "variable_rate", "turned"} <= trusted
    doubtful = {"edit_list", "packed", "transport_stream", "matroska", "truncated_mp4", "overwritten", "mpeg4_mp4"}
    assert not trusted & doubtful


@pytest.mark.parametrize(
    "name, words",
    [
        ("truncated_mp4", "breaks off after frame 22 of 40"),
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


def test_full_replaces_a_trusted_entry(tmp_path, built):
    path = str(videos.write(tmp_path / "a.mp4", 20))
    assert not frame_index(path).decoded
    assert frame_index(path, full=True).decoded
    assert frame_index(path).decoded
    assert len(built) == 2


@pytest.mark.parametrize(
    "damage", [lambda data: b"", lambda data: data[:-3], lambda data: data[:-1] + b"\xff", lambda data: b"[]\n" + data]
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
