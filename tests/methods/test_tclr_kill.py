"""The recipe tclr_r3d18_ucf101 by the command line, killed again and again: its counters go on, plain and lean."""

import math

import pytest

import videos
from kills import assert_same_run, checkpoint, curve, done, killed, leaves
from test_original_commands import UCF, listed, lists

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
    assert_same_run(out, undisturbed)


def test_lean_is_plain(whole):
    """On the CPU to the bit: the second forward of each clip is the first one's arithmetic once more."""
    assert curve(whole[True]) == curve(whole[False])
    assert leaves(checkpoint(whole[True])["task"]) == leaves(checkpoint(whole[False])["task"])
    assert (whole[True] / "encoder.safetensors").read_bytes() == (whole[False] / "encoder.safetensors").read_bytes()
