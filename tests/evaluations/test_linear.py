"""Linear evaluation against plain gradient descent, its switches, and what is refused."""

import numpy as np
import pytest
import torch
from test_finetune import ListedToys, toy_encoder

from praxino.errors import UserError
from praxino.evaluations.classifying import linear as module
from praxino.evaluations.classifying.linear import linear
from praxino.evaluations.classifying.linear_solver import best_penalty, fitted, standardised
from praxino.evaluations.comparison import HANDMADE
from praxino.evaluations.features import extract
from praxino.rng import Rng
from praxino.training.held_out import held_out_rows
from praxino.views.pipeline import View
from toys import Noise, ToyCatalog, ToyStream

QUICK = {"workers": 0, "device": "cpu", "reestimate_batchnorm": False}


def descended(x, y, classes, penalty, steps=5000, rate=0.4):
    """Gradient descent on the same objective, in numpy."""
    weight, bias = np.zeros((classes, x.shape[1])), np.zeros(classes)
    for _ in range(steps):
        powers = np.exp(x @ weight.T + bias)
        error = (powers / powers.sum(1, keepdims=True) - np.eye(classes)[y]) / len(y)
        weight -= rate * (error.T @ x + penalty * weight)
        bias -= rate * error.sum(0)
    return weight, bias


@pytest.fixture
def problem():
    generator = np.random.default_rng(3)
    x, y = generator.normal(size=(40, 5)), generator.integers(3, size=40)
    return x + np.eye(5)[y], y


@pytest.mark.parametrize("penalty", [0.01, 0.3])
def test_the_solver_reaches_the_minimum_from_anywhere(problem, penalty):
    x, y = map(torch.from_numpy, problem)
    weight, bias = descended(*problem, 3, penalty)
    found = fitted(x, y, 3, penalty)
    assert found.weight.numpy() == pytest.approx(weight, abs=1e-4)
    assert found.logits(x).numpy() == pytest.approx(problem[0] @ weight.T + bias, abs=1e-3)
    again = fitted(x, y, 3, penalty, fitted(x, y, 3, 10.0))
    assert again.weight.numpy() == pytest.approx(weight, abs=1e-4)
    assert all(torch.equal(a, b) for a, b in zip(found, fitted(x, y, 3, penalty), strict=True))


def test_the_penalty_is_that_of_the_least_loss_on_the_rows_held_out(problem):
    x, y = map(torch.from_numpy, problem)
    held, penalties = [1, 5, 7, 20, 33], (1e-3, 0.1, 3.0)
    kept = [row for row in range(40) if row not in held]
    losses = {}
    for penalty in penalties:
        weight, bias = descended(problem[0][kept], problem[1][kept], 3, penalty)
        logits = problem[0][held] @ weight.T + bias
        losses[penalty] = np.mean(np.log(np.exp(logits).sum(1)) - logits[range(5), problem[1][held]])
    assert best_penalty(x, y, 3, held, penalties) == min(losses, key=losses.get)


def test_standardised_by_the_gallery_alone():
    generator = np.random.default_rng(0)
    gallery, queries = generator.normal(2, 3, (9, 4)).astype(np.float32), generator.normal(size=(5, 4))
    gallery[:, 2] = 7.1
    ours, theirs = standardised(torch.from_numpy(gallery), torch.from_numpy(queries))
    deviation = gallery.astype(np.float64).std(0)
    want = (queries - gallery.astype(np.float64).mean(0)) / np.where(deviation > 1e-5, deviation, np.inf)
    assert theirs.numpy() == pytest.approx(want, abs=1e-6)
    assert ours.mean(0).numpy() == pytest.approx(np.zeros(4), abs=1e-6)
    assert ours.square().mean(0).numpy() == pytest.approx([1, 1, 0, 1])
    given = torch.from_numpy(queries)  # float64, which needs no conversion
    before = given.clone()
    standardised(given, given)
    assert torch.equal(given, before)


def test_the_number_written_out():
    """Mean features of the clips, from a network in evaluation mode; the penalty by the held-out groups."""
    encoder = toy_encoder(feature="max")
    found = linear(encoder, ListedToys(), penalties=(0.003, 0.3), validation=0.25, baselines=False, **QUICK)
    encoder.feature = "mean"
    encoder.backbone.eval()
    vectors = {
        part: extract(ListedToys(part), {"": encoder.features}, ["rgb"], encoder.sampler, encoder.streams)[""]
        for part in ("train", "test")
    }
    x, asked = standardised(*(torch.from_numpy(vectors[part].vectors) for part in ("train", "test")))
    y = vectors["train"].labels
    held = held_out_rows(list(ListedToys("train")), 0.25, "group", Rng(0, "validation"))
    penalty = best_penalty(x, torch.from_numpy(y), 2, held, (0.003, 0.3))
    weight, bias = descended(x.numpy(), y, 2, penalty)
    hits = (asked.numpy() @ weight.T + bias).argmax(1) == vectors["test"].labels
    assert found.per_query["trained"]["1"] == hits.tolist()
    assert found.row("trained").values["1"] == pytest.approx(100 * hits.mean())
    assert (found.settings["penalty"], found.settings["held out to choose it"]) == (penalty, len(held))
    assert (found.settings["feature"], found.settings["query videos"]) == ("mean", 8)
    assert [row.name for row in found.rows] == ["chance", "trained"]
    assert found.rows[0].values == {"1": 50, "5": 100}


def test_few_labels_are_drawn_anew_and_alike_for_every_row(monkeypatch):
    drawn = []
    solved = module.fitted

    def watched(x, y, *more):
        drawn.append(y.tolist())
        return solved(x, y, *more)

    monkeypatch.setattr(module, "fitted", watched)
    found = linear(toy_encoder(), ListedToys(), labels_per_class=(1, 3), draws=2, validation=0, **QUICK)
    rows = ["untrained", "untrained, one frame", *HANDMADE, "trained"]
    assert [row.name for row in found.rows] == ["chance", *rows]
    assert found.columns == ["1", "5", "1 a class", "3 a class"]
    assert len(drawn) == len(rows) * (1 + 2 + 2)
    assert drawn[:5] == drawn[-5:]
    assert [sorted(labels) for labels in drawn[1:5]] == [[0, 1], [0, 1], [0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 1]]
    assert len(drawn[0]) == 16
    assert found.settings["held out to choose it"] == 0
    assert found.settings["penalty"] == found.settings["penalty with few labels"] == 1e-2
    again = linear(toy_encoder(), ListedToys(), labels_per_class=(1, 3), draws=2, validation=0, **QUICK)
    assert again.rows == found.rows
    chance = found.row("chance").values
    assert chance["3 a class"] == 50


def test_several_views_and_all_of_them_side_by_side():
    encoder = toy_encoder()
    encoder.views["noisy"] = View([Noise()])
    found = linear(encoder, ListedToys(), views=["rgb", "noisy"], validation=0, **QUICK)
    rows = [row.name for row in found.rows if row.name.startswith("trained")]
    assert rows == ["trained, rgb", "trained, noisy", "trained, joint"]
    alone = linear(toy_encoder(), ListedToys(), validation=0, baselines=False, **QUICK)
    assert found.per_query["trained, rgb"] == alone.per_query["trained"]


def test_what_is_unreadable_is_left_out_and_listed():
    encoder = toy_encoder(streams={"rgb": ToyStream(("video03",))})
    found = linear(encoder, ListedToys(), baselines=False, validation=0.25, **QUICK)
    assert found.left_out == [("video03", "broke")]
    assert found.settings["gallery videos"] == 15


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"catalog": ToyCatalog()}, "share videos"),
        ({"labels_per_class": (1, 9)}, "--labels_per_class 9: there is a class with 8"),
        ({"labels_per_class": (0,)}, "--labels_per_class must be above 0"),
        ({"draws": 0}, "--draws must be above 0"),
        ({"penalties": (0.1, 0)}, "--penalties must be above 0"),
        ({"validation": 16}, "leaves none of 16"),
        ({"view": "rbg"}, "no view 'rbg'"),
    ],
)
def test_what_is_refused_before_anything_is_decoded(change, said):
    class NoDecoding(ToyStream):
        def open(self, video, canvas=None):
            raise AssertionError("something was decoded")

    encoder = toy_encoder(streams={"rgb": NoDecoding()})
    with pytest.raises(UserError, match=said):
        linear(**{"encoder": encoder, "catalog": ListedToys(), **QUICK, **change})
