"""How far a command is, where there is no terminal to draw a bar on."""

import numpy as np

import videos
from praxino import bars
from praxino.bars import bar_shown
from praxino.cli.main import main


def test_a_line_every_half_minute(monkeypatch, capsys):
    """Of 40 items that take 7.5 seconds each every fourth is told, with the time that the others will take."""
    now = [100.0]
    monkeypatch.setattr(bars.time, "monotonic", lambda: now[0])
    with bar_shown("reading videos") as bar:
        bar(0, 40)
        for done in range(1, 41):
            now[0] += 7.5
            bar(done, 40)
    out, lines = capsys.readouterr()
    assert out == ""
    assert lines.splitlines() == [
        f"reading videos: {done} of 40, {int(7.5 * (40 - done)) // 60}:{int(7.5 * (40 - done)) % 60:02d} left"
        for done in range(4, 41, 4)
    ]


def test_how_long_a_start_took_does_not_count(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr(bars.time, "monotonic", lambda: now[0])
    with bar_shown("reading videos") as bar:
        for at, done in ((33.0, 1), (34.0, 2), (64.0, 32)):
            now[0] = at
            bar(done, 71)
    assert capsys.readouterr().err.splitlines() == ["reading videos: 1 of 71", "reading videos: 32 of 71, 0:39 left"]


def test_commands_say_how_far_they_are(tmp_path, monkeypatch, capsys):
    (tmp_path / "videos").mkdir()
    for k in range(3):
        videos.write(tmp_path / f"videos/{k}.mp4", 8, seed=k)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(bars, "SECONDS_BETWEEN_LINES", 0.0)
    words = ["--videos", "videos", "--out", "views", "--provider", "Foreground", "--workers", "0"]
    assert main(["prepare", "segmentation", *words]) == 0
    lines = [line.partition(",")[0] for line in capsys.readouterr().err.splitlines()]
    assert lines == [f"making segmentation: {done} of 3" for done in (1, 2, 3)]
    assert np.load("views/segmentation/segmasks/0/segmask_00001.npz")["seg"].size
    words = ["--videos", "videos", "--out", "run", "--steps", "1", "--batch_size", "2", "--workers", "0"]
    assert main(["pretrain", "simclr_small", *words, "--method.backbone.width", "2"]) == 0
    lines = [line.partition(",")[0] for line in capsys.readouterr().err.splitlines()]
    assert [line for line in lines if "looking" in line] == [f"looking at videos: {done} of 3" for done in (1, 2, 3)]
