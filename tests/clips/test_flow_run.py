"""A run whose view is flow in two channels, from folders of pictures: probed, tried, trained, saved, taken home."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

import praxino
import videos
from praxino.catalogs.base import Video
from praxino.catalogs.folder import VideoFolder
from praxino.clips.samplers import EvenClips, RandomClip
from praxino.encoders.protocol import Protocol
from praxino.errors import UserError
from praxino.methods.simclr import SimCLR
from praxino.streams.base import Canvas
from praxino.streams.flow_folder import FlowFolder
from praxino.training.pretrain import pretrain
from praxino.views.flow import Component
from praxino.views.flow_values import FlowFlip, FlowValues
from praxino.views.geometry import CentreCrop
from praxino.views.pipeline import View
from toys import ToyBackbone, toy_stages


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Six videos, and their flow without what it has of the last one; of the first one a picture is missing."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "videos").mkdir()
    rng = np.random.default_rng(0)
    for k in range(6):
        videos.write(folder / f"videos/{k}.mp4", 12, seed=k)
        for axis in "uv":
            place = folder / f"flow/{axis}/{k}"
            place.mkdir(parents=True)
            for number in range(1, 12):
                if (k, axis, number) != (0, "v", 5):
                    pixels = rng.integers(90, 170, (32, 48), dtype=np.uint8)
                    Image.fromarray(pixels).save(place / f"frame{number:06d}.jpg")
    for picture in (folder / "flow/v/5").iterdir():
        picture.unlink()
    return folder


def run(folder, out, operations, channels, **more):
    torch.manual_seed(0)
    flow = View(operations, stream="flow")
    return pretrain(
        VideoFolder(folder / "videos"), RandomClip(4, clips=2), SimCLR(ToyBackbone(channels=channels), flow, dim=5),
        toy_stages(steps=4), Protocol({"flow": flow}, EvenClips(2, 4)), out,
        streams={"flow": FlowFolder(str(folder / "flow"))}, canvas={"flow": Canvas(short_side=28)}, batch_size=3,
        threads=1, device="cpu", max_left_out=0.2, **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("operations", "channels"),
    [([CentreCrop(24), FlowFlip(), FlowValues()], 2), ([Component("v"), CentreCrop(24)], 3)],
    ids=["both", "v"],
)
def test_from_the_probe_to_the_encoder(folder, tmp_path, operations, channels):
    assert run(folder, tmp_path / "one", operations, channels, workers=0).finished
    assert run(folder, tmp_path / "two", operations, channels, workers=2).finished
    listed = (tmp_path / "one/videos.csv").read_text().splitlines()
    assert listed[1] == '0,0.mp4,11,ok,"1 frames of its flow are missing or damaged, number 4 the first"'
    assert listed[6].startswith(",5.mp4,0,unreadable,flow: no flow: ")

    def steps(name):
        lines = (tmp_path / name / "metrics.jsonl").read_text().splitlines()
        return [json.loads(line).get("train/total") for line in lines]

    assert steps("one") == steps("two")
    assert len(set(steps("one"))) > 1
    encoder = praxino.load_encoder(tmp_path / "one", trust=("toys",))
    assert encoder.streams["flow"].root == str(folder / "flow")
    vectors = encoder.embed(folder / "videos/3.mp4")
    assert vectors.shape == (2, 6)
    assert np.array_equal(vectors, encoder.embed(Video("3.mp4", {})))


def test_a_network_of_three_channels_is_refused_before_anything_is_decoded(folder, tmp_path):
    with pytest.raises(UserError, match=r"3 channels.* 2|2 channels|in_channels") as raised:
        run(folder, tmp_path / "run", [CentreCrop(24)], 3, workers=0)
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "run/videos.csv").exists()
