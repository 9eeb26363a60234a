"""A classifier on a backbone: what fine-tuning trains, with labels; and linear evaluation, without the backbone."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, Self

import torch
from torch import Tensor
from torch.nn import functional as F

from praxino.backbones.base import Backbone
from praxino.backbones.pooling import pool
from praxino.batch import ClipBatch
from praxino.described import arguments
from praxino.encoders.encoder import Encoder
from praxino.encoders.head import Head
from praxino.encoders.protocol import Protocol
from praxino.errors import UserError
from praxino.evaluations.untrained import untrained
from praxino.methods.base import Losses, Task
from praxino.ranks import gather_rows
from praxino.rng import Rng
from praxino.views.pipeline import View

HeadMaker = Callable[[int, int], Head]  # (dim of the features, classes) -> head


class Classifier(Task):
    """A head on the mean of the feature map, trained by cross-entropy, with the backbone.

    Args:
        backbone: clips in, feature map out. A parameter of it that requires no gradient stays as it is.
        view: what the network sees of a clip in training.
        head: the mean of the map in, a number for each class out.
        validation_view: what it sees in a validation; None: as in training.
        frozen: the weights of the backbone stay as they are, and only the head is trained.
        frozen_statistics: of a frozen backbone the BatchNorm statistics stay as well. False: it normalises by each
            batch and goes on averaging, as in TCLR's linear evaluation, so that another network is tested than came in.
    """

    def __init__(
        self,
        backbone: Backbone,
        view: View,
        head: Head,
        validation_view: View | None = None,
        frozen: bool = False,
        frozen_statistics: bool = True,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.view = view
        self.validation_view = validation_view
        self.frozen = frozen
        self.frozen_statistics = frozen_statistics
        self.streams = (view.stream,)
        self.least_videos = 2 if head.norm else 1
        # Under this name in the checkpoints, and for `rate_factors`: "linear.weight".
        self.linear = head
        if frozen:
            backbone.requires_grad_(False)

    @property
    def head(self) -> Head:
        return self.linear

    def train(self, mode: bool = True) -> Self:
        """As of any module; but a frozen backbone with its statistics is always in evaluation mode."""
        super().train(mode)
        if self.frozen and self.frozen_statistics:
            self.backbone.eval()
        return self

    def frozen_state(self) -> dict[str, Tensor]:
        """What training must leave as it is: a frozen backbone's weights, and its statistics if these are frozen."""
        if not self.frozen:
            return {}
        return self.backbone.state_dict() if self.frozen_statistics else dict(self.backbone.named_parameters())

    def logits(self, clips: Tensor) -> Tensor:
        """What it says of clips [b, C, T, h, w]: [b, classes]."""
        return self.linear(pool(self.backbone(clips), "mean"))

    def forward(self, batch: ClipBatch, rng: Rng) -> Losses:
        clips = self.view(batch, rng.child("view"))
        labels = batch.label.repeat_interleave(clips.shape[1])
        return self.objective({"clips": clips.flatten(0, 1)}, labels=labels)

    def objective(self, views: dict[str, Tensor], **drawn: Any) -> Losses:
        """Everything that is not random.

        Args:
            views: `clips` [b, C, T, h, w].
            drawn: `labels`, int64 [b], 0-based.
        """
        labels = drawn["labels"]
        logits = self.logits(views["clips"]).float()
        hits = (logits.detach().argmax(1) == labels).float().mean()
        # No embeddings: the health check looks for a collapse, and classes are meant to fall together.
        return Losses(gather_rows(F.cross_entropy(logits, labels, reduction="none")).mean(), {"accuracy": hits})

    def validated(self, batch: ClipBatch, rng: Rng) -> Losses:
        """Of this process's videos alone: loss and accuracy of the mean of each video's logits over its clips."""
        clips = (self.validation_view or self.view)(batch, rng.child("view"))
        logits = self.logits(clips.flatten(0, 1)).float().unflatten(0, clips.shape[:2]).mean(1)
        loss = F.cross_entropy(logits, batch.label, reduction="sum")
        hits = (logits.argmax(1) == batch.label).sum()
        return Losses(loss.double() / len(batch), {"accuracy": hits.double() / len(batch)})


def refuse_changed(before: Mapping[str, Tensor], task: Classifier) -> None:
    """Makes sure that a frozen network is the one that came in, as MoCo's code does after its first epoch.

    Args:
        before: copies of the task's `frozen_state` before the training.
        task: after it.

    Raises:
        UserError: if a tensor is another one.
    """
    for name, value in task.frozen_state().items():
        if not torch.equal(value.cpu(), before[name].cpu()):
            raise UserError(
                f"{type(task.backbone).__name__}: '{name}' has changed, and the network was to stay as it is: its "
                "forward must not change it in evaluation mode"
            )


def classifier_on(
    encoder: Encoder,
    protocol: Protocol,
    classes: tuple[str, ...],
    head: HeadMaker,
    view: View,
    validation_view: View,
    scratch: bool,
    seed: int,
    frozen: bool = False,
    frozen_statistics: bool = True,
) -> tuple[Classifier, Encoder]:
    """The task, and an encoder of the same weights that is used as `protocol` says.

    Args:
        encoder: gives the backbone, of which a copy is taken; its own head, if it has one, is left behind.
        protocol: of the test.
        classes: their names.
        head: makes the new one.
        view, validation_view, frozen, frozen_statistics: as of `Classifier`.
        scratch: the backbone drawn anew.
        seed: of the weights that are drawn.
    """
    backbone = untrained(encoder, seed).backbone if scratch else copy.deepcopy(encoder.backbone)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(Rng(seed, "classifier").shared().integers(2**31)))
        new = head(backbone.dim, len(classes))
    task = Classifier(backbone, view, new, validation_view, frozen, frozen_statistics)
    return task.train(), Encoder(backbone, **arguments(protocol), classes=classes, head=new)
