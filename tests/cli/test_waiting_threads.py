"""Threads that wait do not spin, unless the user has said how they are to wait."""

import os

import pytest

from praxino.cli.main import main


@pytest.mark.parametrize("said", [None, "active"])
def test_waiting_threads(said, monkeypatch, capsys):
    monkeypatch.setenv("OMP_WAIT_POLICY", said or "")
    if said is None:
        monkeypatch.delenv("OMP_WAIT_POLICY")
    assert main(["--version"]) == 0
    assert os.environ["OMP_WAIT_POLICY"] == (said or "passive")
