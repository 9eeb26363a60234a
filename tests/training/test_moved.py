"""A run whose videos have moved goes on to the last bit; others than its own are told apart and refused."""

import copy
import shutil

import pytest
import yaml

import videos
from praxino.cli.main import main
from praxino.encoders.encoder import load_encoders
from praxino.errors import UserError
from praxino.training.moved import differences, move, refuse_lost
from praxino.training.run import Run

QUICK = "--workers 0 --threads 1 --device cpu --batch_size 2 --method.backbone.width 2 --steps 3 --checkpoint_steps 1"


def films(folder):
    for name in ("a", "b", "c", "d"):
        (folder / name).mkdir(parents=True)
        videos.write(folder / name / "film.mp4", 20, size=(24, 32), seed=ord(name))


def begun(tmp_path, out):
    return main(f"pretrain simclr_small --videos {tmp_path}/films --out {tmp_path}/{out} {QUICK}".split())


def weights(folder):
    return {name: one.backbone.state_dict() for name, one in load_encoders(folder).items()}


@pytest.fixture
def stopped(tmp_path, monkeypatch, capsys):
    """A whole run, and one that was lost after its first step."""
    films(tmp_path / "films")
    assert begun(tmp_path, "whole") == 0
    save = Run.save

    def lost(self, *given, **more):
        save(self, *given, **more)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Run, "save", lost)
        assert begun(tmp_path, "run") == 130
    assert Run(tmp_path / "run").checkpoint()["position"]["step"] < 3
    capsys.readouterr()
    return tmp_path


def refused(capsys, *argv):
    assert main(["resume", *map(str, argv)]) == 2
    return capsys.readouterr().err.splitlines()[-1]


def test_a_moved_folder(stopped, capsys):
    shutil.move(stopped / "films", stopped / "elsewhere")
    line = refused(capsys, stopped / "run")
    assert f"there is no {stopped}/films any more" in line
    assert line.endswith(f"praxino resume {stopped}/run --catalog.root NEW")
    before = (stopped / "run/recipe.yaml").read_bytes()
    (stopped / "elsewhere/a/film.mp4").rename(stopped / "elsewhere/a/renamed.mp4")
    line = refused(capsys, stopped / "run", "--catalog.root", stopped / "elsewhere")
    assert line.endswith(
        f"{stopped}/elsewhere does not hold the videos that {stopped}/run began with: 1 of 4 is missing (a/film.mp4), "
        "and 1 other is there (a/renamed.mp4)"
    )
    assert "NEW" not in line
    assert (stopped / "run/recipe.yaml").read_bytes() == before
    (stopped / "elsewhere/a/renamed.mp4").rename(stopped / "elsewhere/a/film.mp4")
    assert main(["resume", f"{stopped}/run", "--catalog.root", f"{stopped}/elsewhere"]) == 0
    recipe = Run(stopped / "run").recipe()
    assert recipe["catalog"]["init_args"]["root"] == f"{stopped}/elsewhere"
    whole, own = weights(stopped / "whole"), weights(stopped / "run")
    assert all((whole[name][key] == value).all() for name, one in own.items() for key, value in one.items())


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--catalog.rot", "Did you mean 'catalog.root'?"),
        ("--videos", "no such option"),
        ("--catalog.root", "no folder"),
    ],
)
def test_other_options_and_places(stopped, capsys, option, said):
    assert said in refused(capsys, stopped / "run", option, stopped / "nowhere")


def test_an_order_is_told(tmp_path):
    assert differences(tmp_path, ["a", "b"], ["a", "b"]) == ""
    assert "another order (the first is b)" in differences(tmp_path, ["a", "b"], ["b", "a"])
    line = differences(tmp_path, list("abcde"), [], "WRONG")
    assert line == f"WRONG does not hold the videos that {tmp_path} began with: 5 of 5 are missing (a, b, c, ...)"


def test_places_of_a_tracking_run(tmp_path):
    """Two catalogs: the run's list is of the one that is trained on."""
    config = {
        "train": {"class_path": "GOT10k", "init_args": {"root": "/gone/got"}},
        "catalog": {"class_path": "OTB", "init_args": {"root": str(tmp_path)}},
    }
    with pytest.raises(UserError, match=r"there is no /gone/got any more: .* --train\.root NEW"):
        refuse_lost(tmp_path, config)
    config["train"], config["catalog"] = config["catalog"], config["train"]
    with pytest.raises(UserError, match=r"--catalog\.root NEW"):
        refuse_lost(tmp_path, config)
    with pytest.raises(UserError, match=r"--train\.rot: the recipe of .* no such place\. Did you mean 'train\.root'"):
        move(tmp_path, config, {"train.rot": "x"})


def test_a_list_is_held_against_the_catalog_that_it_is_of(stopped):
    """What a tracker is trained on has moved, or only what it is measured on."""
    run = Run(stopped / "run")
    recipe = run.recipe()
    config = {"train": recipe["catalog"], "catalog": copy.deepcopy(recipe["catalog"])}
    run.write("recipe.yaml", yaml.safe_dump({**recipe, **config}))
    shutil.copytree(stopped / "films", stopped / "elsewhere")
    (stopped / "elsewhere/a/film.mp4").rename(stopped / "elsewhere/a/renamed.mp4")
    move(run.path, config, {"catalog.root": f"{stopped}/elsewhere"})
    then = run.recipe()
    assert then["catalog"]["init_args"]["root"] == f"{stopped}/elsewhere"
    assert then["train"]["init_args"]["root"] == f"{stopped}/films"
    with pytest.raises(UserError, match="does not hold the videos"):
        move(run.path, config, {"train.root": f"{stopped}/elsewhere"})
