"""A head that is trained in two processes: the one of a single process, and objects are followed once."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from test_tracking_training import on_disk

from praxino.evaluations.tracking.train import train_tracker
from tracked import write_sequences

HERE = Path(__file__).parent
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    pytest.importorskip("cv2")
    folder = tmp_path_factory.mktemp("ranks")
    write_sequences(folder / "otb")
    paths = os.pathsep.join([*map(str, (HERE, HERE.parent)), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": paths, "GLOO_SOCKET_IFNAME": "lo"}
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command = [sys.executable, *launcher, str(HERE / "tracking_ranks_script.py"), str(folder)]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, timeout=240)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    return folder


@pytest.fixture(scope="module")
def found(folder):
    return json.loads((folder / "found.json").read_text())


@pytest.fixture(scope="module")
def alone(folder):
    return train_tracker(**on_disk(folder / "otb", folder / "one"))


def steps(run):
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [line for line in lines if line["kind"] == "step"]


def test_the_head_is_that_of_one_process(folder, found, alone):
    """The same pairs, the same draws, the same loss over the whole batch; only sums are taken in another order."""
    assert found[0]["head"] == found[1]["head"]
    for name, value in alone.tracker.head.state_dict().items():
        torch.testing.assert_close(torch.tensor(found[0]["head"][name]), value, rtol=1e-4, atol=1e-5)
    losses = [[line["total"] for line in steps(folder / name)] for name in ("one", "two")]
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    assert len(losses[0]) == 6
    hits = [[line["found"] for line in steps(folder / name)] for name in ("one", "two")]
    assert hits[1] == pytest.approx(hits[0])


def test_objects_are_followed_by_the_first_process_alone(folder, found, alone):
    """One sequence in a run, and again in the one that was killed; with the boxes that one process finds."""
    assert [one["tracked"] for one in found] == [2, 0]
    assert [one["result"] for one in found] == [True, False]
    assert len(list((folder / "boxes").rglob("D.txt"))) == 4
    two = json.loads((folder / "two/evaluations/tracking.json").read_text())
    for own, other in zip(two["rows"], alone.result.rows, strict=True):
        assert own["name"] == other.name
        assert own["values"] == pytest.approx(other.values, abs=1e-3)


def test_a_kill_changes_nothing(found):
    assert [one["killed"] for one in found] == [True, True]
    assert found[0]["equal"]
