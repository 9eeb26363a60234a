"""Linear evaluation as a run of its own: what stays, what the test may choose, one curve whatever happens."""

import contextlib
import math

import pytest
import torch
import yaml
from test_finetune import MACHINE, Killed, arguments, killed_at, toy_encoder

from praxino.encoders.encoder import Encoder
from praxino.errors import UserError
from praxino.evaluations.classifying.finetune import finetune
from praxino.evaluations.result import read_result
from praxino.report.page import write_report
from praxino.training.run import Run
from praxino.training.schedules import CountedPlateau
from praxino.training.start import kind_of
from toys import toy_stages


def linear_arguments(out, **more):
    plateau = CountedPlateau(patience=1, reset=False, finish_below=0.05)
    given = {
        "frozen": True, "validation": 0, "tested_after": [1, 2, 9], "average": "softmax",
        "stages": toy_stages(epochs=30, schedule=plateau),
    }  # fmt: skip
    return arguments(out, **given | more)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("linear") / "run"
    return folder, finetune(**linear_arguments(folder))


def backbone_states(folder):
    before, after = (Encoder.load(folder / f"{name}.safetensors", trust=("toys",)) for name in ("start", "encoder"))
    assert not torch.equal(before.head.weight, after.head.weight)
    return before.backbone.state_dict(), after.backbone.state_dict()


def test_the_network_stays_as_it_is(whole):
    folder, done = whole
    given = toy_encoder().backbone.state_dict()
    for state in backbone_states(folder):
        assert all(torch.equal(state[name], value) for name, value in given.items())
    assert [row.name for row in done.result.rows] == ["chance", "trained"]
    assert yaml.safe_load((folder / "recipe.yaml").read_text())["kind"] == "linear"
    assert kind_of(folder) == "linear"
    assert read_result(folder, "linear").rows == done.result.rows
    assert "A linear classifier with labels" in write_report(folder).read_text()


def test_or_its_statistics_go_on(tmp_path):
    finetune(**linear_arguments(tmp_path / "run", frozen_statistics=False, stages=toy_stages(epochs=1)))
    before, after = backbone_states(tmp_path / "run")
    moved = {name for name, value in before.items() if not torch.equal(value, after[name])}
    assert moved == {f"layers.1.{word}" for word in ("running_mean", "running_var", "num_batches_tracked")}


def test_the_best_of_some_epochs_by_the_test(whole):
    _, done = whole
    epochs = [line for line in done.run.metrics() if line["kind"] == "epoch"]
    tested = {line["epoch"]: line["test/accuracy"] for line in epochs if "test/accuracy" in line}
    assert set(tested) == {1, 2, 9} & set(range(len(epochs)))
    best = max(tested, key=lambda epoch: (tested[epoch], -epoch))
    assert done.result.settings["weights after epoch"] == best + 1
    assert done.result.settings["weights chosen by"] == "test/accuracy"
    assert done.result.row("trained").values["1"] == pytest.approx(100 * tested[best])


def test_the_last_epoch_where_none_was_tested(tmp_path):
    done = finetune(**linear_arguments(tmp_path / "run", stages=toy_stages(epochs=1)))
    assert (done.result.settings["weights after epoch"], done.result.settings["weights chosen by"]) == (1, "nothing")


def test_the_schedule_ends_it(whole):
    """An epoch with a hundredth of the rate is the last one."""
    _, done = whole
    rates = [line["lr"] for line in done.run.metrics() if line["kind"] == "step"]
    exponents = [round(math.log10(3e-3 / rate)) for rate in rates]
    assert exponents == sorted(exponents)
    assert [exponents.count(exponent) for exponent in (2, 3)] == [4, 0]  # four steps an epoch
    assert len(rates) < 30 * 4


@pytest.mark.parametrize("kills", [[2], [9, 4], [13, 7, 6], [21]])
def test_a_kill_changes_nothing(whole, tmp_path, kills):
    folder = tmp_path / "run"
    for kill in kills:
        with pytest.MonkeyPatch.context() as patched:
            killed_at(patched, kill)
            with contextlib.suppress(Killed):
                finetune(**linear_arguments(folder), resume=(folder / "recipe.yaml").exists())
    finetune(**linear_arguments(folder), resume=(folder / "recipe.yaml").exists())

    def left(folder):
        run = Run.open(folder)
        curve = [{k: v for k, v in line.items() if k not in MACHINE} for line in run.metrics()]
        last = run.checkpoint()
        best = torch.load(folder / "checkpoints/best.ckpt", weights_only=True)["position"]
        texts = [(folder / name).read_text() for name in ("evaluations/linear.json", "videos.csv")]
        return curve, last["schedule"], last["position"], best, texts, (folder / "encoder.safetensors").read_bytes()

    assert left(folder) == left(whole[0])


def test_one_choice_only(tmp_path):
    with pytest.raises(UserError, match="--tested_after chooses the epoch by the test part: pass --validation 0"):
        finetune(**linear_arguments(tmp_path / "run", validation=0.25))
