"""The recipe tclr_r3d18_ucf101 by the command line, killed again and again: its counters go on, plain and lean."""

import json
import math
import os
import signal
import subprocess
import sys
import time

import pytest
import torch

import videos
from test_original_commands import UCF, listed, lists

MACHINE = ("seconds", "clips_per_second", "wait_share", "eta_seconds")
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
EPOCHS, LINES = 6, 4  # an epoch has steps of 4, 4 and 2 videos, and its own line
RATE, WARMUP, PATIENCE = 1e-2, [0.1, 1.0], 2
# Checkpoints after every second of three steps: within an epoch, once with a step behind it that is lost.
SMALL = {
    "catalog.root": "DATA", "epochs": EPOCHS, "batch_size": 4, "checkpoint_steps": 2, "precision": "fp32",
    "device": "cpu", "threads": 1, "method.backbone.width": 2, "method.view.operations.0.size": 32,
    "protocol.views.rgb.operations.0.size": 32, "protocol.sampler.clips": 2,
    "stages.0.optimizer.lr": RATE, "stages.0.schedule.warmup": WARMUP, "stages.0.schedule.patience": PATIENCE,
}  # fmt: skip

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The ten training videos of a UCF101 of two classes."""
    folder = tmp_path_factory.mktemp("tclr")
    lists(folder / "DATA/ucfTrainTestlist", UCF, numbered=True)
    for row, (kind, video) in enumerate(listed(UCF)[:10]):
        (folder / "DATA/UCF-101" / kind).mkdir(parents=True, exist_ok=True)
        path = folder / "DATA/UCF-101" / kind / f"{video}.avi"
        videos.write(path, range(45 * row, 45 * row + 60), size=(24, 32), codec="mpeg4", gop=1, b_frames=0)
    return folder


def pretraining(out, lean, workers):
    options = {**SMALL, "out": out, "method.lean": str(lean).lower(), "workers": workers}
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    return ["pretrain", "tclr_r3d18_ucf101", *words]


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


def counters(losses):
    """(bad epochs, reductions) after each epoch: the original's rule, written out."""
    best, bad, reductions, after = math.inf, 0, 0, []
    for epoch, loss in enumerate(losses):
        if loss > best:
            bad += 1
        elif loss < best:
            best, bad = loss, 0
        if epoch + 1 >= len(WARMUP) and bad == PATIENCE:
            bad, reductions = 0, reductions + 1
        after.append((bad, reductions))
    return after


@pytest.fixture(scope="module")
def whole(folder):
    """lean or not -> folder of an undisturbed run."""
    outs = {lean: folder / f"whole-{lean}" for lean in (False, True)}
    for lean, out in outs.items():
        done(folder, pretraining(out, lean, workers=0))
    return outs


def test_the_rate_falls_by_its_counters(whole):
    lines = curve(whole[False])
    assert [line["kind"] for line in lines] == ["step", "step", "step", "epoch"] * EPOCHS
    after = counters([line["train/total"] for line in lines if line["kind"] == "epoch"])
    for line in lines:
        if line["kind"] == "step":
            epoch = line["epoch"]
            factor = WARMUP[epoch] if epoch < len(WARMUP) else 0.1 ** after[epoch - 1][1]
            assert line["lr"] == pytest.approx(RATE * factor)
    said = checkpoint(whole[False])["schedule"]
    assert (said["bad"], said["reductions"], said["epochs"]) == (*after[-1], EPOCHS)


@pytest.mark.parametrize("lean", [False, True], ids=["plain", "lean"])
def test_kills_change_nothing(whole, folder, lean):
    undisturbed, out = whole[lean], folder / f"killed-{lean}"
    expected = curve(undisturbed)
    after = counters([line["train/total"] for line in expected if line["kind"] == "epoch"])
    bad = next(epoch for epoch, (count, _) in enumerate(after) if count)
    reduced = next(epoch for epoch, (_, reductions) in enumerate(after) if reductions)
    assert bad < reduced < EPOCHS - 1, f"no bad epoch and then a reduction to kill behind: {after}"
    # Two steps into the epoch after a bad one; as the line of the epoch that brings the reduction is there, before its
    # checkpoint or after; two steps into the epoch after that.
    moments = [LINES * (bad + 1) + 2, LINES * (reduced + 1), LINES * (reduced + 1) + 2]
    words, saved = pretraining(out, lean, workers=1), []
    for moment in moments:
        killed(folder, words, out, moment)
        words = ["resume", out]
        assert not (out / "encoder.safetensors").exists()
        assert curve(out) == expected[: len(curve(out))]
        saved.append(checkpoint(out)["schedule"])
    assert saved[0]["bad"] and not saved[0]["reductions"]  # noqa: PT018
    assert saved[-1]["reductions"]
    done(folder, words)
    assert curve(out) == expected
    assert (out / "encoder.safetensors").read_bytes() == (undisturbed / "encoder.safetensors").read_bytes()
    names = {path.name for path in (undisturbed / "checkpoints").iterdir()}
    assert names == {path.name for path in (out / "checkpoints").iterdir()}
    for name in names:
        ours, theirs = leaves(checkpoint(out, name)), leaves(checkpoint(undisturbed, name))
        assert ours.keys() == theirs.keys()
        # The metrics' size in bytes is that of the seconds, too.
        assert [place for place, leaf in ours.items() if leaf != theirs[place]] in ([], ["/metrics_size"])


def test_lean_is_plain(whole):
    """On the CPU to the bit: the second forward of each clip is the first one's arithmetic once more."""
    assert curve(whole[True]) == curve(whole[False])
    assert leaves(checkpoint(whole[True])["task"]) == leaves(checkpoint(whole[False])["task"])
    assert (whole[True] / "encoder.safetensors").read_bytes() == (whole[False] / "encoder.safetensors").read_bytes()
