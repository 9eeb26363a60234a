"""What a convolution takes in two precisions is measured alike, and as a run computes it."""

import io
import json
import sys
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from praxino.training import convolution_check
from praxino.training.convolution_cache import keep, known
from praxino.training.convolution_check import Verdict, check, main
from praxino.training.convolutions import Convolution

SOME = Convolution.of(nn.Conv2d(3, 4, 3, padding=1), (2, 3, 8, 8), False)


@pytest.fixture
def forwards(monkeypatch):
    """Each forward of a convolution: (dtype, rows, whether TF32 is allowed)."""
    plain, seen = nn.Conv2d.forward, []

    def forward(layer, x):
        seen.append((x.dtype, len(x), torch.backends.cudnn.allow_tf32))
        return plain(layer, x)

    monkeypatch.setattr(nn.Conv2d, "forward", forward)
    return seen


def test_neither_pays_for_its_first_call(monkeypatch, forwards):
    """By a clock that only the convolutions move: the first call of each kind sets up for 100 seconds."""

    def now():
        calls = [one[:2] for one in forwards]
        return 100.0 * len(set(calls)) + sum(2.0 if dtype == torch.bfloat16 else 3.0 for dtype, _ in calls)

    monkeypatch.setattr(convolution_check, "time", SimpleNamespace(perf_counter=now))
    verdict = check(SOME, "plain", "bf16", torch.device("cpu"))
    assert (verdict.right, verdict.seconds, verdict.fp32_seconds) == (True, 2.0, 3.0)


@pytest.mark.parametrize("allowed", [True, False])
def test_only_the_reference_is_without_tf32(monkeypatch, forwards, allowed):
    """What it takes is measured with the setting of the run, in the process that answers as in any other."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", allowed)
    monkeypatch.setattr("faulthandler.dump_traceback_later", lambda *_, **more: None)
    monkeypatch.setattr("resource.setrlimit", lambda *_: None)
    lines = [{"precision": "bf16", "threads": 1, "device": "cpu"}, {"convolution": SOME.plain(), "way": "plain"}]
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(json.dumps(line) + "\n" for line in lines)))
    main()
    single, *timed, first, second = forwards
    assert single[1] == 1
    assert [one[2] for one in timed] == [allowed] * len(timed)
    assert [first, second] == [(torch.float32, 1, False)] * 2
    assert torch.backends.cudnn.allow_tf32 is allowed


def test_seconds_that_were_measured_otherwise_are_not_believed(monkeypatch, tmp_path):
    monkeypatch.setenv("PRAXINO_CACHE", str(tmp_path))
    monkeypatch.setattr("praxino.training.convolution_cache.MEASURED", 1)
    keep({(SOME, "plain"): Verdict(True)}, {})
    assert known([(SOME, "plain")], {})
    monkeypatch.undo()
    monkeypatch.setenv("PRAXINO_CACHE", str(tmp_path))
    assert not known([(SOME, "plain")], {})
