"""The recipes named after the papers say what their code does, and the small ones train."""

import json
import shutil

import pytest
import torch

import videos
from praxino.backbones import ResNet2D3D18, ResNet2D3D34
from praxino.cli.line.configured import configured
from praxino.cli.main import main
from praxino.clips.blocks import BlockClip, BlockWindows
from praxino.configuration.complete import instantiate
from praxino.configuration.recipes import recipe_file
from praxino.described import describe
from praxino.encoders.encoder import Encoder
from praxino.evaluations.classifying.finetune import finetune
from praxino.evaluations.classifying.start import BESIDE
from praxino.evaluations.classifying.start import OUTSIDE as OUTSIDE_FINETUNE
from praxino.streams import FlowFolder, HeatMaps, Masks
from praxino.training.pretrain import pretrain
from praxino.training.schedules import Plateau, Step
from praxino.training.start import OUTSIDE
from praxino.training.tryout import try_out

COCON = ["cocon_r18_ucf101", "cocon_r34_kinetics400", "cocon_r18_hmdb51"]
NETWORKS = {
    "cocon_r18_ucf101": {"rgb": (ResNet2D3D18, 3)},
    "cocon_r34_kinetics400": {"rgb": (ResNet2D3D34, 3), "flow": (ResNet2D3D18, 2)},
    "cocon_r18_hmdb51": {
        "rgb": (ResNet2D3D18, 3),
        "flow": (ResNet2D3D18, 2),
        "keypoints": (ResNet2D3D18, 17),
        "mask": (ResNet2D3D18, 1),
    },
}


def built(recipe, **options):
    """The arguments of `pretrain` without a catalog, as objects; and the catalog that was named."""
    config = configured(pretrain, {"catalog.root": "nowhere", **options}, recipe_file(recipe), without=OUTSIDE)
    catalog = config["catalog"]
    config["catalog"] = {"class_path": "toys.ToyCatalog", "init_args": {"videos": 4}}
    return instantiate(pretrain, config), catalog["class_path"].rpartition(".")[2]


def names(view):
    return [type(operation).__name__ for operation in view.operations]


@pytest.mark.parametrize("recipe", COCON)
def test_cocon_is_its_codes(recipe):
    given, catalog = built(recipe)
    assert catalog == {"ucf": "UCF101", "kin": "Kinetics400", "hmd": "HMDB51"}[recipe.rpartition("_")[2][:3]]
    method = given["method"]
    found = {name: (type(net.backbone), net.backbone.in_channels) for name, net in method.networks.items()}
    assert found == NETWORKS[recipe]
    for network in method.networks.values():
        assert (network.block_frames, network.dropout, network.rectified, network.unit_length) == (5, 0.1, "no", False)
        assert network.backbone.running_statistics
    assert (method.predicted, method.temperature, method.unit_length) == (3, 0.07, True)
    assert (method.cooperation_weight, method.synchronisation_weight, method.contrast_weight) == (10, 10, 1)
    assert (method.aligned, method.other_maps, method.zero_bias) == (False, "flatten", False)
    assert describe(given["sampler"])["init_args"] == describe(BlockClip(8, 5, 3))["init_args"]
    assert type(given["protocol"].sampler) is BlockWindows
    assert given["protocol"].sampler.apart == (6 if "hmdb" in recipe else 4)
    (stage,) = given["stages"]
    assert stage.epochs == (50 if "kinetics" in recipe else 100)
    optimizer = stage.make_optimizer(method)
    assert type(optimizer) is torch.optim.Adam
    assert (optimizer.defaults["lr"], optimizer.defaults["weight_decay"]) == (1e-3, 1e-5)
    schedule = stage.schedule
    assert type(schedule) is Plateau
    assert (schedule.metric, schedule.factor, schedule.patience) == ("validation/total", 0.1, 10)
    assert (schedule.threshold, schedule.minimum) == (1e-4, 1e-2)
    assert given["accumulate"] == "cocon"
    assert given["batch_size"] == (8 if "kinetics" in recipe else 16)
    jitter = next(op for op in method.views["rgb"].operations if type(op).__name__ == "ColourJitter")
    strengths = (jitter.brightness, jitter.contrast, jitter.saturation, jitter.hue, jitter.p, jitter.per, jitter.order)
    assert strengths == (0.5, 0.5, 0.5, 0.25, 1.0, "frame", "random")
    crop = ["SizedCrop", "Flip"] if "kinetics" in recipe else ["Flip", "NearestCrop"]
    assert names(method.views["rgb"]) == [*crop, "OneChannel", "ColourJitter", "Normalise"]
    assert all(set(method.views) == set(views) for views in (method.networks, given["protocol"].views))
    if "hmdb" in recipe:
        kinds = {name: type(stream) for name, stream in given["streams"].items()}
        assert kinds == {"flow": FlowFolder, "keypoints": HeatMaps, "mask": Masks}


def test_dpc_is_its_codes():
    given, catalog = built("dpc_r18_ucf101")
    assert catalog == "UCF101"
    method = given["method"]
    assert type(method.network.backbone) is ResNet2D3D18
    assert not method.network.backbone.running_statistics
    assert (method.predicted, method.shared, method.network.rectified) == (3, False, "before_pooling")
    assert describe(given["sampler"])["init_args"] == describe(BlockClip(8, 5, 3, short="refuse"))["init_args"]
    assert names(method.view) == ["Flip", "NearestCrop", "OneChannel", "ColourJitter", "Normalise"]
    (stage,) = given["stages"]
    assert type(stage.schedule) is Step
    assert (stage.epochs, stage.schedule.milestones) == (500, [300, 400])
    assert (given["batch_size"], given["accumulate"], given["chosen_by"]) == (128, 1, "validation/accuracy")


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["dpc_r18_ucf101", *COCON])
def test_the_parts_fit_together(recipe):
    """At their real size, on black frames."""
    given, _ = built(recipe)
    rows = given["batch_size"]
    found = try_out(
        given["method"], given["sampler"], given["canvas"], 0, rows, "fp32", torch.device("cpu"), given["streams"]
    )
    assert "train/total" in found


@pytest.mark.parametrize(
    ("recipe", "epochs", "milestones", "decay", "frozen"),
    [
        ("finetune_cocon", 50, [51, 71], 1e-5, True),
        ("finetune_cocon_flow", 50, [51, 71], 1e-5, True),
        ("finetune_cocon_keypoints", 50, [51, 71], 1e-5, True),
        ("finetune_cocon_mask", 50, [51, 71], 1e-5, True),
        ("finetune_dpc", 300, [61, 81], 1e-3, False),
    ],
)
def test_fine_tuning_is_theirs(recipe, epochs, milestones, decay, frozen):
    config = configured(
        finetune, {"catalog": "UCF101", "catalog.root": "nowhere", "out": "nowhere"}, recipe_file(recipe),
        without=OUTSIDE_FINETUNE, kind="finetune", beside=BESIDE,
    )  # fmt: skip
    config["catalog"] = {"class_path": "toys.ToyCatalog", "init_args": {"videos": 4}}
    given = instantiate(finetune, config)
    (stage,) = given["stages"]
    assert (stage.epochs, stage.schedule.milestones) == (epochs, milestones)
    assert (stage.rate_factors == {r"^backbone\.cell\.": 0}) is frozen
    head = given["head"](8, 3)
    assert (head.norm, head.dropout, head.orthogonal) == (True, 0.5, True)
    assert torch.allclose(head.weight @ head.weight.T, torch.eye(3), atol=1e-5)
    optimizer = stage.optimizer([torch.nn.Parameter(torch.zeros(1))])
    assert (optimizer.defaults["lr"], optimizer.defaults["weight_decay"]) == (1e-3, decay)
    assert (given["batch_size"], given["average"]) == (4, "softmax")
    assert type(given["protocol"].sampler) is BlockWindows


SMALL = {
    "steps": 2, "batch_size": 3, "device": "cpu", "threads": 1, "workers": 0, "protocol.sampler.clips": 1,
}  # fmt: skip
OF_NETWORKS = {"rgb": "method.networks.rgb.backbone.width", "flow": "method.networks.flow.backbone.width"}


@pytest.mark.parametrize("recipe", ["dpc_small", "cocon_small"])
def test_the_small_ones_train(tmp_path, monkeypatch, recipe):
    if recipe == "cocon_small":
        pytest.importorskip("cv2")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "DATA").mkdir()
    first = videos.write(tmp_path / "DATA/0.mp4", range(30), size=(24, 32))
    for row in range(1, 4):
        shutil.copy(first, tmp_path / f"DATA/{row}.mp4")
    widths = OF_NETWORKS.values() if recipe == "cocon_small" else ["method.network.backbone.width"]
    options = {"videos": "DATA", "out": "RUN", **SMALL, **dict.fromkeys(widths, 2)}
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    assert main(["pretrain", recipe, *words]) in (None, 0)
    steps = [json.loads(line) for line in (tmp_path / "RUN/metrics.jsonl").read_text().splitlines()]
    views = ["rgb", "flow"] if recipe == "cocon_small" else [""]
    if recipe == "cocon_small":
        assert {"rgb/contrast", "flow/contrast", "flow-rgb/cooperation", "flow-rgb/synchronisation"} <= set(steps[0])
    for view in views:
        encoder = Encoder.load(f"RUN:{view}" if view else "RUN")
        assert encoder.embed(str(first)).shape == (1, 8)
        assert encoder.record["trained views"] == [view or "rgb"]
