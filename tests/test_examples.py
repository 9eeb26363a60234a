"""The examples do what they say: one's own loop trains, one's own method is trained by its recipe alone."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import praxino
import videos

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    for row in range(8):
        videos.write(folder / f"clip{row}.mp4", range(row * 40, row * 40 + 24))
    return folder


def test_own_loop(clips):
    spec = importlib.util.spec_from_file_location("own_loop", EXAMPLES / "own_loop.py")
    own_loop = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(own_loop)
    curves = []
    for _ in range(2):
        torch.manual_seed(0)
        curves.append(own_loop.main(str(clips), steps=4, batch_size=8))
    assert len(set(curves[0])) == 4
    assert np.isfinite(curves[0]).all()
    assert curves[0] == curves[1]


def test_my_method(clips, tmp_path):
    words = ["pretrain", "my_method.yaml", "--videos", clips, "--out", tmp_path / "run", "--steps", 2]
    quick = ["--batch_size", 4, "--workers", 0, "--threads", 1, "--device", "cpu"]
    done = subprocess.run(
        [sys.executable, "-m", "praxino", *map(str, [*words, *quick])],
        cwd=EXAMPLES, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert "barlow_twins" in (tmp_path / "run/metrics.jsonl").read_text()
    # The encoder is made of praxino's own classes, so that nobody has to trust anything.
    assert praxino.load_encoder(tmp_path / "run").embed(clips / "clip0.mp4").shape == (3, 64)
