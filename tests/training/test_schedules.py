"""Schedules against torch's own and against their definitions."""

import math
import random

import pytest
import torch
from torch.optim.lr_scheduler import ExponentialLR, MultiStepLR, ReduceLROnPlateau

from praxino.errors import UserError
from praxino.training.schedules import Constant, Cosine, CountedPlateau, Exponential, Plateau, Step


def torch_optimizer():
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)


def test_step_is_torchs():
    optimizer = torch_optimizer()
    theirs = MultiStepLR(optimizer, [3, 5, 9], 0.2)
    ours = Step([3, 5, 9], 0.2)
    for epoch in range(12):
        assert ours(epoch, 12) == pytest.approx(optimizer.param_groups[0]["lr"])
        assert ours(epoch + 0.99, 12) == ours(epoch, 12)
        optimizer.step()
        theirs.step()


def test_exponential_is_torchs():
    """By the epoch; by the step it goes through the same values at the epochs' starts."""
    optimizer = torch_optimizer()
    theirs = ExponentialLR(optimizer, gamma=0.03 ** (1 / 8))
    by_epoch, by_step = Exponential(0.03, per="epoch"), Exponential(0.03)
    for epoch in range(8):
        assert by_epoch(epoch, 8) == pytest.approx(optimizer.param_groups[0]["lr"])
        assert by_epoch(epoch + 0.99, 8) == by_epoch(epoch, 8) == by_step(epoch, 8)
        assert by_step(epoch + 1, 8) < by_step(epoch + 0.5, 8) < by_step(epoch, 8)
        optimizer.step()
        theirs.step()
    assert by_step(8, 8) == pytest.approx(0.03)


@pytest.mark.parametrize("wrong", [{"final": 0.0}, {"final": float("nan")}, {"per": "epochs"}])
def test_what_is_no_exponential(wrong):
    with pytest.raises(UserError, match="Exponential: "):
        Exponential(**wrong)


@pytest.mark.parametrize("seed", range(5))
def test_plateau_is_torchs(seed):
    """Also when it is saved and restored at a random epoch."""
    values = random.Random(seed)
    optimizer = torch_optimizer()
    theirs = ReduceLROnPlateau(optimizer, factor=0.5, patience=2, threshold=1e-2, min_lr=0.1)
    make = lambda: Plateau("validation/total", factor=0.5, patience=2, threshold=1e-2, minimum=0.1)  # noqa: E731
    ours = make()
    for epoch in range(40):
        assert ours(epoch, 40) == pytest.approx(optimizer.param_groups[0]["lr"])
        value = values.choice([1.0, 0.999, 0.9, 0.5, 2.0])
        theirs.step(value)
        ours.observe({"validation/total": value})
        if values.random() < 0.3:
            again = make()
            again.load_state_dict(ours.state_dict())
            ours = again


def test_plateau_names_a_missing_metric():
    with pytest.raises(UserError, match=r"validation/total.*train/total"):
        Plateau().observe({"train/total": 1.0})


def tclr_rates(losses, base, patience, warmup, reset, finish_below=0.0):
    """TCLR's two loops, written as they are told: the plateau is looked at before an epoch, the loss after it."""
    rate, best, bad, drops, rates = base, math.inf, 0, 0, []
    for epoch, loss in enumerate(losses):
        if epoch < len(warmup):
            rate = base * warmup[epoch]
        else:
            rate = base if epoch == len(warmup) else rate
            if bad == patience:
                drops, bad = drops + 1, 0
                rate = base / 10**drops
        rates.append(rate)
        if loss < best:
            best, bad = loss, 0 if reset else bad
        if loss > best:
            bad += 1
        if rate < finish_below:
            break
    return rates


@pytest.mark.parametrize(("warmup", "reset", "finish_below"), [([0.01, 0.5], True, 0.0), ([], False, 1e-3)])
@pytest.mark.parametrize("seed", range(5))
def test_counted_plateau_is_tclrs(seed, warmup, reset, finish_below):
    """Also when it is saved and restored at a random epoch."""
    values = random.Random(seed)
    losses = [values.choice([3.0, 2.0, 1.5, 1.0, 1.0 - 0.01 * epoch]) for epoch in range(60)]
    make = lambda: CountedPlateau("train/total", 0.1, 3, warmup, reset, finish_below)  # noqa: E731
    ours, rates = make(), []
    for epoch, loss in enumerate(losses):
        rates.append(0.01 * ours(epoch, 60))
        assert ours(epoch + 0.9, 60) == ours(epoch, 60)
        ours.observe({"train/total": loss})
        if values.random() < 0.3:
            again = make()
            again.load_state_dict(ours.state_dict())
            ours = again
        if ours.finished():
            break
    assert rates == pytest.approx(tclr_rates(losses, 0.01, 3, warmup, reset, 0.01 * finish_below))
    assert ours.finished() == (len(rates) < 60)


def test_counted_plateau_refuses_a_patience_that_the_warm_up_may_pass():
    CountedPlateau(patience=4, warmup=[0.1] * 5)
    with pytest.raises(UserError, match=r"patience 3: 5 epochs of warm-up .* pass at least 4"):
        CountedPlateau(patience=3, warmup=[0.1] * 5)


@pytest.mark.parametrize(
    "make, told",
    [
        (lambda: Cosine(final=-1), "Cosine: final must be from 0 to 1, not -1"),
        (lambda: Cosine(warmup=-1), "Cosine: warmup must be 0 or more, not -1"),
        (lambda: Cosine(per="batch"), "Cosine: per is 'step' or 'epoch', not 'batch'"),
        (lambda: Step([3], -0.1), "Step: factor must be 0 or more, not -0.1"),
        (lambda: Plateau(factor=3), "Plateau: factor must be from 0 to 1, not 3"),
        (lambda: Plateau(patience=-3), "Plateau: patience must be 0 or more, not -3"),
        (lambda: Plateau(threshold=2), "Plateau: threshold must be from 0 to 1, not 2"),
        (lambda: Plateau(minimum=-0.1), "Plateau: minimum must be from 0 to 1, not -0.1"),
        (lambda: CountedPlateau(factor=3), "CountedPlateau: factor must be from 0 to 1, not 3"),
        (lambda: CountedPlateau(patience=0), "CountedPlateau: patience must be 1 or more, not 0"),
    ],
)
def test_numbers_of_schedules_that_cannot_be_are_refused(make, told):
    with pytest.raises(UserError, match=f"^{told}$"):
        make()


def test_counted_plateau_names_a_missing_metric():
    with pytest.raises(UserError, match=r"CountedPlateau watches 'train/total'.*validation/total"):
        CountedPlateau().observe({"validation/total": 1.0})


def test_cosine():
    schedule = Cosine(final=0.1)
    assert schedule(0, 10) == 1
    assert schedule(5, 10) == pytest.approx(0.55)
    assert schedule(10, 10) == pytest.approx(0.1)
    assert Cosine(per="epoch")(3.9, 10) == pytest.approx(0.5 * (1 + math.cos(0.3 * math.pi)))


def test_cosine_warms_up():
    schedule = Cosine(warmup=2)
    values = [schedule(step / 10, 10) for step in range(21)]
    assert 0 < values[0] < 0.01
    assert values == sorted(values)
    assert values[20] == 1


def test_cosine_warms_up_by_epochs():
    schedule = Cosine(warmup=4, per="epoch")
    assert [schedule(epoch + 0.7, 10) for epoch in range(5)] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])


def test_constant():
    assert Constant()(3.5, 10) == 1
    assert not Constant().finished()
