"""What every backbone is."""

from __future__ import annotations

from torch import Tensor, nn


class Backbone(nn.Module):
    """Clips in, feature map out. It keeps its constructor arguments under their names.

    Attributes:
        dim: channels of the feature map.
    """

    dim: int

    def forward(self, x: Tensor) -> Tensor:
        """[b, C, T, H, W] -> [b, dim, t, h, w]."""
        raise NotImplementedError


def compile_backbones(module: nn.Module) -> None:
    """Compiles the backbones of a network or a task, in place (needs a C++ compiler)."""
    for part in module.modules():
        if isinstance(part, Backbone):
            part.compile()
