"""Schedules against torch's own and against their definitions."""

import math
import random

import pytest
import torch
from torch.optim.lr_scheduler import MultiStepLR, ReduceLROnPlateau

from praxino.errors import UserError
from praxino.training.schedules import Constant, Cosine, Plateau, Step


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


def test_constant():
    assert Constant()(3.5, 10) == 1
    assert not Constant().finished()
