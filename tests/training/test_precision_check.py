"""What is found of a convolution in half precision, whatever its kernels do to the process that asks."""

import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from praxino.training import convolution_check, convolution_process
from praxino.training.convolution_cache import keep, known, machine
from praxino.training.convolution_check import Verdict, check
from praxino.training.convolution_process import NotStarted, answers
from praxino.training.convolutions import FORWARDS, Convolution

SETTINGS = {"precision": "bf16", "threads": 1, "device": "cpu"}
SCRIPT = str(Path(__file__).parent / "misbehaving_check.py")
CPU = torch.device("cpu")


def convolution(rows=2, **more):
    layer = nn.Conv3d(3, 4, 3, padding=1, **more)
    return Convolution.of(layer, (rows, 3, 8, 8, 8), False)


def asked(rows):
    return [(convolution(number), "plain") for number in rows]


def test_a_process_finds_ordinary_kernels_right():
    """Wide and long enough for every processor that is known to be wrong elsewhere."""
    layers = [
        (nn.Conv3d(3, 4, (3, 5, 5), stride=(1, 2, 2), padding=(1, 2, 2)), (2, 3, 8, 16, 16)),
        (nn.Conv3d(4, 4, 3, padding=(2, 1, 1), dilation=(2, 1, 1), groups=2), (2, 4, 8, 8, 8)),
        (nn.Conv2d(4, 6, 3, padding="same", padding_mode="reflect"), (2, 4, 8, 8)),
        (nn.ConvTranspose3d(4, 2, 2, stride=2), (2, 4, 4, 8, 8)),
    ]
    questions = [(Convolution.of(layer, shape, False), "plain") for layer, shape in layers]
    questions += [(questions[1][0], "padded"), (Convolution.of(*layers[0], True), "padded")]
    found = answers(questions, SETTINGS)
    assert found.keys() == set(questions)
    assert [verdict.why for verdict in found.values()] == [""] * 6
    assert all(verdict.right and verdict.seconds > 0 for verdict in found.values())


class _Distorted(torch.autograd.Function):
    """The identity, with wrong numbers forward or backward."""

    @staticmethod
    def forward(ctx, x, forward, backward):
        ctx.factor = backward
        return x * forward

    @staticmethod
    def backward(ctx, gradient):
        return gradient * ctx.factor, None, None


@pytest.mark.parametrize("factor, right", [(1.01, True), (1.05, False), (float("nan"), False), (float("inf"), False)])
@pytest.mark.parametrize("what", ["output", "input", "weight", "bias"])
def test_each_wrong_number_is_seen(monkeypatch, what, factor, right):
    """Rounding is 0.002 to 0.008, the bound 0.02."""

    def forward(layer, x):
        forwards, backwards = (factor, 1.0) if what == "output" else (1.0, factor)
        parts = {"input": x, "weight": layer.weight, "bias": layer.bias}
        if what in parts:
            parts[what] = _Distorted.apply(parts[what], forwards, backwards)
        made = nn.functional.conv3d(parts["input"], parts["weight"], parts["bias"], padding=1)
        return _Distorted.apply(made, forwards, backwards) if what == "output" else made

    monkeypatch.setitem(FORWARDS, "plain", forward)
    seconds = []
    verdict = check(convolution(), "plain", "bf16", CPU, seconds.append)
    assert verdict.right is right
    assert seconds == [verdict.fp32_seconds] * 2
    name = "output" if what == "output" else f"gradient of the {what}"
    assert (f"{name} off by" in verdict.why) is not right
    if factor == 1.05:
        assert float(verdict.why.rsplit(" ", 1)[1]) == pytest.approx(0.05, abs=0.01)


def test_what_a_kernel_raises_is_a_wrong_answer(monkeypatch):
    def refuse(layer, x):
        raise RuntimeError("no kernel image is available\nand more")

    monkeypatch.setitem(FORWARDS, "plain", refuse)
    verdict = check(convolution(), "plain", "bf16", CPU)
    assert (verdict.right, verdict.why, verdict.lasting) == (False, "no kernel image is available", True)

    def full(layer, x):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setitem(FORWARDS, "plain", full)
    assert not check(convolution(), "plain", "bf16", CPU).lasting


def found(*words, rows=(1, 2, 3, 4), **more):
    return {
        question[0].shape[0]: verdict
        for question, verdict in answers(asked(rows), SETTINGS, (sys.executable, SCRIPT, *words), **more).items()
    }


def test_a_death_leaves_the_others_checked():
    made = found("2=abort")
    assert [made[rows].right for rows in (1, 2, 3, 4)] == [True, False, True, True]
    assert made[2].why == "its process died (SIGABRT)"


def test_a_hang_ends_and_leaves_the_others_checked():
    made = found("3=hang", grace=1.0)
    assert [made[rows].right for rows in (1, 2, 3, 4)] == [True, True, False, True]
    assert made[3].why == "no answer within 1 s"
    assert [made[rows].late for rows in (1, 2, 3, 4)] == [False, False, True, False]


def test_a_wrong_one_answers_nothing_more():
    """It may have written anywhere: what comes after it is asked in another process."""
    made = found("2=wrong")
    assert [made[rows].right for rows in (1, 2, 3, 4)] == [True, False, True, True]
    assert made[1].why != made[3].why == made[4].why


def test_what_kills_later_is_found_all_the_same():
    """The second spoils the heap, and the third dies of it; the last spoils it, and nothing comes after it."""
    made = found("2=spoil", "4=spoil")
    assert [made[rows].right for rows in (1, 2, 3, 4)] == [True, False, True, False]


def test_an_end_without_an_answer_is_a_death():
    made = found("1=exit", rows=(1,))
    assert made[1].why == "its process died (it ended without an answer)"


def test_no_process_is_told():
    with pytest.raises(NotStarted, match="No such file"):
        answers(asked([1]), SETTINGS, ("/nowhere/python",))
    with pytest.raises(NotStarted, match="cannot do it"):
        answers(asked([1]), SETTINGS, (sys.executable, "-c", "raise SystemExit('cannot do it')"))


def test_one_that_never_comes_up_is_told(monkeypatch):
    monkeypatch.setattr(convolution_process, "START_SECONDS", 1.0)
    with pytest.raises(NotStarted, match="without a word"):
        answers(asked([1]), SETTINGS, (sys.executable, "-c", "import time; time.sleep(600)"))


WHERE = {"precision": "bf16", "threads": 1, "machine": machine(CPU)}


def test_what_was_found_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("PRAXINO_CACHE", str(tmp_path / "cache"))
    questions = asked([1, 2, 3])
    made = {questions[0]: Verdict(True), questions[1]: Verdict(False, "off by 1", 0.25, 0.5, True)}
    assert known(questions, WHERE) == {}
    keep({**made, questions[2]: Verdict(False, "no memory", lasting=False)}, WHERE)
    assert known(questions, WHERE) == made
    assert known([(questions[0][0], "padded")], WHERE) == {}
    for other in ({"threads": 2}, {"precision": "fp16"}, {"machine": {**machine(CPU), "torch": "2.99"}}):
        assert known(questions, {**WHERE, **other}) == {}


@pytest.mark.parametrize("damage", ["cut", "bit", "text", "list", "folder"])
def test_a_damaged_entry_is_found_once_more(tmp_path, monkeypatch, damage):
    monkeypatch.setenv("PRAXINO_CACHE", str(tmp_path))
    questions = asked([1])
    keep({questions[0]: Verdict(False)}, WHERE)
    (entry,) = (tmp_path / "convolutions").iterdir()
    text = entry.read_text()
    entry.unlink()
    if damage == "folder":
        entry.mkdir()
    else:
        changed = {"cut": text[:-20], "bit": text.replace('"right": false', '"right": true'), "text": "x", "list": "[]"}
        entry.write_text(changed[damage])
    assert known(questions, WHERE) == {}
    keep({questions[0]: Verdict(True)}, WHERE)
    assert known(questions, WHERE) == ({} if damage == "folder" else {questions[0]: Verdict(True)})


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PRAXINO_CACHE", str(tmp_path / "file"))
    keep({asked([1])[0]: Verdict(True)}, WHERE)
    assert known(asked([1]), WHERE) == {}


def test_the_machine_has_a_name_and_what_steers_it_counts(monkeypatch):
    here = machine(CPU)
    assert here["name"]
    assert here["torch"] == torch.__version__
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    assert machine(CPU)["facts"] != here["facts"]


def test_the_bound_is_the_stated_one():
    assert convolution_check.BOUND == 0.02
