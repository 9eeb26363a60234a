"""Folders of the commit before the rooms were redrawn, kept for good: they are gone on with, measured and reported.

kept/make.sh has the commands that made them: a pretraining and a fine-tuning that were stopped after their first epoch,
and a pretraining that is finished. kept/expected/ is what that commit came to where nothing stopped it, and measured.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from earlier_runs import metrics, result, run_all

import praxino

KEPT = Path(__file__).with_name("kept")
EXPECTED = KEPT / "expected"
NOW = Path(praxino.__file__).parents[1]
STOPPED = ("pretraining", "finetuning")
MEASURED = [("finished", "retrieval"), ("finished", "knn"), ("finetuning", "finetune")]
# Other processors sum in another order, which changes these numbers by 3e-6. Other versions of ffmpeg may round colours
# otherwise, which weighs more: with a tenth of all values one higher they changed by 1e-2, and similarities by 0.012.
NEAR = {"rel": 0.02, "abs": 0.005}
SIMILAR = {"abs": 0.025}
# Of the four videos of the test one may fall on the other side of an edge.
ONE_VIDEO = 25.0


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Copies of the kept folders: measured, resumed, reported."""
    folder = tmp_path_factory.mktemp("runs")
    every = (*STOPPED, "finished")
    for name in every:
        shutil.copytree(KEPT / name, folder / name)
    for file in [*folder.glob("*/*.yaml"), *folder.glob("*/*.json")]:
        text = file.read_text().replace("@VIDEOS@", str(KEPT / "videos")).replace("@RUNS@", str(folder))
        file.write_text(text)
    # After the first epoch the best checkpoint is the last one.
    last = folder / "finetuning/checkpoints/last.ckpt"
    shutil.copy(last, last.with_name("best.ckpt"))
    measuring = [
        ["evaluate", "recognition", "finetuning"],
        ["evaluate", "retrieval", "finished", "--k", "1,2"],
        ["evaluate", "knn", "finished", "--k", "3"],
        ["embed", "finished", "--videos", KEPT / "videos", "--out", "vectors.npz"],
    ]
    lines = [[*line, "--workers", "0", "--device", "cpu"] for line in measuring]
    done = run_all(NOW, [*lines, *(["resume", name] for name in every), *(["report", name] for name in every)], folder)
    assert done.stderr.count("nothing to do") == 1
    return folder


@pytest.mark.parametrize("name", STOPPED)
def test_resumed_along_the_same_curve(runs, name):
    then, now, before = metrics(EXPECTED / name), metrics(runs / name), metrics(KEPT / name)
    assert now[: len(before)] == before
    assert len(now) == len(then) > len(before)
    for expected, found in zip(then, now, strict=True):
        assert (found["kind"], found["epoch"], found["step"]) == (expected["kind"], expected["epoch"], expected["step"])
        # An accuracy jumps: one clip of two is half of it.
        words = [word for word, value in expected.items() if isinstance(value, float) and "accuracy" not in word]
        assert {word: found[word] for word in words} == pytest.approx({word: expected[word] for word in words}, **NEAR)


@pytest.mark.parametrize("name", STOPPED)
def test_resumed_to_the_end(runs, name):
    assert torch.load(runs / name / "checkpoints/last.ckpt", weights_only=True)["finished"]
    assert (runs / name / "encoder.safetensors").is_file()


def test_a_finished_run_stays_as_it_is(runs):
    for file in ("metrics.jsonl", "checkpoints/last.ckpt", "encoder.safetensors"):
        assert (runs / "finished" / file).read_bytes() == (KEPT / "finished" / file).read_bytes()


@pytest.mark.parametrize(("run", "name"), MEASURED)
def test_measured_with_the_same_table(runs, run, name):
    found, expected = (result(folder / run, name) for folder in (runs, EXPECTED))
    assert found["columns"] == expected["columns"]
    assert [row["name"] for row in found["rows"]] == [row["name"] for row in expected["rows"]]
    for row, other in zip(found["rows"], expected["rows"], strict=True):
        near = 1e-6 if row["name"] == "chance" else ONE_VIDEO
        assert row["values"] == pytest.approx(other["values"], abs=near)


def test_the_fine_tuning_was_tested_with_the_same_weights(runs):
    found, expected = (result(folder / "finetuning", "finetune")["settings"] for folder in (runs, EXPECTED))
    loss, epoch = "loss (mean of the batches)", "weights after epoch"
    assert found[loss] == pytest.approx(expected[loss], **NEAR)
    assert found[epoch] == expected[epoch]


def test_an_unfinished_fine_tuning_was_tested(runs):
    rows = result(runs / "finetuning", "recognition")["rows"]
    assert [row["name"] for row in rows] == ["chance", "classifier"]


def test_the_same_neighbours(runs):
    """By their similarities, from the nearest on: two videos that are nearly equal may change places."""
    found, expected = (result(folder / "finished", "retrieval")["gallery"] for folder in (runs, EXPECTED))
    assert [one["query"]["id"] for one in found] == [one["query"]["id"] for one in expected]
    for one, other in zip(found, expected, strict=True):
        near, then = ([video["similarity"] for video in query["neighbours"]] for query in (one, other))
        assert near == pytest.approx(then, **SIMILAR)


def test_the_same_vectors(runs):
    found, expected = np.load(runs / "vectors.npz"), np.load(EXPECTED / "finished/vectors.npz")
    for name in ("video", "start", "end"):
        assert np.array_equal(found[name], expected[name])
    assert found["vectors"] == pytest.approx(expected["vectors"], **NEAR)


@pytest.mark.parametrize(("run", "name"), MEASURED)
def test_reported(runs, run, name):
    page = (runs / run / "report.html").read_text()
    assert "<svg" in page
    assert all(row["name"] in page for row in result(runs / run, name)["rows"])
