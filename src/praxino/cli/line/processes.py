"""`--devices N`: the same command line once more, in N processes of this machine."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import IO

from praxino.cli.line.terminal import USERS_MISTAKE

Processes = list["subprocess.Popen[bytes]"]
CHECK_SECONDS = 0.1
PATIENCE_SECONDS = 10.0
PARENT_DEATH_SIGNAL = 1  # of Linux' prctl


def needed(devices: int) -> bool:
    """Whether processes have to be started: more than one is asked for, and no launcher has started this one."""
    if devices < 2 or "RANK" in os.environ:
        return False
    from praxino.ranks import slurm_variables

    return not slurm_variables(os.environ)


def relaunch(argv: Sequence[str], devices: int) -> int:
    """Runs `praxino argv` in several processes, as torchrun would; only the first one prints.

    `torch.distributed.run` itself turns a user's one-line mistake into a wall of text and its exit code into 1.

    Returns:
        The exit code of the process that failed, else 0.
    """
    port = _free_port()
    with tempfile.TemporaryFile() as said:
        # What the others say is kept, and shown where the failure began with one of them.
        outputs = [None, *[said] * (devices - 1)]
        processes: Processes = []
        handlers = {number: signal.signal(number, _passed_on(processes)) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            for rank, output in enumerate(outputs):
                processes.append(_started(argv, rank, devices, port, output))
            failed = _first_failed(processes)
        finally:
            for process in processes:
                process.kill()
                process.wait()
            for number, handler in handlers.items():
                signal.signal(number, handler)
        found_by_all = processes[0].returncode == USERS_MISTAKE
        if failed > 0 and not found_by_all:
            said.seek(0)
            sys.stderr.write(said.read().decode(errors="replace"))
    code = processes[0 if found_by_all else failed].returncode if failed >= 0 else 0
    return 128 - code if code < 0 else code


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _started(
    argv: Sequence[str], rank: int, world: int, port: int, output: IO[bytes] | None
) -> subprocess.Popen[bytes]:
    numbers = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": world, "LOCAL_WORLD_SIZE": world, "MASTER_PORT": port}
    environment = os.environ | {"MASTER_ADDR": "127.0.0.1"} | {name: str(value) for name, value in numbers.items()}
    # A session of its own: a terminal's interrupt would otherwise reach each process twice, by itself and through us.
    command = [sys.executable, "-m", "praxino", *argv]
    return subprocess.Popen(
        command,
        env=environment,
        stdout=output,
        stderr=output,
        start_new_session=True,
        preexec_fn=_ended_with_its_parent if sys.platform == "linux" else None,
    )


def _ended_with_its_parent() -> None:
    # A launcher that is killed cannot pass anything on: its processes would train on, beside those of a resume.
    ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGTERM)


def _passed_on(processes: Processes) -> Callable[[int, FrameType | None], None]:
    def pass_on(number: int, frame: FrameType | None) -> None:
        for process in processes:
            process.send_signal(number)

    return pass_on


def _first_failed(processes: Processes) -> int:
    """Waits for all; the number of the process that failed first, else -1.

    One that has lost its partners may wait for them for ever: after a failure the others get some seconds to end by
    themselves (a mistake that all of them find is printed by the first one), and are then stopped.
    """
    failed, since = -1, 0.0
    while True:
        codes = [process.poll() for process in processes]
        if failed < 0 and any(codes):
            failed, since = next(rank for rank, code in enumerate(codes) if code), time.monotonic()
        if None not in codes or (failed >= 0 and time.monotonic() - since > PATIENCE_SECONDS):
            return failed
        time.sleep(CHECK_SECONDS)
