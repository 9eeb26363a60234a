"""What is shown of a run's speed, and the one warning."""

from types import SimpleNamespace

import pytest

from praxino.training import progress as module
from praxino.training.progress import Progress
from praxino.training.step_numbers import memory_line


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(module.time, "perf_counter", lambda: now[0])
    return now


def run(clock, waited, steps=30, first=0):
    shown = Progress(first + steps, first, show=False)
    numbers, warnings = {}, []
    for done in range(first + 1, first + steps + 1):
        clock[0] += 2.0
        numbers = shown.step(done, clips=8, waited=waited, loss=1.0)
        warnings.append(shown.waiting_warning(done, workers=2))
    return numbers, [(k, line) for k, line in enumerate(warnings, start=1) if line]


def test_numbers(clock):
    numbers, _ = run(clock, waited=0.5, steps=10, first=40)
    assert numbers == {"seconds": 2.0, "clips_per_second": 4.0, "wait_share": 0.25, "eta_seconds": 0.0}


def test_waiting_above_a_third_is_told_once_with_what_to_do(clock):
    _, warnings = run(clock, waited=0.8)
    assert [step for step, _ in warnings] == [module.WAIT_STEPS]
    assert "40% of the time" in warnings[0][1]
    assert "--workers (now 2)" in warnings[0][1]


def test_waiting_below_a_third_is_not(clock):
    assert run(clock, waited=0.6)[1] == []


@pytest.mark.parametrize(("mebibytes", "at_once", "said"), [(2, 1, None), (20, 3, None), (21.5, 3, "64 MiB")])
def test_what_batches_take_is_said_where_it_is_worth_a_line(mebibytes, at_once, said):
    line = memory_line(SimpleNamespace(pixel_bytes=mebibytes * 2**20), at_once)
    assert (line or "").endswith(said or "")
    assert (line is None) == (said is None)
