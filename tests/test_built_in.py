"""The built-in encoder wherever a place of an encoder is taken; no test depends on what its weights are."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

import praxino
import praxino.encoders.files
import videos
from praxino.built_in import FILE
from praxino.cli.main import main
from praxino.cli.track import tracker_of
from praxino.clips.samplers import EvenClips
from praxino.encoders.encoder import Encoder
from praxino.encoders.files import absolute, checksum_of_file, encoder_file
from praxino.encoders.statistics import averages
from praxino.errors import UserError
from praxino.evaluations.tracking.trunk import Trunk
from praxino.report.read import read_run
from praxino.training.run import Run

QUICK = "--workers 0 --threads 1 --device cpu"
FEW = f"--sampler EvenClips --sampler.clips 2 --sampler.frames 8 {QUICK}"


@pytest.fixture
def films(tmp_path, monkeypatch):
    """Four videos in two class folders, in the current folder."""
    monkeypatch.chdir(tmp_path)
    for row in range(4):
        name = tmp_path / "films" / ("left" if row % 2 else "right") / f"clip{row}.mp4"
        name.parent.mkdir(exist_ok=True, parents=True)
        videos.write(name, range(row * 40, row * 40 + 20), size=(32, 48), seed=row)
    return tmp_path


@pytest.fixture
def weights():
    """Whoever writes beside the package's files is caught."""
    before = {path: path.stat().st_mtime_ns for path in FILE.parent.rglob("*")}
    yield
    assert {path: path.stat().st_mtime_ns for path in FILE.parent.rglob("*")} == before


def told(capsys, words, code=2):
    assert main(words.split()) == code
    return capsys.readouterr()


def test_embed_needs_no_run(films, capsys, weights):
    said = told(capsys, f"embed --videos films --out v.npz {FEW}", 0)
    assert "of residual and rgb joined" in said.out
    assert "the built-in one, which has not seen your videos" in said.err
    made = np.load("v.npz")
    encoder = praxino.load_encoder()
    encoder.sampler = EvenClips(2, frames=8)
    own = encoder.embed("films/left/clip1.mp4", view="joint")
    assert np.allclose(made["vectors"][made["video"] == "left/clip1.mp4"], own, atol=1e-5)
    told(capsys, f"embed built-in --videos films --out again.npz {FEW}", 0)
    assert np.array_equal(np.load("again.npz")["vectors"], made["vectors"])
    told(capsys, f"embed --videos films --out one.npz --view rgb {FEW}", 0)
    assert np.load("one.npz")["vectors"].shape == (len(made["vectors"]), encoder.backbone.dim)


def test_a_runs_encoder_keeps_to_its_first_view(films, capsys):
    praxino.load_encoder().save("own.safetensors")
    said = told(capsys, f"embed own.safetensors --videos films --out v.npz {FEW}", 0)
    assert "joined" not in said.out
    assert "built-in" not in said.err
    assert np.load("v.npz")["vectors"].shape[1] == praxino.load_encoder().backbone.dim
    told(capsys, f"embed own.safetensors --view joint --videos films --out w.npz {FEW}", 0)
    assert np.allclose(np.linalg.norm(np.load("w.npz")["vectors"], axis=1), 1)


def test_it_says_what_it_is():
    said = repr(praxino.load_encoder())
    assert "R3D" in said
    assert "residual" in said
    assert "rgb" in said
    assert set(praxino.load_encoders("built-in")) == {""}


def test_the_word_is_no_folder_of_that_name(films, capsys):
    """And `./built-in`, and a `Path`, is."""
    assert encoder_file("built-in") == FILE
    with pytest.raises(UserError, match=r"no encoder at \./built-in: .* or built-in without \./$"):
        praxino.load_encoder(Path("built-in"))
    (films / "built-in").mkdir()
    other = praxino.load_encoder()
    with torch.no_grad():
        next(other.backbone.parameters()).zero_()
    other.save("built-in/encoder.safetensors")
    for place in ("./built-in", Path("built-in"), os.path.abspath("built-in")):
        assert not next(Encoder.load(place).backbone.parameters()).any()
    assert next(Encoder.load("built-in").backbone.parameters()).any()
    assert (
        "what is called so in this folder is ./built-in"
        in told(capsys, f"embed --videos films --out v.npz {FEW}", 0).err
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("report built-in", "is the encoder that comes with praxino, and no run"),
        ("report built-in other", "is the encoder that comes with praxino, and no run"),
        ("resume built-in", "is the encoder that comes with praxino, and no run"),
        ("embed built-in:rgb --videos films --out v.npz", "built-in holds one encoder, without a name"),
        ("embed --checkpoint last --videos films --out v.npz", "built-in is finished"),
        ("embed builtin --videos films --out v.npz", "a run folder that holds one, or built-in"),
        ("evaluate retrieval builtin --videos films", "an encoder file, or built-in"),
        ("convert iic ./built-in iic.pth --to_original", "no encoder at ./built-in: give encoder.safetensors"),
        ("evaluate retrieval built-in", "--catalog: missing"),
        ("evaluate finetune built-in", "--catalog: missing"),
        ("evaluate retrieval built-in --videos films --view joint", "pass --views [residual,rgb]"),
        ("evaluate recognition built-in --videos films", "no classifier"),
        ("evaluate retrieval built-in --videos films --out films/left/clip1.mp4", "is a file"),
    ],
)
def test_what_it_is_not_is_a_line(films, capsys, weights, words, said):
    err = told(capsys, words).err
    assert said in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("ending", "content", "said"),
    [
        (".safetensors", None, "the file of the built-in encoder is missing, "),
        (".json", None, "built-in.json is missing: "),
        (".safetensors", 1000, "is damaged: its weights are not those"),
        (".json", 100, "is damaged: built-in.json is cut off"),
        (".json", 0, "is damaged: built-in.json is cut off"),
    ],
)
@pytest.mark.parametrize("words", ["embed --videos films --out v.npz", "evaluate retrieval built-in --videos films"])
def test_files_of_the_package_that_are_damaged(films, capsys, monkeypatch, words, ending, content, said):
    shutil.copytree(FILE.parent, films / "weights")
    file = (films / "weights" / FILE.name).with_suffix(ending)
    if content is None:
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:content])
    monkeypatch.setattr(praxino.encoders.files, "FILE", films / "weights" / FILE.name)
    err = told(capsys, f"{words} {QUICK}").err
    assert said in err
    assert err.endswith("; install praxino again\n")
    assert err.count("\n") == 1


def test_a_run_of_that_name_is_meant_where_runs_are_taken(films):
    (films / "built-in").mkdir()
    (films / "built-in/recipe.yaml").write_text("out: built-in")
    assert Run.open("built-in").recipe() == {"out": "built-in"}
    assert read_run("built-in").recipe == {"out": "built-in"}


def test_results_go_into_the_current_folder(films, capsys, weights):
    said = told(capsys, f"evaluate retrieval built-in --videos films --views [residual,rgb] --baselines false {FEW}", 0)
    (written,) = Path("evaluations").glob("*.json")
    assert written.name.startswith("retrieval@built-in-")
    assert f"written: {written}" in said.out
    settings = json.loads(written.read_text())["settings"]
    assert settings["encoder"] == "built-in"
    assert checksum_of_file(FILE) in settings["weights"]


def test_out_names_another_folder(films, capsys, weights):
    told(capsys, f"evaluate knn built-in --videos films --out measured/here --baselines false {FEW}", 0)
    assert list(Path("measured/here/evaluations").glob("knn@built-in-*.json"))
    assert not Path("evaluations").exists()


@pytest.mark.parametrize("kind", ["finetune", "tracking"])
def test_trainings_on_it_go_into_the_current_folder(films, capsys, kind):
    catalog = "--train OTB --train.root films" if kind == "tracking" else "--videos films"
    said = told(capsys, f"evaluate {kind} built-in {catalog} --print_config", 0).out
    assert f"out: {films / f'{kind}@built-in'}" in said


def test_a_training_notes_the_word(films):
    """Its recipe names the encoder as another folder would; a path is made absolute."""
    assert absolute("built-in") == "built-in"
    assert absolute("./built-in") == str(films / "built-in")


def test_it_follows_boxes():
    """By its view of RGB frames, which is not its first."""
    encoder, tracker = praxino.load_encoder(), tracker_of("built-in", (), "cpu")
    own = encoder.statistics["rgb"].batchnorm
    assert {name: value.tolist() for name, value in averages(tracker.trunk.backbone).items()} == {
        name: value.tolist() for name, value in own.items()
    }
    with pytest.raises(UserError, match="made of differences of frames"):
        Trunk.of(encoder, "residual")
