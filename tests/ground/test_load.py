"""That other work takes the cores is told, and nothing of the kind on an idle machine."""

import os
import re

import pytest

from praxino import load
from praxino.load import Load, Spent, spent, told


@pytest.mark.parametrize(
    ("taken", "cores", "threads", "said"),
    [
        (0.0, 2, 2, None),
        (0.4, 2, 2, None),
        (1.0, 2, 2, "takes about 1.0 of the 2 cores, so this takes longer than it might; .*: --threads 1"),
        (1.0, 2, 1, None),
        (2.3, 2, 1, "takes about 2.0 of the 2 cores, so this takes longer than it might$"),
        (40.0, 64, 8, None),
        (60.2, 64, 8, "--threads 4$"),
    ],
)
def test_what_is_told(taken, cores, threads, said):
    line = told(taken, cores, threads)
    if said is None:
        assert line is None
    else:
        assert re.search(said, line)


@pytest.mark.parametrize(
    ("clock", "busy", "own", "minute", "tells"),
    [
        (2.0, 4.0, 0.1, 2.0, True),
        # This process's own work, whatever the last minute was.
        (2.0, 4.0, 3.9, 2.0, False),
        # A burst in a quiet minute; what was before, in an idle second; too short a look.
        (2.0, 4.0, 0.1, 0.4, False),
        (2.0, 0.2, 0.1, 2.0, False),
        (0.1, 0.2, 0.0, 2.0, False),
    ],
)
def test_load_and_a_look_must_agree(monkeypatch, clock, busy, own, minute, tells):
    looks = iter([Spent(10.0, 100.0, 5.0), Spent(10.0 + clock, 100.0 + busy, 5.0 + own)])
    monkeypatch.setattr(load, "spent", lambda: next(looks))
    monkeypatch.setattr(load, "minute", lambda: minute)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert (Load().line(2) is not None) == tells


def test_where_the_system_does_not_tell(monkeypatch, tmp_path):
    for content in (None, "", "cpu 1 2", "cpu a b c d e f g h"):
        monkeypatch.setattr(load, "STAT", tmp_path / "stat")
        if content is not None:
            (tmp_path / "stat").write_text(content)
        assert spent() is None
        assert Load().line(64) is None


@pytest.mark.parametrize(("level", "seconds"), [(0, 16.0), (5, 17.0)])
def test_work_that_yields_counts_for_a_process_that_yields(monkeypatch, tmp_path, level, seconds):
    (tmp_path / "stat").write_text("cpu  1000 100 500 9000 50 60 40 0 0 0\n")
    monkeypatch.setattr(load, "STAT", tmp_path / "stat")
    monkeypatch.setattr(os, "sysconf", {"SC_CLK_TCK": 100}.__getitem__)
    monkeypatch.setattr(os, "nice", lambda by: level)
    assert spent().busy == seconds


@pytest.mark.skipif(not load.STAT.exists(), reason="reads Linux' /proc/stat")
def test_what_linux_tells_grows():
    before = spent()
    sum(range(300_000))
    after = spent()
    assert after.clock > before.clock
    assert after.own >= before.own > 0
    assert after.busy >= before.busy > 0
