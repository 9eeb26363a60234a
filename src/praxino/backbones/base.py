"""What every backbone is."""

from __future__ import annotations

import torch
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


def laid_out(x: Tensor, channels_last: bool) -> Tensor:
    """What a network over clips computes from: x, on a CPU with its channels last in memory where that is asked for.

    The layers behind keep the layout, and the map that leaves the network has the usual one again. It is the same
    function, whose sums are taken in another order; small networks are quicker by a tenth to a half, those of the
    papers' width by little (benchmarks/results/steps.md). Networks over pictures do not offer it: of some narrow
    two-dimensional convolutions torch's kernel writes out of bounds.

    Args:
        x: [b, C, T, H, W].
        channels_last: whether it is asked for.
    """
    if not channels_last or x.device.type != "cpu":
        return x
    return x.contiguous(memory_format=torch.channels_last_3d)


def compile_backbones(module: nn.Module) -> None:
    """Compiles the backbones of a network or a task, in place (needs a C++ compiler)."""
    for part in module.modules():
        if isinstance(part, Backbone):
            part.compile()
