"""praxino evaluate linear, on small files."""

import json

from test_finetuning import pretrained, root  # noqa: F401

from praxino.cli.main import main

QUICK = ["--workers", "0", "--device", "cpu"]


def test_on_cached_features(pretrained, capsys):  # noqa: F811
    more = ["--labels_per_class", "1,2", "--validation", "0.3", "--baselines", "false"]
    assert main(["evaluate", "linear", str(pretrained), *more, *QUICK]) == 0
    said = capsys.readouterr().out
    assert "1 a class" in said
    (file,) = (pretrained / "evaluations").glob("linear-*.json")
    result = json.loads(file.read_text())
    assert result["columns"] == ["1", "5", "1 a class", "2 a class"]
    assert result["settings"]["held out to choose it"] > 0
    assert main(["evaluate", "linear", str(pretrained), *more, *QUICK]) == 0
    assert list((pretrained / "evaluations").glob("*.json")) == [file]
    assert json.loads(file.read_text()) == result


def test_the_faithful_recipe(pretrained, capsys):  # noqa: F811
    words = ["evaluate", "linear", str(pretrained), "--recipe", "linear_tclr"]
    small = ["--sampler.frames", "4", "--protocol.sampler.frames", "4", "--tested_after", "[0]", "--threads", "1"]
    assert main([*words, *small, "--epochs", "2", *QUICK]) == 0
    said = capsys.readouterr()
    folder = pretrained / "linear-split1"
    assert f"in {folder}" in said.out
    assert "all 72 tensors of R3D are the encoder's and its weights stay as they are" in said.err
    result = json.loads((folder / "evaluations/linear.json").read_text())
    settings = result["settings"]
    assert (settings["weights after epoch"], settings["clips a video"]) == (1, 10)
    assert settings["a video's score"] == "mean over its clips of their softmax"
    assert main(["resume", str(folder)]) == 0
    assert "nothing to do" in capsys.readouterr().err
    assert main(["evaluate", "finetune", str(folder), "--test_only", "--workers", "0"]) == 0
    again = json.loads((folder / "evaluations/recognition.json").read_text())
    assert again["settings"]["a video's score"] == settings["a video's score"]
    assert (
        again["rows"][-1]["values"]
        == json.loads((folder / "evaluations/linear.json").read_text())["rows"][-1]["values"]
    )

    assert main([*words, "--frozen", "false"]) == 2
    assert "--frozen False is not for 'praxino evaluate linear'" in capsys.readouterr().err
    assert main([*words[:-1], "finetune"]) == 2
    assert "praxino evaluate finetune RUN --recipe" in capsys.readouterr().err
    assert main(["evaluate", "linear", "--help", "--recipe", "linear_tclr"]) == 0
    assert "--frozen_statistics" in capsys.readouterr().out


def test_mistakes_in_one_line(pretrained, capsys):  # noqa: F811
    assert main(["evaluate", "linear", str(pretrained), "--labels_per_class", "1,20", *QUICK]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert "a class with 4 training videos only" in lines[0]
    once = ["evaluate", "linear", str(pretrained), "--recipe", "linear_tclr", "--labels_per_class", "1,2"]
    assert main(once) == 2
    assert "--labels_per_class is for 'praxino evaluate linear' without --recipe" in capsys.readouterr().err
    assert main(["evaluate", "liner", str(pretrained)]) == 2
    assert "'linear'" in capsys.readouterr().err
