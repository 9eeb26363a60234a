"""Whatever has happened to the files of an index is one line, by every command that reads it."""

import json
import re
import shutil

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import praxino
from indexed import encoder, made, videos
from praxino.errors import UserError
from praxino.search import find_duplicates
from praxino.search.queries import query_of_file, query_of_moment


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Videos and their index, of which one video is gone and one could not be read."""
    folder = tmp_path_factory.mktemp("damage")
    made(videos(folder / "v", "abcde", broken="c"), folder / "i")
    (folder / "v/a.mp4").unlink()
    made(folder / "v", folder / "i")
    return folder


@pytest.fixture
def index(whole, tmp_path):
    """A copy of it, to be harmed."""
    return shutil.copytree(whole / "i", tmp_path / "i")


def search(whole, folder):
    for by in ("clip", "video", "moment"):
        praxino.open_index(folder).search(np.ones(6), 50, by)


def of(whole, folder):
    index = praxino.open_index(folder)
    vectors, without = query_of_moment(index, "b.mp4")
    index.search(vectors, 50, "clip", without)


def file(whole, folder):
    index = praxino.open_index(folder)
    index.search(query_of_file(index, encoder(), whole / "v/b.mp4"))


def duplicates(whole, folder):
    find_duplicates(praxino.open_index(folder))


def embed(whole, folder):
    """With one video more, so that there is something to do."""
    videos = shutil.copytree(whole / "v", folder.parent / "v")
    (videos / "new.mp4").write_bytes(bytes([22]) + b"new")
    made(videos, folder)


READERS = (search, of, file, duplicates)
WAYS = (*READERS, embed)


def told(way, whole, folder):
    """The one line that a command says of a damaged index."""
    with pytest.raises(UserError) as error:
        way(whole, folder)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400
    return str(error.value)


def data(folder):
    return next(folder.glob("data-*"))


def headed(folder, **said):
    path = folder / "index.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **said}))


def edited(folder, name, change):
    """A file of the data that has another content of the same size."""
    before = (data(folder) / name).read_bytes()
    after = change(before)
    assert len(after) == len(before)
    assert after != before
    (data(folder) / name).write_bytes(after)


SAME_SIZE = {
    "other numbers": ("vectors.npy", lambda raw: raw.replace(b"<f4", b"<i4")),
    "other bytes first": ("vectors.npy", lambda raw: raw.replace(b"<f4", b">f4")),
    "columns first": ("vectors.npy", lambda raw: raw.replace(b"False, ", b"True,  ")),
    "another shape": ("vectors.npy", lambda raw: raw.replace(b"(12, 6)", b"(6, 12)")),
    "no array": ("vectors.npy", lambda raw: bytes(len(raw))),
    "an archive": ("vectors.npy", lambda raw: b"PK\x03\x04" + raw[4:]),
    "no seconds": ("seconds.npy", lambda raw: raw.replace(b"<f8", b"<c8")),
    "open brackets": ("seconds.npy", lambda raw: raw.replace(b"}", b"{")),
    "owners that are words": ("owners.npy", lambda raw: raw.replace(b"<i8", b"<U2")),
}


@pytest.mark.parametrize("what", SAME_SIZE)
@pytest.mark.parametrize("way", WAYS)
def test_arrays_of_another_form(whole, index, way, what):
    edited(index, *SAME_SIZE[what])
    assert re.search(r"the index .* is damaged \(", told(way, whole, index))


@pytest.mark.parametrize("number", [np.nan, np.inf, 1e30, -7.0])
@pytest.mark.parametrize("way", WAYS)
def test_vectors_that_are_none(whole, index, way, number):
    edited(index, "vectors.npy", lambda raw: raw[:128] + np.full(54, number, "<f4").tobytes() + raw[344:])
    assert "is damaged (" in told(way, whole, index)


@pytest.mark.parametrize("name", ["vectors.npy", "seconds.npy", "owners.npy", "manifest.jsonl"])
def test_numbers_that_were_edited_go_into_no_other_index(whole, index, name):
    """They look right; what an index is called says what it holds."""
    change = {
        "vectors.npy": lambda raw: raw[:-4] + np.float32(0.01).tobytes(),
        "seconds.npy": lambda raw: raw[:-8] + np.float64(3).tobytes(),
        "owners.npy": lambda raw: raw[:-8] + np.int64(2).tobytes(),
        "manifest.jsonl": lambda raw: raw.replace(b'"mtime_ns": 1', b'"mtime_ns": 2'),
    }[name]
    edited(index, name, change)
    assert re.search(r"is damaged \(what data-\w+ holds is not what it was\)", told(embed, whole, index))
    assert not list(index.glob(".parts/*"))


@pytest.mark.parametrize("way", [search, duplicates])
def test_clips_of_another_video_or_of_no_time(whole, index, way):
    owners = (data(index) / "owners.npy").read_bytes()
    edited(index, "owners.npy", lambda raw: raw[:128] + np.full(12, -1, "<i8").tobytes())
    assert "is damaged (" in told(search, whole, index)
    edited(index, "owners.npy", lambda raw: raw[:128] + np.full(12, 0, "<i8").tobytes())
    assert "is damaged (" in told(way, whole, index)
    (data(index) / "owners.npy").write_bytes(owners)
    edited(index, "seconds.npy", lambda raw: raw[:128] + np.full(24, np.nan, "<f8").tobytes())
    assert "is at no time" in told(way, whole, index)


@pytest.mark.parametrize(
    "said",
    [
        {"dim": -6}, {"clips": -3}, {"videos": -1}, {"every": 0}, {"every": float("nan")},
        {"data": "../i"}, {"data": "\0"}, {"data": ""}, {"files": {"vectors.npy": "x"}}, {"files": {"a\0": 3}},
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("way", WAYS)
def test_headers_that_say_what_cannot_be(whole, index, way, said):
    headed(index, **said)
    assert "is damaged (" in told(way, whole, index)


def test_more_clips_than_there_are(whole, index):
    headed(index, clips=10**30)
    for way in READERS:
        assert "is damaged (" in told(way, whole, index)


@pytest.mark.parametrize("sampler", [{}, {"a": 1}, {"class_path": 1, "init_args": {}}], ids=str)
def test_a_sampler_that_is_none(whole, index, sampler):
    headed(index, sampler=sampler)
    told(file, whole, index)


def test_lines_that_say_what_cannot_be(whole, index):
    path = data(index) / "manifest.jsonl"
    lines = path.read_bytes().splitlines()
    for name, value in {
        "status": "x", "first": -1, "first ": 1, "clips": 10**12, "clips ": -1, "size": -1, "files": {"rgb": 3},
        "files ": {"rgb": "\0"}, "files  ": {"rgb": []}, "id": None,
    }.items():  # fmt: skip
        wrong = json.dumps({**json.loads(lines[0]), name.strip(): value}).encode()
        path.write_bytes(b"\n".join([wrong, *lines[1:]]) + b"\n")
        headed(index, files={one.name: one.stat().st_size for one in data(index).iterdir()})
        assert "is damaged (" in told(of, whole, index)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_whatever_bytes_are_changed_a_command_ends_or_is_one_line(whole, tmp_path_factory, draw):
    folder = shutil.copytree(whole / "i", tmp_path_factory.mktemp("any") / "i")
    names = [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]
    path = draw.draw(st.sampled_from(sorted(names)))
    raw = bytearray(path.read_bytes())
    for _ in range(draw.draw(st.integers(1, 4))):
        raw[draw.draw(st.integers(0, len(raw) - 1))] = draw.draw(st.integers(0, 255))
    path.write_bytes(raw)
    way = draw.draw(st.sampled_from(WAYS))
    said = ""
    try:
        with torch.inference_mode():
            way(whole, folder)
    except UserError as error:
        said = str(error)
    assert "\n" not in said
