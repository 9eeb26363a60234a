"""The command, ended from outside: killed at any moment, interrupted, with a full disk, or beside itself."""

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from prepared import Means, flow, left

import praxino
import videos
from praxino.errors import UserError

HERE = Path(__file__).resolve().parent
SOURCE = Path(praxino.__file__).resolve().parents[1]
ENVIRONMENT = {
    **os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(map(str, (HERE, HERE.parent, SOURCE))),
}  # fmt: skip
PATIENCE = 60


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Forty videos of eight kinds in two folders."""
    folder = tmp_path_factory.mktemp("source")
    kinds = [videos.write(folder / f"{k}.mp4", 6 + k, size=(24, 32), seed=k) for k in range(8)]
    for k in range(40):
        place = folder / "videos" / "ab"[k % 2] / f"v{k}.mp4"
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(kinds[k % 8], place)
    (folder / "videos/a/broken.mp4").write_bytes(b"no video")
    return folder / "videos"


@pytest.fixture(scope="module")
def whole(source, tmp_path_factory):
    """What an undisturbed run leaves."""
    out = tmp_path_factory.mktemp("whole")
    assert finished(source, out)[0] == 0
    return left(out)


def started(source, out, *words, provider="prepared.Slow", seconds=0.05):
    command = [sys.executable, "-m", "praxino", "prepare", "flow", "--videos", source, "--out", out]
    command += ["--provider", provider, *words]
    return subprocess.Popen(
        list(map(str, command)), env={**ENVIRONMENT, "SLOW_SECONDS": str(seconds)}, start_new_session=True, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=heeding_interrupts,
    )  # fmt: skip


def heeding_interrupts():
    """What a shell starts in the background ignores them, and so would all that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def finished(source, out, *words, **more):
    process = started(source, out, *words, **more)
    said, wrong = process.communicate(timeout=PATIENCE)
    return process.returncode, said, wrong


def begun(process, out, videos=0):
    """Waits until so many videos are there."""
    until = time.monotonic() + PATIENCE
    while not (out / "flow/manifest.jsonl").exists() or len(list(out.glob("flow/v/*/*"))) < videos:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.002)


@pytest.mark.parametrize("kills", [4, pytest.param(20, marks=pytest.mark.slow)])
def test_killed_at_random_it_leaves_the_same_bytes(source, whole, tmp_path, kills):
    """With its processes, or alone, so that these outlive it for a moment; with another number of them each time."""
    chance = random.Random(kills)
    disturbed = 0
    for k in range(kills):
        process = started(source, tmp_path, "--workers", k % 3)
        before = len(list(tmp_path.glob("flow/v/*/*")))
        begun(process, tmp_path, before)
        time.sleep(chance.uniform(0, 1.6 / kills))
        (os.killpg if k % 2 else os.kill)(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)
        disturbed += process.returncode == -signal.SIGKILL and left(tmp_path) != whole
    assert disturbed > kills // 2
    assert finished(source, tmp_path)[0] == 0
    assert left(tmp_path) == whole


def test_interrupted(source, whole, tmp_path):
    process = started(source, tmp_path, seconds=1)  # a busy machine may be late to interrupt it
    begun(process, tmp_path, 3)
    os.killpg(process.pid, signal.SIGINT)
    _, wrong = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert wrong.splitlines() == ["praxino: the same line goes on from here", "praxino: interrupted"]
    assert not (tmp_path / "flow/.part").exists()
    code, said, _ = finished(source, tmp_path)
    assert code == 0
    assert "made before" in said
    assert left(tmp_path) == whole


def test_two_at_once(source, whole, tmp_path):
    process = started(source, tmp_path, seconds=0.4)
    begun(process, tmp_path, 1)
    os.kill(process.pid, signal.SIGSTOP)  # so that it does not end before the other one has begun
    code, _, wrong = finished(source, tmp_path)
    os.kill(process.pid, signal.SIGCONT)
    assert code == 2
    assert wrong.startswith(f"praxino: another process prepares views in {tmp_path}/flow (process {process.pid} of ")
    assert wrong.count("\n") == 1
    assert process.wait(PATIENCE) == 0
    assert left(tmp_path) == whole


@pytest.mark.skipif(sys.platform != "linux", reason="looks for its processes in /proc")
def test_a_process_that_is_lost_is_a_line(source, whole, tmp_path):
    process = started(source, tmp_path, seconds=1)
    begun(process, tmp_path, 2)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGKILL)
    _, wrong = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert wrong.startswith("praxino: a loading process is lost (")
    assert wrong.count("\n") == 1
    assert finished(source, tmp_path)[0] == 0
    assert left(tmp_path) == whole


@contextmanager
def disk(folder, size):
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount here")
    if done.returncode:
        pytest.skip("a disk cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_full_disk_is_one_line_and_later_it_goes_on(source, whole, tmp_path, workers):
    with disk(tmp_path / "disk", "600k") as out:
        code, _, wrong = finished(source, out, "--workers", workers)
        assert code == 2
        assert wrong == f"praxino: {out}/flow cannot be written: No space left on device\n"
        there = left(out)
        assert not any(".part/" in name for name in there)
        # What is in its place is whole.
        assert {name: data for name, data in there.items() if name.endswith(".jpg")}.items() <= whole.items()
        subprocess.run(["mount", "-o", "remount,size=20m", str(out)], check=True)
        code, said, _ = finished(source, out)
        assert code == 0
        assert "made before" in said
        assert left(out) == whole


def test_no_file_may_be_written(source, tmp_path):
    flow(source, tmp_path, provider=Means(times=1))
    whole = left(tmp_path)
    shutil.rmtree(tmp_path / "flow/u/a")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The manifest is larger.
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, limits[1]))
    try:
        with pytest.raises(UserError, match=r"^\S+/flow\S* cannot be written: File too large$"):
            flow(source, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    flow(source, tmp_path)
    assert left(tmp_path) == whole
