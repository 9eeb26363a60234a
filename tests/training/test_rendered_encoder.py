"""The recipe of the built-in encoder: ten steps of it, on rendered videos alone, the same for any number of workers."""

import json

import torch

from praxino.cli.main import main
from praxino.encoders.encoder import Encoder
from videos import write

SMALL = """
    --catalog.videos 40 --catalog.frames 20 --batch_size 4 --stages.0.steps 10 --canvas.rgb.short_side 24
    --method.backbone.width 4 --method.view.operations.0.size 16 --method.others.0.operations.0.size 16
    --protocol.views.residual.operations.0.size 16 --protocol.views.rgb.operations.0.size 16 --threads 1
    --precision fp32
"""


def trained(out, workers):
    main(["pretrain", "rendered_encoder", "--out", str(out), "--workers", str(workers), *SMALL.split()])
    return Encoder.load(out)


# One test: its trainings take longer than all that is asked of them.
def test_ten_steps_with_and_without_workers(tmp_path):
    encoder = trained(tmp_path / "run", 0)
    assert list(encoder.views) == ["residual", "rgb"]
    assert set(encoder.statistics) == {"residual", "rgb"}
    lines = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    steps = [line for line in lines if line["kind"] == "step"]
    assert len(steps) == 10
    assert {"contrastive", "contrastive 1"} <= set(steps[0])
    listed = (tmp_path / "run/videos.csv").read_text().splitlines()
    assert len(listed) == 41
    assert listed[1].split(",")[1:4] == ["rendered-0-0", "20", "ok"]

    other = trained(tmp_path / "other", 2).backbone.state_dict()
    assert all(torch.equal(value, other[name]) for name, value in encoder.backbone.state_dict().items())

    write(tmp_path / "real.mp4", 30)
    vectors = encoder.embed(tmp_path / "real.mp4")  # a real video is read as one
    assert vectors.shape == (10, 32)
