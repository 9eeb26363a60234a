"""Checks of the learning rates of CycleContrast's four trainings."""

import golden_items
import torch
from golden_items import Item

from praxino.training.schedules import Cosine, Exponential, Schedule, Step
from praxino.training.stages import Stage
from toys import toy_method

STEPS = 3  # an epoch


def rates(lr: float, epochs: int, schedule: Schedule) -> list[float]:
    """The rate of each epoch as the loop sets it, the same one at each of its steps."""
    stage = Stage(lambda groups: torch.optim.SGD(groups, lr=lr), epochs=epochs, schedule=schedule)
    optimizer = stage.make_optimizer(toy_method())
    found = [stage.set_rates(optimizer, step, STEPS) for step in range(epochs * STEPS)]
    by_epoch = [set(found[first : first + STEPS]) for first in range(0, len(found), STEPS)]
    assert all(len(one) == 1 for one in by_epoch)
    return [one.pop() for one in by_epoch]


def lr_schedules(item: Item) -> None:
    given = item.scalars
    ultimate = given["siamfc_ultimate_lr"] / given["siamfc_initial_lr"]
    cosine = rates(given["lr"], given["epochs"], Cosine(per="epoch"))
    assert min(cosine) > 0
    item.compare(
        cos=cosine,
        steps=rates(given["lr"], given["epochs"], Step(given["schedule"])),
        lincls=rates(given["lincls_lr"], item.size("lincls"), Step(given["lincls_schedule"])),
        ucf=rates(given["ucf_lr"], item.size("ucf"), Step(given["ucf_milestones"], given["ucf_gamma"])),
        siamfc=rates(given["siamfc_initial_lr"], given["siamfc_epochs"], Exponential(ultimate, per="epoch")),
    )


CHECKS: dict[str, golden_items.Check] = {"lr_schedules": lr_schedules}
