"""What the first process does alone is waited for, and its end, however it comes, ends the wait."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def both(script, *words):
    """Exit codes and messages of two processes without a launcher, which would end the second one itself."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    paths = os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")])
    given = {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    given |= {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "GLOO_SOCKET_IFNAME": "lo"}
    command = [sys.executable, str(HERE / script), *map(str, words)]
    started = [
        subprocess.Popen(command, env={**os.environ, **given, "RANK": str(rank)}, stderr=subprocess.PIPE, text=True)
        for rank in (0, 1)
    ]
    try:
        said = [process.communicate(timeout=120)[1] for process in started]
    finally:
        for process in started:
            process.kill()
    return [(process.returncode, lines) for process, lines in zip(started, said, strict=True)]


def test_it_is_waited_for(tmp_path):
    assert [code for code, _ in both("first_alone_script.py", "done", tmp_path / "reached")] == [0, 0]
    assert (tmp_path / "reached").exists()


@pytest.mark.parametrize(("how", "code"), [("killed", -9), ("refused", 2)])
def test_its_end_ends_the_wait(tmp_path, how, code):
    first, second = both("first_alone_script.py", how, tmp_path / "reached")
    assert first[0] == code
    assert second[0] == 2
    assert "another process of this run has ended before its time" in second[1]
    assert not (tmp_path / "reached").exists()


def test_a_run_waits_for_its_first_process(tmp_path):
    """For its choice of precision, its probe, its convolutions and its encoders' statistics, and for its refusal."""
    first, second = both("long_work_script.py", tmp_path)
    assert [first[0], second[0]] == [0, 0], first[1] + second[1]
    done = {line.removeprefix("did ") for line in first[1].splitlines() if line.startswith("did ")}
    assert done == {"choose", "probe_catalog", "_found", "give_statistics"}
    assert {(tmp_path / f"{rank}.txt").read_text() for rank in (0, 1)} == {"there is nothing to do"}
