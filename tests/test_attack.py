"""benchmarks/attack.py: nothing that it makes is an exception, a hang or another picture."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ATTACK = Path(__file__).parents[1] / "benchmarks/attack.py"


def attacked(*words, seconds):
    """The numbers of the table's lines, by what they are of."""
    done = subprocess.run(
        [sys.executable, str(ATTACK), *words],
        env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=seconds,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout)
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in done.stdout.splitlines()]
    return {name: [*map(int, numbers)] for name, *numbers in cells[2:]}


@pytest.mark.slow
def test_all_of_it():
    found = attacked(seconds=3600)
    assert sum(numbers[0] for name, numbers in found.items() if name.startswith("damaged ")) == 2200
    assert found["all"][0] > 2700
