"""`precision: auto`: bf16 where it is the machine's own, right and quicker; what was chosen stays with the run."""

import json

import pytest
import torch
import yaml
from precision_script import train

from praxino.training import convolution_ways, precision_choice
from praxino.training.checkpoint import load_checkpoint
from praxino.training.convolution_check import Verdict
from praxino.training.precision_choice import has_bf16

QUICK = Verdict(True, seconds=1.0, fp32_seconds=2.0)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PRAXINO_CACHE", str(tmp_path / "cache"))


def machine(monkeypatch, flags, verdict):
    monkeypatch.setattr(precision_choice, "processor", lambda: flags)
    monkeypatch.setattr(convolution_ways, "answers", lambda questions, settings: dict.fromkeys(questions, verdict))


def said(run):
    return (run.path / "log.txt").read_text()


def chosen(run):
    return yaml.safe_load((run.path / "recipe.yaml").read_text())["precision"]


def weights(run):
    return load_checkpoint(run.checkpoint_file)["task"]


def equal(one, other):
    return all(torch.equal(value, weights(other)[name]) for name, value in weights(one).items())


@pytest.mark.parametrize(
    "flags, verdict, precision, line",
    [
        (
            {"flags": "avx2 avx512_bf16"},
            QUICK,
            "bf16",
            "convolutions in bf16 are 2 times as quick as in fp32",
        ),
        ({"Features": "asimd bf16"}, QUICK, "bf16", "2 times as quick"),
        (
            {"flags": "avx2 amx_bf16"},
            Verdict(False, "made up"),
            "fp32",
            "0 times as quick as in fp32, 2 of 2 computed in another way",
        ),
        ({"flags": "avx512_bf16"}, Verdict(True, seconds=2.0, fp32_seconds=2.1), "fp32", "1.1 times as quick"),
        ({"flags": "avx2 avx512f"}, QUICK, "fp32", "this processor has no bf16 of its own"),
        ({}, QUICK, "fp32", "this processor has no bf16 of its own"),
    ],
)
def test_what_is_chosen_is_said_written_and_computed(tmp_path, monkeypatch, flags, verdict, precision, line):
    machine(monkeypatch, flags, verdict)
    run = train(tmp_path / "auto", precision="auto")
    assert chosen(run) == precision
    assert f"precision auto: {precision}, since " in said(run)
    assert line in said(run)
    record = json.loads((tmp_path / "auto/encoder.json").read_text())["record"]
    assert record["recipe"]["precision"] == precision
    assert equal(run, train(tmp_path / "plain", precision=precision))


def test_nothing_is_compared_without_bf16(tmp_path, monkeypatch):
    machine(monkeypatch, {}, None)
    run = train(tmp_path / "run", precision="auto")
    assert "are compared" not in said(run)
    assert not (tmp_path / "run/convolutions.json").exists()


def test_this_machine():
    flags = precision_choice.processor().get("flags", "").split()
    assert has_bf16(torch.device("cpu")) == any(name in flags for name in ("avx512_bf16", "amx_bf16"))
