"""praxino convert: an original's file to an encoder and back, and the mistakes in one line."""

import argparse
import os

import pytest
import torch
from safetensors.torch import load_file

from praxino.backbones.r3d import R3D
from praxino.backbones.resnet2d import ResNet18
from praxino.backbones.resnet3d import DilatedR3D18
from praxino.cli.main import main
from praxino.originals import tclr
from praxino.originals.iic import backbone_to_original


class Malicious:
    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return os.system, (f"touch '{self.trace}'",)


@pytest.fixture
def ckpt(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(2)
    torch.save({"model": backbone_to_original(R3D(2)), "epoch": 40}, "ckpt.pth")
    return tmp_path / "ckpt.pth"


@pytest.mark.parametrize("option", ["--to_original", "--to-original"])
def test_there_and_back(ckpt, capsys, option):
    assert main(["convert", "iic", "ckpt.pth", "made/iic.safetensors", "--view", "rgb"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "made/iic.safetensors: IIC's R3D: 72 tensors mapped"
    assert said[1].startswith("view rgb (also residual)")
    assert main(["convert", "iic", "made/iic.safetensors", "back.pth", option]) == 0
    assert capsys.readouterr().out.startswith("back.pth: IIC's R3D: 72 tensors")
    want, got = (torch.load(name, weights_only=True)["model"] for name in ("ckpt.pth", "back.pth"))
    assert list(got) == list(want)
    assert all(torch.equal(got[key], want[key]) for key in want)
    assert main(["convert", "iic", "back.pth", "again.safetensors"]) == 0
    first, second = load_file("made/iic.safetensors"), load_file("again.safetensors")
    assert first.keys() == second.keys()
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_tclr_there_and_back(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(3)
    state = {f"module.0.{key}": tensor for key, tensor in tclr.backbone_to_original(DilatedR3D18(1)).items()}
    torch.save({"epoch": 12, "state_dict": state, "amp_scaler": torch.amp.GradScaler("cpu")}, "temp.pth")
    assert main(["convert", "tclr", "temp.pth", "tclr.safetensors"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "tclr.safetensors: TCLR's R3D-18: 120 tensors mapped, the first convolution from BGR to RGB"
    assert said[-1] == "left out: amp_scaler"
    assert main(["convert", "tclr", "tclr.safetensors", "back.pth", "--to_original"]) == 0
    assert "for its linear evaluation and retrieval" in capsys.readouterr().out
    got = torch.load("back.pth", weights_only=True)["state_dict"]
    assert [f"module.{key}" for key in got] == list(state)
    assert all(torch.equal(got[key], state[f"module.{key}"]) for key in got)
    # One original's network is not another's.
    assert main(["convert", "iic", "tclr.safetensors", "iic.pth", "--to_original"]) == 2
    assert "IIC has no network like DilatedR3D18" in capsys.readouterr().err
    assert main(["convert", "tclr", "temp.pth", "a.safetensors", "--view", "rgb"]) == 2
    assert "--view: no such option" in capsys.readouterr().err


@pytest.mark.parametrize("original, spoken", [("moco", "MoCo"), ("cyclecontrast", "CycleContrast")])
def test_moco_and_cyclecontrast_there_and_back(tmp_path, monkeypatch, capsys, original, spoken):
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(3)
    state = {f"module.encoder_q.{key}": tensor for key, tensor in ResNet18(1).state_dict().items()}
    torch.save({"epoch": 200, "arch": "resnet18", "state_dict": state}, "checkpoint_0199.pth.tar")
    assert main(["convert", original, "checkpoint_0199.pth.tar", "made.safetensors", "--clips", "4"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"made.safetensors: {spoken}'s ResNet-18: 120 tensors mapped, of a pretraining",
        "view rgb, 4 clips of 1 frame, feature mean",
        "written down, not used: epoch 200, arch resnet18",
        "left out: nothing",
    ]
    assert main(["convert", original, "made.safetensors", "back.pth.tar", "--to_original"]) == 0
    assert "for linear evaluation, tracking and the classifier of UCF101" in capsys.readouterr().out
    got = torch.load("back.pth.tar", weights_only=True)["state_dict"]
    assert list(got) == list(state)
    assert all(torch.equal(got[key], state[key]) for key in got)
    assert main(["convert", original, "back.pth.tar", "a.safetensors", "--original", "moco"]) == 2
    assert "--original: no such option" in capsys.readouterr().err
    assert main(["convert", original, "back.pth.tar", "a.safetensors", "--clips", "0"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_one_of_the_two_is_not_the_other(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    network = ResNet18(1)
    state = {
        f"{name}.{key}": value for name in ("encoder_q", "encoder_k") for key, value in network.state_dict().items()
    }
    for name in ("encoder_q", "encoder_k"):
        state |= {f"{name}.fc.weight": torch.rand(4, 8), f"{name}.fc.bias": torch.rand(4)}
    torch.save({"state_dict": state}, "plain.pth")
    assert main(["convert", "cyclecontrast", "plain.pth", "a.safetensors"]) == 2
    said = capsys.readouterr().err
    assert "plain.pth has no cycle head" in said
    assert "praxino convert moco plain.pth" in said
    assert said.count("\n") == 1
    assert not (tmp_path / "a.safetensors").exists()
    assert main(["convert", "moco", "plain.pth", "a.safetensors"]) == 0


@pytest.mark.parametrize("original", ["iic", "tclr", "moco"])
def test_what_a_file_says_of_itself_stays_on_its_line(tmp_path, monkeypatch, capsys, original):
    monkeypatch.chdir(tmp_path)
    evil = "resnet\n18\x1b[2J\u202e\udc80"
    torch.manual_seed(3)
    state = tclr.backbone_to_original(DilatedR3D18(1)) if original == "tclr" else ResNet18(1).state_dict()
    content = {"state_dict": state, "arch": evil, "learning_rate": evil, evil: 1}
    if original == "iic":
        content = {"model": backbone_to_original(R3D(2)), "opt": argparse.Namespace(modality=evil), evil: 1}
    torch.save(content, "a.pth")
    assert main(["convert", original, "a.pth", "a.safetensors"]) == 0
    said = capsys.readouterr().out
    assert len(said.splitlines()) == 4
    assert said.count(r"resnet\n18\x1b[2J\u202e\x80") == 2
    assert set("\x1b\u202e\udc80").isdisjoint(said)


def test_a_file_that_would_run_code(ckpt, capsys):
    trace = ckpt.with_name("was here")
    torch.save({"model": {}, "opt": Malicious(trace)}, "bad.pth")
    assert main(["convert", "iic", "bad.pth", "out.safetensors"]) == 2
    printed = capsys.readouterr()
    assert "bad.pth is refused: it asks for posix.system" in printed.err
    assert printed.err.count("\n") == 1
    assert not trace.exists()
    assert not ckpt.with_name("out.safetensors").exists()


@pytest.mark.parametrize(
    "argv, said",
    [
        ("", "ORIGINAL is missing"),
        ("iic ckpt.pth", "OUT is missing"),
        ("mocco ckpt.pth a.safetensors", "there is no original 'mocco'. Did you mean 'moco'?"),
        ("moco ckpt.pth a.safetensors", "ckpt.pth holds no state"),
        ("iicc ckpt.pth a.safetensors", "there is no original 'iicc'. Did you mean 'iic'?"),
        ("iic nothing.pth a.safetensors", "there is no file nothing.pth"),
        ("iic ckpt.pth a.pth", "a.pth should end in .safetensors"),
        ("iic a.safetensors a.pth", "a.safetensors is an encoder already: --to_original"),
        ("iic . a.pth", ". is praxino's own: RUN OUT.pth --to_original"),
        ("tclr run/checkpoints/last.ckpt a.safetensors", "last.ckpt is praxino's own"),
        ("iic ckpt.pth a.safetensors --view residuals", "--view: takes"),
        ("iic ckpt.pth a.safetensors --vew rgb", "'--view'"),
        ("iic ckpt.pth a.safetensors --classes no.txt", "--classes: there is no file"),
        ("iic ckpt.pth a.safetensors --to_original", "a.safetensors should end in .pth"),
        ("iic nothing a.pth --to_original", "no encoder at nothing"),
        ("iic nothing a.pth --to_original --view rgb", "--view: no such option"),
        ("iic ckpt.pth folder.safetensors", "folder.safetensors is a folder"),
        ("iic ckpt.pth run/encoder.safetensors", "would lie in the folder of a run"),
        ("iic nothing notes.txt --to_original", "notes.txt should end in .pth, .pt, .tar"),
        ("iic nothing ckpt.pth --to_original", "ckpt.pth is there already"),
        ("iic ckpt.pth run.safetensors", "run.json is there already"),
        ("iic ckpt.pth notes.safetensors", "notes.safetensors is there already"),
        ("iic ckpt.pth tracked.safetensors", "lies the tracker of another encoder"),
    ],
)
def test_mistakes(ckpt, capsys, argv, said):
    ckpt.with_name("folder.safetensors").mkdir()
    ckpt.with_name("run").mkdir()
    for name in ("run/recipe.yaml", "run.json", "notes.safetensors", "tracked.tracker.safetensors"):
        ckpt.with_name(name.partition("/")[0]).parent.joinpath(name).touch()
    assert main(["convert", *argv.split()]) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.err.count("\n") == 1
    assert printed.out == ""


def test_help(capsys):
    assert main(["--help"]) == 0
    assert "praxino convert" in capsys.readouterr().out
    assert main(["convert", "--help"]) == 0
    assert capsys.readouterr().out.startswith("usage: praxino convert iic")
    assert main(["convert", "iic", "--help"]) == 0
    said = capsys.readouterr().out
    assert "--view <" in said
    assert "--classes <" in said
    assert main(["convert", "moco", "--help"]) == 0
    said = capsys.readouterr().out
    assert "--clips <" in said
    assert "--original" not in said
    assert main(["convert", "tclr", "--help"]) == 0
    assert "--view" not in capsys.readouterr().out
