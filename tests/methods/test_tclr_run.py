"""TCLR in the loop: lean as plain, after a kill, too."""

import json

import pytest
import torch
from test_tclr import tclr

from praxino.clips.sparse_dense import SparseDense
from praxino.errors import UserError
from praxino.streams.base import Probed
from praxino.training.pretrain import pretrain
from praxino.training.run import Run
from toys import ToyCatalog, ToyStream, toy_protocol, toy_stages

MACHINE = ("seconds", "clips_per_second", "wait_share", "eta_seconds")


class Undecoded(ToyStream):
    """The first video is too short for two clips of four frames, and none is ever decoded."""

    def open(self, video, canvas=None):
        raise AssertionError("something was decoded")

    def probe(self, video, full=False):
        return Probed(2 if video.id == "video00" else 20)


class Killed(Exception):
    """In place of kill -9."""


def run(out, method, resume=False, **more):
    arguments = {"catalog": ToyCatalog(), "streams": {"rgb": ToyStream()}, "batch_size": 4, **more}
    pretrain(
        sampler=SparseDense(4, 2), method=method, stages=toy_stages(epochs=2), protocol=toy_protocol(), out=out,
        workers=0, threads=1, device="cpu", checkpoint_steps=1, resume=resume, **arguments,
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


def test_a_batch_of_one_video_is_refused_before_the_first_step(tmp_path):
    """BatchNorm behind the head's last layer has nothing to normalise over."""
    out, streams = tmp_path / "run", {"rgb": Undecoded()}
    with pytest.raises(UserError, match=r"^a batch would hold only 1 of the 2 videos that TCLR needs in each"):
        run(out, tclr(), streams=streams, batch_size=1)
    # Of 10 videos one is left out by the probe, and 9 are two batches of 4 and one of 1.
    said = r"^the last batch of each epoch would hold only 1 of the 2 .* pass --drop_last true or another --batch_size$"
    with pytest.raises(UserError, match=said):
        run(out, tclr(), streams=streams, catalog=ToyCatalog(10), max_left_out=0.2, drop_last=False)
    assert not any(path.is_file() for path in out.rglob("*"))


def test_a_short_last_batch_is_trained_on(tmp_path):
    """Of 10 videos the last batch holds two, just enough."""
    lines, _ = run(tmp_path / "run", tclr(), catalog=ToyCatalog(10), drop_last=False)
    assert [line["kind"] for line in lines] == ["step", "step", "step", "epoch"] * 2
