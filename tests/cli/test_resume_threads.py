"""praxino resume RUN --threads N, of each kind of run: so many threads, and the recipe that was there."""

import json

import pytest
import torch
from test_finetuning import QUICK, pretrained, root  # noqa: F401  (fixtures)
from test_running import RECIPE, TESTS

from praxino.cli.main import main
from tracked import toy_encoder, write_sequences


@pytest.fixture(autouse=True)
def threads_kept():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def gone_on_with(run, threads, said_in="encoder.json"):
    """The recipe that a file says it is of, after a finished training has written it once more."""
    recipe = (run / "recipe.yaml").read_bytes()
    assert torch.get_num_threads() == 1
    (run / "encoder.json").unlink()
    assert main(["resume", str(run), "--threads", str(threads)]) == 0
    assert torch.get_num_threads() == threads
    assert (run / "recipe.yaml").read_bytes() == recipe
    return json.loads((run / said_in).read_text())["record"]["recipe"]


def test_a_pretraining(tmp_path, monkeypatch):
    monkeypatch.chdir(TESTS)
    (tmp_path / "recipe.yaml").write_text(RECIPE.format(out=tmp_path / "run"))
    assert main(["pretrain", str(tmp_path / "recipe.yaml"), "--steps", "2"]) == 0
    assert gone_on_with(tmp_path / "run", 3)["threads"] == 1


def test_a_fine_tuning(pretrained):  # noqa: F811
    assert main(["evaluate", "finetune", str(pretrained), *QUICK]) == 0
    assert gone_on_with(pretrained / "finetune-split1", 2)["threads"] == 1


def test_a_trackers_training(tmp_path, monkeypatch):
    pytest.importorskip("cv2")
    monkeypatch.chdir(TESTS)
    toy_encoder().save(tmp_path / "one.safetensors")
    data = write_sequences(tmp_path / "otb", "AB", frames=4)
    words = ["--train", "OTB", "--train.root", str(data), "--pairs", "4", "--epochs", "1", "--trust", "tracked"]
    small = ["--tracker.exemplar", "48", "--tracker.instance", "102", "--margin", "3", "--out", str(tmp_path / "run")]
    assert main(["evaluate", "tracking", str(tmp_path / "one.safetensors"), *words, *small, *QUICK[:6]]) == 0
    assert gone_on_with(tmp_path / "run", 2, "encoder.tracker.json")["threads"] == 1


def test_what_is_no_number_of_threads(tmp_path, capsys):
    for typed in ("0", "two", "1.5", "-1"):
        assert main(["resume", str(tmp_path), f"--threads={typed}"]) == 2
        assert f"--threads takes a number of 1 or more, not '{typed}'" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_file_in_the_place_of_a_runs_folder(tmp_path, monkeypatch, capsys, place):
    monkeypatch.chdir(TESTS)
    (tmp_path / "file").touch()
    (tmp_path / "recipe.yaml").write_text(RECIPE.format(out=tmp_path / place))
    demo = ["demo", "--out", str(tmp_path / place)]
    for words in (["pretrain", str(tmp_path / "recipe.yaml")], demo):
        assert main(words) == 2
        said = capsys.readouterr().err
        assert f"praxino: {tmp_path}/file is a file, and a folder is needed there: pass another --out\n" in said
    assert main(["resume", str(tmp_path / place)]) == 2
    assert "holds no run" in capsys.readouterr().err
    assert (tmp_path / "file").read_bytes() == b""
