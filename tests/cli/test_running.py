"""The command as a process: quick help, a whole run, a second one, several processes, a closed pipe."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from praxino.cli.line.processes import needed
from praxino.cli.main import main

TESTS = Path(__file__).resolve().parents[1]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
RECIPE = """\
# A recipe of toys.
out: {out}
catalog: toys.ToyCatalog
streams: {{rgb: toys.ToyStream}}
sampler: toys.ToySampler
method:
  class_path: SimCLR
  init_args: {{dim: 5, backbone: toys.ToyBackbone, view: {{operations: [toys.Noise]}}}}
stages:
  - {{optimizer: {{class_path: AdamW, init_args: {{lr: 1e-2}}}}, steps: 4}}
evaluation:
  views: {{rgb: {{operations: []}}}}
  sampler: {{class_path: toys.ToySampler, init_args: {{clips: 3}}}}
  streams: {{rgb: toys.ToyStream}}
batch_size: 4
workers: 0
threads: 1
device: cpu
"""


def praxino(*argv, **more):
    command = [sys.executable, "-m", "praxino", *map(str, argv)]
    return subprocess.run(command, capture_output=True, text=True, cwd=TESTS, env=ENVIRONMENT, check=False, **more)


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "toy.yaml"
    path.write_text(RECIPE.format(out=tmp_path / "run"))
    return path


def losses(run):
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [line["total"] for line in lines if line["kind"] == "step"]


@pytest.mark.parametrize("argv", [["--help"], ["--version"], ["recipes"], ["resume", "--help"], []])
def test_help_imports_no_torch(argv):
    code = "import sys; from praxino.cli.main import main; main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code, *argv], capture_output=True, text=True, check=True)
    assert done.stdout
    assert not {"torch", "av", "numpy", "matplotlib", "jsonargparse"} & set(done.stderr.split())


def test_help_is_quick():
    def seconds():
        began = time.perf_counter()
        assert praxino("--help").returncode == 0
        return time.perf_counter() - began

    assert min(seconds() for _ in range(5)) < 0.5


def test_help_names_every_command(capsys):
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    for command in ("pretrain", "resume", "evaluate", "embed", "report", "demo", "recipes"):
        assert f"praxino {command}" in said


@pytest.mark.parametrize("command", ["pretrain", "embed", "evaluate"])
def test_help_of_a_command(capsys, command):
    assert main([command, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"usage: praxino {command}")


def test_help_of_a_class(capsys):
    assert main(["pretrain", "--method.help", "SimCLR"]) == 0
    said = capsys.readouterr().out
    assert "--method.temperature <a number>" in said
    assert "(default: 0.1)" in said


def test_recipes_are_listed_with_their_first_line(capsys):
    assert main(["recipes"]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert {"simclr_small", "simclr_r3d"} <= set(names)


def test_a_closed_pipe_is_quiet(recipe):
    command = f"{sys.executable} -m praxino pretrain {recipe} --print_config | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, cwd=TESTS, env=ENVIRONMENT, check=False
    )
    assert done.stderr == ""
    assert done.returncode in (0, 1)


def test_a_whole_run(recipe, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(TESTS)
    run = tmp_path / "run"
    assert main(["pretrain", str(recipe), "--steps", "3"]) == 0
    assert len(losses(run)) == 3
    # The recipe as run, once more, gives the same numbers.
    assert main(["pretrain", str(run / "recipe.yaml"), "--out", str(tmp_path / "again")]) == 0
    assert losses(tmp_path / "again") == losses(run)
    capsys.readouterr()
    # A second run into the folder is refused, and resuming a finished run changes nothing.
    assert main(["pretrain", str(recipe)]) == 2
    assert "holds a run already" in capsys.readouterr().err
    before = (run / "metrics.jsonl").read_bytes()
    assert main(["resume", str(run)]) == 0
    assert "finished" in capsys.readouterr().err
    assert (run / "metrics.jsonl").read_bytes() == before

    out = tmp_path / "vectors.npz"
    words = ["embed", str(run), "--catalog", "toys.ToyCatalog", "--out", str(out), "--workers", "0"]
    assert main(words) == 2
    assert "--trust toys" in capsys.readouterr().err
    assert main([*words, "--trust", "toys"]) == 0
    with np.load(out) as vectors:
        assert vectors["vectors"].shape == (36, 6)
        assert sorted(set(vectors["video"])) == [f"video{k:02d}" for k in range(12)]
        assert (vectors["start"] < vectors["end"]).all()
    capsys.readouterr()

    # Without a catalog the run's own videos are taken; the result goes beside them.
    words = ["evaluate", "retrieval", str(run), "--trust", "toys", "--workers", "0", "--baselines", "false"]
    assert main([*words, "--k", "1,5"]) == 0
    said = capsys.readouterr().out
    assert "trained" in said
    (file,) = (run / "evaluations").glob("retrieval-????????.json")
    written = json.loads(file.read_text())
    assert written["columns"] == ["1", "5"]
    assert main([*words, "--veiw", "rgb"]) == 2
    assert "'--view'" in capsys.readouterr().err
    assert main(["evaluate", "knn", "--encoder", str(run / "encoder.safetensors"), *words[3:], "--k", "3"]) == 0
    assert list((run / "evaluations").glob("knn-????????.json"))

    assert main(["report", str(run)]) == 0
    assert (run / "report.html").is_file()


def test_several_processes(recipe, tmp_path, monkeypatch):
    monkeypatch.chdir(TESTS)
    assert main(["pretrain", str(recipe), "--out", str(tmp_path / "alone")]) == 0
    two = praxino("pretrain", recipe, "--devices", 2, "--out", tmp_path / "two")
    assert two.returncode == 0, two.stderr
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "alone"), rel=1e-4)


def test_a_launcher_starts_the_processes_itself(monkeypatch):
    assert needed(2)
    assert not needed(1)
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "2")
    monkeypatch.setenv("SLURM_PROCID", "1")
    assert not needed(2)


@pytest.mark.slow
def test_a_mistake_in_several_processes_is_one_line(recipe):
    done = praxino("pretrain", recipe, "--devices", 2, "--batch_size", 64)
    assert done.returncode == 2
    assert done.stderr.startswith("praxino: ")
    assert done.stderr.count("\n") == 1, done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell a process that its parent has ended")
def test_a_killed_launcher_takes_its_processes_along(recipe, tmp_path):
    """They would train on, beside those of a resume: they save and leave, as at any SIGTERM."""
    command = [sys.executable, "-m", "praxino", "pretrain", str(recipe), "--devices", "2", "--steps", "100000"]
    with subprocess.Popen(command, cwd=TESTS, env=ENVIRONMENT, stderr=subprocess.DEVNULL) as launcher:
        metrics = tmp_path / "run/metrics.jsonl"
        deadline = time.monotonic() + 120
        while not metrics.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        children = Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children").read_text().split()
        launcher.kill()
    assert len(children) == 2
    while any(Path(f"/proc/{child}/cmdline").exists() for child in children) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(Path(f"/proc/{child}/cmdline").exists() for child in children)
    assert "stopped and saved" in (tmp_path / "run/log.txt").read_text()
