"""The network that DPC and CoCon take home where the trained one's BatchNorm keeps no statistics."""

import torch

from praxino.backbones import BlockRecurrent, ResNet2D3D18
from praxino.methods.cocon import CoCon
from praxino.methods.dpc import DPC
from praxino.views.pipeline import View
from toys import toy_protocol


def recurrent():
    return BlockRecurrent(ResNet2D3D18(width=2, running_statistics=False), block_frames=2)


def test_it_lies_where_the_method_lies():
    """`meta` stands in for a GPU: a place that is not the CPU."""
    meta = torch.device("meta")
    for method in (DPC(recurrent(), View([])), CoCon({"rgb": recurrent()}, {"rgb": View([])})):
        for encoder in method.to(meta).exports(toy_protocol()).values():
            named = {**dict(encoder.backbone.named_parameters()), **dict(encoder.backbone.named_buffers())}
            assert any(name.endswith("running_mean") for name in named)
            assert {value.device for value in named.values()} == {meta}
