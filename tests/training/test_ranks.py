"""Two processes are one: same loss, same gradient, same weights on both."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

HERE = Path(__file__).parent


def run(folder, processes, steps, method="SimCLR"):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(HERE.parent), "GLOO_SOCKET_IFNAME": "lo"}
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"] if processes > 1 else []
    command = [sys.executable, *launcher, str(HERE / "ranks_script.py"), str(folder), str(steps), method]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, timeout=240)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return torch.load(folder / "out.pt", weights_only=True), lines


@pytest.mark.parametrize(
    "method", ["IIC", pytest.param("SimCLR", marks=pytest.mark.slow), pytest.param("TCLR", marks=pytest.mark.slow)]
)
def test_two_processes_are_one(tmp_path, method):
    """Network without BatchNorm. 11 videos, batches of 4: the last batch of 3 is cut to 2 for two processes, so only
    the first two steps are compared; float32 sums of another order differ by about 1e-7 of their terms. IIC in its NCE
    form: the banks, and the constant that the first batch sets, are equal on both processes to the bit (`equal`).
    TCLR in its lean form."""
    one, lines_one = run(tmp_path / "one", 1, 2, method)
    two, lines_two = run(tmp_path / "two", 2, 2, method)
    assert two["equal"]
    for a, b in zip(lines_one[:2], lines_two[:2], strict=True):
        assert a["total"] == pytest.approx(b["total"], rel=1e-6, abs=1e-6)
        assert a["lr"] == b["lr"]
    for step_one, step_two in zip(one["gradients"], two["gradients"], strict=True):
        for a, b in zip(step_one, step_two, strict=True):
            assert torch.allclose(a, b, atol=1e-6, rtol=1e-5)
    for name in one["state"]:
        assert torch.allclose(one["state"][name], two["state"][name], atol=1e-6)


@pytest.mark.slow
def test_an_uneven_last_batch_is_cut_for_all(tmp_path):
    out, lines = run(tmp_path / "two", 2, 7)
    assert out["equal"]
    assert [line["epoch"] for line in lines if line["kind"] == "step"] == [0, 0, 0, 1, 1, 1, 2]
