"""The recipe of MoCo's linear evaluation on ImageNet says what its code does, and it runs.

The numbers are those of chapter 7 of CycleContrast's specification.
"""

import json

import pytest
import torch
from test_finetune import ListedToys, arguments
from test_images import Pictures, pictures  # noqa: F401

from moco_page import on_the_page
from praxino.backbones.resnet2d import ResNet18
from praxino.cli.line.configured import configured
from praxino.cli.main import main
from praxino.clips.samplers import EvenClips, RandomClip
from praxino.configuration.complete import instantiate
from praxino.configuration.recipes import recipe_file
from praxino.described import describe
from praxino.encoders.encoder import Encoder
from praxino.errors import UserError
from praxino.evaluations.classifying.classifier import Classifier
from praxino.evaluations.classifying.finetune import finetune
from praxino.evaluations.classifying.start import BESIDE, OUTSIDE
from praxino.training.run import Run
from praxino.views.pipeline import View
from toys import ToyBackbone, ToySampler, ToyStream, toy_stages

RECIPE = "linear_imagenet"
SMALL = {
    "workers": "0", "threads": "1", "device": "cpu", "batch_size": "4", "epochs": "2", "seed": "3",
    "stages.0.schedule.milestones": "[1]", "training_view.operations.0.size": "32",
    "protocol.views.rgb.operations.0.size": "36", "protocol.views.rgb.operations.0.crop": "32",
}  # fmt: skip


def said(part):
    """A part as a recipe has it, all defaults written out."""
    return json.loads(json.dumps(describe(part)))


@pytest.fixture(scope="module")
def given():
    options = {"catalog": "toys.ToyCatalog", "out": "nowhere"}
    config = configured(finetune, options, recipe_file(RECIPE), without=OUTSIDE, kind="linear", beside=BESIDE)
    return instantiate(finetune, config)


def test_what_is_seen(given):
    protocol = given["protocol"]
    assert list(protocol.views) == ["rgb"]
    for view, heading in (
        (given["training_view"], "Linear evaluation on ImageNet: training"),
        (protocol.views["rgb"], "Linear evaluation on ImageNet: test"),
    ):
        assert list(map(said, view.operations)) == list(map(said, on_the_page(heading).operations))
    assert said(given["sampler"]) == said(RandomClip(1))
    assert said(protocol.sampler) == said(EvenClips(clips=1, frames=1))


def test_how_it_is_trained(given):
    assert (given["frozen"], given["frozen_statistics"]) == (True, True)
    assert (given["batch_size"], given["drop_last"], given["accumulate"]) == (256, False, 1)
    assert (given["validation"], given["tested_after"]) == (0, None)
    torch.manual_seed(0)
    head = given["head"](2048, 1000)
    # Two million draws: the deviation is known to a thousandth.
    assert head.weight.std().item() == pytest.approx(0.01, rel=5e-3)
    assert not head.bias.any()
    assert (head.dropout, head.norm) == (0.0, False)


def test_the_rates(given):
    task = Classifier(ToyBackbone(norm=True), View([]), given["head"](6, 2), frozen=True)
    (stage,) = given["stages"]
    optimizer = stage.make_optimizer(task)
    (group,) = optimizer.param_groups
    assert group["params"] == [task.head.weight, task.head.bias]
    assert (type(optimizer).__name__, group["momentum"], group["weight_decay"], group["nesterov"]) == (
        "SGD", 0.9, 0.0, False,
    )  # fmt: skip
    steps = -(-1_281_167 // 256)  # the last, shorter batch too
    assert stage.length(steps) == 100 * steps
    for epoch, rate in enumerate([30.0] * 60 + [3.0] * 20 + [0.3] * 20):
        for step in (epoch * steps, epoch * steps + steps - 1):
            assert stage.set_rates(optimizer, step, steps) == pytest.approx(rate, rel=1e-9)


@pytest.fixture(scope="module")
def encoder_file(tmp_path_factory):
    torch.manual_seed(0)
    encoder = Encoder(ResNet18(width=4), {"rgb": View([])}, EvenClips(1, 1))
    return encoder.save(tmp_path_factory.mktemp("encoder") / "encoder.safetensors")


@pytest.mark.parametrize("best", [False, True])
def test_it_runs_on_pictures(pictures, encoder_file, tmp_path, best):  # noqa: F811
    small = SMALL | ({"tested_after": "every"} if best else {})
    words = [word for name, value in small.items() for word in (f"--{name}", value)]
    catalog = ["--catalog", "test_images.Pictures", "--catalog.root", str(pictures)]
    out = tmp_path / "out"
    assert main(["evaluate", "linear", str(encoder_file), "--recipe", RECIPE, *catalog, "--out", str(out), *words]) == 0
    result = json.loads((out / "evaluations/linear.json").read_text())
    assert result["columns"] == ["1", "5", "batch mean"]
    # All pictures of both parts, but for the damaged one: a last batch of one counts.
    assert (result["settings"]["training videos"], result["settings"]["videos"]) == (17, 9)
    lines = Run.open(out).metrics()
    assert [line["lr"] for line in lines if line["kind"] == "step"] == pytest.approx([30.0] * 5 + [3.0] * 5)
    tested = {line["epoch"]: line["test/accuracy"] for line in lines if "test/accuracy" in line}
    reported = result["rows"][-1]["values"]["1"] / 100
    if best:
        assert list(tested) == [0, 1]
        assert reported == pytest.approx(max(tested.values()))
    else:
        assert tested == {}
        assert result["settings"]["weights after epoch"] == 2
    assert result["settings"]["weights chosen by"] == ("test/accuracy" if best else "nothing")
    before, after = (Encoder.load(file).backbone.state_dict() for file in (encoder_file, out / "encoder.safetensors"))
    assert all(torch.equal(value, before[name]) for name, value in after.items())


class Counting(ToyBackbone):
    """Changes itself whenever it is asked, in evaluation mode too."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("asked", torch.zeros(()))

    def forward(self, x):
        self.asked += 1
        return super().forward(x)


class Drifting(ToyBackbone):
    """As `Counting`, with a weight."""

    def forward(self, x):
        with torch.no_grad():
            self.layers[0].weight += 1e-3
        return super().forward(x)


def trained(backbone, out, **more):
    encoder = Encoder(backbone, {"rgb": View([])}, ToySampler(clips=1), streams={"rgb": ToyStream()})
    how = {"encoder": encoder, "frozen": True, "validation": 0, "stages": toy_stages(epochs=1), "catalog": ListedToys()}
    return finetune(**arguments(out, **how, **more))


def test_a_network_that_changes_itself_is_told(tmp_path):
    with pytest.raises(UserError, match=r"^Counting: 'asked' has changed, and the network was to stay as it is"):
        trained(Counting(), tmp_path / "counting")
    with pytest.raises(UserError, match=r"^Drifting: 'layers\.0\.weight' has changed"):
        trained(Drifting(), tmp_path / "drifting", frozen_statistics=False)
    # Where statistics go on, buffers may change.
    assert trained(Counting(), tmp_path / "going_on", frozen_statistics=False).result is not None
