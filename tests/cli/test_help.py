"""Help says what is true: of classes in every command, and of arguments that a command fills in itself."""

import re

import pytest

from praxino.cli.main import main


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("pretrain --method.help SimCLR", "--method.temperature <a number>"),
        ("pretrain simclr_small --catalog.help UCF101", "--catalog.split <a whole number>"),
        ("evaluate finetune RUN --head.help Head", "--head.dropout <a number>"),
        ("evaluate finetune --sampler.help RandomClip", "--sampler.stride <a whole number>"),
        ("evaluate linear RUN --recipe linear_tclr --head.help Head", "--head.dropout <a number>"),
        ("evaluate retrieval RUN --sampler.help EvenClips", "--sampler.clips <a whole number>"),
        ("evaluate knn --catalog.help VideoFolder", "--catalog.root <a text>"),
        ("embed --catalog.help ListFile", "--catalog.path <a text>"),
    ],
)
def test_help_of_a_class(capsys, words, said):
    assert main(words.split()) == 0
    assert said in capsys.readouterr().out


def test_what_the_caller_gives_is_no_option(capsys):
    assert main(["evaluate", "finetune", "RUN", "--head.help", "Head"]) == 0
    assert "--head.dim" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("pretrain --method.help SimCRL", "there is no Method called 'SimCRL'. Did you mean 'SimCLR'"),
        ("evaluate retrieval RUN --sampler.help EvenClip", "there is no Sampler called 'EvenClip'"),
        ("evaluate retrieval RUN --samplr.help EvenClips", "--samplr.help: no argument of this name takes a class."),
        ("evaluate finetune RUN --seed.help Head", "--seed.help: no argument of this name takes a class."),
        ("embed --help.help x", "--help.help: no argument of this name takes a class."),
    ],
)
def test_help_of_a_class_that_is_none(capsys, words, said):
    assert main(words.split()) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in printed.err
    assert printed.err.count("\n") == 1


def defaults(capsys, *words):
    """Option -> what stands in brackets behind its meaning."""
    assert main([*words, "--help"]) == 0
    text = " ".join(capsys.readouterr().out.partition("options:")[2].split())
    return dict(re.findall(r"--(\w+) <.*?> .*?\((required.*?|default.*?)\)(?= |$)", text))


def test_required_is_what_has_to_be_typed(capsys):
    assert defaults(capsys, "pretrain")["method"] == "required, if not in the recipe"
    for evaluation in ("retrieval", "knn", "instance", "linear", "recognition"):
        found = defaults(capsys, "evaluate", evaluation)
        assert found["catalog"] == "default: the run's"
        assert "required" not in found.values()
    found = defaults(capsys, "evaluate", "finetune")
    assert (found["catalog"], found["out"]) == (
        "default: the run's",
        "default: a folder of its own in RUN: finetune, finetune-split1, ...",
    )
    assert "required" not in found.values()
    found = defaults(capsys, "embed")
    assert [name for name, word in found.items() if word == "required"] == ["catalog", "out"]
