"""TCLR in the loop: lean as plain, after a kill, too."""

import json

import pytest
import torch
from test_tclr import tclr

from praxino.clips.sparse_dense import SparseDense
from praxino.training.pretrain import pretrain
from praxino.training.run import Run
from toys import ToyCatalog, ToyStream, toy_evaluation, toy_stages

MACHINE = ("seconds", "clips_per_second", "wait_share", "eta_seconds")


class Killed(Exception):
    """In place of kill -9."""


def run(out, method, resume=False):
    pretrain(
        catalog=ToyCatalog(), sampler=SparseDense(4, 2), method=method, stages=toy_stages(epochs=2),
        evaluation=toy_evaluation(), out=out, streams={"rgb": ToyStream()}, batch_size=4, workers=0, threads=1,
        device="cpu", checkpoint_steps=1, resume=resume,
    )  # fmt: skip
    return numbers(out)


def numbers(out):
    """The metrics, and the weights at the end."""
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    kept = [{k: v for k, v in line.items() if k not in MACHINE and not k.startswith("memory")} for line in lines]
    return kept, Run.open(out).checkpoint()["task"]


def test_a_killed_lean_run_goes_on_as_a_whole_plain_one(tmp_path):
    lines, weights = run(tmp_path / "whole", tclr(dropout=0.2))
    assert [line["kind"] for line in lines] == ["step", "step", "step", "epoch"] * 2
    assert {"instance_sparse", "instance_dense", "local_local", "global_local"} <= lines[0].keys()
    broken = tclr(dropout=0.2, lean=True)
    steps = []

    def killed(kept):
        steps.append(kept)
        if len(steps) == 4:
            raise Killed

    broken.after_step = killed
    with pytest.raises(Killed):
        run(tmp_path / "cut", broken)
    resumed, after = run(tmp_path / "cut", tclr(seed=9, dropout=0.2, lean=True), resume=True)
    assert resumed == lines
    assert all(torch.equal(after[name], value) for name, value in weights.items())
