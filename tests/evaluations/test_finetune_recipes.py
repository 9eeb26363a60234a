"""The recipes of IIC's fine-tuning say what its code does, each number of it (specification of IIC, chapter 9)."""

import shlex
from pathlib import Path

import pytest
import torch
import yaml

from praxino.backbones.resnet3d import R3D18
from praxino.cli.line.configured import configured
from praxino.cli.main import main
from praxino.clips.samplers import EvenClips, RandomClip
from praxino.configuration.complete import instantiate
from praxino.configuration.recipes import recipe_file
from praxino.encoders.encoder import Encoder
from praxino.encoders.head import Head
from praxino.evaluations.classifying.classifier import Classifier
from praxino.evaluations.classifying.defaults import trained_as
from praxino.evaluations.classifying.finetune import finetune
from praxino.evaluations.classifying.start import BESIDE, OUTSIDE
from praxino.training.schedules import Plateau
from praxino.views.flow import Component
from praxino.views.geometry import Resize
from praxino.views.motion import Residual
from praxino.views.pipeline import View
from toys import ToyBackbone, ToySampler

PAGE = Path(__file__).parents[2] / "docs" / "evaluations" / "finetune.md"
VIEWS = {
    "finetune_iic": {"residual": "rgb", "rgb": "rgb"},
    "finetune_iic_flow": {"flow_u": "flow", "flow_v": "flow"},
}
RECIPES = pytest.mark.parametrize("recipe", VIEWS)


def built(recipe):
    options = {"catalog": "toys.ToyCatalog", "out": "nowhere"}
    config = configured(finetune, options, recipe_file(recipe), without=OUTSIDE, kind="finetune", beside=BESIDE)
    return instantiate(finetune, config)


@RECIPES
def test_what_is_seen(recipe):
    """The first view is the one that is taken where none is asked for: the residual, as in the original."""
    given = built(recipe)
    protocol = given["protocol"]
    assert given["view"] is None
    assert [(name, view.stream) for name, view in protocol.views.items()] == list(VIEWS[recipe].items())
    for name, view in protocol.views.items():
        shown = [op.component for op in view.operations if isinstance(op, Component)]
        assert shown == ([name[-1]] if view.stream == "flow" else [])
        resize, *others = view.operations[len(shown) :]
        assert type(resize) is Resize
        said = (resize.height, resize.width, resize.crop, resize.at, resize.exact, resize.per)
        assert said == (128, 171, 112, "centre", True, "clip")
        assert [type(other) for other in others] == ([Residual] if name == "residual" else [])
        assert all((other.rescale, other.sign) == (False, 1) for other in others)
        # In training the crop is anywhere, and nothing is mirrored.
        trained = trained_as(view, given["flip"])
        assert [type(op) for op in trained.operations[len(shown) :]] == [Resize, *map(type, others)]
        assert trained.operations[len(shown)].at == "random"
    assert given["training_view"] is None
    assert given["flip"] is False
    assert (protocol.feature, protocol.reestimate_batchnorm, protocol.centred) == ("map", False, False)


@RECIPES
def test_which_frames(recipe):
    """The last frame is never used: flow has one frame less, which makes it so by itself."""
    unused = 1 if recipe == "finetune_iic" else 0
    given = built(recipe)
    sampler, tested = given["sampler"], given["protocol"].sampler
    assert (type(sampler), type(tested)) == (RandomClip, EvenClips)
    assert (sampler.frames, sampler.stride, sampler.clips, sampler.drop_last_frames) == (16, 1, 1, unused)
    assert (tested.frames, tested.stride, tested.clips, tested.drop_last_frames) == (16, 1, 10, unused)


@RECIPES
def test_how_it_is_trained(recipe):
    given = built(recipe)
    (stage,) = given["stages"]
    assert given["rates"] is None
    assert stage.rate_factors == {r"^linear\.|stages\.[23]\.\d|stages\.[34]\.conv": 1.0}
    groups = stage.make_optimizer(Classifier(ToyBackbone(), View([]), Head(6, 2))).param_groups
    for group in groups:
        said = {name: group[name] for name in ("lr", "momentum", "weight_decay", "dampening", "nesterov")}
        assert said == {"lr": 1e-3, "momentum": 0.9, "weight_decay": 5e-4, "dampening": 0, "nesterov": False}
    assert (stage.epochs, stage.steps) == (150, None)
    plateau = stage.schedule
    assert type(plateau) is Plateau
    assert (plateau.metric, plateau.factor, plateau.patience, plateau.threshold) == ("validation/total", 0.1, 50, 1e-4)
    assert plateau.minimum * groups[0]["lr"] == pytest.approx(1e-5)
    assert (given["batch_size"], given["drop_last"], given["accumulate"], given["seed"]) == (16, False, 1, 632)
    assert (given["precision"], given["clip_norm"], given["scratch"]) == ("fp32", None, False)


@RECIPES
def test_what_is_held_out_and_tested(recipe):
    given = built(recipe)
    assert (given["validation"], given["validation_by"], given["validation_as_trained"]) == (800, "video", True)
    assert given["test_batch_size"] == 16


def test_a_resnet18_has_only_its_classifier_in_the_second_group():
    """The rule of the recipe is for R3D, R(2+1)D and C3D; the page gives the one for this network."""
    assert r'--rates "{' "'^linear\\.': 1.0e-3}" in PAGE.read_text()
    task = Classifier(R3D18(1), View([]), Head(R3D18(1).dim, 2))
    (stage,) = built("finetune_iic")["stages"]
    _, second = stage.with_rates({r"^linear\.": 0.5}).make_optimizer(task).param_groups
    assert second["params"] == [task.linear.weight, task.linear.bias]


def test_the_line_for_another_rate(tmp_path, capsys):
    """The page's: the floor stays the original's 1e-5."""
    (line,) = [line for line in PAGE.read_text().splitlines() if "--stages.0.schedule.minimum 0.1" in line]
    torch.manual_seed(0)
    Encoder(ToyBackbone(), {"rgb": View([])}, ToySampler()).save(tmp_path / "encoder.safetensors")
    words = [str(tmp_path / "encoder.safetensors") if word == "RUN" else word for word in shlex.split(line)[1:]]
    assert main([*words, "--catalog", "toys.ToyCatalog", "--print_config"]) == 0
    config = yaml.safe_load(capsys.readouterr().out)
    stage = config["stages"][0]["init_args"]
    rate = stage["optimizer"]["init_args"]["lr"]
    assert config["rates"] is None
    assert [factor * rate for factor in stage["rate_factors"].values()] == [rate]
    assert rate == pytest.approx(1e-4)
    assert rate * stage["schedule"]["init_args"]["minimum"] == pytest.approx(1e-5)
