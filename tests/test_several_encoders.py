"""A run that leaves two encoders: each is found by its name in every command, and nothing collides."""

import json
import shutil

import numpy as np
import pytest
import torch
import yaml

import praxino
from praxino.cli.main import main
from praxino.described import fresh
from praxino.encoders.encoder import Encoder
from praxino.encoders.files import encoder_file, encoder_files, taken_apart
from praxino.errors import UserError
from praxino.evaluations.untrained import untrained
from praxino.training.pretrain import pretrain
from praxino.training.run import Run
from praxino.views.pipeline import View
from toys import Noise, ToyBackbone, ToySampler, ToyStream, toy_protocol, toy_stages
from two_encoders import Listed, Two, Wrapped

RECIPE = """\
out: {out}
catalog: two_encoders.Listed
streams: {{rgb: toys.ToyStream}}
sampler: {{class_path: toys.ToySampler, init_args: {{clips: 1}}}}
method:
  class_path: two_encoders.Two
  init_args: {{first: toys.ToyBackbone, second: {{class_path: toys.ToyBackbone, init_args: {{dim: 5}}}},
    view: {{operations: [toys.Noise]}}}}
stages:
  - {{optimizer: {{class_path: AdamW, init_args: {{lr: 1e-2}}}}, epochs: 2}}
protocol:
  views: {{rgb: {{operations: []}}, again: {{operations: []}}}}
  sampler: {{class_path: toys.ToySampler, init_args: {{clips: 3}}}}
  streams: {{rgb: toys.ToyStream}}
batch_size: 4
workers: 0
threads: 1
device: cpu
checkpoint_steps: 1
"""
MEASURED = ["--trust", "toys", "--workers", "0", "--device", "cpu"]
FINETUNED = [*MEASURED, "--epochs", "1", "--threads", "1", "--batch_size", "4", "--sampler", "toys.ToySampler",
             "--sampler.clips", "1"]  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    (folder / "two.yaml").write_text(RECIPE.format(out=folder / "run"))
    assert main(["pretrain", str(folder / "two.yaml")]) == 0
    return folder / "run"


def weights(encoder):
    return encoder.backbone.state_dict()


def test_both_are_there_and_named(run):
    assert sorted(path.name for path in run.glob("encoder*")) == [
        f"encoder-{name}.{ending}" for name in ("first", "second") for ending in ("json", "safetensors")
    ]
    both = praxino.load_encoders(run, trust=("toys",))
    assert {name: encoder.backbone.dim for name, encoder in both.items()} == {"first": 6, "second": 5}
    for place in (f"{run}:second", run / "encoder-second.safetensors"):
        one = praxino.load_encoder(place, trust=("toys",))
        assert all(torch.equal(value, weights(both["second"])[name]) for name, value in weights(one).items())
    assert list(praxino.load_encoders(f"{run}:first", trust=("toys",))) == ["first"]


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("{run}", "holds several encoders: name one of them, .*run:first or .*run:second"),
        ("{run}:frist", "holds no encoder 'frist'. Did you mean 'first'"),
        ("{run}x:first", "no encoder at"),
    ],
)
def test_a_place_that_is_not_one_encoder(run, place, said):
    with pytest.raises(UserError, match=said):
        praxino.load_encoder(place.format(run=run))


def test_a_name_where_there_is_none(tmp_path):
    torch.manual_seed(0)
    Encoder(ToyBackbone(), {"rgb": View([])}, ToySampler()).save(tmp_path / "encoder.safetensors")
    assert list(encoder_files(tmp_path)) == [""]
    with pytest.raises(UserError, match="holds one encoder, without a name: leave out ':rgb'"):
        encoder_file(f"{tmp_path}:rgb")


def test_a_path_with_a_colon_is_never_cut(tmp_path):
    folder = tmp_path / "odd:name"
    folder.mkdir()
    assert taken_apart(folder) == (folder, None)
    assert taken_apart(f"{folder}:rgb") == (folder, "rgb")
    assert taken_apart("nothing/here:rgb")[1] is None


def test_measured_apart(run, capsys):
    for name in ("first", "second"):
        for more in ([], ["--views", "[rgb,again]"]):
            assert main(["evaluate", "retrieval", f"{run}:{name}", *MEASURED, *more, "--baselines", "false"]) == 0
        assert main(["evaluate", "knn", f"{run}:{name}", *MEASURED, "--baselines", "false"]) == 0
        assert main(["evaluate", "linear", f"{run}:{name}", *MEASURED, "--baselines", "false"]) == 0
        assert main(["embed", f"{run}:{name}", *MEASURED[:4], "--device", "cpu", "--catalog", "two_encoders.Listed",
                     "--out", str(run / f"{name}.npz")]) == 0  # fmt: skip
    kinds = ("knn@{}", "linear@{}", "retrieval@{}", "retrieval@{}-rgb-again")
    expected = {kind.format(name) for kind in kinds for name in ("first", "second")}
    assert {path.stem.rpartition("-")[0] for path in (run / "evaluations").glob("*.json")} >= expected
    for name in ("first", "second"):
        (file,) = (run / "evaluations").glob(f"retrieval@{name}-????????.json")
        said = json.loads(file.read_text())
        assert said["settings"]["encoder"] == name
        assert said["title"].endswith(f"; encoder {name}")
    assert [np.load(run / f"{name}.npz")["vectors"].shape for name in ("first", "second")] == [(72, 6), (72, 5)]
    assert main(["evaluate", "retrieval", str(run), *MEASURED]) == 2
    assert "name one of them" in capsys.readouterr().err
    assert main(["report", str(run)]) == 0
    page = (run / "report.html").read_text()
    assert "encoder first" in page
    assert "encoder second" in page


def test_fine_tuned_apart_and_gone_on_with(run, capsys):
    for name in ("first", "second"):
        assert main(["evaluate", "finetune", f"{run}:{name}", *FINETUNED]) == 0
        folder = run / f"finetune@{name}"
        recipe = yaml.safe_load((folder / "recipe.yaml").read_text())
        assert recipe["kind"] == "finetune"
        assert recipe["encoder"].endswith(f"run:{name}")
        assert praxino.load_encoder(folder, trust=("toys",)).backbone.dim == {"first": 6, "second": 5}[name]
    # The same once more from its recipe alone: the run is unfinished without its encoder.
    (folder / "encoder.json").unlink()
    assert main(["resume", str(folder)]) == 0
    assert (folder / "encoder.json").is_file()
    assert main(["evaluate", "finetune", str(folder), "--test_only", *MEASURED]) == 0


def test_finished_when_both_are_written(run, tmp_path):
    """A kill between the two leaves a run that is gone on with."""
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    assert Run(copy).finished
    first = (copy / "encoder-first.safetensors").read_bytes()
    for ending in ("json", "safetensors"):
        (copy / f"encoder-second.{ending}").unlink()
    assert not Run(copy).finished
    # A folder that has been moved is like one from elsewhere.
    assert main(["resume", str(copy)]) == 2
    assert main(["resume", str(copy), "--trust", "toys,two_encoders"]) == 0
    assert Run(copy).finished
    assert (copy / "encoder-first.safetensors").read_bytes() == first
    assert (copy / "encoder-second.safetensors").read_bytes() == (run / "encoder-second.safetensors").read_bytes()


@pytest.mark.parametrize("text", ["{", "[]", '{"record": 3}'])
def test_a_damaged_description_is_written_anew(run, tmp_path, text):
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    (copy / "encoder-second.json").write_text(text)
    assert not Run(copy).finished
    assert main(["resume", str(copy), "--trust", "two_encoders,toys"]) == 0
    assert Run(copy).finished
    (copy / "encoder-second.safetensors").unlink()
    assert not Run(copy).finished


def test_one_that_is_left_of_two_does_not_pass_for_the_only_one(run, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    for ending in ("json", "safetensors"):
        (copy / f"encoder-second.{ending}").unlink()
    with pytest.raises(UserError, match="lacks the encoder 'second' of its run: go on with 'praxino resume'"):
        praxino.load_encoder(copy, trust=("toys",))
    assert praxino.load_encoder(f"{copy}:first", trust=("toys",)).backbone.dim == 6


def test_a_killed_run_leaves_the_same_two(tmp_path, monkeypatch):
    def train(out, resume=False):
        torch.manual_seed(0)
        method = Two(ToyBackbone(dropout=0.2), ToyBackbone(dim=5), View([Noise()]))
        return pretrain(
            catalog=Listed(), sampler=ToySampler(clips=1), method=method, protocol=toy_protocol(), out=out,
            stages=toy_stages(epochs=2), streams={"rgb": ToyStream()}, batch_size=4, workers=0, threads=1, device="cpu",
            checkpoint_steps=1, resume=resume,
        )  # fmt: skip

    train(tmp_path / "whole")
    before, steps = Two.before_step, []

    def killed(self):
        steps.append(1)
        if len(steps) > 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(Two, "before_step", killed)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "cut")
    monkeypatch.setattr(Two, "before_step", before)
    train(tmp_path / "cut", resume=True)
    for name in ("first", "second"):
        one, other = (tmp_path / folder / f"encoder-{name}.safetensors" for folder in ("whole", "cut"))
        assert one.read_bytes() == other.read_bytes()


def test_the_untrained_twin_of_a_wrapped_backbone_shares_nothing():
    torch.manual_seed(0)
    backbone = Wrapped(Wrapped(ToyBackbone(norm=True)), [ToyBackbone(), ToyBackbone()])
    encoder = Encoder(backbone, {"rgb": View([])}, ToySampler())
    twin = untrained(encoder, seed=1)
    mine, theirs = backbone.state_dict(), twin.backbone.state_dict()
    assert list(mine) == list(theirs)
    assert not {value.data_ptr() for value in mine.values()} & {value.data_ptr() for value in theirs.values()}
    drawn = [name for name, value in mine.items() if name.endswith("weight") and value.dim() > 1]
    assert len(drawn) == 8
    assert not any(torch.equal(mine[name], theirs[name]) for name in drawn)
    again = untrained(encoder, seed=1).backbone.state_dict()
    assert all(torch.equal(again[name], value) for name, value in theirs.items())  # a function of the seed
    assert not any(a is b for a, b in zip(backbone.modules(), twin.backbone.modules(), strict=True))


def test_fresh_builds_every_object_anew():
    stage, settings = toy_stages(steps=1), {"sizes": (1, 2), "make": torch.optim.AdamW, "names": ["a"]}
    assert fresh(settings) == settings
    assert fresh(stage)[0] is not stage[0]
    assert fresh(stage)[0].optimizer is stage[0].optimizer  # a function stays what it is
