"""praxino browse: the address that it prints, its end, and one line for mistakes."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

import praxino
import videos
from praxino.browse import serving
from praxino.catalogs.folder import VideoFolder
from praxino.cli.main import main
from praxino.search.build import index_videos

TESTS = str(Path(videos.__file__).parent)
# Who starts the tests in the background may have interrupts ignored, and that is handed down.
CODE = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    f"sys.path.insert(0, {TESTS!r})\n"
    "from praxino.cli.main import main; code = main(sys.argv[1:])\n"
    "print('torch' in sys.modules, flush=True); sys.exit(code)"
)


class Started:
    """A command that serves."""

    def __init__(self, process):
        self.process = process
        self.said = []
        for line in process.stdout:
            self.said.append(line.rstrip("\n"))
            if line.startswith("Ctrl-C"):
                break
        self.address = next((line for line in self.said if line.startswith("http://")), "")

    def get(self, path="", follow=True, method="GET", body=None, headers=None):
        """Status, headers and body; redirects are followed."""
        place = urlsplit(self.address)
        asked = http.client.HTTPConnection(place.netloc, timeout=60)
        asked.request(method, path if path.startswith("/") else place.path + path, body, headers or {})
        answered = asked.getresponse()
        got = (answered.status, answered.headers, answered.read())
        asked.close()
        if follow and answered.status == 307:
            return self.get(path + answered.headers["location"])
        return got

    def stopped(self, number=signal.SIGINT):
        """Sends a signal; exit code and what is printed from there on."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out.splitlines(), err


@contextmanager
def started(*words, **more):
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, "browse", *map(str, words), "--no-open"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **more},
    )  # fmt: skip
    try:
        yield Started(process)
    finally:
        process.kill()
        process.communicate()


def test_it_prints_its_address_and_ends_by_ctrl_c(indexed, tmp_path):
    index = praxino.open_index(indexed / "i")
    with started(indexed / "i", TMPDIR=str(tmp_path)) as one:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{22}/", one.address)
        status, headers, body = one.get()
        assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert b"<title>" in body
        for place in ("", f"{index.header.data}/"):
            about = json.loads(one.get(f"{place}about.json")[2])
            assert (about["clips"], about["server"], about["query"]) == (len(index), True, True)
        assert one.get("/about.json")[0] == 403
        code, out, err = one.stopped()
    # No torch was needed.
    assert (code, out) == (0, ["ended", "False"])
    assert err.splitlines() == [f"{len(index)} clips: making their map and groups"]
    assert list(tmp_path.iterdir()) == []


def test_sigterm_ends_it_in_order_and_the_port_is_free_again(indexed, tmp_path):
    with started(indexed / "i", TMPDIR=str(tmp_path)) as one:
        port = str(urlsplit(one.address).port)
        assert one.get()[0] == 200
        assert one.stopped(signal.SIGTERM)[0] == 0
    assert list(tmp_path.iterdir()) == []
    with started(indexed / "i", "--port", port) as one:
        assert urlsplit(one.address).port == int(port)


def test_signals_that_are_ignored_stay_so_and_others_end_it(monkeypatch):
    """As those of nohup, and of a job that a shell has put into the background."""
    before = {one: signal.getsignal(one) for one in serving.ENDING}
    seen = []

    def run(sockets):
        for one in serving.ENDING:
            server.should_exit = False
            os.kill(os.getpid(), one)
            seen.append(server.should_exit)

    server = SimpleNamespace(run=run, should_exit=False, force_exit=False)
    monkeypatch.setattr(serving, "server_of", lambda app: server)
    try:
        for one in serving.ENDING:
            signal.signal(one, signal.SIG_IGN if one != signal.SIGTERM else signal.SIG_DFL)
        serving.serve(None, opens=False, say=lambda line: None)
        assert [signal.getsignal(one) for one in serving.ENDING] == [signal.SIG_IGN, signal.SIG_DFL, signal.SIG_IGN]
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
    assert seen == [False, True, False]


def test_it_ends_at_once_while_a_file_is_embedded(indexed, tmp_path):
    """Nobody waits for the answer any more, and nothing is left of the file."""
    long = videos.write(tmp_path / "long.mp4", 20_000, size=(24, 32), gop=250, options={"preset": "ultrafast"})
    (tmp_path / "aside").mkdir()
    with started(indexed / "i", "--trust", "toys", TMPDIR=str(tmp_path / "aside")) as one:
        place = urlsplit(one.address)
        asked = http.client.HTTPConnection(place.netloc)
        asked.request("POST", f"{place.path}query", long.read_bytes(), {"X-Name": "long.mp4"})
        time.sleep(1)
        began = time.monotonic()
        code, out, err = one.stopped()
        asked.close()
    assert code == 0
    assert out[0] == "ended"
    assert [line for line in err.splitlines() if "making their map" not in line] == []
    assert time.monotonic() - began < 30
    assert list((tmp_path / "aside").iterdir()) == []


def test_an_index_that_is_brought_up_to_date(own):
    """The page takes the new one when it is loaded again; one that was loaded before is told to be."""
    with started(own / "i", "--root", own / "v") as one:
        before = praxino.open_index(own / "i")
        assert one.get(f"{before.header.data}/neighbours/0.json")[0] == 200
        shutil.copy(own / "v/a.mp4", own / "v/d.mp4")
        encoder = praxino.load_encoder(own / "encoder.safetensors", trust=("toys",))
        index_videos(encoder, VideoFolder(own / "v"), own / "i", every=0.4, workers=0, device="cpu")
        now = praxino.open_index(own / "i")
        assert len(now) > len(before)
        # Before the page is loaded again everything is as it was.
        assert json.loads(one.get(f"{before.header.data}/about.json")[2])["clips"] == len(before)
        status, headers, _ = one.get(f"{before.header.data}/", follow=False)
        assert (status, headers["location"]) == (307, f"../{now.header.data}/")
        assert json.loads(one.get(f"{now.header.data}/about.json")[2])["clips"] == len(now)
        status, _, body = one.get(f"{before.header.data}/neighbours/0.json")
        assert (status, "load the page again" in json.loads(body)["error"]) == (410, True)
        # What is no index any more is told, and the earlier one stays.
        (own / "i/index.json").write_text("{}")
        assert one.get("", follow=True)[0] == 200
        said = one.stopped()[1]
    assert any("has been brought up to date" in line for line in said)
    assert any("as it was: the index" in line for line in said)


def test_videos_that_were_moved(own, capsys):
    header = json.loads((own / "i/index.json").read_text())
    (own / "i/index.json").write_text(json.dumps({**header, "root": str(own / "v")}))
    (own / "v").rename(own / "moved")
    assert main(["browse", str(own / "i"), "--no-open"]) == 2
    assert "pass --root DIR" in capsys.readouterr().err
    with started(own / "i", "--root", own / "moved") as one:
        assert one.get("frame/0.jpg")[0] == 200


def test_a_port_that_is_taken(indexed, capsys):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert main(["browse", str(indexed / "i"), "--port", str(port), "--no-open"]) == 2
    said = capsys.readouterr().err
    assert f"port {port} cannot be listened to" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "INDEX is missing"),
        (["{i}", "{i}"], "is an index, which is shown by itself"),
        (["{none}"], "is not there: 'praxino embed"),
        (["{v}"], "is no index: 'praxino embed"),
        (["{i}", "--port", "x"], "--port takes a whole number, not 'x'"),
        (["{i}", "--port", "0"], "--port takes a number from 1 to 65535, not 0"),
        (["{i}", "--port", "65536"], "from 1 to 65535"),
        (["{i}", "--map", "tsne"], "--map: there is no 'tsne'"),
        (["{i}", "--device", "gpu"], "--device: there is no 'gpu'"),
        (["{i}", "--threads", "0"], "--threads takes a number"),
        (["{i}", "--groups", "-3"], "--groups takes a whole number"),
        (["{i}", "--ports", "3"], "Did you mean '--port'"),
        (["{i}", "--root", "{none}"], "pass --root DIR"),
        (["{i}", "--out", "{none}", "--port", "8000"], "--port is of a page that is served"),
        (["{i}", "--out", "{none}", "--device", "cpu"], "--device is of a page that is served"),
        (["{i}", "--out", "{v}"], "is there and holds no earlier site"),
    ],
)
def test_mistakes_of_browse_are_one_line(indexed, capsys, words, said):
    places = {"i": indexed / "i", "v": indexed / "v", "none": indexed / "none"}
    assert main(["browse", *(word.format(**places) for word in words), "--no-open"]) == 2
    printed = capsys.readouterr().err.splitlines()
    *before, last = printed
    assert all("making their map" in line for line in before)
    assert last.startswith("praxino: ")
    assert said in last


def test_a_site_is_written_and_nothing_is_served(own, capsys):
    words = ["browse", str(own / "i"), "--root", str(own / "v"), "--out", str(own / "site")]
    for gone in (False, True):
        if gone:
            (own / "v/b.avi").unlink()
        assert main(words) == 0
        first, *others = capsys.readouterr().out.splitlines()
        assert first == str(own / "site/index.html")
        assert others == (["without a preview: b.avi: there is no such file"] if gone else [])
        assert (own / "site/data.js").read_text().startswith("window.PRAXINO_DATA = ")
        assert (own / "site/frames/0.jpg").is_file()


def test_packages_that_are_missing(indexed, capsys, monkeypatch):
    monkeypatch.setattr("praxino.cli.browse.find_spec", lambda name: None if name == "uvicorn" else 1)
    assert main(["browse", str(indexed / "i")]) == 2
    assert capsys.readouterr().err == 'praxino: praxino browse needs uvicorn: pip install "praxino[browse]"\n'


def test_what_a_browser_is_called_with_does_not_hold_the_token(monkeypatch):
    """Anybody can list the arguments of a program that runs."""
    seen = {}

    def opened(place):
        page = Path(urlsplit(place).path)
        seen.update(place=place, text=page.read_text(), mode=page.stat().st_mode | page.parent.stat().st_mode)

    monkeypatch.setattr(serving.webbrowser, "open", opened)
    monkeypatch.setattr(serving, "_has_screen", lambda: True)
    waits = SimpleNamespace(run=lambda sockets: time.sleep(1))
    monkeypatch.setattr(serving, "server_of", lambda app: waits)
    lines = []
    serving.serve(None, say=lines.append)
    token = urlsplit(lines[0]).path.strip("/")
    assert len(token) == 22
    assert seen["place"].startswith("file:")
    assert token not in seen["place"]
    assert f"url={lines[0]}" in seen["text"]
    assert seen["mode"] & 0o077 == 0
    assert not Path(urlsplit(seen["place"]).path).exists()
