"""The "2d3d" ResNets of DPC and CoCon: the first two stages look at single frames, the last two at time as well.

Han, Xie, Zisserman: Video Representation Learning by Dense Predictive Coding, ICCV Workshops 2019. The blocks are those
of He et al., CVPR 2016.
"""

from __future__ import annotations

from torch import Tensor, nn

from praxino.backbones.base import Backbone, laid_out
from praxino.errors import check_within

Layers = tuple[int, int, int, int]
# Kernel in time and first strides (time, height and width) of the four stages.
STAGES = ((1, (1, 1, 1)), (1, (1, 2, 2)), (3, (2, 2, 2)), (3, (2, 2, 2)))
# Channels of the stages in multiples of the width: the last one has no more than the third.
WIDTHS = (1, 2, 4, 4)


class _ResNet2D3D(Backbone):
    """What the networks share: [b, in_channels, T, H, W] -> [b, dim, T/4, H/32, W/32], rounded up.

    The map is taken before the last block's ReLU: it has negative numbers. The names of the weights are those of the
    originals. Weights start as there: convolutions normal with variance 2 / fan-out, BatchNorm at 1 and 0.

    Args:
        width, in_channels, running_statistics, channels_last: as of `ResNet2D3D18`.
        block: `BasicBlock` or `Bottleneck`.
        layers: blocks of each stage.

    Raises:
        UserError: if a number is below 1.
    """

    def __init__(
        self,
        width: int,
        in_channels: int,
        running_statistics: bool,
        block: type[BasicBlock] | type[Bottleneck],
        layers: Layers,
        channels_last: bool,
    ) -> None:
        super().__init__()
        check_within(1, **{"backbone.width": width, "backbone.in_channels": in_channels})
        self.width = width
        self.in_channels = in_channels
        self.running_statistics = running_statistics
        self.channels_last = channels_last
        self.dim = WIDTHS[-1] * width * block.expansion
        self.conv1 = nn.Conv3d(in_channels, width, (1, 7, 7), (1, 2, 2), (0, 3, 3), bias=False)
        self.bn1 = nn.BatchNorm3d(width, track_running_stats=running_statistics)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1))
        inputs = width
        stages: list[nn.Sequential] = []
        for blocks, factor, (time, stride) in zip(layers, WIDTHS, STAGES, strict=True):
            stage = []
            for number in range(blocks):
                last = len(stages) == 3 and number == blocks - 1
                first = stride if number == 0 else (1, 1, 1)
                stage.append(block(inputs, factor * width, time, first, running_statistics, not last))
                inputs = factor * width * block.expansion
            stages.append(nn.Sequential(*stage))
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        y = self.maxpool(self.relu(self.bn1(self.conv1(laid_out(x, self.channels_last)))))
        return self.layer4(self.layer3(self.layer2(self.layer1(y)))).contiguous()


class BasicBlock(nn.Module):
    """Two convolutions and a shortcut.

    Args:
        inputs: channels that come in.
        width: channels that come out.
        time: kernel size in time, 1 or 3.
        stride: of the first convolution in time, height and width.
        running_statistics: as of `ResNet2D3D18`.
        rectified: whether a ReLU ends the block.
    """

    expansion = 1

    def __init__(
        self,
        inputs: int,
        width: int,
        time: int,
        stride: tuple[int, int, int],
        running_statistics: bool,
        rectified: bool,
    ) -> None:
        super().__init__()
        self.rectified = rectified
        self.conv1 = _spread(inputs, width, time, stride)
        self.bn1 = nn.BatchNorm3d(width, track_running_stats=running_statistics)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = _spread(width, width, time, (1, 1, 1))
        self.bn2 = nn.BatchNorm3d(width, track_running_stats=running_statistics)
        self.downsample = _shortcut(inputs, width, stride, running_statistics)

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y)) + (x if self.downsample is None else self.downsample(x))
        return self.relu(y) if self.rectified else y


class Bottleneck(nn.Module):
    """A convolution between two that change the number of channels alone, and a shortcut.

    Args:
        inputs, time, stride, running_statistics, rectified: as of `BasicBlock`; the stride is the middle one's.
        width: channels inside; four times as many come out.
    """

    expansion = 4

    def __init__(
        self,
        inputs: int,
        width: int,
        time: int,
        stride: tuple[int, int, int],
        running_statistics: bool,
        rectified: bool,
    ) -> None:
        super().__init__()
        self.rectified = rectified
        outputs = width * self.expansion
        self.conv1 = nn.Conv3d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm3d(width, track_running_stats=running_statistics)
        self.conv2 = _spread(width, width, time, stride)
        self.bn2 = nn.BatchNorm3d(width, track_running_stats=running_statistics)
        self.conv3 = nn.Conv3d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm3d(outputs, track_running_stats=running_statistics)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _shortcut(inputs, outputs, stride, running_statistics)

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y)) + (x if self.downsample is None else self.downsample(x))
        return self.relu(y) if self.rectified else y


def _spread(inputs: int, outputs: int, time: int, stride: tuple[int, int, int]) -> nn.Conv3d:
    return nn.Conv3d(inputs, outputs, (time, 3, 3), stride, (time // 2, 1, 1), bias=False)


def _shortcut(inputs: int, outputs: int, stride: tuple[int, int, int], running: bool) -> nn.Sequential | None:
    if stride == (1, 1, 1) and inputs == outputs:
        return None
    convolution = nn.Conv3d(inputs, outputs, 1, stride, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm3d(outputs, track_running_stats=running))


class ResNet2D3D18(_ResNet2D3D):
    """Two blocks a stage; [b, in_channels, T, H, W] -> [b, 4 * width, T/4, H/32, W/32] (rounded up).

    14.1 million parameters in the papers, which take blocks of five frames.

    Args:
        width: channels of the first stage; the others have 2, 4 and 4 times as many. 64 in the papers.
        in_channels: channels of the clips: 3 of RGB, 2 of flow.
        running_statistics: BatchNorm averages its statistics for evaluation. False: it normalises by the batch in
            evaluation, too, as in DPC's pretraining.
        channels_last: computes with the channels last in memory, on a CPU (`praxino.backbones.base.laid_out`).
    """

    def __init__(
        self, width: int = 64, in_channels: int = 3, running_statistics: bool = True, channels_last: bool = False
    ) -> None:
        super().__init__(width, in_channels, running_statistics, BasicBlock, (2, 2, 2, 2), channels_last)


class ResNet2D3D34(_ResNet2D3D):
    """Three, four, six and three blocks; [b, in_channels, T, H, W] -> [b, 4 * width, T/4, H/32, W/32] (rounded up).

    32.4 million parameters in the papers.

    Args:
        width, in_channels, running_statistics, channels_last: as of `ResNet2D3D18`.
    """

    def __init__(
        self, width: int = 64, in_channels: int = 3, running_statistics: bool = True, channels_last: bool = False
    ) -> None:
        super().__init__(width, in_channels, running_statistics, BasicBlock, (3, 4, 6, 3), channels_last)


class ResNet2D3D50(_ResNet2D3D):
    """Three, four, six and three bottlenecks; [b, in_channels, T, H, W] -> [b, 16 * width, T/4, H/32, W/32].

    23.6 million parameters in the papers' width.

    Args:
        width, in_channels, running_statistics, channels_last: as of `ResNet2D3D18`.
    """

    def __init__(
        self, width: int = 64, in_channels: int = 3, running_statistics: bool = True, channels_last: bool = False
    ) -> None:
        super().__init__(width, in_channels, running_statistics, Bottleneck, (3, 4, 6, 3), channels_last)


class ResNet2D3D101(_ResNet2D3D):
    """3, 4, 23 and 3 bottlenecks; [b, in_channels, T, H, W] -> [b, 16 * width, T/4, H/32, W/32] (rounded up).

    Args:
        width, in_channels, running_statistics, channels_last: as of `ResNet2D3D18`.
    """

    def __init__(
        self, width: int = 64, in_channels: int = 3, running_statistics: bool = True, channels_last: bool = False
    ) -> None:
        super().__init__(width, in_channels, running_statistics, Bottleneck, (3, 4, 23, 3), channels_last)


class ResNet2D3D152(_ResNet2D3D):
    """3, 8, 36 and 3 bottlenecks; [b, in_channels, T, H, W] -> [b, 16 * width, T/4, H/32, W/32] (rounded up).

    Args:
        width, in_channels, running_statistics, channels_last: as of `ResNet2D3D18`.
    """

    def __init__(
        self, width: int = 64, in_channels: int = 3, running_statistics: bool = True, channels_last: bool = False
    ) -> None:
        super().__init__(width, in_channels, running_statistics, Bottleneck, (3, 8, 36, 3), channels_last)


class ResNet2D3D200(_ResNet2D3D):
    """3, 24, 36 and 3 bottlenecks; [b, in_channels, T, H, W] -> [b, 16 * width, T/4, H/32, W/32] (rounded up).

    Args:
        width, in_channels, running_statistics, channels_last: as of `ResNet2D3D18`.
    """

    def __init__(
        self, width: int = 64, in_channels: int = 3, running_statistics: bool = True, channels_last: bool = False
    ) -> None:
        super().__init__(width, in_channels, running_statistics, Bottleneck, (3, 24, 36, 3), channels_last)
