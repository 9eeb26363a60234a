"""R(2+1)D: R3D with each convolution taken apart into space, then time (Tran et al., CVPR 2018).

Shallow as IIC has it, and with 18 layers as torchvision and TCLR have it.
"""

from __future__ import annotations

import math
from functools import partial

from torch import Tensor, nn

from praxino.backbones.base import Backbone, laid_out
from praxino.backbones.r3d import Block, Convolution, Layers, Strides, Three, dilated, plain, residual_stages, stem
from praxino.backbones.resnet3d import LAYERS, start_default, start_normal

STEM_MIDDLE, PAPER_WIDTH = 45, 64


class R21D(Backbone):
    """A stem and four stages; [b, in_channels, T, H, W] -> [b, 8 * width, T/8, H/16, W/16] (rounded up).

    R3D, but for its convolutions: all of them, those of the stem and of the shortcuts too, are `FactoredConv`. With the
    default layers it is the network called R(2+1)D in IIC (14.4 million parameters). Weights start as torch's layers do
    by default, as in the original.

    Args:
        width: channels of the first stage; the others have 2, 4 and 8 times as many. 64 in the papers.
        in_channels: channels of the clips.
        layers: residual blocks of each stage.
        channels_last: computes with the channels last in memory, on a CPU (`praxino.backbones.base.laid_out`).
    """

    def __init__(
        self, width: int = 64, in_channels: int = 3, layers: Layers = (1, 1, 1, 1), channels_last: bool = False
    ) -> None:
        super().__init__()
        self.width = width
        self.in_channels = in_channels
        self.channels_last = channels_last
        self.layers = tuple(layers)
        self.dim = 8 * width
        self.stem = stem(in_channels, width, FactoredConv)
        self.stages = residual_stages(width, layers, FactoredConv)

    def forward(self, x: Tensor) -> Tensor:
        return self.stages(self.stem(laid_out(x, self.channels_last))).contiguous()


class R21D18(Backbone):
    """R(2+1)D with two blocks a stage; [b, in_channels, T, H, W] -> [b, 8 * width, T/8, H/16, W/16] (rounded up).

    torchvision's `r2plus1d_18` without its last layer (31.3 million parameters). Unlike in `R21D` the shortcuts'
    convolutions are whole, the stem has 45 channels between space and time (in proportion to `width`), and both pairs
    of a block have as many between as its first one needs. Weights start as there: convolutions normal with variance
    2 / fan-out.

    Args:
        width: channels of the first stage; the others have 2, 4 and 8 times as many. 64 in the paper.
        in_channels: channels of the clips.
        channels_last: computes with the channels last in memory, on a CPU (`praxino.backbones.base.laid_out`).
    """

    def __init__(self, width: int = 64, in_channels: int = 3, channels_last: bool = False) -> None:
        super().__init__()
        self.width = width
        self.in_channels = in_channels
        self.channels_last = channels_last
        self.dim = 8 * width
        self.stem = stem(in_channels, width, partial(FactoredConv, middle=stem_middle(width)))
        self.stages = residual_stages(width, LAYERS, block=factored_block)
        start_normal(self)

    def forward(self, x: Tensor) -> Tensor:
        return self.stages(self.stem(laid_out(x, self.channels_last))).contiguous()


class DilatedR21D18(Backbone):
    """`R21D18` that keeps more of the time; [b, in_channels, T, H, W] -> [b, 8 * width, T/4, H/16, W/16] (rounded up).

    The network of TCLR's published R(2+1)D weights (31.3 million parameters). The last stage does not halve the time;
    its first convolution is a whole one, not a pair, and dilated in its place. Weights start as those of `R21D18`, but
    for that convolution and the one of its shortcut, which start as torch's layers do by default.

    Args:
        width: channels of the first stage; the others have 2, 4 and 8 times as many. 64 in the paper.
        in_channels: channels of the clips.
        temporal_strides: of the stages; the time positions are T over their product.
        channels_last: computes with the channels last in memory, on a CPU (`praxino.backbones.base.laid_out`).
    """

    def __init__(
        self,
        width: int = 64,
        in_channels: int = 3,
        temporal_strides: Strides = (1, 2, 2, 1),
        channels_last: bool = False,
    ) -> None:
        super().__init__()
        self.width = width
        self.in_channels = in_channels
        self.channels_last = channels_last
        self.temporal_strides = tuple(temporal_strides)
        self.dim = 8 * width
        self.stem = stem(in_channels, width, partial(FactoredConv, middle=stem_middle(width)))
        self.stages = residual_stages(
            width, LAYERS, block=factored_block, temporal_strides=temporal_strides, last=dilated
        )
        start_normal(self)
        start_default(self.stages)

    def forward(self, x: Tensor) -> Tensor:
        return self.stages(self.stem(laid_out(x, self.channels_last))).contiguous()


class FactoredConv(nn.Module):
    """A convolution over space, BatchNorm and ReLU, then one over time; no bias.

    Args:
        inputs: channels that come in.
        outputs: channels that go out.
        kernel, stride, padding: of the whole convolution, in time, height and width.
        middle: channels between the two; None: `between(...)`, so that the pair has about as many weights as the whole
            convolution that it stands for.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: Three, stride: Three, padding: Three, middle: int | None = None
    ) -> None:
        super().__init__()
        middle = middle or between(inputs, outputs, kernel)
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


def factored_block(inputs: int, outputs: int, stride: Three, *, first: Convolution | None = None) -> Block:
    """A residual block as torchvision's R(2+1)D-18 has it: equal middles in both pairs, and a whole shortcut.

    Args:
        inputs, outputs, stride, first: as of `Block`.
    """
    conv = partial(FactoredConv, middle=between(inputs, outputs, (3, 3, 3)))
    return Block(inputs, outputs, stride, conv, first=first, shortcut=plain)


def stem_middle(width: int) -> int:
    """Channels between space and time in the stem of R(2+1)D-18: 45 where the width is 64, at least 1."""
    return max(1, STEM_MIDDLE * width // PAPER_WIDTH)
