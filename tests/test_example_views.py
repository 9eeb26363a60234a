"""A detector and a view of the user's own: a class in a file of theirs each, and no file of ours changes."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import praxino
import videos
from maps import write_maps
from praxino.catalogs.base import Video
from praxino.clips.dataset import load_clips
from praxino.clips.samplers import EvenClips

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips") / "Class"
    folder.mkdir()
    for row in range(4):
        videos.write(folder / f"{row}.mp4", range(row * 30, row * 30 + 30), size=(24, 32))
    return folder.parent


def example(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Detector:
    """Of torchvision's form: pictures [3, H, W] of 0 to 1 in, boxes and points out, the surest person first."""

    def __init__(self):
        self.shapes = []

    def __call__(self, pictures):
        seen = []
        for picture in pictures:
            assert picture.dtype == torch.float32
            assert 0 <= picture.min() <= picture.max() <= 1
            self.shapes.append(tuple(picture.shape))
            scores = torch.tensor([0.95, 0.85, 0.3]) * (len(self.shapes) != 2)  # nobody in the second picture
            points = torch.arange(17)[:, None] * torch.tensor([1.0, 0.5]) + torch.tensor([4.5, 6.5])
            people = torch.stack([points, points + 5, points + 10])
            seen.append({"keypoints": torch.cat([people, torch.ones(3, 17, 1)], 2), "scores": scores})
        return seen


def test_my_provider(clips, monkeypatch):
    my_provider = example("my_provider")
    detector = Detector()
    monkeypatch.setattr(my_provider, "load", lambda process: detector)
    video = Video("a", {"rgb": str(clips / "Class/0.mp4")})
    streams = {"keypoints": my_provider.KeypointRCNN()}
    loaded = load_clips(video, ("rgb", "keypoints"), streams, {}, EvenClips(1, 3), np.random.default_rng(0))
    maps = loaded.streams["keypoints"]
    assert detector.shapes == [(3, 24, 32)] * 3
    assert maps.pixels.shape == (3, 24, 32, 17)
    assert maps.present.tolist() == [True, False, True]
    assert not maps.pixels[1].any()
    for k in (0, 8, 16):
        for shift, there in ((0, True), (5, True), (10, False)):
            x, y = 4.5 + k + shift, 6.5 + k / 2 + shift
            if x < 32 and y < 24:
                assert (maps.pixels[0, int(y), int(x), k] > 100) == there


def test_edges_are_the_gradients_lengths():
    my_view = example("my_view")
    y, x = np.mgrid[:20, :30]
    slope = np.repeat((3 * x + 4 * y)[None, ..., None], 3, 3).astype(np.uint8)
    assert (my_view.Edges(gain=4).make(slope, np.arange(1)) == 20).all()


def test_my_view(clips, tmp_path):
    """The recipe trains, and its fifth encoder embeds where one trusts the file."""
    for row in range(4):
        write_maps(tmp_path / "VIEWS", str(row), 29)
    views = ["rgb", "flow", "segmentation", "keypoints", "edges"]
    options = {
        "videos": clips, "out": tmp_path / "run", "steps": 2, "batch_size": 3, "workers": 1, "threads": 1,
        "device": "cpu", "protocol.sampler.clips": 1, "streams.segmentation.root": tmp_path / "VIEWS/segmentation",
        "streams.keypoints.root": tmp_path / "VIEWS/keypoints",
        **{f"method.networks.{name}.backbone.width": 2 for name in views},
    }  # fmt: skip
    pytest.importorskip("cv2", reason="flow is computed while loading")
    words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    done = subprocess.run(
        [sys.executable, "-m", "praxino", "pretrain", "my_view.yaml", *words],
        cwd=EXAMPLES, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    metrics = (tmp_path / "run/metrics.jsonl").read_text()
    for name in views:
        assert f'"{name}/contrast"' in metrics.replace("train/", "")
        assert name == "edges" or f'"edges-{name}/cooperation"' in metrics.replace("train/", "")
    sys.path.insert(0, str(EXAMPLES))
    try:
        encoder = praxino.load_encoder(f"{tmp_path}/run:edges", trust=("my_view",))
        assert encoder.embed(str(clips / "Class/0.mp4")).shape == (1, 8)
    finally:
        sys.path.remove(str(EXAMPLES))
        sys.modules.pop("my_view", None)


def test_a_picture_of_views_is_drawn(clips, tmp_path):
    pytest.importorskip("cv2", reason="OpenCV is not installed")
    done = subprocess.run(
        [sys.executable, "views_picture.py", tmp_path / "views.png", clips],
        cwd=EXAMPLES, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "rgb, flow (to the right, then down), foreground, edges." in done.stdout
    with Image.open(tmp_path / "views.png") as picture:
        assert picture.size == (768, 5 * 96 + 3 * 4)
