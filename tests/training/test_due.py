"""When a checkpoint is written: by steps, by the clock."""

import time

from test_fit import loader

from praxino.training.due import STEPS, Due
from praxino.training.fit import fit
from praxino.training.run import Run
from toys import toy_method, toy_stages


def test_when_a_checkpoint_is_due(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    assert [step for step in range(1, 500) if Due(None, None).at(step)] == [STEPS, 2 * STEPS]
    only = Due(None, 2.0)
    assert not any(only.at(step) for step in range(1, 500))
    now[0] += 119
    assert not only.at(1)
    now[0] += 1
    assert only.at(1)
    only.saved()
    assert not only.at(2)
    both = Due(3, 2.0)
    assert [step for step in range(1, 8) if both.at(step)] == [3, 6]
    now[0] += 121
    assert both.at(7)


def test_ranks_follow_the_clock_of_the_first(monkeypatch):
    monkeypatch.setattr("praxino.ranks.broadcast_object", lambda value: True)
    assert Due(None, 60.0).at(1)


def test_minutes_write_checkpoints_between_the_steps(tmp_path, monkeypatch):
    """With a clock of a minute a step, and epochs of three steps; the curve is the one without."""
    saved = []
    monkeypatch.setattr(Run, "save", lambda self, state, keep_as=(): saved.append(state["position"]["step"]))
    minutes = iter(range(10**6))
    monkeypatch.setattr("praxino.training.due.time.monotonic", lambda: 60.0 * next(minutes))
    run = Run.create(tmp_path / "run", {})
    fit(toy_method(dropout=0.3, norm=True), loader(), toy_stages(steps=7), run, seed=3, checkpoint_minutes=2)
    assert saved == [2, 3, 5, 6, 7]
