"""Each command that IIC's page names beside one of the original runs, on a handful of tiny videos."""

import argparse
import json
import re
import shlex
from pathlib import Path

import pytest
import torch
from PIL import Image

import videos
from praxino.backbones.r3d import R3D
from praxino.cli.main import main
from praxino.originals.iic import backbone_to_original

PAGE = Path(__file__).parents[1] / "docs" / "methods" / "iic.md"
RUNS = {"iic_ucf101": "DATA", "iic_ucf101_flow": "DATA", "iic_hmdb51": "HMDB"}
VIEWS = ("residual", "rgb", "flow_u", "flow_v")
FINETUNED = "runs/iic_ucf101/finetune-split1-seed632"
FRAMES, SIZE = 19, (24, 32)
UCF = {"HandstandPushups": "v_HandStandPushups_g{:02d}_c01", "YoYo": "v_YoYo_g{:02d}_c01"}
HMDB = {"brush_hair": "film{0}_brush_hair_u_nm_np1_ba_goo_0", "wave": "#film({0})!_wave_f_cm_np1_fr_med_{0}"}
# What makes a command small: added to it, and in the place of what it says of the same. {} is each view's name.
ONE = {"workers": "0", "device": "cpu"}
RUN = {**ONE, "threads": "1", "protocol.sampler.clips": "2"}
CROPS = {"method.first.operations.0.crop": "32", "method.second.operations.0.crop": "32"}
BANKS = {"method.backbone.width": "2", "method.negatives": "8", **CROPS}
# Of flow the first operation takes a component.
FLOW_VIEW = re.compile(r"((?:method\.second|protocol\.views\.flow\w*)\.operations\.)0")
SMALL = {
    "pretrain": {**RUN, **BANKS, "batch_size": "2", "steps": "1", "protocol.views.{}.operations.0.crop": "32"},
    "retrieval": {**ONE, "baselines": "false"},
    "knn": {**ONE, "baselines": "false"},
    "finetune": {**RUN, "batch_size": "8", "epochs": "1", "validation": "3", "validation_clips": "1"},
    "embed": ONE,
    "recognition": ONE,
}


def commands(section):
    """The commands of a section, in code spans or on lines of their own, and its first one with the options that stand
    alone in the last columns of its tables: as many together as have different names.
    """
    found = re.findall(r"(?:^|`)(praxino \w+ [^`\n]+?)(?= +# |`|$)", section, flags=re.M)
    cells = [line.rstrip("| ").rpartition("|")[2] for line in section.splitlines() if line.startswith("|")]
    alone = [span for cell in cells for span in re.findall(r"`(--[\w.]+ [^`]+)`", cell)]
    together = []
    for span in alone:
        name = span.split()[0]
        fitting = (some for some in together if not any(other.split()[0] == name for other in some))
        some = next(fitting, None)
        if some is None:
            together.append(some := [])
        if name not in found[0].split():
            some.append(span)
    return [*found, *(" ".join([found[0], *some]) for some in together if some)]


SECTIONS = re.split(r"^#{2,3} ", PAGE.read_text(), flags=re.M)
COMMANDS = list(dict.fromkeys(command for section in SECTIONS for command in commands(section)))


def listed(names):
    """(class folder, name) of 19 videos: the first ten are for training, the others for the test."""
    kinds = list(names.items())
    return [(kinds[row % 2][0], kinds[row % 2][1].format(1 + row // 2)) for row in range(19)]


def lists(folder, names, numbered):
    folder.mkdir(parents=True)
    ids = {name: number for number, name in enumerate(names, start=1)}
    (folder / "classInd.txt").write_text("".join(f"{number} {name}\r\n" for name, number in ids.items()))
    for split in (1, 2, 3):
        parts = listed(names)
        lines = [f"{kind}/{video}.avi" for kind, video in parts]
        train = [f"{line} {ids[kind]}" if numbered else line for line, (kind, _) in zip(lines, parts, strict=True)]
        (folder / f"trainlist{split:02d}.txt").write_text("\n".join(train[:10]) + "\n")
        (folder / f"testlist{split:02d}.txt").write_text("\n".join(lines[10:]) + "\n")


def files(folder, names):
    for row, (kind, video) in enumerate(listed(names)):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        seen = range(25 * row, 25 * row + FRAMES)
        videos.write(folder / kind / f"{video}.avi", seen, size=SIZE, codec="mpeg4", gop=1, b_frames=0)


def pictures(folder, names, count, by_class=False):
    for row, (kind, video) in enumerate(listed(names)):
        # As the archive of frames spells them.
        inside = folder / (kind if by_class else "") / video.replace("HandStand", "Handstand")
        inside.mkdir(parents=True)
        for k in range(count):
            Image.fromarray(videos.frame(25 * row + k, *SIZE)).save(inside / f"frame{k + 1:06d}.jpg")
        (inside / "n_frames").write_text(str(count))


def original_files(folder):
    torch.manual_seed(0)
    state = backbone_to_original(R3D(2))
    opt = argparse.Namespace(modality="res", intra_neg=True, neg="repeat", nce_k=1024)
    contrast = {"params": torch.zeros(5), "memory_l": torch.zeros(10, 16)}
    content = {"opt": opt, "model": state, "contrast": contrast, "optimizer": {}, "epoch": 240}
    torch.save(content, folder / "ckpt_epoch_240.pth")
    linear = {"linear.weight": torch.rand(2, 16), "linear.bias": torch.rand(2)}
    torch.save({"model": {**state, **linear}}, folder / "best_model_141.pt")


def small(command, out):
    """The words of a command of the page, made small; `out` is where it writes to if it does not say it."""
    words = shlex.split(command)[1:]
    kind = words[1] if words[0] == "evaluate" else words[0]
    quick = SMALL.get(kind, {})
    if "--test_only" in words:
        quick = ONE
    elif kind == "pretrain" and "_small" in words[1]:
        quick = {**RUN, "steps": "1", "batch_size": "2", "method.backbone.width": "2"}
    elif kind == "pretrain":
        views = ("flow", "rgb") if "flow" in words[1] else ("residual", "rgb")
        quick = {name.format(view): value for name, value in quick.items() for view in views}
        if words[-2:] == ["--method.second", "null"]:
            quick.pop("method.second.operations.0.crop")
    faithful = {"finetune_iic": ("residual", "rgb"), "finetune_iic_flow": ("flow_u", "flow_v")}
    if kind == "finetune" and (recipe := next((word for word in words if word in faithful), None)):
        quick = quick | {f"protocol.views.{view}.operations.0.crop": "32" for view in faithful[recipe]}
    elif kind == "finetune":
        quick = {name: value for name, value in quick.items() if not name.startswith("evaluation.")}
    if any(word in ("iic_ucf101_flow", "finetune_iic_flow") for word in words):
        quick = {FLOW_VIEW.sub(r"\g<1>1", name): value for name, value in quick.items()}
    if kind in ("pretrain", "finetune") and "--test_only" not in words:
        quick = {"out": str(out), **quick}
    if kind == "convert":
        words[3] = str(out.with_suffix(Path(words[3]).suffix))
    if "--epochs" in words and "steps" in quick:
        at = words.index("--epochs")
        del words[at : at + 2]
    said = {name for name in words if name.startswith("--") and name[2:] in quick}
    for name in said:
        words[words.index(name) + 1] = quick[name[2:]]
    return words + [word for name, value in quick.items() if f"--{name}" not in words for word in (f"--{name}", value)]


def ran(command, out):
    assert main(small(command, out)) == 0, command


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The data sets as the original's README has them, its weights, and the runs that the page's commands name."""
    folder = tmp_path_factory.mktemp("originals")
    lists(folder / "DATA/split", UCF, numbered=True)
    files(folder / "DATA/UCF-101", UCF)
    for component in ("u", "v"):
        pictures(folder / f"DATA/tvl1_flow/{component}", UCF, FRAMES - 1)
    lists(folder / "FRAMES/split", UCF, numbered=True)
    pictures(folder / "FRAMES/jpegs_256", UCF, FRAMES)
    lists(folder / "OWN/split", UCF, numbered=True)
    pictures(folder / "OWN/frames", UCF, FRAMES, by_class=True)
    lists(folder / "HMDB/split", HMDB, numbered=False)
    files(folder / "HMDB/hmdb51_org", HMDB)
    original_files(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for recipe, data in RUNS.items():
            ran(f"praxino pretrain {recipe} --catalog.root {data}", Path("runs") / recipe)
        ran("praxino evaluate finetune runs/iic_ucf101 --recipe finetune_iic", Path(FINETUNED))
        for name in ("iic_r3d", "iic_flow", "iic_classes"):
            words = {"iic_flow": " --view u", "iic_classes": " --classes DATA/split/classInd.txt"}.get(name, "")
            file = "best_model_141.pt" if name == "iic_classes" else "ckpt_epoch_240.pth"
            ran(f"praxino convert iic {file} {name}.safetensors{words}", Path(name))
            fewer_clips(folder / f"{name}.json")
        yield folder


def fewer_clips(description):
    """Two smaller clips a video instead of ten."""
    said = json.loads(description.read_text())
    said["sampler"]["init_args"]["clips"] = 2
    for view in said["views"].values():
        (resize,) = (one for one in view["init_args"]["operations"] if "crop" in one["init_args"])
        resize["init_args"]["crop"] = 32
    description.write_text(json.dumps(said))


def test_the_page_has_commands():
    assert len(COMMANDS) > 30
    named = {command.split()[1] for command in COMMANDS}
    assert named >= {"pretrain", "resume", "evaluate", "convert", "embed"}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page(command, folder, tmp_path, monkeypatch):
    if "DISFlow" in command:
        pytest.importorskip("cv2", reason="OpenCV computes the flow")
    monkeypatch.chdir(folder)
    ran(command, tmp_path / "out")
