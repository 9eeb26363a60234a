"""Evaluations of a folder of pictures with train/ and val/: which ones ask, which ones answer, and whose classes."""

import numpy as np
import pytest
import torch
from PIL import Image

from praxino.backbones.r3d import R3D
from praxino.catalogs.imagefolder import ImageFolder
from praxino.clips.samplers import EvenClips
from praxino.encoders.encoder import Encoder
from praxino.evaluations.classifying.linear import linear
from praxino.evaluations.embedding import embed_videos
from praxino.evaluations.nearest_neighbours import knn
from praxino.evaluations.retrieval import retrieve
from praxino.views.geometry import Resize
from praxino.views.pipeline import View

COLOURS = {"blue": (40, 60, 200), "green": (50, 180, 60), "red": (210, 50, 40)}
QUICK = {"workers": 0, "device": "cpu", "baselines": False}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Three classes of one colour with noise, of different sizes; val/ has a class that train/ lacks."""
    root, draw = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for part, count, more in (("train", 8, {}), ("val", 3, {"black": (0, 0, 0)})):
        for name, colour in (COLOURS | more).items():
            (root / part / name).mkdir(parents=True)
            for number in range(count):
                noise = draw.normal(0, 25, (*draw.integers(20, 50, 2), 3))
                pixels = np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(root / part / name / f"{number}.JPEG")
    return root


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(1)
    return Encoder(R3D(width=4), {"rgb": View([Resize(32, 32)])}, EvenClips(clips=1, frames=1)).eval()


@pytest.mark.parametrize("evaluation", [retrieve, knn, linear])
def test_the_validation_pictures_are_the_test(root, encoder, evaluation):
    more = {"validation": 0} if evaluation is linear else {"k": (1,)} if evaluation is retrieve else {}
    found = evaluation(encoder, ImageFolder(root), **more, **QUICK)
    assert "ImageFolder" in found.title
    assert found.row("chance").values["1"] == pytest.approx(100 / 3)
    # Classes are colours, and even an untrained network keeps them apart.
    assert found.row("trained").values["1"] > 60
    assert not found.left_out


def test_parts_are_embedded_apart(root, encoder, tmp_path):
    for part, folder, count in (("train", "train", 24), ("test", "val", 9)):
        got = embed_videos(encoder, ImageFolder(root), tmp_path / "v.npz", part=part, workers=0, device="cpu")
        assert len(got.video) == count
        assert all(id.startswith(f"{folder}/") for id in got.video.tolist())
