"""R3D: residual blocks of three-dimensional convolutions (Tran et al., CVPR 2018), shallow as VCOP and IIC use it."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import Protocol

from torch import Tensor, nn

from praxino.backbones.base import Backbone, laid_out

Three = tuple[int, int, int]
Layers = tuple[int, int, int, int]
Strides = tuple[int, int, int, int]


class Convolution(Protocol):
    """Makes a convolution over time and space without bias; its sizes are those of time, height and width."""

    def __call__(self, inputs: int, outputs: int, kernel: Three, stride: Three, padding: Three) -> nn.Module: ...


def plain(inputs: int, outputs: int, kernel: Three, stride: Three, padding: Three) -> nn.Module:
    """The convolution of R3D: time and space at once."""
    return nn.Conv3d(inputs, outputs, kernel, stride, padding, bias=False)


def dilated(inputs: int, outputs: int, kernel: Three, stride: Three, padding: Three) -> nn.Module:
    """`plain`, but it takes every other frame: dilation 2 in time, and the padding that keeps the length."""
    wider = (2 * padding[0], *padding[1:])
    return nn.Conv3d(inputs, outputs, kernel, stride, wider, dilation=(2, 1, 1), bias=False)


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
        channels_last: computes with the channels last in memory, on a CPU (`praxino.backbones.base.laid_out`).
    """

    def __init__(
        self, width: int = 64, in_channels: int = 3, layers: Layers = (1, 1, 1, 1), channels_last: bool = False
    ) -> None:
        super().__init__()
        self.width = width
        self.in_channels = in_channels
        self.layers = tuple(layers)
        self.channels_last = channels_last
        self.dim = 8 * width
        self.stem = stem(in_channels, width)
        self.stages = residual_stages(width, layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.stages(self.stem(laid_out(x, self.channels_last))).contiguous()


class DilatedR3D(Backbone):
    """R3D that keeps more of the time; [b, in_channels, T, H, W] -> [b, 8 * width, T/4, H/16, W/16] (rounded up).

    The last stage does not halve the time; its first convolution is dilated in its place, so that it sees as much. No
    weight is added. With the default layers it is the network that TCLR calls R3D of PRP (14.4 million parameters).
    Weights start as torch's layers do by default, as in the original.

    Args:
        width: channels of the first stage; the others have 2, 4 and 8 times as many. 64 in the paper.
        in_channels: channels of the clips.
        layers: residual blocks of each stage.
        temporal_strides: of the stages; the time positions are T over their product. (1, 2, 1, 1) gives clips of 8
            frames the four positions that the paper's clips of 16 have.
        channels_last: computes with the channels last in memory, on a CPU (`praxino.backbones.base.laid_out`).
    """

    def __init__(
        self,
        width: int = 64,
        in_channels: int = 3,
        layers: Layers = (1, 1, 1, 1),
        temporal_strides: Strides = (1, 2, 2, 1),
        channels_last: bool = False,
    ) -> None:
        super().__init__()
        self.width = width
        self.in_channels = in_channels
        self.layers = tuple(layers)
        self.channels_last = channels_last
        self.temporal_strides = tuple(temporal_strides)
        self.dim = 8 * width
        self.stem = stem(in_channels, width)
        self.stages = residual_stages(width, layers, temporal_strides=temporal_strides, last=dilated)

    def forward(self, x: Tensor) -> Tensor:
        return self.stages(self.stem(laid_out(x, self.channels_last))).contiguous()


def stem(in_channels: int, width: int, conv: Convolution = plain) -> nn.Sequential:
    """[b, in_channels, T, H, W] -> [b, width, T, H/2, W/2] (rounded up)."""
    return nn.Sequential(
        OrderedDict(
            conv=conv(in_channels, width, (3, 7, 7), (1, 2, 2), (1, 3, 3)),
            norm=nn.BatchNorm3d(width),
            relu=nn.ReLU(inplace=True),
        )
    )


class BlockMaker(Protocol):
    """Makes a residual block, as `Block` does; `first` takes the place of its first convolution."""

    def __call__(self, inputs: int, outputs: int, stride: Three, *, first: Convolution | None) -> nn.Module: ...


def residual_stages(
    width: int,
    layers: Layers,
    conv: Convolution = plain,
    *,
    block: BlockMaker | None = None,
    temporal_strides: Strides = (1, 2, 2, 2),
    last: Convolution | None = None,
) -> nn.Sequential:
    """Four stages of residual blocks; [b, width, t, h, w] -> [b, 8 * width, t', h/8, w/8] (rounded up).

    Args:
        width: channels of the first stage; each further one has twice as many and half the space.
        layers: blocks of each stage.
        conv: makes all convolutions of the blocks.
        block: makes the blocks; None: `Block` of `conv`.
        temporal_strides: of the stages; t' is t over their product.
        last: makes the first convolution of the last stage; None: as the others.
    """
    make = block or partial(Block, conv=conv)
    stages = []
    inputs = width
    for number, (blocks, time) in enumerate(zip(layers, temporal_strides, strict=True)):
        outputs, space = width * 2**number, 2 if number else 1
        first = last if number == len(layers) - 1 else None
        stage = [make(inputs, outputs, (time, space, space), first=first)]
        stage += [make(outputs, outputs, (1, 1, 1), first=None) for _ in range(blocks - 1)]
        stages.append(nn.Sequential(*stage))
        inputs = outputs
    return nn.Sequential(*stages)


class Block(nn.Module):
    """Two 3x3x3 convolutions beside a shortcut: [b, inputs, t, h, w] -> [b, outputs, t/s, h/s, w/s], s its strides.

    Args:
        inputs: channels that come in.
        outputs: channels that go out.
        stride: of the first convolution, in time, height and width; where it is not 1 the shortcut is a 1x1x1
            convolution.
        conv: makes the convolutions.
        first: makes the first one; None: `conv` does.
        shortcut: makes that of the shortcut; None: `conv` does.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        stride: Three = (1, 1, 1),
        conv: Convolution = plain,
        *,
        first: Convolution | None = None,
        shortcut: Convolution | None = None,
    ) -> None:
        super().__init__()
        three, one, none = (3, 3, 3), (1, 1, 1), (0, 0, 0)
        self.conv1 = (first or conv)(inputs, outputs, three, stride, one)
        self.norm1 = nn.BatchNorm3d(outputs)
        self.conv2 = conv(outputs, outputs, three, one, one)
        self.norm2 = nn.BatchNorm3d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.shortcut: nn.Module = nn.Identity()
        if stride != one:
            self.shortcut = nn.Sequential(
                OrderedDict(
                    conv=(shortcut or conv)(inputs, outputs, one, stride, none),
                    norm=nn.BatchNorm3d(outputs),
                )
            )

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.norm1(self.conv1(x)))
        return self.relu(self.shortcut(x) + self.norm2(self.conv2(y)))
