"""Each command of the page on tracking, and its tracker of one's own, on tiny sequences."""

import re
import shlex
from pathlib import Path

import pytest
import torch

from praxino.backbones.resnet2d import ResNet18
from praxino.cli.main import main
from praxino.clips.samplers import EvenClips
from praxino.encoders.encoder import Encoder
from praxino.views.pipeline import View
from sequences import write_got10k, write_otb

PAGE = (Path(__file__).parents[2] / "docs/evaluations/tracking.md").read_text()
COMMANDS = re.findall(r"^(praxino \w+ .+)$", PAGE, flags=re.M)


@pytest.fixture
def data(tmp_path, monkeypatch):
    """What the page names, in the current folder."""
    for seed, name in enumerate(("Crossing", "Skiing")):
        write_otb(tmp_path / "DIR", name, 4, seed)
    for number in (1, 2):
        write_otb(tmp_path / f"other{number}", "Jogging", 4, 5 + number, f"groundtruth_rect.{number}.txt")
    (tmp_path / "other1/Jogging").rename(tmp_path / "DIR/Jogging")
    (tmp_path / "other2/Jogging/groundtruth_rect.2.txt").rename(tmp_path / "DIR/Jogging/groundtruth_rect.2.txt")
    for part in ("GOT/train", "GOT/val", "VOT"):
        write_got10k(tmp_path / part, f"{part[-3:]}1", 4)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_all_commands_run(data, capsys):
    pytest.importorskip("cv2")
    torch.manual_seed(0)
    (data / "RUN").mkdir()
    (data / "RUN/recipe.yaml").write_text("kind: pretrain\n")
    sampler = EvenClips(1, frames=1)
    Encoder(ResNet18(width=2, output_stride=8), {"rgb": View([])}, sampler).save("RUN/encoder.safetensors")
    assert len(COMMANDS) >= 5
    for command in COMMANDS:
        words = shlex.split(command)[1:]
        assert main([*words, "--device", "cpu"]) == 0, (command, capsys.readouterr().err)
        said = capsys.readouterr().out
        rows = ["trained", "untrained", "box that never moves"] + ["MIL of OpenCV"] * ("with_mil" not in command)
        assert re.findall(r"^(\w[\w ]*?)  +[\d.]+  ", said, flags=re.M)[: len(rows)] == rows, command
        columns = ["AO", "SR@0.5", "SR@0.75"] if "GOT10k" in command else ["AUC", "P@20", "SR@0.5"]
        assert any(line.split() == columns for line in said.splitlines())
        if "held_out" in command:
            assert "of 3 sequences" in said
    assert (data / "results/OTB2015/box_that_never_moves/times/Jogging.2_time.txt").is_file()
    assert len(list((data / "RUN/evaluations").glob("tracking*.json"))) == 4


def test_a_tracker_of_ones_own(data, capsys):
    (code,) = re.findall(r"^```python\n# my_tracker\.py\n(.*?)^```", PAGE, flags=re.S | re.M)
    exec(compile(code, "my_tracker.py", "exec"), {"__name__": "my_tracker"})
    shown = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in shown[1:3]] == ["mine", "box"]
