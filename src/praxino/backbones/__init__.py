"""Backbones: clips in, feature map out."""

from typing import TYPE_CHECKING

from praxino.lazy import lazy

if TYPE_CHECKING:
    from praxino.backbones.base import Backbone as Backbone
    from praxino.backbones.block_recurrent import BlockRecurrent as BlockRecurrent
    from praxino.backbones.c3d import C3D as C3D
    from praxino.backbones.pooling import pool as pool
    from praxino.backbones.r3d import R3D as R3D
    from praxino.backbones.r3d import DilatedR3D as DilatedR3D
    from praxino.backbones.r21d import R21D as R21D
    from praxino.backbones.r21d import R21D18 as R21D18
    from praxino.backbones.r21d import DilatedR21D18 as DilatedR21D18
    from praxino.backbones.resnet2d import ResNet18 as ResNet18
    from praxino.backbones.resnet2d import ResNet34 as ResNet34
    from praxino.backbones.resnet2d import ResNet50 as ResNet50
    from praxino.backbones.resnet2d3d import ResNet2D3D18 as ResNet2D3D18
    from praxino.backbones.resnet2d3d import ResNet2D3D34 as ResNet2D3D34
    from praxino.backbones.resnet2d3d import ResNet2D3D50 as ResNet2D3D50
    from praxino.backbones.resnet2d3d import ResNet2D3D101 as ResNet2D3D101
    from praxino.backbones.resnet2d3d import ResNet2D3D152 as ResNet2D3D152
    from praxino.backbones.resnet2d3d import ResNet2D3D200 as ResNet2D3D200
    from praxino.backbones.resnet3d import R3D18 as R3D18
    from praxino.backbones.resnet3d import DilatedR3D18 as DilatedR3D18
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        {
            "base": ["Backbone"],
            "block_recurrent": ["BlockRecurrent"],
            "c3d": ["C3D"],
            "pooling": ["pool"],
            "r21d": ["R21D", "R21D18", "DilatedR21D18"],
            "r3d": ["R3D", "DilatedR3D"],
            "resnet2d": ["ResNet18", "ResNet34", "ResNet50"],
            "resnet2d3d": [
                "ResNet2D3D18",
                "ResNet2D3D34",
                "ResNet2D3D50",
                "ResNet2D3D101",
                "ResNet2D3D152",
                "ResNet2D3D200",
            ],
            "resnet3d": ["R3D18", "DilatedR3D18"],
        },
    )
