"""`--devices N`: the same command line once more, in N processes of this machine."""

from __future__ import annotations

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

Processes = list["subprocess.Popen[bytes]"]
CHECK_SECONDS = 0.1
PATIENCE_SECONDS = 10.0


def needed(devices: int) -> bool:
    """Whether processes have to be started: more than one is asked for, and no launcher has started this one."""
    return devices > 1 and "RANK" not in os.environ


def relaunch(argv: Sequence[str], devices: int) -> int:
    """Runs `praxino argv` in several processes, as torchrun would; only the first one prints.

    `torch.distributed.run` itself turns a user's one-line mistake into a wall of text and its exit code into 1.

    Returns:
        The exit code of the process that failed, else 0.
    """
    port = _free_port()
    with tempfile.TemporaryFile() as said:
        # What the others say is kept, and shown only where the first one has not failed itself.
        outputs = [None, *[said] * (devices - 1)]
        processes = [_started(argv, rank, devices, port, output) for rank, output in enumerate(outputs)]
        handlers = {number: signal.signal(number, _passed_on(processes)) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            failed = _first_failed(processes)
        finally:
            for process in processes:
                process.kill()
                process.wait()
            for number, handler in handlers.items():
                signal.signal(number, handler)
        if failed > 0:
            said.seek(0)
            sys.stderr.write(said.read().decode(errors="replace"))
    code = processes[failed].returncode if failed >= 0 else 0
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
    return subprocess.Popen(command, env=environment, stdout=output, stderr=output, start_new_session=True)


def _passed_on(processes: Processes) -> Callable[[int, FrameType | None], None]:
    def pass_on(number: int, frame: FrameType | None) -> None:
        for process in processes:
            process.send_signal(number)

    return pass_on


def _first_failed(processes: Processes) -> int:
    """Waits for all; the number of the process that failed (the first one, if it did), else -1.

    One that has lost its partners waits for them for ever: after a failure the others get some seconds to end by
    themselves (a mistake that all of them find is printed by the first one), and are then stopped.
    """
    failed_at: float | None = None
    while any(process.poll() is None for process in processes):
        time.sleep(CHECK_SECONDS)
        if failed_at is None and any(process.returncode for process in processes):
            failed_at = time.monotonic()
        if failed_at is not None and time.monotonic() - failed_at > PATIENCE_SECONDS:
            break
    return next((rank for rank, process in enumerate(processes) if process.returncode), -1)
