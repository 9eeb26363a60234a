"""R3D-18: the three-dimensional ResNet-18 (Tran et al., CVPR 2018), plain and with TCLR's dilated last stage."""

from __future__ import annotations

from torch import nn

from praxino.backbones.r3d import R3D, DilatedR3D, Strides

LAYERS = (2, 2, 2, 2)


class R3D18(R3D):
    """R3D with two blocks a stage; [b, in_channels, T, H, W] -> [b, 8 * width, T/8, H/16, W/16] (rounded up).

    torchvision's `r3d_18` without its last layer (33.2 million parameters), which IIC calls ResNet-18-3D. Weights start
    as they do there: convolutions normal with variance 2 / fan-out (He et al., ICCV 2015).

    Args:
        width: channels of the first stage; the others have 2, 4 and 8 times as many. 64 in the papers.
        in_channels: channels of the clips.
        channels_last: computes with the channels last in memory, on a CPU (`praxino.backbones.base.laid_out`).
    """

    def __init__(self, width: int = 64, in_channels: int = 3, channels_last: bool = False) -> None:
        super().__init__(width, in_channels, LAYERS, channels_last)
        start_normal(self)


class DilatedR3D18(DilatedR3D):
    """R3D-18 that keeps more of the time; [b, in_channels, T, H, W] -> [b, 8 * width, T/4, H/16, W/16] (rounded up).

    TCLR's network: `R3D18` whose last stage does not halve the time and has its first convolution dilated in its place.
    It has as many weights (33.2 million parameters), which start as in the original: as `R3D18`'s, but for that
    convolution and the one of its shortcut, which start as torch's layers do by default.

    Args:
        width: channels of the first stage; the others have 2, 4 and 8 times as many. 64 in the paper.
        in_channels: channels of the clips.
        temporal_strides: of the stages; the time positions are T over their product. (1, 2, 1, 1) gives clips of 8
            frames the four positions that the paper's clips of 16 have.
        channels_last: computes with the channels last in memory, on a CPU (`praxino.backbones.base.laid_out`).
    """

    def __init__(
        self,
        width: int = 64,
        in_channels: int = 3,
        temporal_strides: Strides = (1, 2, 2, 1),
        channels_last: bool = False,
    ) -> None:
        super().__init__(width, in_channels, LAYERS, temporal_strides, channels_last)
        start_normal(self)
        start_default(self.stages)


def start_normal(backbone: nn.Module) -> None:
    """Draws all convolutions anew: normal with variance 2 / fan-out, as torchvision's networks start."""
    for module in backbone.modules():
        if isinstance(module, nn.Conv3d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


def start_default(stages: nn.Sequential) -> None:
    """Draws anew, as torch's layers start by default, the two strided convolutions of the last stage.

    TCLR puts them into a network that has been started already.
    """
    block = stages.get_submodule("3.0")
    for name in ("conv1", "shortcut.conv"):
        conv = block.get_submodule(name)
        assert isinstance(conv, nn.Conv3d)
        conv.reset_parameters()
