"""The whole way on real files, as a user walks it: by the command line, with broken files among them, with kills."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import praxino
import videos

ROOT = Path(__file__).parents[1]
SHARED = ROOT / "../shared/data"
MACHINE = ("seconds", "clips_per_second", "wait_share", "eta_seconds")
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
QUICK = ["--batch_size", "4", "--threads", "1", "--device", "cpu", "--method.backbone.width", "2"]


def command(*words, code=0, cwd=None):
    done = subprocess.run(
        [sys.executable, "-m", "praxino", *map(str, words)], capture_output=True, text=True, env=ENVIRONMENT, cwd=cwd
    )
    assert done.returncode == code, done.stderr[-3000:]
    assert "Traceback" not in done.stderr
    return done


def curve(run):
    lines = [json.loads(line) for line in (Path(run) / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in MACHINE} for line in lines]


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Ten good videos in two class folders."""
    folder = tmp_path_factory.mktemp("clips")
    for row in range(10):
        name = folder / ("left" if row % 2 else "right") / f"clip{row}.mp4"
        name.parent.mkdir(exist_ok=True)
        videos.write(name, range(row * 40, row * 40 + 24 + row))
    return folder


@pytest.fixture(scope="module")
def trained(clips, tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "run"
    command("pretrain", "simclr_small", "--videos", clips, "--out", run, "--steps", 6, "--workers", 0, *QUICK)
    return run


def test_vectors_of_a_file(trained, clips):
    encoder = praxino.load_encoder(trained / "encoder.safetensors")
    vectors = encoder.embed(clips / "left/clip1.mp4")
    assert vectors.shape == (10, 16)
    assert np.isfinite(vectors).all()


def test_vectors_of_a_folder(trained, clips, tmp_path):
    command("embed", trained, "--videos", clips, "--out", tmp_path / "vectors.npz", "--workers", 0)
    found = np.load(tmp_path / "vectors.npz")
    assert found["vectors"].shape == (100, 16)
    assert sorted(set(found["video"].tolist())) == sorted(
        f"{s}/clip{r}.mp4" for r in range(10) for s in [("right", "left")[r % 2]]
    )
    assert (found["end"] >= found["start"]).all()
    one = praxino.load_encoder(trained).embed(clips / "left/clip1.mp4")
    assert np.allclose(found["vectors"][found["video"] == "left/clip1.mp4"], one, atol=1e-6)


def test_evaluations_and_report(trained, clips):
    shown = command(
        "evaluate", "retrieval", trained, "--videos", clips, "--k", "1,5", "--queries", "train", "--workers", 0
    )
    assert "trained" in shown.stdout
    assert "chance" in shown.stdout
    command("evaluate", "knn", trained, "--k", "3", "--queries", "train", "--workers", 0)
    (file,) = (trained / "evaluations").glob("retrieval-*.json")
    result = json.loads(file.read_text())
    assert result["rows"][0]["name"] == "chance"
    # 4 others of the own class among 9.
    assert result["rows"][0]["values"]["1"] == pytest.approx(100 * 4 / 9)
    assert len(result["gallery"]) == 10
    command("report", trained)

    links = []

    class Links(HTMLParser):
        def handle_starttag(self, tag, attributes):
            links.extend(value for name, value in attributes if name in ("src", "href"))

    Links().feed((trained / "report.html").read_text())
    assert links
    assert not [link for link in links if link.startswith(("http", "//"))]


@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_workers_change_nothing(trained, clips, tmp_path, workers):
    command(
        "pretrain",
        "simclr_small",
        "--videos",
        clips,
        "--out",
        tmp_path / "run",
        "--steps",
        6,
        "--workers",
        workers,
        *QUICK,
    )
    assert curve(tmp_path / "run") == curve(trained)


def test_a_recipe_as_run_gives_the_same_numbers(trained, tmp_path):
    shutil.copy(trained / "recipe.yaml", tmp_path / "again.yaml")
    command("pretrain", tmp_path / "again.yaml", "--out", tmp_path / "run")
    assert curve(tmp_path / "run") == curve(trained)


@pytest.mark.slow
def test_two_processes_by_one_option(clips, tmp_path):
    command(
        "pretrain", "simclr_small", "--videos", clips, "--out", tmp_path / "run", "--steps", 3, "--workers", 0, *QUICK,
        "--devices", 2,
    )  # fmt: skip
    assert len(curve(tmp_path / "run")) >= 3
    assert praxino.load_encoder(tmp_path / "run").record["environment"]["processes"] == 2


@pytest.fixture(scope="module")
def broken(clips, tmp_path_factory):
    """Good videos, and one of everything that goes wrong."""
    folder = tmp_path_factory.mktemp("broken")
    for path in clips.rglob("*.mp4"):
        shutil.copy(path, folder / path.name)
    for name in videos.BROKEN:
        videos.make(name, folder)
    videos.write(folder / "twelve.mp4", 12)
    videos.write(folder / "odd_size.mp4", 30, size=(50, 66))
    # More odd files, where they lie beside the repository; without them those above are what is tested.
    for path in [*(SHARED / "odd").glob("*.*"), *(SHARED / "ucf_raw").glob("*.avi")]:
        shutil.copy(path, folder / path.name)
    return folder


def test_broken_files_neither_stop_a_run_nor_vanish(broken, tmp_path):
    run = tmp_path / "run"
    few = command(
        "pretrain", "simclr_small", "--videos", broken, "--out", tmp_path / "no", "--steps", 2, *QUICK, code=2
    )
    assert "--max_left_out" in few.stderr.strip().splitlines()[-1]
    shown = command(
        "pretrain", "simclr_small", "--videos", broken, "--out", run, "--steps", 4, *QUICK, "--max_left_out", 1
    )
    listed = list(csv.DictReader((run / "videos.csv").open()))
    from praxino.catalogs.names import VIDEO_EXTENSIONS

    files = sorted(path.name for path in broken.iterdir() if path.suffix.lower() in VIDEO_EXTENSIONS)
    assert sorted(video["id"] for video in listed) == files
    out = {video["id"]: video["reason"] for video in listed if video["status"] != "ok"}
    assert f"{len(out)} of {len(listed)} videos are left out" in shown.stderr
    assert all(out.values())
    assert {"empty.mp4", "text.mp4"} <= set(out)
    assert not any(name.startswith("clip") for name in out)
    assert "twelve.mp4" not in out  # short videos are repeated by this recipe
    command("embed", run, "--videos", broken, "--out", tmp_path / "v.npz", "--max_left_out", 1, "--workers", 0)
    command("report", run)
    page = (run / "report.html").read_text()
    assert all(name in page for name in out)


@pytest.mark.slow
def test_the_demo_on_ones_own_folder(clips, tmp_path):
    broken = tmp_path / "videos"
    shutil.copytree(clips, broken)
    videos.make("text", broken)
    shown = command("demo", "--videos", broken, "--out", tmp_path / "demo", "--steps", 3, "--workers", 1)
    assert "trained" in shown.stdout
    assert (tmp_path / "demo/report.html").exists()
    again = command("demo", "--videos", broken, "--out", tmp_path / "demo", "--steps", 3, "--workers", 1)
    assert "trained" in again.stdout
    assert "another" in command("demo", "--videos", broken, "--out", tmp_path / "demo", "--steps", 4, code=2).stderr


@pytest.mark.slow
@pytest.mark.parametrize("steps", [2, 17])
def test_kill_9_and_resume(clips, tmp_path, steps):
    words = [
        "pretrain",
        "simclr_small",
        "--videos",
        clips,
        "--steps",
        40,
        "--checkpoint_steps",
        3,
        "--workers",
        2,
        *QUICK,
    ]
    command(*words, "--out", tmp_path / "straight")
    killed = subprocess.Popen(
        [sys.executable, "-m", "praxino", *map(str, words), "--out", str(tmp_path / "killed")],
        env=ENVIRONMENT, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    metrics = tmp_path / "killed/metrics.jsonl"
    while not metrics.exists() or metrics.read_text().count('"step",') < steps:
        assert killed.poll() is None
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert not (tmp_path / "killed/encoder.safetensors").exists()
    command("resume", tmp_path / "killed")
    assert curve(tmp_path / "killed") == curve(tmp_path / "straight")
    weights = [(tmp_path / name / "encoder.safetensors").read_bytes() for name in ("straight", "killed")]
    assert weights[0] == weights[1]
