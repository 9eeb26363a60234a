"""The optimizer of a stage: whose rate is multiplied by what, and what is not stepped."""

import pytest
import torch

from praxino.encoders.head import Head
from praxino.errors import UserError
from praxino.evaluations.classifying.classifier import Classifier
from praxino.training.stages import Stage
from praxino.views.pipeline import View
from toys import Noise, ToyBackbone


def classifier():
    torch.manual_seed(0)
    return Classifier(ToyBackbone(), View([Noise()]), Head(6, 4))


def stage(factors, **more):
    return Stage(lambda groups: torch.optim.SGD(groups, lr=0.02, **more), epochs=1, rate_factors=factors)


def test_groups_by_name():
    task = classifier()
    rest, linear, last = stage({r"linear\.": 25, r"layers\.4|linear": 5}).make_optimizer(task).param_groups
    assert [group["own_lr"] for group in (rest, linear, last)] == [0.02, 0.5, 0.1]
    assert linear["params"] == [task.linear.weight, task.linear.bias]
    assert last["params"] == list(task.backbone.layers[4].parameters())
    assert rest["params"] == list(task.backbone.layers[0].parameters())


def test_rates_are_divided_by_the_optimizers():
    made = stage(None).with_rates({"linear": 0.5, "layers": 0.01})
    assert made.rate_factors == {"linear": 25, "layers": 0.5}
    assert [group["lr"] for group in made.make_optimizer(classifier()).param_groups] == [0.5, 0.01]
    assert made.with_rates({"linear": 1.0}).rate_factors == {"linear": 50}


def test_a_factor_of_0_is_not_stepped_but_differentiated():
    """The layer before it learns through it; weight decay and momentum do not move it either."""
    task = classifier()
    before = {name: value.clone() for name, value in task.state_dict().items()}
    optimizer = stage({r"layers\.4": 0}, momentum=0.9, weight_decay=0.1).make_optimizer(task)
    for _ in range(2):
        task.zero_grad()
        clips = torch.rand(4, 3, 4, 6, 8)
        task.objective({"clips": clips}, labels=torch.tensor([0, 1, 2, 3])).total.backward()
        optimizer.step()
    moved = {name for name, value in task.state_dict().items() if not torch.equal(value, before[name])}
    assert moved == {f"{layer}.{word}" for layer in ("backbone.layers.0", "linear") for word in ("weight", "bias")}
    assert task.backbone.layers[4].weight.grad.any()


def test_a_tasks_own_groups_keep_their_settings():
    task = classifier()
    task.parameter_groups = lambda: [
        {"params": list(task.backbone.parameters()), "weight_decay": 0.3},
        {"params": list(task.linear.parameters()), "lr": 0.5},
    ]
    first, last, head = stage({r"layers\.4|linear": 2}).make_optimizer(task).param_groups
    assert [group["lr"] for group in (first, last, head)] == [0.02, 0.04, 1.0]
    assert [group["weight_decay"] for group in (first, last, head)] == [0.3, 0.3, 0]


@pytest.mark.parametrize(
    ("factors", "said"),
    [
        ({"conv9": 1}, "no parameter that is trained is called like"),
        ({"(": 1}, "no regular expression"),
        ({".": 0}, "no parameter to step"),
    ],
)
def test_factors_that_are_no_ones(factors, said):
    with pytest.raises(UserError, match=said):
        stage(factors).make_optimizer(classifier())


@pytest.mark.parametrize("factor", [-1.0, float("nan"), float("inf")])
def test_a_factor_that_is_none(factor):
    with pytest.raises(UserError, match="0 or above, and finite"):
        stage({"linear": factor})
    with pytest.raises(UserError, match=r"--rates: 'linear' has .*0 or above, and finite"):
        stage(None).with_rates({"linear": factor})


def test_rates_of_an_optimizer_without_a_rate():
    with pytest.raises(UserError, match="learning rate is 0"):
        Stage(lambda groups: torch.optim.SGD(groups, lr=0.0), epochs=1).with_rates({"linear": 1.0})


def test_a_pattern_that_yaml_reads_as_a_number():
    assert len(stage({4: 2.0}).make_optimizer(classifier()).param_groups) == 2


def test_a_frozen_part_has_no_group():
    task = classifier()
    task.backbone.requires_grad_(False)
    (only,) = stage(None).make_optimizer(task).param_groups
    assert only["params"] == [task.linear.weight, task.linear.bias]
    with pytest.raises(UserError, match="linear"):
        stage({"backbone": 2.0}).make_optimizer(task)
