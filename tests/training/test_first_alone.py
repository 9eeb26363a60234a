"""What the first process does alone is waited for, and its end, however it comes, ends the wait."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def both(tmp_path, how):
    """Exit codes and messages of two processes without a launcher, which would end the second one itself."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    given = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "GLOO_SOCKET_IFNAME": "lo"}
    command = [sys.executable, str(HERE / "first_alone_script.py"), how, str(tmp_path / "reached")]
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
    assert [code for code, _ in both(tmp_path, "done")] == [0, 0]
    assert (tmp_path / "reached").exists()


@pytest.mark.parametrize(("how", "code"), [("killed", -9), ("refused", 2)])
def test_its_end_ends_the_wait(tmp_path, how, code):
    first, second = both(tmp_path, how)
    assert first[0] == code
    assert second[0] == 2
    assert "another process of this run has ended before its time" in second[1]
    assert not (tmp_path / "reached").exists()
