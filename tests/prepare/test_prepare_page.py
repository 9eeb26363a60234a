"""Each command of the page on preparing views, on a handful of tiny videos."""

import re
import shlex
from pathlib import Path

import pytest
import torch

import videos
from praxino.cli.main import main

PAGE = (Path(__file__).parents[2] / "docs" / "prepare.md").read_text()
COMMANDS = [
    found
    for found in re.findall(r"(?:^|`)(praxino \w+ [^`\n]+?)(?=`|$)", PAGE, flags=re.M)
    if "--" in found  # else a part of a sentence
]
SMALL = {"pretrain": ["--steps", "1", "--batch_size", "2", "--workers", "0", "--device", "cpu", "--out", "run"]}


@pytest.fixture
def data(tmp_path, monkeypatch):
    """What the commands name, in the current folder: videos, UCF101 with lists, and the file of the page."""
    names = ["Archery/v_Archery_g01_c01", "Archery/v_Archery_g02_c01", "YoYo/v_YoYo_g01_c01", "YoYo/v_YoYo_g02_c01"]
    for k, name in enumerate(names):
        for folder in ("DIR", "DATA"):
            path = tmp_path / folder / f"{name}.mp4"
            path.parent.mkdir(parents=True, exist_ok=True)
            videos.write(path, 75, size=(32, 48), seed=k)
    lists = {"classInd": "1 Archery\n2 YoYo\n"}
    for part, some in (("train", names[1::2]), ("test", names[::2])):
        lists[f"{part}list01"] = "".join(f"{name}.avi {1 + name.startswith('YoYo')}\n" for name in some)
    (tmp_path / "DATA/splits").mkdir()
    for name, text in lists.items():
        (tmp_path / f"DATA/splits/{name}.txt").write_text(text)
    (code,) = re.findall(r"^```python\n# my_masks\.py\n(.*?)^```", PAGE, flags=re.S | re.M)
    (tmp_path / "my_masks.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_all_commands_run(data, capsys):
    cv2 = pytest.importorskip("cv2")
    threads = torch.get_num_threads()
    assert len(COMMANDS) >= 7
    try:
        for command in COMMANDS:
            words = shlex.split(command)[1:]
            code = main([*words, *SMALL.get(words[0], ["--workers", "0"] * (".help" not in command))])
            said, wrong = capsys.readouterr()
            if "TVL1Flow" in command and not hasattr(getattr(cv2, "optflow", None), "DualTVL1OpticalFlow_create"):
                assert code == 2
                assert "TVL1Flow needs opencv-contrib-python-headless" in wrong
                continue
            assert code == 0, (command, wrong)
            assert "failed" not in said, command
    finally:
        torch.set_num_threads(threads)
    made = {str(path.relative_to(data)) for path in data.rglob("*") if path.is_file()}
    name = "Archery/v_Archery_g01_c01"
    for kind in ("flow/u", "flow/v"):
        assert f"VIEWS/{kind}/{name}/frame000074.jpg" in made
    assert f"VIEWS/segmentation/segmasks/{name}/segmask_00074.npz" in made
    assert f"VIEWS192/segmentation/segmasks/{name}/segmask_00074.npz" in made
    assert f"VIEWS_FARNEBACK/flow/{name}/flow_y_00074.jpg" in made
    assert "run/metrics.jsonl" in made
