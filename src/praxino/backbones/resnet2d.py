"""ResNet-18, 34 and 50 over single frames (He et al., CVPR 2016), as torchvision has them, and dilated for tracking."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from praxino.backbones.base import Backbone
from praxino.errors import UserError, check_within

OutputStride = Literal[32, 8]
# Output stride -> strides and dilations of the four stages (those of 8 are of CycleContrast's tracker).
STAGES = {32: ((1, 2, 2, 2), (1, 1, 1, 1)), 8: ((1, 2, 1, 1), (1, 1, 2, 4))}


class _ResNet(Backbone):
    """What the three networks share: each frame goes through the network by itself.

    [b, in_channels, T, H, W] -> [b, dim, T, H/s, W/s] (rounded up), s the output stride. The names of the weights are
    torchvision's, which are those of the originals. Weights start as there: convolutions normal with variance
    2 / fan-out, BatchNorm at 1 and 0, the last one of a block too.

    Args:
        width, in_channels, output_stride: as of `ResNet18`.
        block: `BasicBlock` or `Bottleneck`.
        layers: blocks of each stage.

    Raises:
        UserError: if there is no such output stride.
    """

    def __init__(
        self,
        width: int,
        in_channels: int,
        output_stride: OutputStride,
        block: type[BasicBlock] | type[Bottleneck],
        layers: tuple[int, int, int, int],
    ) -> None:
        super().__init__()
        check_within(1, **{"backbone.width": width, "backbone.in_channels": in_channels})
        if output_stride not in STAGES:
            raise UserError(f"a ResNet has no output stride {output_stride}: there are {', '.join(map(str, STAGES))}")
        self.width = width
        self.in_channels = in_channels
        self.output_stride = output_stride
        self.dim = 8 * width * block.expansion
        self.conv1 = nn.Conv2d(in_channels, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        inputs = width
        stages = []
        for number, (blocks, stride, dilation) in enumerate(zip(layers, *STAGES[output_stride], strict=True)):
            inner = width * 2**number
            stage = [block(inputs, inner, stride, max(1, dilation // 2))]
            inputs = inner * block.expansion
            stages.append(nn.Sequential(*stage, *(block(inputs, inner, 1, dilation) for _ in range(blocks - 1))))
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        clips, frames = len(x), x.shape[2]
        y = self.maxpool(self.relu(self.bn1(self.conv1(x.transpose(1, 2).flatten(0, 1)))))
        y = self.layer4(self.layer3(self.layer2(self.layer1(y))))
        return y.unflatten(0, (clips, frames)).transpose(1, 2)


class ResNet18(_ResNet):
    """Two blocks a stage; [b, in_channels, T, H, W] -> [b, 8 * width, T, H/32, W/32] (rounded up).

    torchvision's `resnet18` without its last layer (11.2 million parameters), over each frame by itself.

    Args:
        width: channels of the first stage; the others have 2, 4 and 8 times as many. 64 in the paper.
        in_channels: channels of the frames.
        output_stride: pixels of a frame for one of the map. 32 is the paper's network; 8 runs the same weights with
            stages three and four dilated in the place of their strides, as the tracker SiamFC does in CycleContrast.

    Raises:
        UserError: if there is no such output stride.
    """

    def __init__(self, width: int = 64, in_channels: int = 3, output_stride: OutputStride = 32) -> None:
        super().__init__(width, in_channels, output_stride, BasicBlock, (2, 2, 2, 2))


class ResNet34(_ResNet):
    """Three, four, six and three blocks; [b, in_channels, T, H, W] -> [b, 8 * width, T, H/32, W/32] (rounded up).

    torchvision's `resnet34` without its last layer (21.3 million parameters), over each frame by itself.

    Args:
        width: channels of the first stage; the others have 2, 4 and 8 times as many. 64 in the paper.
        in_channels: channels of the frames.
        output_stride: pixels of a frame for one of the map, 32 or 8: as of `ResNet18`.

    Raises:
        UserError: if there is no such output stride.
    """

    def __init__(self, width: int = 64, in_channels: int = 3, output_stride: OutputStride = 32) -> None:
        super().__init__(width, in_channels, output_stride, BasicBlock, (3, 4, 6, 3))


class ResNet50(_ResNet):
    """Three, four, six and three bottlenecks; [b, in_channels, T, H, W] -> [b, 32 * width, T, H/32, W/32] (rounded up).

    torchvision's `resnet50` without its last layer (23.5 million parameters), over each frame by itself. The 3x3
    convolution of a bottleneck has the stride ("v1.5"), not the first 1x1 as in the paper.

    Args:
        width: channels inside the bottlenecks of the first stage; the others have 2, 4 and 8 times as many. 64 in the
            paper.
        in_channels: channels of the frames.
        output_stride: pixels of a frame for one of the map, 32 or 8: as of `ResNet18`.

    Raises:
        UserError: if there is no such output stride.
    """

    def __init__(self, width: int = 64, in_channels: int = 3, output_stride: OutputStride = 32) -> None:
        super().__init__(width, in_channels, output_stride, Bottleneck, (3, 4, 6, 3))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut: [b, inputs, h, w] -> [b, inner, h/stride, w/stride] (rounded up).

    Args:
        inputs: channels that come in.
        inner: channels of both convolutions.
        stride, dilation: of the first convolution; the second has neither.
    """

    expansion = 1

    def __init__(self, inputs: int, inner: int, stride: int, dilation: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, inner, 3, stride, dilation, dilation, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(inner, inner, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.downsample = shortcut(inputs, inner, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(y)) + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(nn.Module):
    """A 3x3 convolution between two 1x1: [b, inputs, h, w] -> [b, 4 * inner, h/stride, w/stride] (rounded up).

    Args:
        inputs: channels that come in.
        inner: channels of the first two convolutions; the last has four times as many.
        stride, dilation: of the 3x3 convolution.
    """

    expansion = 4

    def __init__(self, inputs: int, inner: int, stride: int, dilation: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride, dilation, dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, inner * self.expansion, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(inner * self.expansion)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = shortcut(inputs, inner * self.expansion, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        return self.relu(self.bn3(self.conv3(y)) + (x if self.downsample is None else self.downsample(x)))


def shortcut(inputs: int, outputs: int, stride: int) -> nn.Sequential | None:
    """A 1x1 convolution and BatchNorm where the block changes the form of what comes in; else None."""
    if stride == 1 and inputs == outputs:
        return None
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
