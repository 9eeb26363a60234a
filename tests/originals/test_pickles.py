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


ODD = {
    "sparse": (lambda: torch.eye(3).to_sparse(), r"is no dense tensor \(sparse_coo\)"),
    "rows": (lambda: torch.eye(3).to_sparse_csr(), r"is no dense tensor \(sparse_csr\)"),
    "meta": (lambda: torch.empty(1, device="meta"), "is a tensor on the device meta, so the file has no numbers"),
    "quantized": (lambda: torch.quantize_per_tensor(torch.rand(3), 0.1, 0, torch.qint8), r"\(quantized\)"),
    "nested": (lambda: torch.nested.nested_tensor([torch.rand(2), torch.rand(3)]), r"\(nested\)"),
    "huge": (lambda: torch.zeros(1).expand(2**40, 3, 7, 7), r"shape \[1099511627776, 3, 7, 7\].* holds 1 numbers"),
}


@pytest.mark.filterwarnings("ignore")  # torch warns of sparse and quantized tensors that they may change
@pytest.mark.parametrize("odd", ODD)
def test_what_is_no_dense_tensor_is_refused_wherever_it_is(tmp_path, odd):
    made, said = ODD[odd]
    value = made()
    path = tmp_path / "a.pth"
    for content, where in (
        (value, "what it holds"),
        ({"epoch": 1, "best_acc1": value}, "best_acc1"),
        ({"state_dict": OrderedDict({"conv1.weight": value})}, r"state_dict\.conv1\.weight"),
        ({"opt": argparse.Namespace(x=[1, (value,)])}, r"opt\.x\.<int>\.<int>"),
        ({"optimizer": {3: {"exp_avg": value}}}, r"optimizer\.<int>\.exp_avg"),
    ):
        torch.save(content, path)
        with pytest.raises(UserError, match=f"a\\.pth: {where} .*{said}") as refused:
            load_pickle(path)
        assert "\n" not in str(refused.value)


def test_dense_tensors_of_any_order_and_shared_numbers_are_read(tmp_path):
    weight = torch.rand(4, 3, 2, 2)
    content = {
        "last": weight.contiguous(memory_format=torch.channels_last),
        "turned": weight.mT,
        "part": weight[1:, :2],
    }
    content |= {"none": torch.empty(0, 3), "one": torch.tensor(2**63 - 1)}
    torch.save(content, tmp_path / "a.pth")
    got = load_pickle(tmp_path / "a.pth")
    assert all(torch.equal(got[key], tensor) for key, tensor in content.items())


def test_a_pickle_that_holds_itself_is_read(tmp_path):
    content = {"epoch": 1}
    content["again"] = [content]
    torch.save(content, tmp_path / "a.pth")
    assert load_pickle(tmp_path / "a.pth")["again"][0]["epoch"] == 1


def test_any_changed_bit_of_the_weights_in_a_zip_is_damage(tmp_path):
    weights = torch.arange(64.0)
    torch.save({"weight": weights}, tmp_path / "a.pth")
    whole = (tmp_path / "a.pth").read_bytes()
    begin = whole.index(weights.numpy().tobytes())
    for bit in range(0, weights.nbytes * 8, 37):
        damaged = bytearray(whole)
        damaged[begin + bit // 8] ^= 1 << bit % 8
        (tmp_path / "a.pth").write_bytes(damaged)
        with pytest.raises(UserError, match="cannot be read as a file of weights: it is damaged"):
            load_pickle(tmp_path / "a.pth")


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
