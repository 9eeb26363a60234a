"""A run in bf16 on a machine that computes some of its convolutions wrongly."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from precision_script import made_up, simclr, train
from torch import nn

from praxino.training import convolution_ways
from praxino.training.checkpoint import load_checkpoint
from praxino.training.convolution_check import Verdict
from praxino.training.convolution_process import NotStarted
from praxino.training.convolutions import WAYS
from toys import ToyBackbone, ToyStream

HERE = Path(__file__).parent
MACHINE = ("seconds", "clips_per_second", "wait_share", "eta_seconds")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PRAXINO_CACHE", str(tmp_path / "cache"))


def answering(monkeypatch, answers):
    monkeypatch.setattr(convolution_ways, "answers", answers)


def never(questions, settings):
    raise AssertionError("it was asked for")


def all_right(questions, settings):
    return dict.fromkeys(questions, Verdict(True))


def all_wrong(questions, settings):
    return dict.fromkeys(questions, Verdict(False, "made up"))


def weights(run):
    return load_checkpoint(run.checkpoint_file)["task"]


def equal(one, other):
    one, other = weights(one), weights(other)
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def ways(out):
    return json.loads((out / "convolutions.json").read_text())["ways"]


class InFull(nn.Conv3d):
    """By itself what the run has to make of a layer: fp32 within, bf16 behind it."""

    def forward(self, x):
        with torch.autocast("cpu", enabled=False):
            made = super().forward(x.float())
        return made.bfloat16() if torch.is_autocast_enabled("cpu") else made


def test_wrong_layers_are_computed_in_fp32(tmp_path, monkeypatch):
    """Equal to the bit to a network in which this layer is in fp32 by itself, and not to a plain one."""
    shapes = []

    def strided_wrong(questions, settings):
        shapes.extend(one.shape for one, _ in questions)
        return {(one, way): Verdict(dict(one.settings)["stride"] == (1, 1, 1)) for one, way in questions}

    answering(monkeypatch, strided_wrong)
    ours = train(tmp_path / "ours")
    assert ways(tmp_path / "ours") == {"backbone.layers.4": "fp32"}
    # Two clips of each of four videos, though two videos are tried.
    assert set(shapes) == {(8, 3, 4, 6, 8), (8, 6, 4, 6, 8)}

    monkeypatch.setenv("PRAXINO_CACHE", str(tmp_path / "another"))
    answering(monkeypatch, all_right)
    method = simclr(ToyBackbone, norm=True)
    method.backbone.layers[4].__class__ = InFull
    assert equal(train(tmp_path / "theirs", method=method), ours)
    assert not equal(train(tmp_path / "plain"), ours)
    assert ways(tmp_path / "theirs") == ways(tmp_path / "plain") == {}


def test_the_log_names_layers_and_ways(tmp_path, monkeypatch):
    answering(monkeypatch, made_up)
    train(tmp_path / "run")
    log = (tmp_path / "run/log.txt").read_text()
    assert "bf16: 2 convolutions are compared with fp32, once on this machine" in log
    assert "bf16: 2 convolutions with time padded by hand are compared with fp32" in log
    wrong = "bf16 is not right on this machine (made up): computed"
    assert f"{wrong} with time padded by hand: backbone.layers.0\n" in log
    assert f"{wrong} in fp32: backbone.layers.4\n" in log


def test_in_fp32_there_is_nothing_to_ask(tmp_path, monkeypatch):
    answering(monkeypatch, never)
    train(tmp_path / "run", precision="fp32")
    assert not (tmp_path / "run/convolutions.json").exists()


def test_the_cache_answers_the_second_run(tmp_path, monkeypatch):
    answering(monkeypatch, made_up)
    first = train(tmp_path / "a")
    answering(monkeypatch, never)
    second = train(tmp_path / "b")
    assert equal(first, second)
    assert ways(tmp_path / "a") == ways(tmp_path / "b") != {}
    assert "are compared" not in (tmp_path / "b/log.txt").read_text()
    assert "not right on this machine (made up)" in (tmp_path / "b/log.txt").read_text()


def test_where_no_process_comes_up_all_is_in_fp32(tmp_path, monkeypatch):
    def none(questions, settings):
        raise NotStarted("no memory")

    answering(monkeypatch, none)
    train(tmp_path / "run")
    assert set(ways(tmp_path / "run").values()) == {"fp32"}
    assert "in a process of their own (no memory): they are computed in fp32" in (tmp_path / "run/log.txt").read_text()
    assert not (tmp_path / "cache/convolutions").exists()


@pytest.mark.parametrize("seconds, in_fp32, said", [(12.0, 0.5, True), (12.0, 8.0, False), (1.5, 0.1, False)])
def test_a_processor_without_bf16_is_told(tmp_path, monkeypatch, seconds, in_fp32, said):
    """The two convolutions together; moments are not worth a line."""
    verdict = Verdict(True, "", seconds / 2, in_fp32 / 2)
    answering(monkeypatch, lambda questions, settings: dict.fromkeys(questions, verdict))
    train(tmp_path / "run")
    log = (tmp_path / "run/log.txt").read_text()
    line = "convolutions take at least 24 times as long as in fp32 on this machine: --precision fp32 is quicker"
    assert (line in log) is said


class Stops(ToyStream):
    """Stops the run as one of its videos, counted from the start, is opened, as a kill would."""

    def __init__(self, left):
        super().__init__()
        self.left = left

    def open(self, video, canvas=None):
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt
        return super().open(video)


def stopped(out):
    with pytest.raises(KeyboardInterrupt):
        train(out, streams={"rgb": Stops(14)})
    assert load_checkpoint(out / "checkpoints/last.ckpt")["position"]["step"] == 3


def test_a_resumed_run_keeps_its_ways(tmp_path, monkeypatch):
    """Even where the cache is gone and would say something else by now."""
    answering(monkeypatch, made_up)
    whole = train(tmp_path / "whole")
    stopped(tmp_path / "cut")
    monkeypatch.setenv("PRAXINO_CACHE", str(tmp_path / "another"))
    answering(monkeypatch, never)
    assert equal(train(tmp_path / "cut", resume=True), whole)


@pytest.mark.parametrize("answers, line", [(all_right, False), (made_up, False), (all_wrong, True)])
def test_another_machine_keeps_what_is_right_there(tmp_path, monkeypatch, answers, line):
    answering(monkeypatch, made_up)
    whole = train(tmp_path / "whole")
    stopped(tmp_path / "cut")
    before = ways(tmp_path / "cut")
    elsewhere = {"name": "another processor", "torch": "2.99", "facts": "others"}
    monkeypatch.setattr(convolution_ways, "machine", lambda device: elsewhere)
    answering(monkeypatch, answers)
    made = train(tmp_path / "cut", resume=True)
    log = (tmp_path / "cut/log.txt").read_text()
    said = "on another processor, torch 2.99 these are computed in another way from here on: backbone.layers.0\n"
    assert (said in log) is line
    assert equal(made, whole) is not line
    assert (ways(tmp_path / "cut") == before) is not line
    assert json.loads((tmp_path / "cut/convolutions.json").read_text())["where"]["machine"] == elsewhere


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"where": 5, "ways": {}}', '{"where": {"precision": 1}, "ways": 3}'])
def test_a_damaged_file_of_ways_is_made_anew(tmp_path, monkeypatch, text):
    answering(monkeypatch, made_up)
    whole = train(tmp_path / "whole")
    stopped(tmp_path / "cut")
    (tmp_path / "cut/convolutions.json").write_text(text)
    assert equal(train(tmp_path / "cut", resume=True), whole)
    assert ways(tmp_path / "cut") == ways(tmp_path / "whole")


def started(out, *more):
    path = os.pathsep.join([str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path, "GLOO_SOCKET_IFNAME": "lo"}
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"] if more else []
    command = [sys.executable, *launcher, str(HERE / "precision_script.py"), str(out), *more]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


def done(process):
    said = process.communicate(timeout=400)[1]
    assert process.returncode == 0, said[-3000:]


def curve(out):
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name not in MACHINE} for line in lines]


@pytest.mark.slow
def test_a_kill_changes_nothing_in_bf16(tmp_path):
    """Whatever this machine's kernels are, they are checked in earnest: R3D, two channels wide."""
    done(started(tmp_path / "whole"))
    process = started(tmp_path / "cut")
    metrics = tmp_path / "cut/metrics.jsonl"
    while not metrics.exists() or metrics.read_bytes().count(b"\n") < 3:
        assert process.poll() is None, process.communicate()[1][-3000:]
        time.sleep(0.005)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    done(started(tmp_path / "cut"))
    assert curve(tmp_path / "cut") == curve(tmp_path / "whole")
    names = ("encoder.safetensors", "convolutions.json")
    assert all((tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes() for name in names)
    assert set(ways(tmp_path / "whole").values()) <= set(WAYS)


@pytest.mark.slow
def test_rank_0_finds_out_for_all(tmp_path):
    done(started(tmp_path / "two", "ranks"))
    assert ways(tmp_path / "two") == {"backbone.layers.0": "padded", "backbone.layers.4": "fp32"}
    assert len(curve(tmp_path / "two")) == 8  # six steps, two epochs
