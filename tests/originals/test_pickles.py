"""Originals' pickles: what is read, and that nothing is run."""

import argparse
import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from praxino.errors import UserError
from praxino.originals.pickles import load_pickle, save_pickle

CONTENT = {
    "opt": argparse.Namespace(lr=0.01, modality="res", neg=None, resume="", epochs=[1, 2]),
    "model": OrderedDict(weight=torch.arange(6.0).reshape(2, 3), count=torch.tensor(7)),
    "optimizer": {"state": {0: {"momentum_buffer": torch.zeros(2)}}, "param_groups": [{"lr": 0.1, "params": [0]}]},
    "epoch": 240,
}


class Malicious:
    """Writes a file when it is unpickled, by whatever function it is given."""

    def __init__(self, function, *arguments):
        self.how = function, arguments

    def __reduce__(self):
        return self.how


def same(got, want):
    assert got["opt"] == want["opt"]
    assert {k: v.tolist() for k, v in got["model"].items()} == {k: v.tolist() for k, v in want["model"].items()}
    assert got["epoch"] == want["epoch"]


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_both_forms_of_torch_are_read(tmp_path, zipped):
    torch.save(CONTENT, tmp_path / "a.pth", _use_new_zipfile_serialization=zipped)
    assert zipfile.is_zipfile(tmp_path / "a.pth") == zipped
    same(load_pickle(tmp_path / "a.pth"), CONTENT)


def test_what_is_written_is_the_old_form(tmp_path):
    path = save_pickle(tmp_path / "new" / "a.pth", CONTENT)
    assert not zipfile.is_zipfile(path)
    same(load_pickle(path), CONTENT)
    assert [p.name for p in path.parent.iterdir()] == ["a.pth"]


@pytest.mark.parametrize("form", ["zip", "legacy", "bare"])
@pytest.mark.parametrize("where", ["alone", "beside", "in the settings"])
def test_a_pickle_that_would_run_code_is_refused_and_runs_nothing(tmp_path, form, where):
    trace = tmp_path / "was here"
    bad = {
        "system": Malicious(os.system, f"touch '{trace}'"),
        "open": Malicious(open, str(trace), "w"),
        "eval": Malicious(eval, f"open({str(trace)!r}, 'w')"),
        "mkdir": Malicious(Path.mkdir, trace),
    }
    for name, one in bad.items():
        inside = {"alone": one, "beside": {**CONTENT, "more": one}, "in the settings": argparse.Namespace(x=one)}[where]
        path = tmp_path / f"{name}.pth"
        if form == "bare":
            path.write_bytes(pickle.dumps(inside))
        else:
            torch.save(inside, path, _use_new_zipfile_serialization=form == "zip")
        with pytest.raises(UserError) as refused:
            load_pickle(path)
        assert "\n" not in str(refused.value)
        assert str(path) in str(refused.value)
        assert not trace.exists()
        if form != "bare":
            assert "is refused: it asks for" in str(refused.value)
    # The same file does run code where it is opened without care: the test is not an empty one.
    if form == "bare":
        pickle.loads(path.with_name("system.pth").read_bytes())
        assert trace.exists()


def test_the_allow_list_is_back_in_place_afterwards(tmp_path):
    save_pickle(tmp_path / "a.pth", CONTENT)
    before = set(torch.serialization.get_safe_globals())
    load_pickle(tmp_path / "a.pth")
    assert set(torch.serialization.get_safe_globals()) == before


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04", b"\x80\x02", bytes(1000)])
def test_other_files_are_one_line(tmp_path, content):
    path = tmp_path / "a.pth"
    path.write_bytes(content)
    with pytest.raises(UserError, match="cannot be read as a file of weights") as refused:
        load_pickle(path)
    assert "\n" not in str(refused.value)
    with pytest.raises(UserError, match="there is no file"):
        load_pickle(tmp_path / "b.pth")
    with pytest.raises(UserError, match="there is no file"):
        load_pickle(tmp_path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(zipped=st.booleans(), cut=st.floats(0, 1), change=st.integers(0, 255))
def test_damaged_files_are_read_or_refused(tmp_path, zipped, cut, change):
    path = tmp_path / "whole.pth"
    torch.save(CONTENT, path, _use_new_zipfile_serialization=zipped)
    whole = bytearray(path.read_bytes())
    place = int(cut * (len(whole) - 1))
    said = []
    for damaged in (whole[:place], whole[:place] + bytes([change]) + whole[place + 1 :]):
        (tmp_path / "damaged.pth").write_bytes(damaged)
        try:
            load_pickle(tmp_path / "damaged.pth")
        except UserError as refused:
            said.append(str(refused))
    assert not any("\n" in line for line in said)


def test_no_advice_to_read_without_a_guard(tmp_path):
    contents = {"pickle": pickle.dumps(Malicious(os.system, "true")), "text": b"epoch 1", "empty": b""}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match="nothing of it was run") as refused:
            load_pickle(tmp_path / name)
        assert "weights_only" not in str(refused.value)
        assert "Re-running" not in str(refused.value)


def test_what_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        save_pickle(tmp_path / "file" / "a.pth", CONTENT)
