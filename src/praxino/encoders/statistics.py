"""What an encoder knows of its views beside the weights: the BatchNorm statistics and the centre of each.

In the file of the weights they stand behind these, as `views.VIEW.batchnorm.LAYER.running_mean` (and `running_var`) and
`views.VIEW.centre`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.modules.batchnorm import _BatchNorm

from praxino.backbones.base import Backbone
from praxino.backbones.pooling import Feature, pool
from praxino.errors import UserError

OF_VIEWS = "views."  # before their names in the file of the weights
AVERAGED = ("running_mean", "running_var")


@dataclass(frozen=True)
class Statistics:
    """What the vectors of one view are measured with.

    Attributes:
        batchnorm: running_mean and running_var of each BatchNorm, by their names in the backbone; empty: the backbone
            keeps its own.
        centre: float32 [d], which is taken off each vector; None: nothing is.
        feature: that the centre is a mean of; None: of whichever.
    """

    batchnorm: Mapping[str, Tensor] = field(default_factory=dict)
    centre: Tensor | None = None
    feature: Feature | None = None

    def vectors(self, backbone: Backbone, clips: Tensor, feature: Feature) -> Tensor:
        """One vector a clip; the backbone, in evaluation mode, is left as it is.

        Args:
            backbone: whose statistics they are.
            clips: [b, C, T, h, w].
            feature: how a feature map becomes a vector.

        Returns:
            float32 [b, d].

        Raises:
            UserError: if the centre is a mean of other vectors.
        """
        vectors = pool(functional_call(backbone, dict(self.batchnorm), (clips,)), feature).float()
        if self.centre is None:
            return vectors
        if self.feature not in (None, feature) or vectors.shape[1:] != self.centre.shape:
            raise UserError(
                f"the encoder's centre is a mean of vectors of {len(self.centre)} numbers, by the feature "
                f"{self.feature}, and these have {vectors.shape[1]}, by {feature}: empty its `statistics`, or take the "
                "plain `features`"
            )
        return vectors - self.centre

    def to(self, device: torch.device | str) -> Self:
        """The same on a device."""
        centre = None if self.centre is None else self.centre.to(device)
        return type(self)({name: value.to(device) for name, value in self.batchnorm.items()}, centre, self.feature)


def batchnorms(backbone: nn.Module) -> dict[str, _BatchNorm]:
    """The BatchNorms that average over what they have seen, by their names."""
    found = {name: part for name, part in backbone.named_modules() if isinstance(part, _BatchNorm)}
    return {name: part for name, part in found.items() if part.track_running_stats}


def averages(backbone: nn.Module) -> dict[str, Tensor]:
    """What these have averaged, by name: the very tensors of the backbone."""
    return {f"{name}.{word}": getattr(part, word) for name, part in batchnorms(backbone).items() for word in AVERAGED}


def as_state(statistics: Mapping[str, Statistics]) -> dict[str, Tensor]:
    """The statistics of views by the names that they have in a file."""
    state: dict[str, Tensor] = {}
    for view, own in statistics.items():
        state |= {_batchnorm(view, name): value for name, value in own.batchnorm.items()}
        state |= {} if own.centre is None else {_centre(view): own.centre}
    return state


def from_state(
    state: Mapping[str, Tensor], views: Iterable[str], backbone: nn.Module, feature: Feature
) -> tuple[dict[str, Statistics], dict[str, Tensor]]:
    """The statistics of views out of a file's tensors, and the tensors that are none of theirs.

    Args:
        state: all tensors.
        views: the views' names.
        backbone, feature: whose statistics they are.

    Raises:
        RuntimeError: if there is a part of them, or they are of another network.
    """
    rest, found = dict(state), {}
    for view in views:
        wanted = {_batchnorm(view, name): name for name in averages(backbone)}
        batchnorm = {name: rest.pop(key) for key, name in wanted.items() if key in rest}
        centre = rest.pop(_centre(view), None)
        for name, own in averages(backbone).items() if batchnorm else ():
            value = batchnorm.get(name)
            if value is None or value.shape != own.shape or not value.is_floating_point():
                raise RuntimeError(f"{_batchnorm(view, name)} does not fit the network")
            batchnorm[name] = value.to(own.dtype)
        if centre is not None and (centre.ndim != 1 or not centre.is_floating_point()):
            raise RuntimeError(f"{_centre(view)} is no vector")
        if batchnorm or centre is not None:
            found[view] = Statistics(batchnorm, None if centre is None else centre.float(), feature)
    return found, rest


def _batchnorm(view: str, name: str) -> str:
    return f"{OF_VIEWS}{view}.batchnorm.{name}"


def _centre(view: str) -> str:
    return f"{OF_VIEWS}{view}.centre"
