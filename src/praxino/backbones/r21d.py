"""R(2+1)D: R3D with each convolution taken apart into space, then time (Tran et al., CVPR 2018), shallow as in IIC."""

from __future__ import annotations

import math

from torch import Tensor, nn

from praxino.backbones.base import Backbone
from praxino.backbones.r3d import Layers, Three, residual_stages, stem


class R21D(Backbone):
    """A stem and four stages; [b, in_channels, T, H, W] -> [b, 8 * width, T/8, H/16, W/16] (rounded up).

    R3D, but for its convolutions: all of them, those of the stem and of the shortcuts too, are `FactoredConv`. With the
    default layers it is the network called R(2+1)D in IIC (14.4 million parameters). Weights start as torch's layers do
    by default, as in the original.

    Args:
        width: channels of the first stage; the others have 2, 4 and 8 times as many. 64 in the papers.
        in_channels: channels of the clips.
        layers: residual blocks of each stage.
    """

    def __init__(self, width: int = 64, in_channels: int = 3, layers: Layers = (1, 1, 1, 1)) -> None:
        super().__init__()
        self.width = width
        self.in_channels = in_channels
        self.layers = tuple(layers)
        self.dim = 8 * width
        self.stem = stem(in_channels, width, FactoredConv)
        self.stages = residual_stages(width, layers, FactoredConv)

    def forward(self, x: Tensor) -> Tensor:
        return self.stages(self.stem(x))


class FactoredConv(nn.Module):
    """A convolution over space, BatchNorm and ReLU, then one over time; no bias.

    Between the two there are `between(...)` channels, so that the pair has about as many weights as the whole
    convolution that it stands for.

    Args:
        inputs: channels that come in.
        outputs: channels that go out.
        kernel, stride, padding: of the whole convolution, in time, height and width.
    """

    def __init__(self, inputs: int, outputs: int, kernel: Three, stride: Three, padding: Three) -> None:
        super().__init__()
        middle = between(inputs, outputs, kernel)
        self.spatial = nn.Conv3d(inputs, middle, (1, *kernel[1:]), (1, *stride[1:]), (0, *padding[1:]), bias=False)
        self.norm = nn.BatchNorm3d(middle)
        self.relu = nn.ReLU(inplace=True)
        self.temporal = nn.Conv3d(middle, outputs, (kernel[0], 1, 1), (stride[0], 1, 1), (padding[0], 0, 0), bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.temporal(self.relu(self.norm(self.spatial(x))))


def between(inputs: int, outputs: int, kernel: Three) -> int:
    """Channels between space and time (Tran et al., section 3.5): the weights of the whole convolution over those that
    one channel between costs, rounded down, and at least 1 (which only networks of width 1 need).
    """
    area = kernel[1] * kernel[2]
    return max(1, math.prod(kernel) * inputs * outputs // (area * inputs + kernel[0] * outputs))
