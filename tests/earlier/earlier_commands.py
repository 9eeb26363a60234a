"""The command lines of the runs that are made with the earlier source, and of what they are measured by."""

from __future__ import annotations

import math
from pathlib import Path

import yaml

import videos

QUICK = "--threads 1 --device cpu --workers 0 --checkpoint_steps 2"
SHORT = "--sampler.frames 8 --evaluation.sampler.frames 8 --evaluation.sampler.clips 2 --batch_size 2"
# Two further groups of parameters, whose rates differ so that their order tells. The recipe's own rate is 0.001, and
# 0.013 / 0.001 * 0.001 is not 0.013.
RATES = {r"^linear\.": 0.013, r"stages\.3": 0.005}
TESTED = ("evaluation.views.rgb", "evaluation.views.residual")
MEASURING = """\
evaluate retrieval iic --k 1,2
evaluate retrieval iic --k 1,2 --views [rgb,residual] --baselines false
evaluate knn iic/encoder.safetensors --k 3
evaluate linear iic --baselines false
evaluate retrieval simclr --queries train --k 1,5 --baselines false
evaluate instance simclr --baselines false
evaluate retrieval finetune --k 1,2 --baselines false
evaluate recognition finetune
evaluate finetune linear --test_only
evaluate recognition finetune-stopped
evaluate recognition linear-stopped
embed iic --view rgb --videos CLIPS --out iic.npz
embed finetune --videos CLIPS --out finetune.npz
report iic
report finetune
report linear-stopped"""


def write_clips(folder: Path) -> Path:
    """Twelve videos of two classes, four of them in the test list."""
    (folder / "splits").mkdir()
    (folder / "splits/classInd.txt").write_text("1 Left\n2 Right\n")
    lists = {"train": "", "test": ""}
    for row in range(12):
        name, group = ("Left", "Right")[row % 2], row // 2 + 1
        path = folder / name / f"v_{name}_g{group:02d}_c01.mp4"
        path.parent.mkdir(exist_ok=True)
        videos.write(path, range(row * 30, row * 30 + 20 + row % 3), size=(32, 32), seed=row)
        lists["test" if group in (2, 5) else "train"] += f"{name}/{path.name}\n"
    for part, lines in lists.items():
        (folder / f"splits/{part}list01.txt").write_text(lines)
    return folder


def trainings(clips: Path) -> dict[str, list]:
    """Run -> its command line, in the folder that holds the runs; without its own folder's name."""
    iic, simclr = ("method.first", "method.second", *TESTED), ("method.view", *TESTED)
    rates = yaml.safe_dump(RATES, default_flow_style=True, width=math.inf).strip()
    lines = {
        "iic": [
            *f"pretrain iic_ucf101 {SHORT} --epochs 2 --method.backbone.width 2 --method.negatives 4".split(),
            *("--catalog.root", clips, *resized(iic)),
        ],
        "simclr": [
            *("pretrain", "simclr_small", "--videos", clips, *cropped(simclr)),
            *f"--batch_size 4 --epochs 3 --method.backbone.width 2 {canvas(32)} --evaluation.sampler.clips 2".split(),
        ],
        "finetune": [
            *f"evaluate finetune iic --recipe finetune_iic {SHORT} --epochs 3 --validation 2".split(),
            *("--rates", rates, *resized(TESTED), *settings("stages.0.schedule", "patience 0 threshold 0.9")),
        ],
        "linear": [
            *f"evaluate linear iic --recipe linear_tclr {SHORT} --epochs 4 --tested_after [0,2,3]".split(),
            *cropped(("training_view", TESTED[0])),
            *settings("stages.0", "schedule.patience 1 optimizer.lr 0.2"),
        ],
    }
    return {name: [*words, *QUICK.split()] for name, words in lines.items()}


def measurements(clips: Path) -> list[list[str]]:
    """What measures finished runs, and of stopped ones what can be measured."""
    lines = [line.replace("CLIPS", str(clips)).split() for line in MEASURING.splitlines()]
    return [line if line[0] == "report" else [*line, "--workers", "0", "--device", "cpu"] for line in lines]


def settings(place: str, words: str) -> list[str]:
    """`height 36` of a place as `--place.height 36`, and so on."""
    parts = words.split()
    return [word for name, value in zip(parts[::2], parts[1::2], strict=True) for word in (f"--{place}.{name}", value)]


def resized(views: tuple[str, ...]) -> list[str]:
    """The size of IIC's frames, small."""
    return [word for view in views for word in settings(f"{view}.operations.0", "height 36 width 36 crop 32")]


def cropped(views: tuple[str, ...]) -> list[str]:
    """The size of a crop, small."""
    return [word for view in views for word in settings(f"{view}.operations.0", "size 32")]


def canvas(side: int) -> str:
    return f"--canvas.rgb.short_side {side} --evaluation.canvas.rgb.short_side {side}"
