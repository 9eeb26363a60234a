"""Runs of the command line that are killed, and what they leave beside what an undisturbed one leaves."""

import json
import os
import signal
import subprocess
import sys
import time

import torch

MACHINE = ("seconds", "clips_per_second", "wait_share", "eta_seconds")
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def started(folder, words):
    command = [sys.executable, "-m", "praxino", *map(str, words)]
    return subprocess.Popen(
        command, cwd=folder, env=ENVIRONMENT, start_new_session=True, stderr=subprocess.PIPE, text=True
    )


def done(folder, words):
    process = started(folder, words)
    said = process.communicate()[1]
    assert process.returncode == 0, said[-3000:]


def killed(folder, words, out, lines):
    """kill -9 of the process and of its loading one, as soon as so many lines of metrics are there."""
    metrics = out / "metrics.jsonl"
    process = started(folder, words)
    while not metrics.exists() or metrics.read_bytes().count(b"\n") < lines:
        assert process.poll() is None, process.communicate()[1][-3000:]
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def curve(out):
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in MACHINE and not k.startswith("memory_")} for line in lines]


def checkpoint(out, name="last.ckpt"):
    return torch.load(out / "checkpoints" / name, weights_only=True)


def leaves(state, at=""):
    """Every number and tensor of a checkpoint by its place."""
    pairs = state.items() if isinstance(state, dict) else enumerate(state) if isinstance(state, list | tuple) else None
    if pairs is None:
        return {at: state.tolist() if isinstance(state, torch.Tensor) else state}
    return {place: leaf for key, value in pairs for place, leaf in leaves(value, f"{at}/{key}").items()}


def assert_same_run(ours, theirs):
    """Curve, every checkpoint and all encoders of two folders, to the bit."""
    assert curve(ours) == curve(theirs)
    encoders = sorted(path.name for path in theirs.glob("encoder*.safetensors"))
    assert encoders
    assert encoders == sorted(path.name for path in ours.glob("encoder*.safetensors"))
    assert all((ours / name).read_bytes() == (theirs / name).read_bytes() for name in encoders)
    names = {path.name for path in (theirs / "checkpoints").iterdir()}
    assert names == {path.name for path in (ours / "checkpoints").iterdir()}
    for name in names:
        own, other = leaves(checkpoint(ours, name)), leaves(checkpoint(theirs, name))
        assert own.keys() == other.keys()
        # The metrics' size in bytes is that of the seconds, too.
        assert [place for place, leaf in own.items() if leaf != other[place]] in ([], ["/metrics_size"])
