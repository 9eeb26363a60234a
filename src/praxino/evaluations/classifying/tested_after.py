"""The test part as what chooses an epoch: TCLR's published figures are such, and MoCo's on ImageNet."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Literal

from praxino import ranks
from praxino.evaluations.classifying.recognition import scores
from praxino.evaluations.features import VideoFeatures
from praxino.methods.base import Task
from praxino.training.validation import Choice, choice_of

TESTED = "test/accuracy"
Every = Literal["every"]


class TestedAfter:
    """What `fit` calls after each epoch where the test part chooses among some.

    A number that was chosen so is too high: it has seen the test.

    Args:
        epochs: after which the test is made, counted from 0; "every": after each.
        test: gives the logits of the test's videos.

    Attributes:
        best: the number that chooses the epoch, and which is the better one: as of `fit`.
    """

    best: Choice = choice_of(TESTED)

    def __init__(self, epochs: Collection[int] | Every, test: Callable[[], VideoFeatures]) -> None:
        self.epochs = epochs
        self.test = test

    def __call__(self, task: Task, epoch: int) -> dict[str, float]:
        """`test/accuracy`, correct / videos; nothing after the other epochs."""
        if self.epochs != "every" and epoch not in self.epochs:
            return {}
        ranks.broadcast_buffers(task)
        try:
            found = self.test()
        finally:
            task.train()
        return {TESTED: scores(found.vectors, found.labels).accuracy}
