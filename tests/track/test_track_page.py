"""Each command of the page on following an object, and its lines of Python, with a tiny encoder."""

import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
import squares

import videos
from praxino.cli.main import main

PAGE = (Path(__file__).parents[2] / "docs" / "track.md").read_text()
COMMANDS = re.findall(r"^praxino track .*$", PAGE, flags=re.M)
SMALL = "--workers 0 --steps 1 --batch_size 2 --threads 1 --device cpu --method.backbone.width 4"


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    for k in range(2):
        videos.write(folder / f"{k}.mp4", 40, seed=k)
    words = ["pretrain", "simclr_small_frames", "--videos", folder, "--out", folder / "RUN", *SMALL.split()]
    assert main(list(map(str, words))) == 0
    return folder / "RUN"


@pytest.fixture
def here(tmp_path, monkeypatch, encoder):
    pytest.importorskip("cv2", reason="a tracker's crops are OpenCV's")
    pytest.importorskip("praxino.evaluations.tracking.tracker")
    squares.write(tmp_path / "VIDEO.mp4", 90, size=(240, 320))
    shutil.copytree(encoder, tmp_path / "RUN")
    monkeypatch.chdir(tmp_path)


def test_all_commands_run(here, capsys):
    assert len(COMMANDS) == 2
    for command in COMMANDS:
        assert main(shlex.split(command)[1:]) == 0, capsys.readouterr().err
    assert Path("first_frame.html").is_file()
    rows = squares.table("tracked.csv")
    assert [int(row["frame"]) for row in rows] == list(range(80, 90))
    assert [float(rows[0][name]) for name in ("x", "y", "width", "height")] == [120, 80, 60, 90]
    assert all(0 <= float(row["confidence"]) <= 1 for row in rows[1:])
    frames, times = squares.shown("tracked.mp4")
    assert len(frames) == 10
    assert np.allclose(times, np.arange(10) / 25, atol=6e-6)


def test_its_lines_of_python(here, capsys):
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.S | re.M)
    exec(compile(code, "track.md", "exec"), {})
    assert capsys.readouterr().out == "10 tracked.csv\n"


def test_every_option_stands_on_the_page_and_in_the_help(capsys):
    from praxino.cli.track import OPTIONS

    assert main(["track", "--help"]) == 0
    said = capsys.readouterr().out
    for name in OPTIONS:
        assert f"--{name} " in said
        assert re.search(rf"`?--{name}\b", PAGE), name
