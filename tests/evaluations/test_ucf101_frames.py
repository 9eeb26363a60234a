"""The recipe of UCF101 with a network for pictures says what CycleContrast's code does, and it runs.

The numbers are those of chapter 9 of its specification. Views are held against the page of MoCo's augmentation, whose
operations are held against Pillow.
"""

import json

import pytest
import torch
import yaml
from test_finetune import arguments, toy_encoder

import videos
from moco_page import on_the_page
from praxino.backbones.resnet2d import ResNet18
from praxino.cli.line.configured import configured
from praxino.cli.main import main
from praxino.clips.seconds import EvenSeconds, RandomSeconds
from praxino.configuration.complete import instantiate
from praxino.configuration.recipes import recipe_file
from praxino.described import describe
from praxino.encoders.encoder import Encoder
from praxino.evaluations.classifying.classifier import Classifier
from praxino.evaluations.classifying.finetune import finetune
from praxino.evaluations.classifying.start import BESIDE, OUTSIDE
from praxino.views.pipeline import View
from toys import ToyBackbone

RECIPE = "finetune_ucf101_frames"
TRAINING_VIDEOS = 9537  # of split 1
CLIPS_A_VIDEO, BATCH = 5, 32
SMALL = {
    "workers": "0", "threads": "1", "device": "cpu", "batch_size": "4", "stages.0.epochs": "1", "stages.1.epochs": "1",
    "sampler.frames": "4", "protocol.sampler.clips": "2", "protocol.sampler.frames": "4", "clip_sampler.clips": "3",
    "clip_sampler.frames": "4", "training_view.operations.0.size": "32", "protocol.views.rgb.operations.0.size": "36",
    "protocol.views.rgb.operations.0.crop": "32",
}  # fmt: skip


def said(part):
    """A part as a recipe has it, all defaults written out."""
    return json.loads(json.dumps(describe(part)))


@pytest.fixture(scope="module")
def given():
    options = {"catalog": "toys.ToyCatalog", "out": "nowhere"}
    config = configured(finetune, options, recipe_file(RECIPE), without=OUTSIDE, kind="finetune", beside=BESIDE)
    return instantiate(finetune, config)


def test_what_is_seen(given):
    protocol = given["protocol"]
    assert list(protocol.views) == ["rgb"]
    for view, heading in (
        (given["training_view"], "Fine-tuning on UCF101: training"),
        (protocol.views["rgb"], "Fine-tuning on UCF101: test"),
    ):
        assert list(map(said, view.operations)) == list(map(said, on_the_page(heading).operations))
    assert (protocol.feature, protocol.reestimate_batchnorm, protocol.centred) == ("mean", False, False)
    assert protocol.canvas is None


def test_which_frames(given):
    assert said(given["sampler"]) == said(RandomSeconds(32, 16.0))
    assert said(given["protocol"].sampler) == said(EvenSeconds(10, 32, 16.0))
    assert said(given["clip_sampler"]) == said(RandomSeconds(32, 16.0, clips=25))


def test_how_it_is_trained(given):
    assert (given["batch_size"], given["drop_last"], given["accumulate"], given["frozen"]) == (BATCH, True, 1, False)
    assert (given["validation"], given["tested_after"], given["average"]) == (0, None, "softmax")
    assert given["head"](2048, 101).dropout == 0.9
    task = Classifier(ToyBackbone(norm=True), View([]), given["head"](6, 2))
    warmup, main_stage = given["stages"]
    (stepped,) = warmup.make_optimizer(task).param_groups
    assert stepped["params"] == [task.head.weight, task.head.bias]
    (everything,) = main_stage.make_optimizer(task).param_groups
    assert len(everything["params"]) == len(list(task.parameters()))
    for stage in (warmup, main_stage):
        optimizer = stage.make_optimizer(task)
        (group,) = optimizer.param_groups
        assert (type(optimizer).__name__, group["weight_decay"], group["betas"]) == ("Adam", 0, (0.9, 0.999))


def test_the_rates_of_all_steps(given):
    """As many steps as the original has with five clips a video in each of its epochs, and the same rate at each."""
    task = Classifier(ToyBackbone(), View([]), given["head"](6, 2))
    steps = TRAINING_VIDEOS // BATCH
    of_the_original = CLIPS_A_VIDEO * TRAINING_VIDEOS // BATCH
    assert [stage.length(steps) for stage in given["stages"]] == [5 * of_the_original, 16 * of_the_original]
    for stage, rates in zip(
        given["stages"], ([1e-4] * 5, [1e-4] * 6 + [3e-5] * 4 + [9e-6] * 4 + [2.7e-6] * 2), strict=True
    ):
        optimizer = stage.make_optimizer(task)
        for epoch, rate in enumerate(rates):
            first = epoch * of_the_original
            for step in (first, first + of_the_original - 1):
                assert stage.set_rates(optimizer, step, steps) == pytest.approx(rate, rel=1e-9)


def test_the_first_stage_moves_the_classifier_and_the_statistics_alone(given, tmp_path):
    """As in the original, whose network is not stepped there but stays in training mode."""
    warmup, _ = given["stages"]
    warmup.epochs = 2
    before = toy_encoder().backbone.state_dict()
    finetune(**arguments(tmp_path / "run", stages=[warmup], validation=0))
    after, start = (
        Encoder.load(tmp_path / f"run/{name}.safetensors", trust=("toys",)) for name in ("encoder", "start")
    )
    assert not torch.equal(after.head.weight, start.head.weight)
    moved = {name for name, value in after.backbone.state_dict().items() if not torch.equal(value, before[name])}
    assert moved == {f"layers.1.{name}" for name in ("running_mean", "running_var", "num_batches_tracked")}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Eight videos of two classes, some shorter than a clip, at two rates."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "splits").mkdir()
    (folder / "splits/classInd.txt").write_text("1 Left\n2 Right\n")
    lists = {"train": [], "test": []}
    for row in range(8):
        name, group = ("Left", "Right")[row % 2], row // 2
        path = folder / name / f"v_{name}_g{group:02d}_c01.avi"
        path.parent.mkdir(exist_ok=True)
        videos.write(path, range(row * 30, row * 30 + (4, 14)[group % 2]), size=(48, 64), rate=(25, 30)[row % 2],
                     codec="mpeg4", b_frames=0)  # fmt: skip
        lists["test" if group == 3 else "train"].append(f"{name}/{path.name}")
    for part, names in lists.items():
        (folder / f"splits/{part}list01.txt").write_text("\n".join(names) + "\n")
    return folder


def test_it_runs(root, tmp_path, capsys):
    torch.manual_seed(0)
    Encoder(ResNet18(width=2), {"rgb": View([])}, EvenSeconds(2, 4)).save(tmp_path / "run/encoder.safetensors")
    catalog = {"class_path": "praxino.catalogs.ucf101.UCF101", "init_args": {"root": str(root)}}
    (tmp_path / "run/recipe.yaml").write_text(yaml.safe_dump({"catalog": catalog}))
    small = [word for name, value in SMALL.items() for word in (f"--{name}", value)]
    assert main(["evaluate", "finetune", str(tmp_path / "run"), "--recipe", RECIPE, *small]) == 0
    out = capsys.readouterr().out
    assert "clip @1" in out
    folder = tmp_path / "run/finetune-split1"
    result = json.loads((folder / "evaluations/finetune.json").read_text())
    assert result["columns"] == ["1", "5", "clip @1", "clip @5", "batch mean"]
    assert result["settings"]["a video's score"] == "mean over its clips of their softmax"
    assert result["settings"]["clips scored one by one"] == "3 a video, RandomSeconds"
    assert result["settings"]["weights chosen by"] == "nothing"
    chance, tuned = (row["values"] for row in result["rows"])
    assert chance == {"1": 50, "5": 100, "clip @1": 50, "clip @5": 100}
    assert tuned["clip @5"] == 100
    # Two videos of three clips.
    assert tuned["clip @1"] * 6 / 100 == pytest.approx(round(tuned["clip @1"] * 6 / 100))
    # The test alone follows the recipe of its folder, single clips included.
    assert main(["evaluate", "finetune", str(folder), "--test_only", "--workers", "0"]) == 0
    again = json.loads((folder / "evaluations/recognition.json").read_text())
    assert again["rows"][1]["values"] == tuned


def test_a_training_clip_follows_from_the_tests(tmp_path):
    """Without a recipe: a clip by the clock in the test, so one in training."""
    encoder = toy_encoder()
    encoder.sampler = EvenSeconds(3, 4, 10.0)
    done = finetune(**arguments(tmp_path / "run", encoder=encoder, sampler=None))
    assert done.run.recipe()["sampler"] == said(RandomSeconds(4, 10.0))
    assert (done.result.settings["sampler"], done.result.settings["clips a video"]) == ("EvenSeconds", 3)
    assert "clips scored one by one" not in done.result.settings
