"""R3D: residual blocks of three-dimensional convolutions (Tran et al., CVPR 2018), shallow as VCOP and IIC use it."""

from __future__ import annotations

from collections import OrderedDict
from typing import Protocol

from torch import Tensor, nn

from praxino.backbones.base import Backbone

Three = tuple[int, int, int]
Layers = tuple[int, int, int, int]


class Convolution(Protocol):
    """Makes a convolution over time and space without bias; its sizes are those of time, height and width."""

    def __call__(self, inputs: int, outputs: int, kernel: Three, stride: Three, padding: Three) -> nn.Module: ...


def plain(inputs: int, outputs: int, kernel: Three, stride: Three, padding: Three) -> nn.Module:
    """The convolution of R3D: time and space at once."""
    return nn.Conv3d(inputs, outputs, kernel, stride, padding, bias=False)


class R3D(Backbone):
    """A stem and four stages; [b, in_channels, T, H, W] -> [b, 8 * width, T/8, H/16, W/16] (rounded up).

    The stem strides over space only, stages two to four halve time and space. With the default layers it is the
    network called R3D in IIC (one block a stage, 14.4 million parameters), not R3D-18. Weights start as torch's layers
    do by default, as in the original.

    Args:
        width: channels of the first stage; the others have 2, 4 and 8 times as many. 64 in the papers; 16 makes a
            network that learns on a CPU in minutes.
        in_channels: channels of the clips.
        layers: residual blocks of each stage.
    """

    def __init__(self, width: int = 64, in_channels: int = 3, layers: Layers = (1, 1, 1, 1)) -> None:
        super().__init__()
        self.width = width
        self.in_channels = in_channels
        self.layers = tuple(layers)
        self.dim = 8 * width
        self.stem = stem(in_channels, width)
        self.stages = residual_stages(width, layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.stages(self.stem(x))


def stem(in_channels: int, width: int, conv: Convolution = plain) -> nn.Sequential:
    """[b, in_channels, T, H, W] -> [b, width, T, H/2, W/2] (rounded up)."""
    return nn.Sequential(
        OrderedDict(
            conv=conv(in_channels, width, (3, 7, 7), (1, 2, 2), (1, 3, 3)),
            norm=nn.BatchNorm3d(width),
            relu=nn.ReLU(inplace=True),
        )
    )


def residual_stages(width: int, layers: Layers, conv: Convolution = plain) -> nn.Sequential:
    """Four stages of residual blocks; [b, width, t, h, w] -> [b, 8 * width, t/8, h/8, w/8] (rounded up).

    Args:
        width: channels of the first stage; each further one has twice as many and half the time and space.
        layers: blocks of each stage.
        conv: makes all convolutions of the blocks.
    """
    stages = []
    inputs = width
    for number, blocks in enumerate(layers):
        outputs = width * 2**number
        stage = [Block(inputs, outputs, 2 if number else 1, conv)]
        stage += [Block(outputs, outputs, 1, conv) for _ in range(blocks - 1)]
        stages.append(nn.Sequential(*stage))
        inputs = outputs
    return nn.Sequential(*stages)


class Block(nn.Module):
    """Two 3x3x3 convolutions beside a shortcut: [b, inputs, t, h, w] -> [b, outputs, t/stride, h/stride, w/stride].

    Args:
        inputs: channels that come in.
        outputs: channels that go out.
        stride: of the first convolution, in time and space; where it is not 1 the shortcut is a 1x1x1 convolution.
        conv: makes the convolutions.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1, conv: Convolution = plain) -> None:
        super().__init__()
        three, one, none, strides = (3, 3, 3), (1, 1, 1), (0, 0, 0), (stride, stride, stride)
        self.conv1 = conv(inputs, outputs, three, strides, one)
        self.norm1 = nn.BatchNorm3d(outputs)
        self.conv2 = conv(outputs, outputs, three, one, one)
        self.norm2 = nn.BatchNorm3d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1:
            self.shortcut = nn.Sequential(
                OrderedDict(
                    conv=conv(inputs, outputs, one, strides, none),
                    norm=nn.BatchNorm3d(outputs),
                )
            )

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.norm1(self.conv1(x)))
        return self.relu(self.shortcut(x) + self.norm2(self.conv2(y)))
