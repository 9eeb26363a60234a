"""A classifier on a backbone: what fine-tuning trains, with labels; and linear evaluation, without the backbone."""

from __future__ import annotations

import re
from typing import Any, Self

from torch import Tensor, nn
from torch.nn import functional as F

from praxino.backbones.base import Backbone
from praxino.backbones.pooling import pool
from praxino.batch import ClipBatch
from praxino.errors import UserError
from praxino.methods.base import Losses, Task
from praxino.ranks import gather_rows
from praxino.rng import Rng
from praxino.views.pipeline import View


class Classifier(Task):
    """A linear layer on the mean of the feature map, trained by cross-entropy, with the backbone.

    Args:
        backbone: clips in, feature map out. A parameter of it that requires no gradient stays as it is.
        view: what the network sees of a clip in training.
        classes: how many.
        rates: regular expression -> learning rate of the parameters whose name it is found in, the first one that is:
            a group of its own. All others have the optimizer's rate. Names are those of `named_parameters`:
            "backbone.stages.3.0.conv1.weight", "linear.bias".
        frozen: the weights of the backbone stay as they are, and only the linear layer is trained.
        frozen_statistics: of a frozen backbone the BatchNorm statistics stay as well. False: it normalises by each
            batch and goes on averaging, as in TCLR's linear evaluation, so that another network is tested than came in.
    """

    def __init__(
        self,
        backbone: Backbone,
        view: View,
        classes: int,
        rates: dict[str, float] | None = None,
        frozen: bool = False,
        frozen_statistics: bool = True,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.view = view
        self.classes = classes
        self.rates = rates
        self.frozen = frozen
        self.frozen_statistics = frozen_statistics
        self.streams = (view.stream,)
        self.linear = nn.Linear(backbone.dim, classes)
        if frozen:
            backbone.requires_grad_(False)

    def train(self, mode: bool = True) -> Self:
        """As of any module; but a frozen backbone with its statistics is always in evaluation mode."""
        super().train(mode)
        if self.frozen and self.frozen_statistics:
            self.backbone.eval()
        return self

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

    def group_of(self, name: str) -> int:
        """The group of a parameter by its name: 0, or 1 and on for `rates` in their order."""
        found = (number for number, rate in enumerate(self.rates or (), start=1) if re.search(rate, name))
        return next(found, 0)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """The trainable parameters by `rates`, those without one first.

        Raises:
            UserError: if a rate is no one's, or no regular expression.
        """
        rates = self.rates or {}
        groups: list[dict[str, Any]] = [{"params": []}, *({"params": [], "lr": rate} for rate in rates.values())]
        try:
            for name, parameter in self.named_parameters():
                if parameter.requires_grad:
                    groups[self.group_of(name)]["params"].append(parameter)
        except re.error as error:
            raise UserError(f"--rates: {error.pattern!r} is no regular expression: {error}") from None
        for pattern, group in zip(rates, groups[1:], strict=True):
            if not group["params"]:
                raise UserError(f"--rates: no parameter is called like {pattern!r}; there is {name}, for one")
        return [group for group in groups if group["params"]]
