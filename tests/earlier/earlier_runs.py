"""Runs command lines with one source of praxino or another, and reads what they leave in a run's folder.

As a program it takes a source's folder, and from stdin a list of command lines that all run in its one process.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# What depends on the machine's speed.
MACHINE = ("seconds", "clips_per_second", "wait_share", "eta_seconds")
INTERRUPTED = 130


def source_of(commit: str, folder: Path) -> Path:
    """The package's source as of a commit, put into `folder`; without one in the history here the test is skipped."""
    try:
        archive = ["git", "-C", str(ROOT), "archive", "--format=tar", commit, "src"]
        packed = subprocess.run(archive, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(f"there is no git here, or no commit {commit}")
    with tarfile.open(fileobj=io.BytesIO(packed)) as files:
        files.extractall(folder, filter="data")
    return folder / "src"


def run_all(source: Path, lines: list[list], folder: Path) -> subprocess.CompletedProcess:
    """Runs command lines with the package in `source`; each has to end well.

    A line that begins with a number is stopped right after that step is in metrics.jsonl: between two checkpoints, as
    by a kill.
    """
    environment = {**os.environ, "PYTHONPATH": str(source), "OMP_NUM_THREADS": "1"}
    words = [[word if isinstance(word, int) else str(word) for word in line] for line in lines]
    done = subprocess.run(
        [sys.executable, __file__, str(source)],
        input=json.dumps(words), capture_output=True, text=True, env=environment, cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done


def metrics(run: Path) -> list[dict]:
    """The lines of metrics.jsonl, without what depends on the machine's speed."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name not in MACHINE} for line in lines]


def result(run: Path, name: str) -> dict:
    """What an evaluation has written: today with a hash in the file's name, where options were typed."""
    plain = run / f"evaluations/{name}.json"
    (file,) = [plain] if plain.is_file() else plain.parent.glob(f"{name}-{'[0-9a-f]' * 8}.json")
    return json.loads(file.read_text())


def main() -> None:
    import praxino
    from praxino.cli.main import main

    # An installed package must not take the place of the one that is asked for.
    assert Path(praxino.__file__).resolve().is_relative_to(Path(sys.argv[1]).resolve()), praxino.__file__
    for line in json.load(sys.stdin):
        if isinstance(line[0], int):
            code, wanted = stopped(line[1:], line[0]), INTERRUPTED
        else:
            code, wanted = main(line), 0
        assert code == wanted, f"{line}: ended with {code}"


def stopped(line: list[str], step: int) -> int:
    # Only the earlier source is stopped, in which these names stay what they are.
    from praxino.cli.main import main
    from praxino.training.run import Run

    add = Run.add_metrics

    def add_and_stop(self, numbers):
        add(self, numbers)
        if numbers["kind"] == "step" and numbers["step"] == step:
            raise KeyboardInterrupt

    Run.add_metrics = add_and_stop
    try:
        return main(line)
    finally:
        Run.add_metrics = add


if __name__ == "__main__":
    main()


def scores(found):
    """The rows of a result without the intervals of all or nothing: those are Wilson's by now, and were none before."""
    rows = []
    for row in found["rows"]:
        sure = [column for column, value in row["values"].items() if value in (0.0, 100.0)]
        intervals = {column: ends for column, ends in row["intervals"].items() if column not in sure}
        rows.append({**row, "intervals": intervals})
    return rows
