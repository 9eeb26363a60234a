"""Held-out videos of a pretraining: means over them, nothing touched, the same on two processes and after a kill."""

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from praxino.batch import ClipBatch
from praxino.cli.main import main
from praxino.clips.dataset import ClipDataset
from praxino.clips.loader import ClipLoader
from praxino.encoders.encoder import Encoder
from praxino.errors import UserError
from praxino.methods.base import Losses, Method
from praxino.methods.iic import IIC
from praxino.rng import Rng
from praxino.training.checkpoint import load_checkpoint
from praxino.training.pretrain import pretrain
from praxino.training.run import Run
from praxino.training.schedules import Plateau
from praxino.training.tryout import try_validation
from praxino.training.validation import Validation, choice_of
from praxino.views.motion import Residual
from praxino.views.pipeline import View
from toys import Noise, ToyBackbone, ToyCatalog, ToySampler, ToyStream, toy_method, toy_protocol, toy_stages

CPU = torch.device("cpu")
HERE = Path(__file__).parent


def run(out, method=None, resume=False, **more):
    arguments = {"stages": toy_stages(epochs=3), "validation": 0.3, "validation_by": "video"}
    arguments |= {"streams": {"rgb": ToyStream()}, **more}
    return pretrain(
        catalog=ToyCatalog(16), sampler=ToySampler(), method=method or toy_method(dropout=0.3, norm=True),
        protocol=toy_protocol(), out=out, batch_size=4, workers=0, threads=1, device="cpu", checkpoint_steps=1,
        resume=resume, **arguments,
    )  # fmt: skip


def epochs(run):
    return [line for line in run.metrics() if line["kind"] == "epoch"]


def test_an_epoch_ends_with_the_held_out_videos(tmp_path):
    made = run(tmp_path / "run")
    held = (tmp_path / "run/validation.txt").read_text().split()
    assert len(held) == 5  # of 16, to the nearest
    assert "each validation leaves out 1 of 5 held-out videos (whole batches)" in (tmp_path / "run/log.txt").read_text()
    lines = epochs(made)
    assert len(lines) == 3
    for line in lines:
        assert math.isfinite(line["validation/total"])
        assert line["validation/total"] == line["validation/contrastive"]
    # Twelve batches of 4 would be all 16 videos: 11 remain, in two whole batches an epoch.
    assert [line["step"] for line in lines] == [1, 3, 5]


class Recorder(Method):
    """What it says of a batch is known, and it tries to leave traces."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.backbone = ToyBackbone(norm=True, dropout=0.5)
        self.register_buffer("seen", torch.zeros(1))
        self.modes = []

    def forward(self, batch: ClipBatch, rng) -> Losses:
        clips = batch.streams["rgb"].clips().movedim(-1, 2).flatten(0, 1).float() / 255
        self.seen += len(batch)
        self.modes.append((self.training, torch.is_grad_enabled()))
        value = self.backbone(clips).mean() + float(rng.child("x").shared().random())
        return Losses(value, {"numbers": batch.numbers.float().mean(), "half": value.detach() / 2})

    def exports(self, protocol):
        return {"": Encoder.of(self.backbone, protocol)}


def test_means_over_videos_and_nothing_is_touched():
    task = Recorder()
    task.backbone.layers[0].eval()  # a mode of its own
    dataset = ClipDataset(ToyCatalog(6), ("rgb",), ToySampler(), {"rgb": ToyStream()}, seed=1, shuffle=False)
    loader = ClipLoader(dataset, 4, drop_last=False)
    before = {name: value.clone() for name, value in task.state_dict().items()}
    modes = [module.training for module in task.modules()]
    with Validation(loader, 3, 0, "fp32", CPU) as validation:
        first = validation(task, 0)
        torch.manual_seed(5)
        found = [first, validation(task, 1)]
        drawn = torch.rand(1)
    torch.manual_seed(5)
    assert torch.equal(drawn, torch.rand(1))  # torch's generator, too
    assert all(torch.equal(value, before[name]) for name, value in task.state_dict().items())
    assert [module.training for module in task.modules()] == modes
    assert task.modes == [(False, False)] * 4
    # By hand: batches of 4 and 2 videos, weighed by these.
    for epoch, said in enumerate(found):
        batches = [dataset[key] for key in (loader.key(epoch, number) for number in range(len(loader)))]
        task.eval()
        values = []
        for number, batch in enumerate(batches):
            with torch.no_grad():
                values.append(task(batch, Rng(3, "validation", epoch, number)).total.item())
        assert said["validation/total"] == pytest.approx((4 * values[0] + 2 * values[1]) / 6, rel=1e-6)
        assert said["validation/half"] == pytest.approx(said["validation/total"] / 2, rel=1e-6)
    assert found[0]["validation/numbers"] != found[1]["validation/numbers"]  # other clips each epoch


def test_the_trial_of_a_validation_is_without_gradient_too():
    method = Recorder()
    try_validation(method, ToySampler(), {}, 0, 4, "fp32", CPU, {"rgb": ToyStream()})
    assert method.modes
    assert not any(gradient for _, gradient in method.modes)


def test_training_is_the_same_with_and_without_a_look(tmp_path, monkeypatch):
    """Validation changes no weight: the videos that remain, trained without it, give the same curve."""
    looked = run(tmp_path / "looked")
    monkeypatch.setattr(Validation, "__call__", lambda self, task, epoch: {})
    blind = run(tmp_path / "blind")
    for one, other in zip(looked.metrics(), blind.metrics(), strict=True):
        assert {name: one[name] for name in ("total", "train/total", "lr") if name in one} == {
            name: other[name] for name in ("total", "train/total", "lr") if name in other
        }
    a, b = (load_checkpoint(made.checkpoint_file)["task"] for made in (looked, blind))
    assert all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("stop_at", [1, 2, 4])
def test_a_killed_run_goes_on_with_the_same_validations(tmp_path, monkeypatch, stop_at):
    def again(folder, **more):
        stages = toy_stages(epochs=3, schedule=Plateau(patience=0))  # a schedule has a past: a new one each time
        return run(tmp_path / folder, stages=stages, export="best", **more)

    whole = again("whole")
    forward, steps = type(toy_method()).forward, []

    def killed(self, batch, rng):
        if self.training and torch.is_grad_enabled():
            steps.append(1)
            if len(steps) > stop_at:
                raise KeyboardInterrupt
        return forward(self, batch, rng)

    monkeypatch.setattr(type(toy_method()), "forward", killed)
    with pytest.raises(KeyboardInterrupt):
        again("cut")
    monkeypatch.undo()
    cut = again("cut", resume=True)
    named = ("train/total", "validation/total", "validation/contrastive")
    assert [[line[name] for name in named] for line in epochs(cut)] == [
        [line[name] for name in named] for line in epochs(whole)
    ]
    one, other = (load_checkpoint(made.path / "checkpoints/best.ckpt") for made in (whole, cut))
    assert all(torch.equal(one["task"][name], other["task"][name]) for name in one["task"])
    assert (whole.path / "encoder.safetensors").read_bytes() == (cut.path / "encoder.safetensors").read_bytes()


def test_the_best_epoch_by_the_held_out_videos(tmp_path):
    made = run(tmp_path / "run", export="best", stages=toy_stages(epochs=4))
    totals = [line["validation/total"] for line in epochs(made)]
    best = load_checkpoint(made.path / "checkpoints/best.ckpt")
    assert best["position"]["epoch"] == totals.index(min(totals)) + 1
    assert best["position"]["best"] == min(totals)
    by_training = run(tmp_path / "other", export="best", chosen_by="train/total", stages=toy_stages(epochs=4))
    totals = [line["train/total"] for line in epochs(by_training)]
    assert load_checkpoint(by_training.path / "checkpoints/best.ckpt")["position"]["best"] == min(totals)


def test_a_held_out_video_that_breaks_is_counted_and_told(tmp_path):
    """Another one is in its place, and the number is not of all in validation.txt."""
    held = run(tmp_path / "whole", validation=8).path.joinpath("validation.txt").read_text().split()
    made = run(tmp_path / "run", validation=8, streams={"rgb": ToyStream((held[0],))})
    lines = epochs(made)
    assert sum(line.get("validation/replaced_videos", 0) for line in lines) > 0
    assert f"{held[0]} broke while loading" in (tmp_path / "run/log.txt").read_text()


def test_of_an_accuracy_the_largest():
    assert choice_of("validation/accuracy") == ("validation/accuracy", "max")
    assert choice_of("validation/future_accuracy") == ("validation/future_accuracy", "max")
    assert choice_of("train/total") == ("train/total", "min")


def banks():
    torch.manual_seed(0)
    return IIC(ToyBackbone(), View([Noise()]), View([Residual()]), negatives=5)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"method": banks}, "IIC remembers its training videos and cannot be validated on others: pass --validation 0"),
        ({"validation": 1}, "--validation holds out 1 of the videos, too few to be told apart"),
        ({"validation": 16}, "leaves none of 16"),
        ({"export": "best", "chosen_by": "validation/totl"}, "--chosen_by validation/totl.*Did you mean"),
        ({"chosen_by": "train/total"}, "--chosen_by train/total chooses nothing.*--export best"),
        ({"validation": 0, "stages": lambda: toy_stages(epochs=1, schedule=Plateau())}, "nothing is held out"),
        ({"validation": 0, "export": "best", "chosen_by": "validation/total"}, "an epoch gives no such number"),
        ({"export": "best", "chosen_by": ""}, "an epoch gives no such number"),
        ({"validation": 1.5}, "--validation 1.5: pass a share, as 0.1, a number"),
        ({"validation": math.nan}, "--validation nan: pass a share"),
        ({"validation": math.inf}, "--validation inf: pass a share"),
        (
            {"stages": lambda: toy_stages(epochs=1, schedule=Plateau("validation/totl"))},
            "--stages.0.schedule.metric validation/totl: an epoch gives no such number.*'validation/total'",
        ),
    ],
)
def test_mistakes_leave_the_folder_free(tmp_path, more, said):
    more = {name: value() if callable(value) else value for name, value in more.items()}
    with pytest.raises(UserError, match=said):
        run(tmp_path / "run", **more)
    assert not (tmp_path / "run/recipe.yaml").exists()


@pytest.mark.slow
def test_two_processes_say_the_same_as_one(tmp_path):
    """Without BatchNorm and dropout; float32 sums of another order differ by about 1e-7 of their terms."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(HERE.parent), "GLOO_SOCKET_IFNAME": "lo"}
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command = [sys.executable, *launcher, str(HERE / "validation_script.py"), str(tmp_path / "two")]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, timeout=240)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    two = torch.load(tmp_path / "two/out.pt", weights_only=True)
    one = run(tmp_path / "one", toy_method(), validation=0.5)
    assert two["equal"]
    for ours, line in zip(two["validations"], epochs(one), strict=True):
        assert ours == pytest.approx(line["validation/total"], rel=1e-5)


@pytest.mark.parametrize("recipe", ["simclr_small", "iic_small"])
def test_the_small_recipes_take_it(tmp_path, recipe):
    words = {"catalog": "toys.ToyCatalog", "streams": "{rgb: toys.ToyStream}", "method.backbone.width": 2, "epochs": 2}
    words |= {"validation": 0.4, "validation_by": "video", "batch_size": 4, "workers": 0, "threads": 1, "device": "cpu"}
    words |= {"out": tmp_path / "run", "export": "best", "sampler.stride": 1, "protocol.sampler.clips": 2}
    assert (
        main(["pretrain", recipe, *[str(word) for name, value in words.items() for word in (f"--{name}", value)]]) == 0
    )
    last = epochs(Run(tmp_path / "run"))[-1]
    terms = ["contrastive"] if recipe == "simclr_small" else ["first", "second"]
    assert last["validation/total"] == pytest.approx(sum(last[f"validation/{term}"] for term in terms) / len(terms))
    assert Encoder.load(tmp_path / "run", trust=("toys",)).record["weights"] == "best"
