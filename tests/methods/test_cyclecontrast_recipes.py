"""The recipes of MoCo and CycleContrast on R2V2 say what the original's scripts do, and the small ones train."""

import pytest
import torch
from test_tclr_recipes import built, said

import videos
from moco_page import on_the_page
from praxino.cli.main import main
from praxino.clips import EvenClips, RandomClip, RelatedFrames
from praxino.encoders.encoder import Encoder
from praxino.methods import CycleContrast, MoCo
from praxino.training.schedules import Cosine


@pytest.mark.parametrize(("recipe", "method"), [("moco_r50_r2v2", MoCo), ("cyclecontrast_r50_r2v2", CycleContrast)])
def test_the_published_settings(recipe, method):
    run, catalog = built(recipe, **{"method.backbone.width": "2", "method.queue_rows": "65536"})
    assert catalog["class_path"].endswith(".R2V2")
    made = run["method"]
    assert type(made) is method
    assert type(made.backbone).__name__ == "ResNet50"
    assert (made.projection, made.hidden, made.dim) == ("mlp", None, 128)
    assert (made.queue_rows, made.momentum, made.temperature) == (65536, 0.999, 0.07)
    assert (made.batchnorm_parts, made.exclude_own) == (1, False)
    assert said(made.view) == said(on_the_page("MoCo v2"))
    assert said(run["protocol"].views["rgb"]) == said(on_the_page("Linear evaluation on ImageNet: test"))
    assert (run["batch_size"], run["drop_last"], run["accumulate"], run["precision"]) == (512, True, 1, "fp32")
    assert (run["probe"], run["keep_epochs"], run["streams"]) == ("listed", 10, None)
    (stage,) = run["stages"]
    assert stage.epochs == 200
    assert said(stage.schedule) == said(Cosine(per="epoch"))
    optimizer = stage.make_optimizer(made)
    (group,) = optimizer.param_groups
    assert type(optimizer) is torch.optim.SGD
    wanted = {"lr": 0.06, "momentum": 0.9, "weight_decay": 1e-4, "nesterov": False}
    assert {name: group[name] for name in wanted} == wanted
    assert len(group["params"]) == len([p for p in made.parameters() if p.requires_grad])
    if method is MoCo:
        assert said(run["sampler"]) == said(RandomClip(frames=1))
        return
    assert said(run["sampler"]) == said(RelatedFrames(set_size=None, candidates=1))
    assert (made.separate_head, made.cycle_queue_rows, made.support) == (True, 81920, 16384)
    assert (made.soft_temperature, made.with_query, made.video_positive) == (None, False, True)
    assert (made.contrast_weight, made.cycle_weight, made.split) == (1.0, 0.1, "each")


@pytest.mark.parametrize("recipe", ["moco_small", "cyclecontrast_small", "moco_r3d_small", "simclr_small_frames"])
def test_the_small_recipes_train(recipe, tmp_path):
    """As they are, but for a handful of videos: their canvas, view, heads and queues."""
    (tmp_path / "DATA").mkdir()
    for row in range(6):
        videos.write(tmp_path / f"DATA/{row}.mp4", range(45 * row, 45 * row + 30), size=(48, 64))
    words = ["pretrain", recipe, "--videos", tmp_path / "DATA", "--out", tmp_path / "run", "--steps", 2]
    quick = ["--batch_size", 6, "--workers", 0, "--threads", 1, "--device", "cpu"]
    assert main([*map(str, words), *map(str, quick)]) == 0
    encoder = Encoder.load(tmp_path / "run")
    assert isinstance(encoder.sampler, EvenClips)
    assert encoder.embed(tmp_path / "DATA/0.mp4").shape == (10, 128)
    assert encoder.statistics
