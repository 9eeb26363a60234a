"""The command, with a tracker that finds a square by its colour: what it prints, refuses and leaves."""

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import squares
from squares import SIDE, ByColour

import praxino
import videos
from praxino.cli.main import main

HERE = Path(__file__).resolve().parent
BOX = ",".join(map(str, (*squares.place(0), SIDE, SIDE)))
PATIENCE = 60


@pytest.fixture
def source(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("praxino.cli.track.tracker_of", lambda place, trust, device: ByColour())
    return squares.write(Path("my clip.mp4"))


def test_it_follows_and_says_what_it_has_written(source, capsys):
    x, y = squares.place(10)
    assert (
        main(["track", str(source), "--box", f"{x},{y},40,40", "--encoder", "RUN", "--out", "t.mp4", "--from", "0.4"])
        == 0
    )
    said, wrong = capsys.readouterr()
    first, out, table = said.splitlines()
    assert first == "my clip.mp4: 30 frames"
    assert out.startswith("t.mp4: frames 10 to 29, ")
    assert out.endswith(" frames a second")
    assert table == "t.csv: 20 boxes"
    assert wrong == ""
    assert [int(row["frame"]) for row in squares.table("t.csv")] == list(range(10, 30))


def test_without_a_box_it_writes_the_page_and_says_what_to_type(source, capsys):
    assert main(["track", str(source), "--from", "0.4", "--encoder", "RUN:rgb"]) == 0
    where, command = capsys.readouterr().out.splitlines()
    assert where.startswith("first_frame.html: open it in a browser")
    assert command == "praxino track 'my clip.mp4' --box X,Y,W,H --encoder RUN:rgb --out tracked.mp4 --from 0.4"
    x, y = squares.place(10)
    assert main(shlex.split(command.replace("X,Y,W,H", f"{x},{y},40,40"))[1:]) == 0
    assert len(squares.table("tracked.csv")) == 20


def test_the_page_lies_beside_what_will_be_written(source, capsys):
    Path("out").mkdir()
    assert main(["track", str(source), "--out", "out/t.webm"]) == 0
    said = capsys.readouterr().out
    assert Path("out/first_frame.html").is_file()
    assert said.startswith("out/first_frame.html: ")
    assert said.endswith("--box X,Y,W,H --encoder RUN --out out/t.webm\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "VIDEO is missing"),
        ("v.mp4 w.mp4", "one word too many: 'w.mp4' (it takes VIDEO)"),
        ("v.mp4 --boxes 1,2,3,4", "--boxes: no such option. Did you mean '--box'?"),
        ("v.mp4 --box 1,2,3", "--box 1,2,3: it takes four numbers with commas between them"),
        ("v.mp4 --box 1,2,3,x", "--box 1,2,3,x: it takes four numbers"),
        ("v.mp4 --box 1,2,3,4 --out t.mp4", "--encoder is missing"),
        ("v.mp4 --box 1,2,3,4 --encoder RUN", "--out is missing"),
        ("v.mp4 --from soon", "--from takes seconds, such as 3.2, not 'soon'"),
        ("v.mp4 --from -1", "--from must be 0 or more, not -1.0"),
        ("v.mp4 --from nan", "--from must be 0 or more, not nan"),
        ("v.mp4 --from 9", "--from 9 lies behind the video's last frame, which is at 1.160 seconds"),
        ("none.mp4", "none.mp4: there is no such file"),
        ("none.mp4 --box 1,2,3,4 --encoder RUN --out t.mp4", "none.mp4: there is no such file"),
        ("v.mp4 --out nowhere/t.mp4", "the folder nowhere does not exist: make it, or pass another --out"),
        ("v.mp4 --out v.mp4", "--out v.mp4 is the video itself: pass another one"),
        ("v.mp4 --box 1,2,3,4 --encoder RUN --out t.avi", "--out t.avi must end with one of .mp4, .mkv, .webm"),
    ],
)
def test_mistakes_are_one_line(source, capsys, words, said):
    source.rename("v.mp4")
    assert_one_line(capsys, words, said)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--box 10,10,0,5", "must be above 0"),
        ("--box 500,10,5,5", "--box 500,10,5,5 lies outside of the frame, which is 240 pixels wide and 160 high"),
        ("--box 1,2,3,4 --until 0", "--until must be above --from, 0 seconds, not 0"),
        ("--box 1,2,3,4 --from 2", "--from 2 lies behind"),
    ],
)
def test_mistakes_that_the_video_shows(source, capsys, words, said):
    source.rename("v.mp4")
    assert_one_line(capsys, f"v.mp4 --encoder RUN --out t.mp4 {words}", said, printed="v.mp4: 30 frames\n")
    assert sorted(os.listdir()) == ["v.mp4"]


def assert_one_line(capsys, words, said, printed=""):
    assert main(["track", *words.split()]) == 2
    out, wrong = capsys.readouterr()
    assert out == printed
    assert wrong.startswith("praxino: ")
    assert wrong.count("\n") == 1
    assert said in wrong


def test_an_encoder_that_is_not_there_and_a_device_that_is_none(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    squares.write("v.mp4", 5)
    pytest.importorskip("praxino.evaluations.tracking.tracker")
    words = "v.mp4 --box 30,20,40,40 --encoder RUN --out t.mp4"
    assert_one_line(capsys, words, "no encoder at RUN", printed="v.mp4: 5 frames\n")
    assert_one_line(capsys, f"{words} --device gpu", "--device: there is no 'gpu'", printed="v.mp4: 5 frames\n")


def test_what_is_odd_about_a_video_is_said(source, capsys):
    path = videos.with_matrix(squares.write(Path("turned.mp4"), 5, turn=1), (0, 1, -1, 0))
    assert main(["track", str(path), "--box", BOX, "--encoder", "RUN", "--out", "t.mp4"]) == 0
    assert capsys.readouterr().out.startswith("turned.mp4: 5 frames (turned as its display matrix says)\n")


def test_frames_that_do_not_come_out_are_counted(source, capsys):
    from PIL import Image

    Path("v").mkdir()
    for k in range(6):
        Image.fromarray(squares.picture(k)).save(f"v/{k}.png")
    Path("v/3.png").write_bytes(b"no picture")
    assert main(["track", "v", "--box", BOX, "--encoder", "RUN", "--out", "t.mp4"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[1] == "frames that do not come out of the video, and have the box of the one before: 1"


def test_a_video_that_breaks_off_says_so(source, monkeypatch, capsys):
    path = videos.write("v.mkv", 120, size=(120, 200))

    class Cutting(ByColour):
        def init(self, frame, box):
            os.truncate(path, path.stat().st_size // 2)

        def update(self, frame):
            return np.array([5.0, 5, 9, 9])

    monkeypatch.setattr("praxino.cli.track.tracker_of", lambda place, trust, device: Cutting())
    assert main(["track", str(path), "--box", "5,5,9,9", "--encoder", "RUN", "--out", "t.mp4"]) == 2
    wrong = capsys.readouterr().err
    frames = len(squares.shown("t.mp4")[0])
    assert wrong.startswith("praxino: v.mkv: it breaks off after ")
    assert wrong.endswith(f"; t.mp4 and t.csv hold the first {frames} of 120 frames\n")


# What a process of its own runs, so that it can be interrupted: slowly, and it says in a file when it has begun.
SLOW = """
import sys, time
from pathlib import Path
import praxino.cli.track
from praxino.cli.main import main
from squares import ByColour

class Slow(ByColour):
    def update(self, frame):
        if self.frames >= 5:
            Path("begun").touch()
            time.sleep(0.3)  # a busy machine may be late to interrupt it
        return super().update(frame)

praxino.cli.track.tracker_of = lambda place, trust, device: Slow()
sys.exit(main(sys.argv[1:]))
"""


def heeding_interrupts():
    """What a shell starts in the background ignores them, and so would all that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_interrupted_it_leaves_what_was_done(tmp_path):
    squares.write(tmp_path / "v.mp4", 50, size=(160, 300))
    paths = [HERE, HERE.parent, Path(praxino.__file__).resolve().parents[1]]
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, "track", "v.mp4", "--box", BOX, "--encoder", "RUN", "--out", "t.mp4"],
        cwd=tmp_path, env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(map(str, paths))},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heeding_interrupts,
    )  # fmt: skip
    until = time.monotonic() + PATIENCE
    while not (tmp_path / "begun").exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.002)
    assert not (tmp_path / "t.mp4").exists()
    process.send_signal(signal.SIGINT)
    _, wrong = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    rows = squares.table(tmp_path / "t.csv")
    frames, times = squares.shown(tmp_path / "t.mp4")
    assert 6 <= len(rows) == len(frames) < 50
    assert np.allclose(times, np.arange(len(rows)) / 25, atol=6e-6)
    x, y = squares.place(len(rows) - 1)
    assert np.abs(np.subtract(squares.drawn_box(frames[-1], (x, y)), (x, y, SIDE, SIDE))).max() <= 2
    assert wrong.splitlines()[-1] == f"praxino: interrupted: t.mp4 and t.csv hold the first {len(rows)} of 50 frames"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["begun", "t.csv", "t.mp4", "v.mp4"]
