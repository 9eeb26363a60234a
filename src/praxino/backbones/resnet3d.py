"""R3D-18: the three-dimensional ResNet-18 (Tran et al., CVPR 2018)."""

from __future__ import annotations

from torch import nn

from praxino.backbones.r3d import R3D


class R3D18(R3D):
    """R3D with two blocks a stage; [b, in_channels, T, H, W] -> [b, 8 * width, T/8, H/16, W/16] (rounded up).

    torchvision's `r3d_18` without its last layer (33.2 million parameters), which IIC calls ResNet-18-3D. Weights start
    as they do there: convolutions normal with variance 2 / fan-out (He et al., ICCV 2015).

    Args:
        width: channels of the first stage; the others have 2, 4 and 8 times as many. 64 in the papers.
        in_channels: channels of the clips.
    """

    def __init__(self, width: int = 64, in_channels: int = 3) -> None:
        super().__init__(width, in_channels, (2, 2, 2, 2))
        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
