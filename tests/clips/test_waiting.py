"""Loading processes that die, hang or have no room: one line, an exit, and nothing left behind."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import torch

from praxino.clips.patience import PATIENCE_SECONDS
from praxino.training.run import Run

SCRIPT = Path(__file__).with_name("waiting_script.py")
LIMIT = 180  # seconds for a process with its imports, on a busy machine
pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")


class Started:
    """The script in a process of its own, and what is left of it."""

    def __init__(self, folder, *words, before=(), temporary=None):
        self.folder = folder
        self.temporary = temporary or Path(tempfile.mkdtemp(prefix="praxino-"))  # a short name, for sockets
        self.errors = folder / "stderr"
        environment = os.environ | {"PYTHONPATH": str(SCRIPT.parents[1]), "OMP_NUM_THREADS": "1"}
        environment |= {"TMPDIR": str(self.temporary), "PRAXINO_MARK": str(folder)}
        command = [*before, sys.executable, str(SCRIPT), *map(str, words)]
        with self.errors.open("wb") as file:
            self.process = subprocess.Popen(command, env=environment, stderr=file, stdout=subprocess.DEVNULL)

    def processes(self):
        """All processes that have its environment: its own, and its children, whoever their parent is now."""
        mark = f"PRAXINO_MARK={self.folder}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and mark in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
            except OSError:
                continue
        return found

    def workers(self):
        return [pid for pid in self.processes() if pid != self.process.pid]

    def until(self, condition):
        end = time.monotonic() + LIMIT
        while not condition():
            if time.monotonic() > end:
                self.process.kill()
            assert self.process.poll() is None, self.errors.read_text()
            time.sleep(0.05)

    def steps(self):
        path = self.folder / "run" / "metrics.jsonl"
        return path.read_text().count('"kind": "step"') if path.exists() else 0

    def ended(self):
        """Its exit code and what it said to users; nothing of it is left."""
        try:
            code = self.process.wait(LIMIT)
        finally:
            self.process.kill()
        end = time.monotonic() + 10
        while self.processes() and time.monotonic() < end:
            time.sleep(0.05)
        left = self.processes()
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        assert not left
        said = self.errors.read_text()
        assert "Traceback" not in said, said
        self.sockets = list(self.temporary.glob("pymp-*"))
        shutil.rmtree(self.temporary)
        return code, [line for line in said.splitlines() if line.startswith("praxino:")]


def refused(started, *words):
    code, lines = started.ended()
    assert code == 2
    assert len(lines) == 1
    assert all(word.lower() in lines[0].lower() for word in words), lines[0]
    assert not started.sockets


def test_a_folder_for_temporary_files_whose_name_is_too_long_for_a_socket(tmp_path):
    long = tmp_path / ("a" * 80)
    long.mkdir()
    refused(Started(tmp_path, "train", "healthy", 40, tmp_path / "run", temporary=long), "TMPDIR", str(long))


def idle(pid):
    """Whether a process computes nothing for two seconds."""

    def used():
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]

    before = used()
    time.sleep(2)
    return used() == before


def totals(run):
    return [line["total"] for line in run.metrics() if line["kind"] == "step"]


SLOW = pytest.mark.slow


@pytest.mark.parametrize("what", ["train", pytest.param("evaluate", marks=SLOW)])
def test_a_loading_process_that_is_killed(tmp_path, what):
    started = Started(tmp_path, what, "slow", 40, tmp_path / "run")
    started.until(lambda: len(started.workers()) == 2)
    time.sleep(1)
    os.kill(started.workers()[0], signal.SIGKILL)
    refused(started, "a loading process is lost", "kill", "--workers")


@pytest.mark.parametrize(
    "words",
    [("train", "deaf"), pytest.param(("train", "stuck"), marks=SLOW), pytest.param(("validate", "stuck"), marks=SLOW)],
    ids=" ".join,
)
def test_a_reader_that_never_answers(tmp_path, words):
    refused(Started(tmp_path, *words, 3, tmp_path / "run"), "no loading process has done anything for", "--workers 0")


@SLOW
@pytest.mark.parametrize("words", [("train", "deaf", PATIENCE_SECONDS), ("evaluate", "stuck", 0)])
def test_a_reader_that_never_answers_ends_within_a_minute(tmp_path, words):
    """As it comes: after 40 seconds of nothing, and some for the end."""
    started = Started(tmp_path, *words, tmp_path / "run")
    started.until(lambda: len(started.workers()) == 2)
    began = time.monotonic()
    refused(started, "no loading process has done anything for 40 seconds")
    assert time.monotonic() - began < 75  # with what comes before it is stuck


def stopped(folder, number):
    """A training that got a signal while it waited for its fifth batch, which never comes."""
    started = Started(folder, "train", "deaf", 1000, folder / "run")
    started.until(lambda: started.steps() == 4)  # each process opens nine videos, and hangs in its third batch
    time.sleep(1)
    began = time.monotonic()
    started.process.send_signal(number)
    assert started.ended() == (130, [])
    assert time.monotonic() - began < 60
    assert Run.open(folder / "run").checkpoint()["position"]["step"] == 4


def test_a_signal_while_a_batch_is_waited_for(tmp_path):
    stopped(tmp_path, signal.SIGTERM)


@SLOW
def test_going_on_after_such_a_signal_changes_nothing(tmp_path):
    stopped(tmp_path, signal.SIGINT)
    for name in ("run", "straight"):
        assert Started(tmp_path, "train", "well", 40, tmp_path / name).ended() == (0, [])
    run, straight = Run.open(tmp_path / "run"), Run.open(tmp_path / "straight")
    assert totals(run) == totals(straight)
    states = [one.checkpoint()["task"] for one in (run, straight)]
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())


@SLOW
def test_a_signal_while_held_out_videos_are_waited_for(tmp_path):
    started = Started(tmp_path, "validate", "stuck", 1000, tmp_path / "run")
    started.until(lambda: started.steps() == 6)  # two epochs; the second validation is not finished
    time.sleep(1)
    assert len(started.workers()) == 4
    started.process.send_signal(signal.SIGTERM)
    assert started.ended() == (130, [])  # it has saved, as at any stop
    assert Run(tmp_path / "run").checkpoint()["position"]["step"] == 6


@pytest.mark.parametrize(
    "number, code",
    [
        pytest.param(signal.SIGINT, 130, marks=SLOW),
        pytest.param(signal.SIGTERM, -15, marks=SLOW),
        (signal.SIGKILL, -9),
    ],
)
def test_a_signal_while_an_evaluation_waits(tmp_path, number, code):
    """Nothing remains of it, not even a reader that hangs."""
    started = Started(tmp_path, "evaluate", "deaf", 40)
    started.until(lambda: len(started.workers()) == 2)
    started.until(lambda: all(map(idle, started.workers())))
    started.process.send_signal(number)
    assert started.ended() == (code, ["praxino: interrupted"] if number == signal.SIGINT else [])


def small_shared_memory(size):
    """Words before a command that give it, and no other process, a small /dev/shm."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", "/dev/shm"]
    before = ["unshare", "--mount", "sh", "-c", f'{" ".join(mount)} && exec "$@"', "sh"]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*before, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("this user may not mount a small /dev/shm")
    return before


@pytest.mark.parametrize(
    "size, said",
    [
        ("20m", ["6 batches of", "are held ready, and it has 20.0 MiB", "--prefetch 1", "--shm-size"]),
        pytest.param("4m", ["a batch takes", "of 4.0 MiB are free", "--workers 0", "--shm-size"], marks=SLOW),
    ],
)
def test_a_small_shared_memory(tmp_path, size, said):
    refused(Started(tmp_path, "train", "large", 40, tmp_path / "run", before=small_shared_memory(size)), *said)


@SLOW
def test_a_full_shared_memory(tmp_path):
    """There is not even room for the queues."""
    before = small_shared_memory("8k")
    before[4] = before[4].replace("exec", "{ head -c 99999 /dev/zero > /dev/shm/all 2> /dev/null; exec") + "; }"
    refused(Started(tmp_path, "train", "large", 40, tmp_path / "run", before=before), "No space left", "--shm-size")
