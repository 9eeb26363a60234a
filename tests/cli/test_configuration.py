"""What a recipe and a command line make together, and what is built of it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
import torch
import yaml

from praxino.backbones.base import Backbone
from praxino.backbones.r3d import R3D
from praxino.cli.line.configured import _apart, configured
from praxino.cli.main import main
from praxino.configuration.complete import complete, instantiate
from praxino.configuration.documents import as_yaml, read, write
from praxino.configuration.signatures import arguments_of, spoken
from praxino.errors import UserError
from praxino.training.pretrain import pretrain
from praxino.training.schedules import Schedule
from praxino.training.start import OUTSIDE
from toys import ToyBackbone, ToyCatalog


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "toy.yaml"
    path.write_text("""\
# A recipe of toys.
out: run
catalog: toys.ToyCatalog
sampler: toys.ToySampler
method:
  class_path: SimCLR
  init_args:
    backbone: {class_path: toys.ToyBackbone, init_args: {dim: 3}}
    view: {operations: [toys.Noise]}
stages:
  - {optimizer: {class_path: AdamW, init_args: {lr: 1e-2}}, steps: 4, schedule: Cosine}
evaluation: {views: {rgb: {operations: []}}, sampler: toys.ToySampler}
""")
    return path


def config_of(recipe, options=""):
    words = options.split()
    return configured(pretrain, dict(zip(words[::2], words[1::2], strict=True)), recipe, without=OUTSIDE)


def test_everything_is_in_the_resolved_recipe(recipe):
    config = config_of(recipe)
    assert list(config) == [name for name in arguments_of(pretrain) if name not in OUTSIDE]
    assert config["method"]["class_path"] == "praxino.methods.simclr.SimCLR"
    assert config["method"]["init_args"]["temperature"] == 0.1
    assert config["method"]["init_args"]["view"] == {
        "class_path": "praxino.views.pipeline.View",
        "init_args": {"operations": [{"class_path": "toys.Noise", "init_args": {}}], "stream": "rgb"},
    }
    stage = config["stages"][0]["init_args"]
    assert stage["optimizer"]["class_path"].startswith("torch.optim.")
    assert stage["optimizer"]["init_args"]["lr"] == 0.01
    assert stage["schedule"]["class_path"] == "praxino.training.schedules.Cosine"
    assert config["batch_size"] == 32


def test_a_resolved_recipe_is_a_recipe(recipe, tmp_path):
    config = config_of(recipe)
    write(tmp_path / "again.yaml", config)
    assert config_of(tmp_path / "again.yaml") == config
    assert read(tmp_path / "again.yaml") == config


def test_print_config_prints_it(recipe, capsys):
    assert main(["pretrain", str(recipe), "--print_config", "--seed", "7"]) == 0
    assert yaml.safe_load(capsys.readouterr().out) == {**config_of(recipe), "seed": 7}


def test_print_config_needs_no_videos(recipe, capsys):
    recipe.write_text(recipe.read_text().replace("catalog: toys.ToyCatalog\n", ""))
    assert main(["pretrain", str(recipe), "--print_config"]) == 0
    assert "catalog" not in yaml.safe_load(capsys.readouterr().out)


def test_options_reach_deep(recipe):
    config = config_of(
        recipe, "method.backbone.dim 9 stages.0.optimizer.lr 3e-4 canvas.rgb.exact 4,6 method.hidden null"
    )
    assert config["method"]["init_args"]["backbone"]["init_args"]["dim"] == 9
    assert config["stages"][0]["init_args"]["optimizer"]["init_args"]["lr"] == 3e-4
    assert config["canvas"]["rgb"]["init_args"] == {
        "short_side": None, "exact": [4, 6], "longest": None, "even": False,
    }  # fmt: skip
    assert config["method"]["init_args"]["hidden"] is None


def test_an_item_of_a_list_can_be_another(recipe):
    config = config_of(recipe, "method.view.operations [toys.Noise,toys.Noise] protocol.views.rgb.stream flow_u")
    assert len(config["method"]["init_args"]["view"]["init_args"]["operations"]) == 2
    assert config["protocol"]["init_args"]["views"]["rgb"]["init_args"]["stream"] == "flow_u"


def test_another_class_keeps_what_it_takes_too(recipe):
    kept = config_of(recipe, "method.backbone toys.ToyBackbone")["method"]["init_args"]["backbone"]["init_args"]
    assert kept["dim"] == 3
    other = config_of(recipe, "method.backbone R3D method.backbone.width 2")["method"]["init_args"]
    assert other["backbone"]["init_args"] == {
        "width": 2, "in_channels": 3, "layers": [1, 1, 1, 1], "channels_last": False,
    }  # fmt: skip
    # In whichever order they are typed.
    assert other == config_of(recipe, "method.backbone.width 2 method.backbone R3D")["method"]["init_args"]


def test_arguments_reach_into_what_is_typed_as_yaml(recipe):
    """In whichever order they are typed."""
    given = {
        "streams": "{rgb: VideoFile, flow: {class_path: VideoFile, init_args: {stream: flow}}}",
        "streams.flow.threads": "2",
        "canvas": "{rgb: {class_path: Canvas, init_args: {even: true}}}",
        "canvas.rgb.short_side": "32",
    }
    config = configured(pretrain, given, recipe, without=OUTSIDE)
    assert config["streams"]["rgb"]["init_args"] == {"stream": "rgb", "threads": 1}
    assert config["streams"]["flow"]["init_args"] == {"stream": "flow", "threads": 2}
    assert config["canvas"]["rgb"]["init_args"] == {"short_side": 32, "exact": None, "longest": None, "even": True}
    assert configured(pretrain, dict(reversed(given.items())), recipe, without=OUTSIDE) == config


def test_videos_is_a_folder_catalog(recipe, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    catalog = config_of(recipe, "videos films")["catalog"]
    expected = {"root": str(tmp_path / "films")}
    assert catalog == {"class_path": "praxino.catalogs.folder.VideoFolder", "init_args": expected}


def test_paths_are_absolute(recipe, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert config_of(recipe)["out"] == str(tmp_path / "run")
    assert config_of(recipe, "out ~/run")["out"] == str(Path("~/run").expanduser())


@pytest.mark.parametrize("options", ["epochs 3", "stages.0.epochs 3"])
def test_epochs_clear_steps(recipe, options):
    stage = config_of(recipe, options)["stages"][0]["init_args"]
    assert (stage["epochs"], stage["steps"]) == (3, None)


def test_steps_of_the_only_stage(recipe):
    assert config_of(recipe, "steps 9")["stages"][0]["init_args"]["steps"] == 9
    two = {"stages": "[{optimizer: SGD, steps: 1}, {optimizer: SGD, steps: 2}]"}
    assert [stage["init_args"]["steps"] for stage in configured(pretrain, two, recipe)["stages"]] == [1, 2]
    with pytest.raises(UserError, match="the only stage, and there are 2"):
        configured(pretrain, {**two, "steps": "9"}, recipe)


def test_instantiate_builds_objects(recipe):
    config = config_of(recipe)
    built = instantiate(pretrain, config)
    assert isinstance(built["catalog"], ToyCatalog)
    assert isinstance(built["method"].backbone, ToyBackbone)
    optimizer = built["stages"][0].make_optimizer(built["method"])
    assert isinstance(optimizer, torch.optim.AdamW)
    assert optimizer.param_groups[0]["lr"] == 0.01


def test_torch_is_seeded_first(recipe):
    def weights(options):
        torch.rand(3)
        return next(instantiate(pretrain, config_of(recipe, options))["method"].parameters())

    assert torch.equal(weights("seed 1"), weights("seed 1"))
    assert not torch.equal(weights("seed 1"), weights("seed 2"))


def test_parsing_builds_nothing(recipe, monkeypatch):
    def built(*args, **kwargs):
        raise AssertionError("built while parsing")

    monkeypatch.setattr(ToyCatalog, "__len__", built)
    monkeypatch.setattr(torch.nn.Conv3d, "reset_parameters", built)
    config_of(recipe)


@dataclass(frozen=True)
class Inner:
    size: tuple[int, int] = (1, 2)
    where: Path | None = None


class Grown(ToyBackbone):
    """Hands the rest on."""

    def __init__(self, more: float = 1.0, **kwargs: int) -> None:
        super().__init__(**kwargs)
        self.more = more


def some_function(
    first: int,
    mode: Literal["a", "b"] = "a",
    inner: Inner = Inner(),
    names: list[str] | None = None,
    either: Backbone | Inner | None = None,
) -> None:
    """A function with many kinds of arguments."""


def test_defaults_that_are_objects_are_written_down():
    config = complete(some_function, {"first": "3"})
    assert config["inner"] == {"class_path": f"{Inner.__module__}.Inner", "init_args": {"size": [1, 2], "where": None}}
    assert (config["first"], config["names"]) == (3, None)


def test_values_get_their_types():
    given = {"first": 1, "inner": {"size": [3, 4], "where": "x"}, "names": "a,b", "either": {"class_path": "R3D"}}
    built = instantiate(some_function, complete(some_function, given))
    assert built["inner"] == Inner((3, 4), Path("x").absolute())
    assert built["names"] == ["a", "b"]
    assert isinstance(built["either"], R3D)


def test_constructors_that_hand_arguments_on():
    assert set(arguments_of(Grown)) == {"more", "dim", "dropout", "norm", "channels"}


def test_types_in_words():
    hints = {name: spoken(one.hint) for name, one in arguments_of(some_function).items()}
    assert hints == {
        "first": "a whole number",
        "mode": "one of a, b",
        "inner": "Inner",
        "names": "a list of texts, or null for none",
        "either": "Backbone or Inner, or null for none",
    }


def test_an_optimizer_is_made_later(recipe):
    stage = instantiate(pretrain, config_of(recipe))["stages"][0]
    assert isinstance(stage.optimizer, functools.partial)


class Refusing(Schedule):
    def __init__(self):
        raise ValueError("not today")


def test_constructors_that_refuse_are_users_mistakes(recipe):
    config = config_of(recipe, "stages.0.schedule test_configuration.Refusing")
    with pytest.raises(UserError, match=r"stages\.0\.schedule: Refusing refuses its arguments: not today"):
        instantiate(pretrain, config)


def test_a_misspelled_option_of_another_class_is_refused(recipe):
    config = config_of(recipe, "method SimCLR method.temperature 0.3")
    assert config["method"]["init_args"]["temperature"] == 0.3
    assert config["method"]["init_args"]["backbone"]["init_args"]["dim"] == 3  # carried over
    with pytest.raises(UserError, match=r"--method\.temprature: .*'temperature'"):
        config_of(recipe, "method SimCLR method.temprature 0.3")
    with pytest.raises(UserError, match=r"--stages\.0\.optimizer\.momentm"):
        config_of(recipe, "stages.0.optimizer SGD stages.0.optimizer.momentm 0.9")
    assert (
        "weight_decay"
        in config_of(recipe, "stages.0.optimizer SGD stages.0.optimizer.momentum 0.9")["stages"][0]["init_args"][
            "optimizer"
        ]["init_args"]
    )


def test_an_option_changes_one_place_of_an_alias(recipe):
    text = recipe.read_text().replace("backbone: {", "backbone: &one {")
    recipe.write_text(text + "shared: *one\n")
    given = _apart(read(recipe))
    assert given["shared"] == given["method"]["init_args"]["backbone"]
    assert given["shared"] is not given["method"]["init_args"]["backbone"]
    recipe.write_text(text)
    assert config_of(recipe, "method.backbone.dim 5")["method"]["init_args"]["backbone"]["init_args"]["dim"] == 5


@pytest.mark.parametrize("typed", ["stages.0.epochs 3 stages [{epochs:2}]", "stages toys.ToySampler stages.0.epochs 3"])
def test_a_length_of_no_stage_is_no_traceback(recipe, typed):
    with pytest.raises(UserError, match=r"--stages"):
        config_of(recipe, typed)


@pytest.mark.parametrize("text", ["a: !!map [b]", "a: !!set [b]"])
def test_what_is_called_a_mapping_and_is_none(tmp_path, text):
    (tmp_path / "odd.yaml").write_text(text)
    with pytest.raises(UserError, match=r"odd\.yaml.*a mapping is expected"):
        read(tmp_path / "odd.yaml")


def test_a_printed_recipe_is_one_in_any_encoding(tmp_path):
    config = {"root": "/data/日本", "name": "Ü"}
    assert as_yaml(config).isascii()
    (tmp_path / "a.yaml").write_text(as_yaml(config))
    assert read(tmp_path / "a.yaml") == config


def test_documents_are_written_whole(tmp_path):
    write(tmp_path / "deep" / "a.yaml", {"b": 1, "a": [1, "ü"]})
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["a.yaml"]
    assert read(tmp_path / "deep" / "a.yaml") == {"b": 1, "a": [1, "ü"]}


def test_an_option_in_both_words_is_refused(recipe):
    with pytest.raises(UserError, match=r"--evaluation\.feature is called --protocol\.feature now, and both are given"):
        config_of(recipe, "evaluation.feature=mean protocol.feature=max".replace("=", " "))


def test_a_kind_that_is_none(tmp_path):
    path = tmp_path / "odd.yaml"
    path.write_text("kind: finetun\n")
    with pytest.raises(UserError, match=r"there is no kind of run 'finetun'\. Did you mean 'finetune'"):
        configured(pretrain, {}, path, without=OUTSIDE)
