"""What says a class: a linear layer on the mean of the feature map."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from praxino.backbones.base import Backbone
from praxino.errors import UserError

HEAD = "classifier."  # before the head's names in the file of the weights


class Head(nn.Linear):
    """[b, dim] -> [b, classes]: a linear layer, before which features may be normalised and dropped out.

    Args:
        dim: of the features.
        classes: how many.
        norm: normalises the features by a BatchNorm of their own (CoCon's and DPC's classifiers).
        dropout: share of the features that is dropped in training, 0 to 1 (CycleContrast on UCF101: 0.9).
        orthogonal: the weights start orthogonal and the bias at 0 (CoCon's and DPC's classifiers).
        std: the weights are drawn from a normal distribution of this standard deviation and the bias is 0 (MoCo's
            linear evaluation: 0.01); None: as torch's linear layer begins.

    Raises:
        UserError: if the dropout is no share, the deviation not above 0, or the start said twice.
    """

    def __init__(
        self,
        dim: int,
        classes: int,
        norm: bool = False,
        dropout: float = 0.0,
        std: float | None = None,
        orthogonal: bool = False,
    ) -> None:
        if not 0 <= dropout < 1:
            raise UserError(f"a head's dropout is a share from 0 to below 1, not {dropout}")
        if std is not None and std <= 0:
            raise UserError(f"a head's std is above 0, not {std}")
        if std is not None and orthogonal:
            raise UserError("a head's weights are drawn by std, or start orthogonal, not both")
        self.orthogonal = orthogonal
        self.std = std  # before torch's constructor, which draws the weights
        super().__init__(dim, classes)
        self.dim = dim
        self.classes = classes
        self.norm = norm
        self.dropout = dropout
        self.batchnorm = nn.BatchNorm1d(dim) if norm else None

    def reset_parameters(self) -> None:
        """Draws the weights anew."""
        if self.orthogonal:
            nn.init.orthogonal_(self.weight)
        elif self.std is not None:
            nn.init.normal_(self.weight, 0.0, self.std)
        else:
            super().reset_parameters()
            return
        nn.init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        features = input if self.batchnorm is None else self.batchnorm(input)
        return super().forward(F.dropout(features, self.dropout, self.training))


def refuse_misfit(head: Head, backbone: Backbone, classes: int) -> None:
    """Refuses a head that is not one of the backbone and of so many classes.

    Raises:
        UserError: also if the backbone has weights of the names under which the head's are written.
    """
    if (head.dim, head.classes) != (backbone.dim, classes):
        raise UserError(
            f"a head of {head.dim} numbers and {head.classes} classes does not fit a backbone of {backbone.dim} and "
            f"{classes} classes"
        )
    if any(name.startswith(HEAD) for name in backbone.state_dict()):
        name, part = type(backbone).__name__, HEAD.removesuffix(".")
        raise UserError(f"{name} has a part '{part}', as the head of an encoder is called: rename it")
