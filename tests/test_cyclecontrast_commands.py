"""Each command that CycleContrast's page names beside one of the original runs, on a handful of tiny videos."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import videos
from moco_states import pretraining, saved
from praxino.backbones import ResNet18
from praxino.cli.main import main
from test_original_commands import UCF, commands, listed, lists

PAGE = Path(__file__).parents[1] / "docs" / "methods" / "cyclecontrast.md"
RUN = "runs/cyclecontrast_r50_r2v2"
# What makes a command small: added to it, and in the place of what it says of the same.
ONE = {"workers": "0", "device": "cpu"}
TESTED = {"protocol.views.rgb.operations.0.size": "36", "protocol.views.rgb.operations.0.crop": "32"}
STEP = {**ONE, "threads": "1", "steps": "1", "batch_size": "4", "method.backbone.width": "2"}
QUEUES = {"method.queue_rows": "16"}
CYCLE = {**QUEUES, "method.cycle_queue_rows": "20", "method.support": "8"}
CLASSES = {**ONE, **TESTED, "threads": "1", "epochs": "1", "batch_size": "4", "training_view.operations.0.size": "32"}
LARGE = {**STEP, **TESTED, "method.view.operations.0.size": "32", "protocol.sampler.clips": "2"}
SMALL = {
    "cyclecontrast_r50_r2v2": {**LARGE, **CYCLE},
    "moco_r50_r2v2": {**LARGE, **QUEUES},
    "cyclecontrast_small": {**STEP, **CYCLE},
    "moco_small": {**STEP, **QUEUES},
    "moco_r3d_small": {**STEP, **QUEUES},
    "linear": {**ONE, "baselines": "false"},
    "knn": {**ONE, "baselines": "false"},
    "linear_imagenet": CLASSES,
    "finetune_ucf101_frames": {
        **{name: value for name, value in CLASSES.items() if name != "epochs"},
        "stages.0.epochs": "1", "stages.1.epochs": "1", "protocol.sampler.clips": "2", "clip_sampler.clips": "2",
        "protocol.sampler.frames": "4", "sampler.frames": "4", "clip_sampler.frames": "4",
    },
    "embed": ONE,
}  # fmt: skip
WRITING = ("pretrain", "finetune", "linear_imagenet", "linear")

SECTIONS = re.split(r"^#{2,3} ", PAGE.read_text(), flags=re.M)
COMMANDS = list(dict.fromkeys(command for section in SECTIONS for command in commands(section)))


def small(command, out):
    """The words of a command of the page, made small; `out` is where it writes to."""
    words = shlex.split(command)[1:]
    kind = words[1] if words[0] in ("evaluate", "pretrain") else words[0]
    if "--recipe" in words:
        kind = words[words.index("--recipe") + 1]
    quick = SMALL.get(kind, {})
    if words[0] == "pretrain" or "--recipe" in words:
        quick = {**quick, "out": str(out)}
    if kind == "convert":
        words[3] = str(out.with_suffix(Path(words[3]).suffix))
    for name in ("--epochs",) if "steps" in quick else ():
        while name in words:
            at = words.index(name)
            del words[at : at + 2]
    for name in (word for word in words if word[2:] in quick):
        words[words.index(name) + 1] = quick[name[2:]]
    return words + [word for name, value in quick.items() if f"--{name}" not in words for word in (f"--{name}", value)]


def ran(command, out):
    assert main(small(command, out)) == 0, command


def picture(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    Image.fromarray(pixels).resize((48, 40)).save(path, format="JPEG")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The data sets as the original has them, files of its weights, and the runs that the page's commands name."""
    folder = tmp_path_factory.mktemp("cyclecontrast")
    for row in range(9):
        for number in range(4):
            name = f"{'AB-_'[row % 4]}_video{row}-_._"[:11].replace(".", "x")
            picture(folder / f"R2V2/train/{name[:2]}/{name}_{25 * number + 1:06d}.jpg", 10 * row + number)
    for part, each in (("train", 5), ("val", 3)):
        for kind in ("n01440764", "n02102040"):
            for number in range(each):
                picture(folder / f"IMAGENET/{part}/{kind}/{number}.JPEG", number)
    lists(folder / "DATA/ucfTrainTestlist", UCF, numbered=True)
    for row, (kind, video) in enumerate(listed(UCF)):
        (folder / "DATA/UCF-101" / kind).mkdir(parents=True, exist_ok=True)
        path = folder / "DATA/UCF-101" / kind / f"{video}.avi"
        videos.write(path, range(45 * row, 45 * row + 30), size=(24, 32), codec="mpeg4", gop=1, b_frames=0)
    torch.manual_seed(0)
    saved(folder / "checkpoint_0199.pth.tar", pretraining(ResNet18(2)))
    saved(folder / "moco_0199.pth.tar", pretraining(ResNet18(2), cycle=False))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        ran("praxino pretrain cyclecontrast_r50_r2v2 --catalog.root R2V2/train", Path(RUN))
        ran("praxino pretrain cyclecontrast_small --videos DATA", Path("runs/cyclecontrast_small"))
        linear = f"praxino evaluate linear {RUN} --recipe linear_imagenet"
        ran(f"{linear} --catalog ImageFolder --catalog.root IMAGENET", Path(RUN) / "linear")
        for name, file in (("cyclecontrast", "checkpoint_0199"), ("moco", "moco_0199")):
            ran(f"praxino convert {name} {file}.pth.tar {name}.safetensors", Path(name))
        yield folder


def test_the_page_has_commands():
    assert len(COMMANDS) > 15
    assert {command.split()[1] for command in COMMANDS} >= {"pretrain", "resume", "evaluate", "convert", "embed"}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page(command, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(folder)
    ran(command, tmp_path / "out")
