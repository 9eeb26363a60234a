"""The recipes named after the paper say what its code does, and the small one trains."""

import inspect
import json
import math

import pytest
import torch

import videos
from praxino.cli.line.configured import configured
from praxino.cli.main import main
from praxino.clips.modes import TemporalModes
from praxino.clips.samplers import EvenClips
from praxino.clips.sparse_dense import SparseDense
from praxino.configuration.complete import instantiate
from praxino.configuration.recipes import recipe_file
from praxino.described import describe
from praxino.encoders.encoder import Encoder
from praxino.methods.tclr import TCLR
from praxino.streams.base import Canvas
from praxino.training.pretrain import pretrain
from praxino.training.schedules import CountedPlateau
from praxino.training.start import OUTSIDE
from praxino.views.gated import Erase, GatedJitter, GreyOrDrop
from praxino.views.geometry import CentreCrop, Flip, SquareCrop

PUBLISHED = {"tclr_r3d18_ucf101": "UCF101", "tclr_r3d18_kinetics400": "Kinetics400"}


def built(recipe, **options):
    """The arguments of `pretrain` without a catalog, as objects."""
    config = configured(pretrain, {"catalog.root": "nowhere", **options}, recipe_file(recipe), without=OUTSIDE)
    catalog = config["catalog"]
    config["catalog"] = {"class_path": "toys.ToyCatalog", "init_args": {"videos": 4}}
    return instantiate(pretrain, config), catalog


def said(part):
    """A part as a recipe has it, all defaults written out."""
    return json.loads(json.dumps(describe(part)))


@pytest.mark.parametrize("recipe", PUBLISHED)
def test_the_published_settings(recipe):
    run, catalog = built(recipe, **{"method.backbone.width": "2"})
    assert catalog["class_path"].endswith(f".{PUBLISHED[recipe]}")
    assert run["canvas"] == (None if "ucf" in recipe else {"rgb": Canvas(short_side=240)})
    method = run["method"]
    assert type(method) is TCLR
    assert type(method.backbone).__name__ == "DilatedR3D18"
    assert (method.backbone.temporal_strides, method.backbone.in_channels) == ((1, 2, 2, 1), 3)
    assert (method.hidden, method.dim, method.temperature, method.local_weight) == (None, 128, 0.1, 1.0)
    assert said(run["sampler"]) == said(SparseDense(frames=16, dense=4, stride=1, short="mirror_last"))
    assert run["sampler"].min_frames == 57
    assert (run["batch_size"], run["drop_last"], run["accumulate"]) == (40, False, 1)
    assert (run["workers"], run["precision"], run["clip_norm"]) == (4, "fp16", None)
    assert run["export"] == "best"


@pytest.mark.parametrize("recipe", PUBLISHED)
def test_the_published_augmentation(recipe):
    operations = built(recipe, **{"method.backbone.width": "2"})[0]["method"].view.operations
    jitter = {"brightness": 0.25, "contrast": 0.25, "saturation": 0.25, "hue": 0.1, "p": 0.3, "p_contrast": 0.25}
    assert [said(operation) for operation in operations] == [
        said(SquareCrop(112, (0.6, 1.0), everywhere=False)),
        said(GatedJitter(**jitter, channel_order="bgr")),
        said(GreyOrDrop(p_grey=0.175, p_drop=0.125, gamma=0.25, p_gamma=0.75, channel_order="bgr")),
        said(Flip(p=0.5)),
        said(Erase(low=9, high=18, p=0.5)),
    ]


@pytest.mark.parametrize("recipe", PUBLISHED)
def test_the_published_training(recipe):
    run, _ = built(recipe, **{"method.backbone.width": "2"})
    (stage,) = run["stages"]
    assert stage.epochs == 1000
    (group,) = stage.make_optimizer(run["method"]).param_groups
    assert (group["lr"], group["betas"], group["eps"], group["weight_decay"]) == (1e-3, (0.9, 0.999), 1e-8, 1e-9)
    assert len(group["params"]) == len(list(run["method"].parameters()))
    plateau = stage.schedule
    assert type(plateau) is CountedPlateau
    rates = []
    for epoch in range(26):
        rates.append(group["own_lr"] * plateau(epoch, 1000))
        # Better until epoch 5, then never again: nine bad epochs each time.
        plateau.observe({"train/total": 100.0 - min(epoch, 5) + (epoch > 5)})
    assert rates == pytest.approx([1e-5, 5e-5, 1e-4, 5e-4, 1e-3] + [1e-3] * 10 + [1e-4] * 9 + [1e-5] * 2)
    assert not plateau.finished()


@pytest.mark.parametrize("recipe", PUBLISHED)
def test_the_published_evaluation(recipe):
    protocol = built(recipe, **{"method.backbone.width": "2"})[0]["protocol"]
    assert list(protocol.views) == ["rgb"]
    assert [said(part) for part in protocol.views["rgb"].operations] == [said(CentreCrop(112, share=0.8))]
    assert said(protocol.sampler) == said(TemporalModes(clips=9, frames=16, stride=2))
    assert (protocol.feature, protocol.reestimate_batchnorm, protocol.centred) == ("time", False, False)
    assert protocol.canvas == (None if "ucf" in recipe else {"rgb": Canvas(short_side=240)})


@pytest.mark.parametrize("recipe", PUBLISHED)
@pytest.mark.parametrize("backbone", ["DilatedR3D18", "DilatedR21D18", "DilatedR3D"])
def test_the_original_s_networks_fit(recipe, backbone):
    run, _ = built(recipe, **{"method.backbone": backbone, "method.backbone.width": "2"})
    with torch.no_grad():
        clips = torch.rand(2, 3, 16, 32, 32)
        assert run["method"].sparse(lambda: clips, run["sampler"].dense).shape == (2, 5, 128)


def test_the_small_one_has_no_traps():
    run, _ = built("tclr_small", catalog="VideoFolder")
    crop, jitter, drop, _, _ = run["method"].view.operations
    assert (crop.everywhere, jitter.channel_order, drop.channel_order) == (True, "rgb", "rgb")
    assert run["sampler"].short == "mirror"
    assert math.isclose(run["method"].local_weight * run["batch_size"], 40)
    assert run["drop_last"]
    assert run["export"] == "last"
    assert type(run["protocol"].sampler) is EvenClips


def test_the_small_one_trains_and_leaves_an_encoder(tmp_path):
    (tmp_path / "videos").mkdir()
    for row in range(4):
        videos.write(tmp_path / f"videos/{row}.mp4", range(20 * row, 20 * row + 34 + 10 * row))
    words = {"steps": 2, "batch_size": 2, "method.backbone.width": 2, "workers": 0, "threads": 1, "device": "cpu"}
    options = [word for name, value in words.items() for word in (f"--{name}", str(value))]
    out = tmp_path / "run"
    assert main(["pretrain", "tclr_small", "--videos", str(tmp_path / "videos"), "--out", str(out), *options]) == 0
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    steps = [line for line in lines if line["kind"] == "step"]
    assert len(steps) == 2
    terms = ("instance_sparse", "instance_dense", "local_local", "global_local")
    assert all(math.isfinite(step["total"]) for step in steps)
    assert steps[0]["total"] == pytest.approx(sum(steps[0][term] for term in terms), rel=1e-5)
    encoder = Encoder.load(out / "encoder.safetensors")
    assert encoder.embed(tmp_path / "videos/0.mp4").shape == (10, 4 * 8 * 2)


def test_the_defaults_are_the_papers():
    defaults = {name: p.default for name, p in inspect.signature(TCLR).parameters.items()}
    assert (defaults["hidden"], defaults["dim"], defaults["temperature"]) == (None, 128, 0.1)
    assert (defaults["local_weight"], defaults["lean"]) == (1.0, False)
