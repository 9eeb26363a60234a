"""Encoders of runs that have not finished: those of the last checkpoint, to the last bit."""

import json

import numpy as np
import pytest
import torch

import praxino
import videos
from praxino.cli.main import main
from praxino.errors import UserError
from praxino.evaluations.classifying.unfinished import _fit_buffers, in_words, unfinished_encoders
from praxino.training.run import Run

QUICK = "--workers 0 --threads 1 --device cpu --batch_size 2 --method.backbone.width 2 --steps 4 --checkpoint_steps 1"


@pytest.fixture
def begun(tmp_path, monkeypatch, capsys):
    """Begins a run that is lost after its second checkpoint."""
    for name in ("a", "b", "c", "d", "e"):
        videos.write(tmp_path / f"{name}.mp4", 20, size=(24, 32), seed=ord(name))
    save, saved = Run.save, []

    def lost(self, *given, **more):
        save(self, *given, **more)
        saved.append(1)
        if len(saved) == 2:
            raise KeyboardInterrupt

    def begin(recipe, more=""):
        with monkeypatch.context() as patched:
            patched.setattr(Run, "save", lost)
            command = f"pretrain {recipe} --videos {tmp_path} --out {tmp_path}/run {QUICK} {more}"
            assert main(command.split()) == 130
        capsys.readouterr()
        return tmp_path / "run"

    return begin


def same(encoder, run, prefix):
    saved = Run(run).checkpoint()["task"]
    own = encoder.backbone.state_dict()
    assert own
    return all(torch.equal(value, saved[f"{prefix}.{name}"]) for name, value in own.items())


def test_an_encoder_as_it_is_now(begun, tmp_path, capsys, monkeypatch):
    run = begun("simclr_small")
    with pytest.raises(UserError, match=r"has not finished: go on with .* by --checkpoint last"):
        praxino.load_encoder(run)
    with pytest.warns(UserWarning, match="of an unfinished run, after step 2"):
        encoder = praxino.load_encoder(run, checkpoint="last")
    assert same(encoder, run, "backbone")
    assert not encoder.backbone.training
    with pytest.raises(UserError, match="the one that can be taken is 'last'"):
        praxino.load_encoder(run, checkpoint="best")

    words = ["--videos", str(tmp_path / "a.mp4"), "--workers", "0", "--checkpoint", "last"]
    assert main(["embed", str(run), *words, "--out", str(tmp_path / "v.npz")]) == 0
    assert "the encoder's weights are those of an unfinished run, after step 2" in capsys.readouterr().err
    got = np.load(tmp_path / "v.npz")["vectors"]
    np.testing.assert_allclose(got, encoder.embed(tmp_path / "a.mp4"), rtol=1e-4, atol=1e-5)
    assert (
        main(["evaluate", "instance", str(run), "--baselines", "false", "--workers", "0", "--checkpoint", "last"]) == 0
    )
    (path,) = (run / "evaluations").glob("*.json")
    assert path.name.startswith("instance@step2")
    assert json.loads(path.read_text())["title"].endswith("? Encoder step2")
    assert json.loads(path.read_text())["settings"]["weights"].startswith("of an unfinished run, after step 2")

    assert main(["resume", str(run)]) == 0
    with pytest.raises(UserError, match="is finished: leave out the checkpoint"):
        unfinished_encoders(run)


def test_banks_of_any_size_do_not_matter():
    """They are as large as the videos that are trained on, of which some are held out."""
    method = torch.nn.Sequential(torch.nn.BatchNorm1d(3), torch.nn.Module())
    method[1].register_buffer("bank", torch.zeros(5, 2))
    saved = {**method.state_dict(), "1.bank": torch.ones(4, 2)}
    _fit_buffers(method, saved)
    method.load_state_dict(saved)
    assert method[1].bank.shape == (4, 2)


def test_a_run_that_somebody_else_has_begun(begun, tmp_path):
    """Its recipe builds nothing but praxino's classes."""
    run = begun("simclr_small")
    recipe = (run / "recipe.yaml").read_text()
    (run / "recipe.yaml").write_text(recipe.replace("praxino.methods.simclr.SimCLR", "evil.Method"))
    with pytest.raises(UserError, match=r"asks for the class evil\.Method, and has not been made here"):
        unfinished_encoders(run)


def test_no_checkpoint_yet(begun, tmp_path, capsys):
    run = begun("simclr_small")
    for file in (run / "checkpoints").iterdir():
        file.unlink()
    with pytest.raises(UserError, match="has no checkpoint yet"):
        unfinished_encoders(run)
    (run / "recipe.yaml").unlink()
    with pytest.raises(UserError, match="holds no run"):
        unfinished_encoders(run)


@pytest.mark.parametrize(("batch", "said"), [(3, "in epoch 3"), (0, "at the end of epoch 2")])
def test_where_a_checkpoint_stands(batch, said):
    assert in_words({"position": {"step": 8, "epoch": 2, "batch": batch}}).endswith(f"after step 8 {said}")
