"""C3D: a plain stack of 3x3x3 convolutions (Tran et al., ICCV 2015), with BatchNorm and without its two wide layers."""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn

from praxino.backbones.base import Backbone, laid_out
from praxino.errors import UserError

CONVOLUTIONS = (1, 1, 2, 2, 2)
WIDTHS = (1, 2, 4, 8, 8)
LEAST_FRAMES, LEAST_PIXELS = 8, 16


class C3D(Backbone):
    """Five stages with a maximum between each two; [b, in_channels, T, H, W] -> [b, 8 * width, T/8, H/16, W/16].

    Time and space are halved between the stages, rounded down, but for the time after the first one. The network called
    C3D in VCOP and IIC (27.7 million parameters). Convolutions have biases; weights start as torch's layers do by
    default, as in the original.

    Args:
        width: channels of the first stage; the others have 2, 4, 8 and 8 times as many. 64 in the papers.
        in_channels: channels of the clips.
        channels_last: computes with the channels last in memory, on a CPU (`praxino.backbones.base.laid_out`).
    """

    def __init__(self, width: int = 64, in_channels: int = 3, channels_last: bool = False) -> None:
        super().__init__()
        self.width = width
        self.in_channels = in_channels
        self.channels_last = channels_last
        self.dim = WIDTHS[-1] * width
        stages = []
        inputs = in_channels
        for number, (convolutions, times) in enumerate(zip(CONVOLUTIONS, WIDTHS, strict=True)):
            layers: OrderedDict[str, nn.Module] = OrderedDict()
            if number:
                halves = (1, 2, 2) if number == 1 else (2, 2, 2)
                layers["pool"] = nn.MaxPool3d(halves, halves)
            for k in range(1, convolutions + 1):
                layers[f"conv{k}"] = nn.Conv3d(inputs, times * width, 3, padding=1)
                layers[f"norm{k}"] = nn.BatchNorm3d(times * width)
                layers[f"relu{k}"] = nn.ReLU(inplace=True)
                inputs = times * width
            stages.append(nn.Sequential(layers))
        self.stages = nn.Sequential(*stages)

    def forward(self, x: Tensor) -> Tensor:
        frames, *sides = x.shape[2:]
        if frames < LEAST_FRAMES or min(sides) < LEAST_PIXELS:
            raise UserError(
                f"clips of {frames} frames of {sides[0]}x{sides[1]} pixels are too small for C3D: "
                f"take at least {LEAST_FRAMES} frames of {LEAST_PIXELS}x{LEAST_PIXELS}"
            )
        return self.stages(laid_out(x, self.channels_last)).contiguous()
