"""How many cores a process may use, in a container, too."""

import os

import pytest

from praxino import ranks


@pytest.mark.parametrize(
    ("said", "most"), [("150000 100000", 2), ("max 100000", None), ("50000 100000", 1), ("", None)]
)
def test_a_containers_quota_bounds_the_cores(tmp_path, monkeypatch, said, most):
    (tmp_path / "cpu.max").write_text(said)
    monkeypatch.setattr(ranks, "QUOTA", tmp_path / "cpu.max")
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    assert ranks.cores() == (most or 8)


def test_without_a_quota_it_is_what_the_system_says(tmp_path, monkeypatch):
    monkeypatch.setattr(ranks, "QUOTA", tmp_path / "none")
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 3}, raising=False)
    assert ranks.cores() == 2
