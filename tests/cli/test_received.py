"""A run's folder from elsewhere: the classes that its recipe names are not imported before they are trusted."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
import yaml
from test_finetuning import pretrained, root  # noqa: F401
from test_running import RECIPE

from praxino.cli.main import main
from praxino.configuration.complete import complete
from praxino.configuration.signatures import names_code
from praxino.configuration.trust import Trust
from praxino.errors import UserError
from praxino.training.own_runs import is_own, remember
from praxino.training.pretrain import pretrain
from praxino.training.start import OUTSIDE

QUICK = ["--workers", "0", "--device", "cpu"]
EVIL = """
from pathlib import Path
Path(__file__).with_name("has_run").touch()
from praxino.catalogs import Catalog, UCF101, VideoFolder

class Videos(UCF101):
    def __init__(self, root: str) -> None:
        super().__init__(root)
"""


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A module that says when it has been imported, in the current folder."""
    (tmp_path / "not_mine.py").write_text(EVIL)
    monkeypatch.chdir(tmp_path)
    yield tmp_path / "has_run"
    sys.modules.pop("not_mine", None)


def received(folder, **recipe):
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))


def refused(capsys, *words, module="not_mine"):
    assert main([*map(str, words)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert f"--trust {module}" in said.err
    return said.err


@pytest.mark.parametrize("form", ["class_path", "name", "mapping"])
def test_measuring_a_received_run(pretrained, root, elsewhere, capsys, form):  # noqa: F811
    named = {
        "class_path": {"class_path": "not_mine.Videos", "init_args": {"root": str(root)}},
        "name": "not_mine.Videos",
        "mapping": f"{{class_path: not_mine.Videos, init_args: {{root: {root}}}}}",
    }  # fmt: skip
    received(pretrained, catalog=named[form])
    for command in ("retrieval", "knn", "linear", "instance", "finetune", "recognition"):
        said = refused(capsys, "evaluate", command, pretrained, *QUICK)
        assert f"{pretrained / 'recipe.yaml'} asks for the class not_mine.Videos" in said
    refused(capsys, "evaluate", "finetune", pretrained, "--recipe", "finetune_iic", "--print_config")
    assert not elsewhere.exists()
    # Typed videos take its place, so that nothing of it is built; a report builds nothing anyway.
    assert main(["evaluate", "knn", str(pretrained), "--videos", str(root), *QUICK]) == 0
    assert main(["embed", str(pretrained), "--videos", str(root), "--out", "v.npz", *QUICK]) == 0
    assert main(["report", str(pretrained)]) == 0
    assert not elsewhere.exists()
    if form == "class_path":
        assert main(["evaluate", "knn", str(pretrained), "--trust", "not_mine", *QUICK]) == 0
        assert elsewhere.exists()


def any_of(value):
    """A class of torch's with an argument that takes anything, and which would be imported as it is read."""
    return {"class_path": "torch.optim.optimizer.Optimizer", "init_args": {"defaults": {"a": value}}}


def test_what_would_be_imported_is_looked_at_first():
    trust = Trust("recipe.yaml")
    for value in ("not_mine.X", {"a": ["not_mine.X"]}, {"not_mine.X": 1}, [[{"class_path": "not_mine.X"}]]):
        with pytest.raises(UserError, match="--trust not_mine"):
            trust.check_all(value)
    with pytest.raises(UserError, match="a class within a text"):
        trust.check_all(["{class_path: not_mine.X}"])
    trust.check_all([1, 0.5, None, True, "residual", "img_*.jpg", {"a": "praxino.views.View"}])
    for hint in (Any, list, dict[str, Any], Callable[[int], int] | None, type, list[object], torch.Tensor | float):
        assert names_code(hint), hint
    for hint in (str, int | None, list[float], dict[str, str | int], Literal["a"], tuple[int, ...], Path | None, bool):
        assert not names_code(hint), hint


def test_a_file_in_a_runs_folder_is_not_taken_for_a_library(pretrained, tmp_path):  # noqa: F811
    """As the console script starts, which does not put the current folder on the path by itself (-P)."""
    for library in ("jsonargparse", "yaml", "safetensors", "torch", "numpy"):
        (pretrained / f"{library}.py").write_text("from pathlib import Path\nPath(__file__ + '.has_run').touch()\n")
    words = ["evaluate", "knn", ".", "--baselines", "false", *QUICK]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "praxino", *words], cwd=pretrained, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert not list(pretrained.glob("*.has_run"))


def test_resuming_a_received_run(elsewhere, root, capsys, tmp_path):  # noqa: F811
    for odd in ({"catalog": "not_mine.Videos"}, {"sampler": {"class_path": "not_mine.Clips"}},
                {"method": {"class_path": "SimCLR", "init_args": {"backbone": "not_mine.Net"}}},
                {"stages": [{"optimizer": "not_mine.Optimizer", "steps": 1}]},
                {"stages": [{"optimizer": any_of({"class_path": "not_mine.X"}), "steps": 1}]},
                {"stages": [{"optimizer": any_of(["not_mine.X"]), "steps": 1}]},
                {"streams": "{rgb: not_mine.Stream}"}):  # fmt: skip
        (tmp_path / "run").mkdir(exist_ok=True)
        received(tmp_path / "run", **{"sampler": "EvenClips", **odd})
        assert "not_mine." in refused(capsys, "resume", tmp_path / "run")
    received(tmp_path / "run", kind="finetune", trust=["not_mine"], encoder="x")
    assert "trusts the package not_mine" in refused(capsys, "resume", tmp_path / "run")
    testing = ["evaluate", "recognition", tmp_path / "run", "--videos", root]
    assert "trusts the package not_mine" in refused(capsys, *testing)
    assert not elsewhere.exists()


def test_ones_own_runs_go_on_without_trust(tmp_path, capsys):
    recipe = tmp_path / "toy.yaml"
    recipe.write_text(RECIPE.format(out=tmp_path / "run"))
    assert main(["pretrain", str(recipe), "--steps", "1"]) == 0
    run = tmp_path / "run"
    (run / "encoder.json").unlink()  # so that there is something to do
    moved = tmp_path / "moved"
    shutil.copytree(run, moved)
    assert main(["resume", str(run)]) == 0
    capsys.readouterr()
    # Moved, or with another recipe than was noted, it is anyone's.
    assert "asks for the class toys.ToyCatalog" in refused(capsys, "resume", moved, module="toys")
    assert main(["resume", str(moved), "--trust", "toys"]) == 0
    assert (moved / "encoder.json").is_file()
    (run / "recipe.yaml").write_text((run / "recipe.yaml").read_text() + "# edited\n")
    capsys.readouterr()
    refused(capsys, "resume", run, module="toys")


def test_notes_are_of_a_path_and_its_recipe(tmp_path, monkeypatch):
    monkeypatch.setenv("PRAXINO_CACHE", str(tmp_path / "cache"))
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "recipe.yaml").write_text("seed: 1\n")
    one, two = (tmp_path / name / "recipe.yaml" for name in ("one", "two"))
    remember(one)
    assert (is_own(one), is_own(two)) == (True, False)
    (tmp_path / "link").symlink_to(tmp_path / "one")
    assert is_own(tmp_path / "link/recipe.yaml")
    one.write_text("seed: 2\n")
    assert not is_own(one)
    # Without a cache that can be written to, or with other things in it, nothing is remembered and nothing fails.
    (note,) = (tmp_path / "cache/runs").iterdir()
    note.write_bytes(b"\xff")
    assert not is_own(one)
    (tmp_path / "file").touch()
    monkeypatch.setenv("PRAXINO_CACHE", str(tmp_path / "file"))
    remember(two)
    assert not is_own(two)


def test_classes_of_ours_and_torchs_optimizers_are_trusted():
    stage = {"optimizer": "AdamW", "steps": 1}
    full = {"stages": [{**stage, "optimizer": "torch.optim.adamw.AdamW"}]}
    for given in ({"stages": [stage]}, full, {"method": "praxino.methods.simclr.SimCLR"}):
        complete(pretrain, given, without=OUTSIDE, partial=True, trust=Trust("recipe.yaml"))
    for name in ("toys.ToyMethod", "praxin.X", "prax.ino", "torchvision.X", "torch.nn.Linear"):
        with pytest.raises(UserError, match=r"recipe\.yaml asks for the class .* --trust "):
            complete(pretrain, {"method": name}, without=OUTSIDE, partial=True, trust=Trust("recipe.yaml"))
