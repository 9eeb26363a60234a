"""praxino evaluate finetune, on small files: every switch, and the folder that it goes into."""

import json

import pytest
import torch
import yaml

import videos
from praxino.backbones.r3d import R3D
from praxino.cli.main import main
from praxino.clips.samplers import EvenClips
from praxino.encoders.encoder import Encoder
from praxino.evaluations.result import Result, Row, table_lines
from praxino.views.geometry import CentreCrop
from praxino.views.pipeline import View

QUICK = ["--workers", "0", "--threads", "1", "--device", "cpu", "--epochs", "1", "--batch_size", "4"]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Twelve videos of two classes, with lists of two splits."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "splits").mkdir()
    (folder / "splits/classInd.txt").write_text("1 Left\n2 Right\n")
    lists = {}
    for row in range(12):
        name, group = ("Left", "Right")[row % 2], row // 2
        path = folder / name / f"v_{name}_g{group:02d}_c01.avi"
        path.parent.mkdir(exist_ok=True)
        videos.write(path.with_suffix(".mp4"), range(row * 30, row * 30 + 14))
        for split in (1, 2):
            part = "test" if group in (split, split + 2) else "train"
            lists.setdefault((part, split), []).append(f"{name}/{path.name}")
    for (part, split), names in lists.items():
        (folder / f"splits/{part}list{split:02d}.txt").write_text("\n".join(names) + "\n")
    return folder


@pytest.fixture
def pretrained(root, tmp_path):
    """A run's folder with an encoder, and the catalog that it was trained on."""
    torch.manual_seed(1)
    view = View([CentreCrop(32, exact=False)])
    Encoder(R3D(width=2), {"rgb": view}, EvenClips(2, 4)).save(tmp_path / "run/encoder.safetensors")
    catalog = {"class_path": "praxino.catalogs.ucf101.UCF101", "init_args": {"root": str(root)}}
    (tmp_path / "run/recipe.yaml").write_text(yaml.safe_dump({"catalog": catalog}))
    return tmp_path / "run"


def test_into_the_runs_folder_and_gone_on_with(pretrained, capsys):
    assert main(["evaluate", "finetune", str(pretrained), *QUICK]) == 0
    said = capsys.readouterr()
    folder = pretrained / "finetune-split1"
    assert f"in {folder}" in said.out
    assert "all 72 tensors of R3D are the encoder's; the classifier of 2 classes is new" in said.err
    assert json.loads((folder / "evaluations/finetune.json").read_text())["settings"]["training videos"] == 7
    recipe = yaml.safe_load((folder / "recipe.yaml").read_text())
    assert recipe["kind"] == "finetune"
    assert recipe["stages"][0]["init_args"]["epochs"] == 1
    assert recipe["training_view"]["init_args"]["operations"][0]["class_path"].endswith("SquareCrop")

    # A second one is refused, a finished one is left alone, one that lacks its test goes on to it.
    assert main(["evaluate", "finetune", str(pretrained), *QUICK]) == 2
    assert f"praxino resume {folder}" in capsys.readouterr().err
    assert main(["resume", str(folder)]) == 0
    assert "nothing to do" in capsys.readouterr().err
    first = (folder / "evaluations/finetune.json").read_text()
    (folder / "encoder.json").unlink()
    (folder / "evaluations/finetune.json").unlink()
    assert main(["resume", str(folder)]) == 0
    assert (folder / "evaluations/finetune.json").read_text() == first

    # Its recipe as run gives the same numbers.
    assert main(["evaluate", "finetune", str(pretrained), "--recipe", str(folder / "recipe.yaml"), "--out",
                 str(folder.parent / "again")]) == 0  # fmt: skip
    assert (folder / "encoder.safetensors").read_bytes() == (folder.parent / "again/encoder.safetensors").read_bytes()
    capsys.readouterr()

    # What it has left is an encoder like any other.
    assert main(["evaluate", "finetune", str(folder), "--test_only", "--workers", "0"]) == 0
    tested = capsys.readouterr().out
    values = json.loads(first)["rows"][-1]["values"]
    assert f"{values['1']:.1f}" in tested
    assert json.loads((folder / "evaluations/recognition.json").read_text())["rows"][-1]["values"] == values
    assert main(["evaluate", "recognition", str(folder), "--workers", "0"]) == 0
    assert capsys.readouterr().out == tested
    assert main(["evaluate", "retrieval", str(folder), "--workers", "0", "--k", "1", "--baselines", "false"]) == 0
    assert main(["report", str(folder)]) == 0
    page = (folder / "report.html").read_text()
    assert "Fine-tuning with labels" in page
    assert "trained without labels" not in page

    # One that lacks its encoder is tested as far as it has come.
    for name in ("encoder.safetensors", "encoder.json"):
        (folder / name).unlink()
    assert main(["evaluate", "recognition", str(folder), "--workers", "0"]) == 0
    said = json.loads((folder / "evaluations/recognition.json").read_text())
    assert said["settings"]["weights"].startswith("of an unfinished run, after epoch 1")
    assert said["rows"][-1]["values"] == values


@pytest.mark.parametrize("words", [["--split", "1", "2"], ["--split", "[1,2]"]])
def test_several_splits_and_their_mean(pretrained, capsys, words):
    more = ["--scratch", "--seed", "3", "--validation", "0"]
    assert main(["evaluate", "finetune", str(pretrained), *words, *more, *QUICK]) == 0
    said = capsys.readouterr().out
    top = []
    for split in (1, 2):
        folder = pretrained / f"finetune-split{split}-scratch-seed3"
        result = json.loads((folder / "evaluations/finetune.json").read_text())
        assert result["rows"][-1]["name"] == "from scratch"
        assert yaml.safe_load((folder / "recipe.yaml").read_text())["catalog"]["init_args"]["split"] == split
        top.append(result["rows"][-1]["values"]["1"])
    assert f"mean of 2 splits: 1: {sum(top) / 2:.1f}" in said


def test_several_splits_go_on_where_one_is_finished(pretrained, capsys):
    assert main(["evaluate", "finetune", str(pretrained), "--split", "1", *QUICK]) == 0
    assert main(["evaluate", "finetune", str(pretrained), "--split", "1", "2", *QUICK]) == 0
    assert "mean of 2 splits" in capsys.readouterr().out
    assert main(["evaluate", "finetune", str(pretrained), "--split", "1", "2", *QUICK, "--clip_norm", "1"]) == 2
    assert "differs in its clip_norm" in capsys.readouterr().err


def test_several_splits_are_those_of_the_same_question(pretrained, capsys, tmp_path):
    """Also where an option that was typed before is left out, and where the encoder's file has become another one."""
    words = ["evaluate", "finetune", str(pretrained), "--split", "1", "2", *QUICK]
    typed = ["--out", str(tmp_path / "a"), "--clip_norm", "1", "--sampler", "RandomClip", "--sampler.frames", "2"]
    assert main([*words, *typed]) == 0
    assert main([*words, *typed, "--checkpoint_steps", "7"]) == 0
    capsys.readouterr()
    for left_out, name in ((typed[:2] + typed[4:], "clip_norm"), (typed[:4], "sampler")):
        assert main([*words, *left_out]) == 2
        assert f"holds a fine-tuning that differs in its {name}" in capsys.readouterr().err
    encoder = Encoder.load(pretrained)
    next(encoder.backbone.parameters()).data += 1
    encoder.save(pretrained / "encoder.safetensors")
    assert main([*words, *typed]) == 2
    assert "a fine-tuning of other weights than" in capsys.readouterr().err
    for start in (tmp_path / "a").glob("*/start.safetensors"):
        start.write_bytes(b"nothing")
    assert main([*words, *typed]) == 2
    assert "start.safetensors is damaged" in capsys.readouterr().err


def test_a_recipe_may_name_the_place(pretrained, tmp_path, capsys):
    line = ["evaluate", "finetune", str(pretrained), "--print_config"]
    assert main(line) == 0
    printed = capsys.readouterr().out
    assert "out" not in yaml.safe_load(printed)  # the usual place is in the folder of this run
    (tmp_path / "mine.yaml").write_text(f"{printed}out: {tmp_path}/there\n")
    assert main([*line, "--recipe", str(tmp_path / "mine.yaml")]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["out"] == f"{tmp_path}/there"
    assert main([*line, "--recipe", str(tmp_path / "mine.yaml"), "--out", f"{tmp_path}/here"]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["out"] == f"{tmp_path}/here"


def test_the_faithful_recipe(pretrained, capsys):
    assert main(["evaluate", "finetune", str(pretrained), "--recipe", "finetune_iic", "--print_config"]) == 0
    config = yaml.safe_load(capsys.readouterr().out)
    (stage,) = config["stages"]
    assert stage["init_args"]["epochs"] == 150
    assert (
        stage["init_args"]["optimizer"]["init_args"] | {"lr": 1e-3, "momentum": 0.9, "weight_decay": 5e-4}
        == (stage["init_args"]["optimizer"]["init_args"])
    )
    assert stage["init_args"]["schedule"]["init_args"] == {
        "metric": "validation/total", "factor": 0.1, "patience": 50, "threshold": 1e-4, "minimum": 1e-2,
    }  # fmt: skip
    assert (config["validation"], config["validation_by"], config["validation_as_trained"]) == (800, "video", True)
    assert (config["batch_size"], config["test_batch_size"], config["drop_last"], config["seed"]) == (
        16,
        16,
        False,
        632,
    )
    residual = config["protocol"]["init_args"]["views"]["residual"]["init_args"]["operations"]
    assert residual[1]["init_args"] == {"rescale": False, "sign": 1}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--recipe", "simclr_small"], "is no recipe of 'praxino evaluate finetune'"),
        (["--recipe", "finetune_icc"], "Did you mean 'finetune_iic'"),
        (["--split", "9"], "trainlist09"),
        (["--sratch", "true"], "--sratch: no such option"),
        (["--test_only"], "no classifier to test"),
        (["--test-only"], "no classifier to test"),
        (["--test_only", "--scratch"], "--test_only trains nothing"),
        (["--videos", "{root}"], "share videos"),
    ],
)
def test_mistakes_in_one_line(pretrained, root, capsys, words, said):
    words = [word.format(root=root) for word in words]
    assert main(["evaluate", "finetune", str(pretrained), *words]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert said in lines[0]


def test_a_fine_tuning_recipe_is_not_pretrained(capsys):
    assert main(["pretrain", "finetune_iic"]) == 2
    assert "praxino evaluate finetune RUN --recipe" in capsys.readouterr().err


def test_help(capsys):
    assert main(["evaluate", "finetune", "--help"]) == 0
    said = capsys.readouterr().out
    assert "--validation_as_trained" in said
    assert "--test_only" in said


def test_the_table_on_a_terminal():
    rows = [Row("chance", {"1": 50.0}), Row("fine-tuned", {"1": 75.0, "batch mean": 70.0})]
    lines = table_lines(Result("finetune", "", {}, ["1", "batch mean"], rows))
    assert lines == [
        "                @1  batch mean",
        "chance        50.0           -",
        "fine-tuned    75.0        70.0",
    ]
