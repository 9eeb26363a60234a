"""The small recipe of four views trains on maps that lie as it expects them, and keeps its views aligned."""

import json

import pytest
import torch

import videos
from maps import write_maps
from praxino.batch import ClipBatch, Frames
from praxino.cli.main import main
from praxino.configuration.complete import complete, instantiate
from praxino.configuration.documents import read
from praxino.configuration.recipes import recipe_file
from praxino.encoders.encoder import Encoder
from praxino.rng import Rng
from praxino.training.pretrain import pretrain
from praxino.views.pipeline import View

VIEWS = ("rgb", "flow", "segmentation", "keypoints")


def test_it_trains(tmp_path, monkeypatch):
    pytest.importorskip("cv2", reason="flow is computed while loading")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "DATA/Class").mkdir(parents=True)
    for row in range(4):
        path = videos.write(tmp_path / f"DATA/Class/{row}.mp4", range(row * 30, row * 30 + 30), size=(24, 32))
        write_maps(tmp_path / "VIEWS", str(row), 29)  # as of flow, one less
    options = {
        "videos": "DATA", "out": "RUN", "steps": 2, "batch_size": 3, "device": "cpu", "threads": 1, "workers": 0,
        "protocol.sampler.clips": 1, "streams.segmentation.root": "VIEWS/segmentation",
        "streams.keypoints.root": "VIEWS/keypoints", **{f"method.networks.{name}.backbone.width": 2 for name in VIEWS},
    }  # fmt: skip
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    assert main(["pretrain", "cocon_small_four_views", *words]) in (None, 0)
    steps = [json.loads(line) for line in (tmp_path / "RUN/metrics.jsonl").read_text().splitlines()]
    pairs = {f"{a}-{b}" for a in sorted(VIEWS) for b in sorted(VIEWS) if a < b}
    assert {f"{name}/contrast" for name in VIEWS} | {f"{pair}/cooperation" for pair in pairs} <= set(steps[0])
    for name in VIEWS:
        assert Encoder.load(f"RUN:{name}").record["trained views"] == [name]
    assert Encoder.load("RUN:rgb").embed(str(path)).shape == (1, 8)


def test_its_views_are_aligned():
    """Of the same picture in three streams the views see the same square, mirrored together."""
    recipe = read(recipe_file("cocon_small_four_views"))
    assert "aligned" not in recipe["method"]["init_args"]  # which is true by default
    recipe |= {"catalog": {"class_path": "toys.ToyCatalog", "init_args": {"videos": 4}}, "out": "nowhere"}
    views = dict(instantiate(pretrain, complete(pretrain, recipe))["method"].views)
    views["rgb"] = View([one for one in views["rgb"].operations if type(one).__name__ in ("SquareCrop", "Flip")])
    picture = torch.arange(75).expand(8, 56, 75)[..., None].to(torch.uint8) * 3 + torch.arange(56)[:, None, None]
    picture = picture.to(torch.uint8)
    where = torch.arange(8)[:, None, None]  # eight videos of one frame
    about = torch.tensor([56, 75]).expand(8, 2), torch.ones(8, dtype=torch.bool), where
    channels = {"rgb": 3, "segmentation": 1, "keypoints": 17}
    frames = {name: Frames(picture.expand(-1, -1, -1, some).contiguous(), *about) for name, some in channels.items()}
    batch = ClipBatch(frames, torch.arange(8), torch.arange(8), where, where.double())
    seen = {name: views[name](batch, Rng(0).child("view"))[:, 0, :, 0] for name in channels}
    for name, some in channels.items():
        assert seen[name].shape == (8, some, 48, 48)
        assert torch.equal(seen[name], seen["segmentation"].expand(-1, some, -1, -1))
    mirrored = seen["segmentation"][:, 0, 20, 5] > seen["segmentation"][:, 0, 20, 40]
    assert 0 < mirrored.sum() < 8
    assert len({float(one.mean()) for one in seen["segmentation"]}) > 4
