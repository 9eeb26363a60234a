"""Each command of the page on a tracker's training, on a handful of tiny sequences; and a run that is killed."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
import torch

import kills
from praxino.backbones.resnet2d import ResNet18
from praxino.cli.main import main
from praxino.encoders.siamese import SiameseHead
from praxino.evaluations.tracking.tracker import Tracker
from praxino.originals.siamfc import to_original
from praxino.views.colour import Normalise
from test_original_commands import commands
from tracked import encoder_on, write_sequences

pytest.importorskip("cv2")
PAGE = Path(__file__).parents[1] / "docs" / "evaluations" / "tracking-training.md"
SMALL = {
    "workers": "0", "device": "cpu", "threads": "1", "pairs": "4", "batch_size": "4", "stages.0.epochs": "1",
    "tracker.exemplar": "32", "tracker.instance": "64", "margin": "2", "with_mil": "false",
}  # fmt: skip
COMMANDS = [command for section in re.split(r"^#{2,3} ", PAGE.read_text(), flags=re.M) for command in commands(section)]


def small(command, out=None):
    """The words of a command, made small; a training writes to `out`, where it is given."""
    words = shlex.split(command)[1:]
    if words[:2] != ["evaluate", "tracking"]:
        return words
    if "--out" in words:
        del words[words.index("--out") : words.index("--out") + 2]
    words += [] if out is None else ["--out", str(out)]
    return words + [word for name, value in SMALL.items() if f"--{name}" not in words for word in (f"--{name}", value)]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """What the commands name: a run, OTB, GOT-10k, and a file of the original."""
    torch.manual_seed(0)
    (tmp_path / "RUN").mkdir()
    (tmp_path / "RUN/recipe.yaml").write_text("kind: pretrain\n")
    encoder_on(ResNet18(width=2), [Normalise()]).save(tmp_path / "RUN/encoder.safetensors")
    write_sequences(tmp_path / "OTB", ("Crossing", "Mine"), frames=6)
    for name in ("one", "two"):
        write_sequences(tmp_path / "scratch", (name,), frames=6)
        own = tmp_path / "GOT/train" / name
        own.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(tmp_path / "scratch" / name / "img", own)
        shutil.move(tmp_path / "scratch" / name / "groundtruth_rect.txt", own / "groundtruth.txt")
    (tmp_path / "GOT/train/list.txt").write_text("one\ntwo\n")
    backbone = ResNet18(width=2)
    state = to_original(backbone, SiameseHead(16, 4))
    torch.save({"meta": {"epoch": 49}, "state_dict": state}, tmp_path / "epoch_50.pth")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_commands_of_the_page(folder):
    assert len(COMMANDS) > 5
    assert {command.split()[1] for command in COMMANDS} >= {"evaluate", "resume", "convert"}
    for number, command in enumerate(COMMANDS):
        # The first one writes to where the others find it.
        assert main(small(command, folder / f"out{number}" if number else None)) == 0, command
    tracker = Tracker.load(folder / "RUN/tracking")
    assert tracker.head.channels == 16
    assert (folder / "RUN/tracking/evaluations/tracking.json").is_file()


@pytest.mark.slow
def test_a_run_that_is_killed_leaves_the_same_head_and_the_same_boxes(folder):
    words = small("praxino evaluate tracking RUN --train OTB --train.root OTB --catalog OTB --catalog.root OTB")
    for name, value in (("stages.0.epochs", "4"), ("workers", "1")):
        words[words.index(f"--{name}") + 1] = value
    words += ["--checkpoint_steps", "1"]
    kills.done(folder, [*words, "--out", "whole", "--results", "whole_boxes"])
    for lines in (1, 3):
        out = folder / f"killed{lines}"
        kills.killed(folder, [*words, "--out", out, "--results", f"boxes{lines}"], out, lines)
        kills.done(folder, ["resume", out])
        kills.assert_same_run(out, folder / "whole")
        for name in ("encoder.tracker.safetensors", "encoder.tracker.json"):
            assert name.endswith("json") or (out / name).read_bytes() == (folder / "whole" / name).read_bytes()
        texts = [sorted(p for p in (folder / one).rglob("*.txt") if "times" not in p.parts)
                 for one in (f"boxes{lines}", "whole_boxes")]  # fmt: skip
        assert [p.read_text() for p in texts[0]] == [p.read_text() for p in texts[1]]
        assert texts[0]
