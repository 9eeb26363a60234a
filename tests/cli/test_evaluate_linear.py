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
    result = json.loads((pretrained / "evaluations/linear.json").read_text())
    assert result["columns"] == ["1", "5", "1 a class", "2 a class"]
    assert result["settings"]["held out to choose it"] > 0
    assert main(["evaluate", "linear", str(pretrained), *more, *QUICK]) == 0
    assert json.loads((pretrained / "evaluations/linear.json").read_text()) == result


def test_mistakes_in_one_line(pretrained, capsys):  # noqa: F811
    assert main(["evaluate", "linear", str(pretrained), "--labels_per_class", "1,20", *QUICK]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert "a class with 4 training videos only" in lines[0]
    assert main(["evaluate", "liner", str(pretrained)]) == 2
    assert "'linear'" in capsys.readouterr().err
