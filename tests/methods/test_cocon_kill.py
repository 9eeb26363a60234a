"""The small recipes of DPC and CoCon by the command line, killed again and again."""

import pytest

import videos
from kills import assert_same_run, curve, done, killed
from maps import write_maps

SMALL = {
    "videos": "DATA", "steps": 12, "batch_size": 3, "checkpoint_steps": 3, "device": "cpu", "threads": 1,
    "validation": 3, "validation_by": "video", "protocol.sampler.clips": 1,
}  # fmt: skip
OWN = {
    "dpc_small": {"method.network.backbone.width": 2, "accumulate": 2, "batch_size": 2},
    "cocon_small": {
        "method.networks.rgb.backbone.width": 2, "method.networks.flow.backbone.width": 2, "accumulate": "cocon",
    },
    "cocon_small_four_views": {
        **{f"method.networks.{name}.backbone.width": 2 for name in ("rgb", "flow", "segmentation", "keypoints")},
        **{f"streams.{name}.root": f"VIEWS/{name}" for name in ("segmentation", "keypoints")},
    },
}  # fmt: skip

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("recipe", OWN)
def test_kills_change_nothing(tmp_path, recipe):
    """Killed before the first checkpoint, within an epoch, and after several; flow is computed while loading."""
    (tmp_path / "DATA/Class").mkdir(parents=True)
    for row in range(12):
        videos.write(tmp_path / f"DATA/Class/{row}.mp4", range(45 * row, 45 * row + 30), size=(24, 32))
        write_maps(tmp_path / "VIEWS", str(row), 30)
    whole, out = tmp_path / "whole", tmp_path / "killed"

    def pretraining(out, workers):
        options = {**SMALL, **OWN[recipe], "out": out, "workers": workers}
        return ["pretrain", recipe, *(word for name, value in options.items() for word in (f"--{name}", value))]

    done(tmp_path, pretraining(whole, workers=0))
    words = pretraining(out, workers=1)
    for lines in (2, 6, 11):
        killed(tmp_path, words, out, lines)
        assert not list(out.glob("encoder*.safetensors"))
        assert curve(out) == curve(whole)[: len(curve(out))]
        words = ["resume", out]
    done(tmp_path, words)
    assert_same_run(out, whole)
