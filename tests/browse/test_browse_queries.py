"""Files that are dropped: what they find, what they are told, and that nothing of them is left."""

import http.client
import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from urllib.parse import quote

import pytest
from PIL import Image
from served import TOKEN, Standing, encoder, live

import praxino.browse.app as app
import praxino.browse.queries as queries
import videos
from praxino.browse.app import Pages
from praxino.browse.queries import Queries
from praxino.search.queries import query_of_file


@contextmanager
def asking(index, folder, monkeypatch, load=encoder, **more):
    """A server that takes queries; `ask(content, name)` gives status and answer."""
    monkeypatch.setattr(app, "assets", lambda folder="page": {})
    folder.mkdir(exist_ok=True)
    with live(Pages(Standing(index), Queries(load, ("toys",), folder, **more)).app) as server:
        server.query = lambda content, name="x.mp4": server.json(
            "query", method="POST", body=content, headers={"X-Name": quote(name, safe="")}
        )
        yield server
        assert list(folder.iterdir()) == []


def test_a_file_finds_what_the_search_finds(indexed, index, tmp_path, monkeypatch):
    loads = []
    with asking(index, tmp_path / "aside", monkeypatch, lambda: loads.append(1) or encoder()) as server:
        assert server.json("about.json")[1]["query"] is True
        assert not loads
        for name in ("a.mp4", "b.avi"):
            status, said = server.query((indexed / "v" / name).read_bytes(), f"größe #1 {name}")
            assert status == 200
            wanted = index.search(query_of_file(index, encoder(), indexed / "v" / name, trust=("toys",)), 12)
            assert said == {"hits": Standing(index).hits(wanted), "clips": len(index)}
            assert said["hits"][0]["similarity"] > 0.999
    assert len(loads) == 1


def test_a_picture_is_a_query(indexed, index, tmp_path, monkeypatch):
    Image.fromarray(videos.decoded(indexed / "v/a.mp4")[20]).save(tmp_path / "one.PNG")
    with asking(index, tmp_path / "aside", monkeypatch) as server:
        status, said = server.query((tmp_path / "one.PNG").read_bytes(), "one.PNG")
    assert status == 200
    assert len(said["hits"]) > 0


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"This is no video.\n" * 9, "film.mp4", "film.mp4: it is a text file, not a video"),
        (b"", "film.mp4", "the file is empty"),
        (bytes(range(256)) * 9, "../../etc/pass wd.mp4", "../../etc/pass wd.mp4: it is no video file"),
        (bytes(range(256)) * 9, "x.png", "x.png: "),
        (bytes(range(256)) * 9, "a\nb.mp4", "a b.mp4: it is no video file"),
        (bytes(range(256)) * 9, "", "the file: it is no video file"),
        (bytes(range(256)) * 9, "x" * 5000 + ".mp4", "it is no video file"),
        (bytes(range(256)) * 9, "x.mp4\0.png/..", "it is no video file"),
    ],
)
def test_a_broken_query_is_one_line(index, tmp_path, monkeypatch, content, name, said):
    with asking(index, tmp_path / "aside", monkeypatch) as server:
        status, answered = server.query(content, name)
        assert status == 400
        assert said in answered["error"]
        assert str(tmp_path) not in answered["error"]
        assert len(answered["error"]) < 400
        assert answered["error"].count("\n") == 0


def test_an_encoder_that_cannot_be_loaded_is_one_line(indexed, index, tmp_path, monkeypatch):
    from praxino.cli.browse import _encoder

    load = lambda: _encoder(str(tmp_path / "none"), {})  # noqa: E731
    with asking(index, tmp_path / "aside", monkeypatch, load) as server:
        status, said = server.query((indexed / "v/a.mp4").read_bytes())
    assert status == 400
    assert "none" in said["error"]


def test_a_page_without_an_encoder(index, monkeypatch):
    monkeypatch.setattr(app, "assets", lambda folder="page": {})
    with live(Pages(Standing(index)).app) as server:
        status, said = server.json("query", method="POST", body=b"x")
    assert status == 400
    assert "--encoder RUN" in said["error"]


@pytest.mark.parametrize("length", ["said", "not said"])
def test_a_file_that_is_too_large(index, tmp_path, monkeypatch, length):
    most = 1 << 20
    with asking(index, tmp_path / "aside", monkeypatch, most=most) as server:
        content = bytes(most + 1)
        if length == "said":
            status, said = server.query(content)
        else:
            asked = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
            pieces = (content[k : k + 4096] for k in range(0, len(content), 4096))
            asked.request("POST", f"/{TOKEN}/query", pieces, {"X-Name": "x.mp4"}, encode_chunked=True)
            answered = asked.getresponse()
            status, said = answered.status, json.loads(answered.read())
            asked.close()
        assert status == 413
        assert "larger than" in said["error"]
        assert server.query(bytes(most))[0] == 400  # which is not too large, and no video


def test_two_at_once_are_both_answered_and_embedded_in_turn(indexed, index, tmp_path, monkeypatch):
    inside, most = [], []
    real = Queries._vectors

    def slow(self, *given):
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.2)
        made = real(self, *given)
        inside.pop()
        return made

    monkeypatch.setattr(Queries, "_vectors", slow)
    with asking(index, tmp_path / "aside", monkeypatch) as server, ThreadPoolExecutor(4) as pool:
        names = ["a.mp4", "b.avi"] * 2
        found = list(pool.map(lambda name: server.query((indexed / "v" / name).read_bytes(), name), names))
        ids = [one["id"] for one in Standing(index).about()["videos"]]
    assert [status for status, _ in found] == [200] * 4
    assert [ids[said["hits"][0]["video"]] for _, said in found] == names
    assert most == [1] * 4


def test_others_are_answered_while_a_file_is_embedded(indexed, index, tmp_path, monkeypatch):
    begun, go = threading.Event(), threading.Event()
    real = Queries._vectors
    monkeypatch.setattr(Queries, "_vectors", lambda self, *given: begun.set() or (go.wait(60) and real(self, *given)))
    with asking(index, tmp_path / "aside", monkeypatch) as server, ThreadPoolExecutor(1) as pool:
        waits = pool.submit(server.query, (indexed / "v/a.mp4").read_bytes())
        assert begun.wait(60)
        assert server.json("neighbours/0.json")[0] == 200
        go.set()
        assert waits.result()[0] == 200


def test_who_goes_away_in_the_middle_leaves_nothing(index, tmp_path, monkeypatch):
    aside, came = tmp_path / "aside", []
    real = Queries._vectors
    monkeypatch.setattr(Queries, "_vectors", lambda self, *given: came.append(1) or real(self, *given))
    monkeypatch.setattr(queries, "AT_ONCE", 1)
    with asking(index, aside, monkeypatch) as server:
        asked = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        asked.putrequest("POST", f"/{TOKEN}/query")
        asked.putheader("Content-Length", "1000000")
        asked.endheaders()
        asked.send(bytes(200_000))
        until = time.monotonic() + 30
        while not any(one.stat().st_size for one in aside.iterdir()) and time.monotonic() < until:
            time.sleep(0.01)
        assert [one.stat().st_size > 0 for one in aside.iterdir()] == [True]
        assert [one.stat().st_mode & 0o077 for one in aside.iterdir()] == [0]
        asked.close()
        while list(aside.iterdir()) and time.monotonic() < until:
            time.sleep(0.01)
        assert list(aside.iterdir()) == []
        assert server.json("about.json")[0] == 200
    assert not came


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
@pytest.mark.parametrize("size", [1, 3 << 20])
def test_a_disk_that_is_full_is_one_line(index, tmp_path, monkeypatch, size):
    """A small file is refused when it is closed, a large one as it is written."""
    place = str(tmp_path / "aside/x.mp4")
    with asking(index, tmp_path / "aside", monkeypatch) as server:
        monkeypatch.setattr(queries.tempfile, "mkstemp", lambda *_: (os.open("/dev/full", os.O_WRONLY), place))
        status, said = server.query(bytes(size))
    assert (status, said["error"]) == (
        400, f"there is no room for the file in {tmp_path / 'aside'}: No space left on device"
    )  # fmt: skip


def test_a_folder_that_was_cleared_away_comes_back(indexed, index, tmp_path, monkeypatch):
    """Systems remove what has lain among temporary files for days, and a page may be served for weeks."""
    aside = tmp_path / "aside"
    with asking(index, aside, monkeypatch) as server:
        aside.rmdir()
        assert server.query((indexed / "v/a.mp4").read_bytes())[0] == 200
        assert aside.stat().st_mode & 0o077 == 0
        aside.rmdir()
        aside.write_text("in the way")
        status, said = server.query(b"x")
        assert (status, said["error"].split(":")[0]) == (400, f"there is no room for the file in {aside}")
        aside.unlink()
        aside.mkdir()
