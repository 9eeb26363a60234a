"""The recipe cyclecontrast_small by the command line, killed again and again: queues and key networks go on."""

import pytest

import videos
from kills import assert_same_run, checkpoint, curve, done, killed

SMALL = {
    "videos": "DATA", "steps": 12, "batch_size": 4, "accumulate": 2, "checkpoint_steps": 3, "device": "cpu",
    "threads": 1, "method.backbone.width": 2, "method.view.operations.0.size": 32, "sampler.distance": 0.2,
    "protocol.views.rgb.operations.0.size": 32, "protocol.sampler.clips": 2,
    "method.queue_rows": 21, "method.cycle_queue_rows": 29, "method.support": 8,
}  # fmt: skip

pytestmark = pytest.mark.slow


def pretraining(out, workers):
    options = {**SMALL, "out": out, "workers": workers}
    return [
        "pretrain",
        "cyclecontrast_small",
        *(word for name, value in options.items() for word in (f"--{name}", value)),
    ]


def test_kills_change_nothing(tmp_path):
    """Killed before the first checkpoint, within an epoch, and after the queues have gone round."""
    (tmp_path / "DATA").mkdir()
    for row in range(10):
        videos.write(tmp_path / f"DATA/{row}.mp4", range(45 * row, 45 * row + 30), size=(24, 32))
    whole, out = tmp_path / "whole", tmp_path / "killed"
    done(tmp_path, pretraining(whole, workers=0))
    words = pretraining(out, workers=1)
    for lines in (2, 6, 13):
        killed(tmp_path, words, out, lines)
        assert not (out / "encoder.safetensors").exists()
        assert curve(out) == curve(whole)[: len(curve(out))]
        words = ["resume", out]
    done(tmp_path, words)
    assert_same_run(out, whole)
    task = checkpoint(whole)["task"]
    assert int(task["queue.pointer"]) == 12 * 8 % 21
    assert int(task["cycle_queue.pointer"]) == 12 * 8 % 29
