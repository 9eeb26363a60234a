"""One trainer in a folder, whatever becomes of it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from praxino.errors import UserError
from praxino.lock import lock
from praxino.training.run import Run

TESTS = Path(__file__).resolve().parents[1]
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{TESTS}{os.pathsep}{TESTS / 'training'}"}


def python(code, *words):
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT, cwd=TESTS,
    )  # fmt: skip


HOLDER = """
import sys, time
from pathlib import Path
from praxino.lock import lock
class Owner: pass
owner = Owner()
lock(Path(sys.argv[1]), owner)
print("locked", flush=True)
time.sleep(100)
"""


class Owner:
    pass


def test_a_second_process_is_refused_until_the_first_is_gone(tmp_path):
    holder = python(HOLDER, tmp_path)
    assert holder.stdout.readline() == "locked\n"
    owner = Owner()
    with pytest.raises(UserError, match=rf"another process trains in \S+ \(process {holder.pid} of [^\n]*\): wait"):
        lock(tmp_path, owner)
    holder.kill()  # nothing of its own is run any more
    holder.wait()
    assert lock(tmp_path, owner)
    assert lock(tmp_path, Owner())  # the same process, as in a notebook


def test_the_lock_goes_with_its_owner(tmp_path):
    owner = Owner()
    lock(tmp_path, owner)
    del owner
    holder = python(HOLDER, tmp_path)
    assert holder.stdout.readline() == "locked\n", holder.stderr.read()
    holder.kill()
    holder.wait()


WAITS = """
import os, sys, time
from pathlib import Path
from test_pretrain import arguments
from praxino.errors import UserError
from praxino.training.pretrain import pretrain
from toys import ToyStream, toy_stages
out = Path(sys.argv[1])
class Waits(ToyStream):
    opened = 0
    def open(self, video, canvas=None):
        Waits.opened += 1
        while Waits.opened > 20 and not (out / "go").exists():
            time.sleep(0.05)
        return super().open(video)
try:
    pretrain(**arguments(out, stages=toy_stages(steps=20), streams={"rgb": Waits()}), resume=len(sys.argv) > 2)
except UserError as error:
    print("refused:", error)
    sys.exit(2)
"""


def test_two_trainers_of_one_run_at_once(tmp_path):
    first = python(WAITS, tmp_path / "run")
    metrics = tmp_path / "run/metrics.jsonl"
    until = time.monotonic() + 100
    while not (metrics.exists() and metrics.stat().st_size) and time.monotonic() < until:
        time.sleep(0.05)
    second = python(WAITS, tmp_path / "run", "resume")
    said = second.communicate(timeout=100)[0]
    (tmp_path / "run/go").touch()
    assert first.wait(100) == 0, first.stderr.read()
    assert second.returncode == 2
    assert said.startswith("refused: another process trains in")
    assert said.count("\n") == 1
    steps = [json.loads(line) for line in metrics.read_text().splitlines()]
    assert [line["step"] for line in steps if line["kind"] == "step"] == list(range(20))


def test_a_start_that_cannot_be_written_leaves_nothing(tmp_path, monkeypatch):
    def full(run, name, text):
        raise UserError(f"{name} cannot be written: No space left on device")

    monkeypatch.setattr(Run, "write", full)
    with pytest.raises(UserError, match="No space left"):
        Run.create(tmp_path / "run", {}, Owner())
    assert not list(tmp_path.iterdir())
