"""Each command that TCLR's page names beside one of the original runs, on a handful of tiny videos."""

import json
import re
import shlex
from pathlib import Path

import pytest
import torch

import videos
from praxino.backbones.resnet3d import DilatedR3D18
from praxino.cli.main import main
from praxino.originals.tclr import backbone_to_original
from test_original_commands import UCF, commands, listed, lists

PAGE = Path(__file__).parents[1] / "docs" / "methods" / "tclr.md"
FRAMES, SIZE = 60, (24, 32)  # of the 64 that the original's clips reach over: the last four are mirrored
RUN, LINEAR = "runs/tclr_r3d18_ucf101", "runs/tclr_r3d18_ucf101/linear-split1"
# What makes a command small: added to it, and in the place of what it says of the same.
ONE = {"workers": "0", "device": "cpu"}
TESTED = {"protocol.views.rgb.operations.0.size": "32", "protocol.sampler.clips": "2"}
STEP = {**ONE, "threads": "1", "steps": "1", "batch_size": "2", "method.backbone.width": "2"}
CLASSES = {**ONE, **TESTED, "threads": "1", "epochs": "1", "batch_size": "4", "training_view.operations.0.size": "32"}
PRETRAIN = {**STEP, **TESTED, "precision": "fp32", "method.view.operations.0.size": "32"}
SMALL = {
    "pretrain": PRETRAIN,
    "retrieval": {**ONE, "baselines": "false"},
    "linear": {**ONE, "baselines": "false"},
    "linear_tclr": {**CLASSES, "tested_after": "[0]"},
    "finetune": {**CLASSES, "validation": "3", "validation_clips": "1"},
    "embed": ONE,
    "recognition": ONE,
    "instance": {**ONE, "baselines": "false"},
}

SECTIONS = re.split(r"^#{2,3} ", PAGE.read_text(), flags=re.M)
COMMANDS = list(dict.fromkeys(command for section in SECTIONS for command in commands(section)))


def small(command, out):
    """The words of a command of the page, made small; `out` is where it writes to."""
    words = shlex.split(command)[1:]
    kind = words[1] if words[0] == "evaluate" else words[0]
    kind = "linear_tclr" if "linear_tclr" in words else kind
    quick = SMALL.get(kind, {})
    if "tclr_small" in words:
        quick = STEP
    if kind in ("pretrain", "finetune", "linear_tclr"):
        quick = {**quick, "out": str(out)}
    if kind == "convert":
        words[3] = str(out.with_suffix(Path(words[3]).suffix))
    if "--epochs" in words and "steps" in quick:
        at = words.index("--epochs")
        del words[at : at + 2]
    for name in (word for word in words if word[2:] in quick):
        words[words.index(name) + 1] = quick[name[2:]]
    return words + [word for name, value in quick.items() if f"--{name}" not in words for word in (f"--{name}", value)]


def ran(command, out):
    assert main(small(command, out)) == 0, command


def converted(command, name):
    """An encoder of the original's file, with two small clips a video instead of nine or ten large ones."""
    ran(command, Path(name))
    description = Path(f"{name}.json")
    said = json.loads(description.read_text())
    said["sampler"]["init_args"]["clips"] = 2
    said["views"]["rgb"]["init_args"]["operations"][0]["init_args"]["size"] = 32
    description.write_text(json.dumps(said))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The data set as the original has it, a file of its weights, and the runs that the page's commands name."""
    folder = tmp_path_factory.mktemp("tclr")
    lists(folder / "DATA/ucfTrainTestlist", UCF, numbered=True)
    for row, (kind, video) in enumerate(listed(UCF)):
        (folder / "DATA/UCF-101" / kind).mkdir(parents=True, exist_ok=True)
        seen = range(45 * row, 45 * row + FRAMES)
        path = folder / "DATA/UCF-101" / kind / f"{video}.avi"
        videos.write(path, seen, size=SIZE, codec="mpeg4", gop=1, b_frames=0)
    torch.manual_seed(0)
    state = {f"0.{key}": value for key, value in backbone_to_original(DilatedR3D18(2)).items()}
    torch.save({"epoch": 235, "state_dict": state}, folder / "model_best_e234_loss_12.264.pth")
    classifier = {"fc.weight": torch.rand(len(UCF) + 1, 16), "fc.bias": torch.rand(len(UCF) + 1)}
    linear = {"state_dict": {key.removeprefix("0."): value for key, value in state.items()} | classifier}
    torch.save(linear, folder / "model_7_bestAcc_0.6987.pth")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        ran("praxino pretrain tclr_r3d18_ucf101 --catalog.root DATA", Path(RUN))
        ran("praxino pretrain tclr_small --videos DATA", Path("runs/tclr_small"))
        ran(f"praxino evaluate linear {RUN} --recipe linear_tclr", Path(LINEAR))
        into = "praxino convert tclr model_best_e234_loss_12.264.pth tclr_r3d18.safetensors"
        classes = "--classes DATA/ucfTrainTestlist/classInd.txt"
        converted(into, "tclr_r3d18")
        converted(f"praxino convert tclr model_7_bestAcc_0.6987.pth tclr_classes.safetensors {classes}", "tclr_classes")
        yield folder


def test_the_page_has_commands():
    assert len(COMMANDS) > 15
    named = {command.split()[1] for command in COMMANDS}
    assert named >= {"pretrain", "resume", "evaluate", "convert", "embed"}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page(command, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(folder)
    ran(command, tmp_path / "out")
