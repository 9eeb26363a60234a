"""What is said of runs that are followed."""

import json

import pytest

from praxino.browse.runs import Runs


def run(folder):
    folder.mkdir()
    (folder / "metrics.jsonl").write_text(json.dumps({"kind": "epoch", "epoch": 1, "step": 1, "loss": 1.0}) + "\n")
    return folder


def leaves(folder, file, encoders=None):
    """Writes what stands for an encoder, which may say which ones its run leaves."""
    (folder / f"{file}.safetensors").write_bytes(b"weights")
    (folder / f"{file}.json").write_text(json.dumps({"record": {} if encoders is None else {"encoders": encoders}}))


@pytest.mark.parametrize("names, encoders", [(["rgb", "flow"], ["rgb", "flow"]), ([""], [""]), ([""], None)])
def test_a_run_has_ended_when_all_of_its_encoders_are_there(tmp_path, names, encoders):
    folder = run(tmp_path / "run")
    runs = Runs([str(folder)])
    leaves(folder, "encoder.tracker")
    for name in names:
        assert not runs.state()["finished"]
        leaves(folder, f"encoder-{name}" if name else "encoder", encoders)
    assert runs.state()["finished"]


def test_several_runs_have_ended_when_the_last_one_has(tmp_path):
    folders = [run(tmp_path / name) for name in "ab"]
    runs = Runs([*map(str, folders)])
    for folder in folders:
        assert not runs.state()["finished"]
        leaves(folder, "encoder", [""])
    assert runs.state()["finished"]
