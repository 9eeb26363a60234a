"""The addresses of an index: data, frames, files with ranges, previews; and what is said where there is nothing."""

import io
import json

import numpy as np
import pytest
from PIL import Image
from served import Standing, live

import praxino.browse.app as app
import videos
from praxino.browse.app import Pages

ASSETS = {
    "index.html": b"<!DOCTYPE html><title>x</title>",
    "page.js": b"'use strict'",
    "style.css": b"",
    "favicon.svg": b"",
}


@pytest.fixture(scope="module")
def pages(indexed):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "assets", lambda folder="page": ASSETS)
        yield lambda index, root=None: Pages(Standing(index, root)).app


@pytest.fixture(scope="module")
def server(indexed, pages):
    import praxino

    with live(pages(praxino.open_index(indexed / "i"))) as one:
        yield one


def number_of(server, id):
    _, about = server.json("about.json")
    return [one["id"] for one in about["videos"]].index(id)


def rows_of(server, index, id):
    return np.flatnonzero(np.array([index.record(int(owner)).id == id for owner in index.owners])).tolist()


def test_the_page_and_its_files(server):
    for path, name, kind in (
        ("", "index.html", "text/html"),
        ("page.js", "page.js", "text/javascript"),
        ("style.css", "style.css", "text/css"),
        ("favicon.svg", "favicon.svg", "image/svg+xml"),
    ):
        status, headers, body = server.ask(path)
        assert (status, body) == (200, ASSETS[name])
        assert headers["content-type"].startswith(kind)


def test_the_data_are_those_of_the_collection(server, index):
    standing = Standing(index)
    status, about = server.json("about.json")
    assert (status, about) == (200, {**standing.about(), "server": True, "query": False})
    for name, content in standing.arrays().items():
        assert server.ask(f"{name}.bin")[2] == content
    status, said = server.json("neighbours/3.json")
    assert (status, said["hits"]) == (200, standing.neighbours(3))
    assert 3 not in [hit["row"] for hit in said["hits"]]


@pytest.mark.parametrize("row", ["-1", "1.5", "x", "", "999999", "9" * 5000, "٣", "0x1", "1%2f", "1%20", "NaN"])
@pytest.mark.parametrize("path", ["neighbours/{}.json", "frame/{}.jpg", "clip/{}.json", "video/{}", "moment/{}.mp4"])
def test_no_such_row_is_one_line(server, path, row):
    status, headers, body = server.ask(path.format("9" * 5000 if len(row) > 99 else row).replace("٣", "%D9%A3"))
    assert status == 404
    assert headers["content-type"] == "application/json"
    assert json.loads(body)["error"].count("\n") == 0
    assert len(body) < 300


@pytest.mark.parametrize(
    "path", ["x", "other.bin", "index.html/x", "__init__.py", "page/index.html", "video/", "query"]
)
def test_nothing_at_an_address(server, path):
    status, said = server.json(path)
    assert status == 404
    assert said["error"]


def test_a_frame_is_from_the_middle_of_its_clip(server, index):
    for id in ("a.mp4", "b.avi"):
        for row in rows_of(server, index, id)[::4]:
            status, headers, body = server.ask(f"frame/{row}.jpg")
            assert (status, headers["content-type"]) == (200, "image/jpeg")
            picture = np.asarray(Image.open(io.BytesIO(body)))
            assert min(picture.shape[:2]) == 128
            start, end = index.seconds[row]
            assert abs(videos.number(picture) / 25 - (start + end) / 2) <= 0.04 + 1e-9
            assert server.ask(f"frame/{row}.jpg")[2] == body


def test_a_file_that_a_browser_plays_comes_in_ranges(server, indexed):
    whole = (indexed / "v/a.mp4").read_bytes()
    path = f"video/{number_of(server, 'a.mp4')}"
    status, headers, body = server.ask(path)
    assert (status, body, headers["content-type"]) == (200, whole, "video/mp4")
    assert headers["accept-ranges"] == "bytes"
    for said, begin, end in (
        ("0-", 0, len(whole)),
        ("10-19", 10, 20),
        ("-7", len(whole) - 7, len(whole)),
        ("5-9999999", 5, len(whole)),
    ):
        status, headers, body = server.ask(path, headers={"Range": f"bytes={said}"})
        assert (status, body) == (206, whole[begin:end])
        assert headers["content-range"] == f"bytes {begin}-{end - 1}/{len(whole)}"
        assert headers["content-length"] == str(end - begin)
    status, headers, _ = server.ask(path, headers={"Range": f"bytes={len(whole)}-"})
    assert (status, headers["content-range"]) == (416, f"bytes */{len(whole)}")
    assert server.ask(path, "HEAD")[1]["content-length"] == str(len(whole))
    assert server.ask(f"video/{number_of(server, 'odd.webm')}")[1]["content-type"] == "video/webm"


def test_where_a_clip_is_played(server, index):
    row = rows_of(server, index, "a.mp4")[2]
    start, end = index.seconds[row]
    status, said = server.json(f"clip/{row}.json")
    number = number_of(server, "a.mp4")
    assert said["source"] == f"video/{number}#t={start:.3f},{end:.3f}"
    assert (status, said["row"], said["video"], said["note"]) == (200, row, number, "")
    assert (said["start"], said["end"]) == (start, end)
    for id in ("b.avi", "c.mkv"):
        row = rows_of(server, index, id)[0]
        said = server.json(f"clip/{row}.json")[1]
        assert (said["source"], said["note"]) == (f"moment/{row}.mp4", "")
        assert server.ask(f"video/{number_of(server, id)}")[0] == 404


def test_a_preview_comes_whole_and_in_ranges(server, index):
    row = rows_of(server, index, "b.avi")[3]
    status, headers, whole = server.ask(f"moment/{row}.mp4")
    assert (status, headers["content-type"]) == (200, "video/mp4")
    assert server.ask(f"moment/{row}.mp4", headers={"Range": "bytes=100-199"})[2] == whole[100:200]


def test_a_video_that_is_gone_or_damaged_has_a_note(own, index, pages):
    (own / "v/a.mp4").unlink()
    (own / "v/b.avi").write_bytes(b"RIFF" + bytes(500))
    with live(pages(index, str(own / "v"))) as server:
        for id, why in (("a.mp4", "there is no such file"), ("b.avi", "no video")):
            row = rows_of(server, index, id)[0]
            status, said = server.json(f"clip/{row}.json")
            assert status == 200
            assert why in said["note"]
            for path in (f"frame/{row}.jpg", f"moment/{row}.mp4"):
                status, said = server.json(path)
                assert status == 404
                assert why in said["error"]
            assert server.json(f"video/{number_of(server, id)}")[0] == 404
        # It may come back.
        videos.write(own / "v/a.mp4", 100)
        assert server.ask(f"frame/{rows_of(server, index, 'a.mp4')[0]}.jpg")[0] == 200


def test_moved_videos(own, index, pages):
    (own / "v").rename(own / "moved")
    with live(pages(index, str(own / "moved"))) as server:
        assert server.ask(f"video/{number_of(server, 'a.mp4')}")[2] == (own / "moved/a.mp4").read_bytes()


def test_what_goes_wrong_inside_tells_nothing(indexed, index, pages, monkeypatch):
    def broken(self, row, k=12):
        raise RuntimeError("secret")

    monkeypatch.setattr(Standing, "neighbours", broken)
    with live(pages(index)) as server:
        status, said = server.json("neighbours/0.json")
    assert status == 500
    assert "secret" not in said["error"]
