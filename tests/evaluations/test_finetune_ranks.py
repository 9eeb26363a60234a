"""Fine-tuning in two processes: nothing of it depends on a kill, every held-out video counts, and mistakes are told by
all."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from finetune_ranks_script import random_clips

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranks")
    paths = os.pathsep.join(map(str, (HERE, HERE.parent)))
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": paths, "GLOO_SOCKET_IFNAME": "lo"}
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command = [sys.executable, *launcher, str(HERE / "finetune_ranks_script.py"), str(folder)]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, timeout=240)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    return folder


@pytest.fixture(scope="module")
def found(folder):
    return json.loads((folder / "found.json").read_text())


def test_a_kill_changes_nothing(found):
    """The network has BatchNorm, whose statistics are each process's own: all validate with the first one's."""
    assert [one["killed"] for one in found] == [True, True]
    assert found[0]["equal"]


def test_every_held_out_video_is_validated(folder):
    """Five videos in two processes: an accuracy is a number of fifths."""
    lines = [json.loads(line) for line in (folder / "whole/metrics.jsonl").read_text().splitlines()]
    shares = [line["validation/accuracy"] for line in lines if line["kind"] == "epoch"]
    assert all(share * 5 == pytest.approx(round(share * 5)) for share in shares)
    assert any(0 < share < 1 for share in shares)
    assert len((folder / "whole/validation.txt").read_text().split()) == 5


def test_fewer_held_out_than_processes(found):
    for one in found:
        assert one["few"].startswith("--validation 1 holds out 1 videos, and there are 2 processes")
        assert not one["written"]


def test_what_is_unreadable_is_judged_together(found):
    assert found[0]["broken"] == found[1]["broken"]
    assert "more than 10% of 8 videos cannot be read" in found[0]["broken"]


def test_random_clips_of_a_test_are_the_same_in_any_number_of_processes(found):
    alone = random_clips()
    assert 0 < sum(alone) < len(alone)
    assert found[0]["clips"] == found[1]["clips"] == alone
