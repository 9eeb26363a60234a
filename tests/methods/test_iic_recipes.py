"""The recipes named after the papers say what the papers' code does, and their parts fit together."""

import inspect

import pytest
import torch

from praxino.cli.line.configured import configured
from praxino.configuration.complete import instantiate
from praxino.configuration.recipes import recipe_file
from praxino.training.pretrain import pretrain
from praxino.training.start import OUTSIDE

PUBLISHED = ("iic_ucf101", "iic_hmdb51", "cmc_ucf101", "iic_ucf101_flow")


def built(recipe, **options):
    """The arguments of `pretrain` without a catalog, as objects."""
    options = {f"method.{name}": value for name, value in options.items()}
    config = configured(pretrain, {"catalog.root": "nowhere", **options}, recipe_file(recipe), without=OUTSIDE)
    config["catalog"] = {"class_path": "toys.ToyCatalog", "init_args": {"videos": 4}}
    return instantiate(pretrain, config), config


@pytest.mark.parametrize("recipe", PUBLISHED)
def test_the_published_settings(recipe):
    run, _ = built(recipe, **{"backbone.width": "2"})
    method, (stage,), protocol = run["method"], run["stages"], run["protocol"]
    assert (method.negatives, method.temperature, method.momentum, method.loss) == (1024, 0.07, 0.5, "softmax")
    assert not method.normalise
    assert not method.exclude_own
    assert method.aligned == (recipe != "iic_ucf101_flow")
    (group,) = stage.make_optimizer(method).param_groups
    said = {name: group[name] for name in ("lr", "momentum", "weight_decay", "dampening", "nesterov")}
    assert said == {"lr": 0.01, "momentum": 0.9, "weight_decay": 1e-4, "dampening": 0, "nesterov": False}
    rates = [0.01 * stage.schedule(epoch, 240) for epoch in (0, 44, 45, 89, 90, 124, 125, 159, 160, 239)]
    assert rates == pytest.approx([0.01, 0.01, 2e-3, 2e-3, 4e-4, 4e-4, 8e-5, 8e-5, 1.6e-5, 1.6e-5])
    assert (stage.epochs, run["batch_size"], run["seed"], run["drop_last"]) == (240, 16, 632, True)
    assert (run["precision"], run["clip_norm"], run["keep_epochs"]) == ("fp32", None, 40)
    # The last frame is never used: flow has one frame less, which makes it so where there is flow.
    unused = 0 if recipe == "iic_ucf101_flow" else 1
    sampler = run["sampler"]
    assert (sampler.frames, sampler.stride, sampler.clips, sampler.drop_last_frames) == (16, 1, 1, unused)
    tested = protocol.sampler
    assert (tested.frames, tested.clips, tested.drop_last_frames) == (16, 10, unused)
    assert (protocol.feature, protocol.reestimate_batchnorm, protocol.centred) == ("map", False, False)


@pytest.mark.parametrize("recipe", PUBLISHED)
@pytest.mark.parametrize("backbone", ["R3D", "C3D", "R21D", "R3D18"])
def test_every_backbone_fits(recipe, backbone):
    run, config = built(recipe, backbone=backbone, **{"backbone.width": "2"})
    assert config["method"]["init_args"]["backbone"]["class_path"].endswith(f".{backbone}")
    with torch.no_grad():
        assert run["method"].features(torch.rand(2, 3, 16, 48, 48)).shape == (2, 16)


def test_overrides():
    assert type(built("iic_ucf101", intra="Shuffle")[0]["method"].intra).__name__ == "Shuffle"
    run, _ = built("iic_ucf101", second="null")
    assert run["method"].second is None
    assert run["method"].streams == ("rgb",)
    run, _ = built("iic_ucf101_flow", **{"second.operations.0.component": "v"})
    assert run["method"].streams == ("rgb", "flow")
    assert run["method"].second.operations[0].component == "v"


def test_the_defaults_are_the_papers():
    """Whoever builds the method by hand gets the published K, temperature and momentum."""
    from praxino.methods.iic import IIC

    defaults = {name: p.default for name, p in inspect.signature(IIC).parameters.items()}
    assert (defaults["negatives"], defaults["temperature"], defaults["momentum"]) == (1024, 0.07, 0.5)
