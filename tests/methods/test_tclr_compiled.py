"""The lean form of a compiled network."""

import shutil

import pytest
import torch

from praxino.backbones.r3d import DilatedR3D
from praxino.methods.tclr import TCLR
from praxino.views.pipeline import View


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("g++"), reason="compiling needs a C++ compiler")
def test_lean_is_plain_where_the_backbone_is_compiled():
    """On a CPU to the bit: the second forward is the first one's program, and writes to copies of the statistics."""
    clips = torch.rand(3, 2, 5, 3, 8, 16, 16, generator=torch.Generator().manual_seed(1))
    plain, lean = trained(clips, False), trained(clips, True)
    assert plain.keys() == lean.keys()
    assert [name for name in plain if not torch.equal(plain[name], lean[name])] == []


def trained(clips, lean):
    """The loss, all gradients and all buffers of one step."""
    torch.manual_seed(0)
    method = TCLR(DilatedR3D(width=2, temporal_strides=(1, 2, 1, 1)), View([]), dim=8, lean=lean)
    method.backbone.compile()
    loss = method.objective({"clips": clips}).total
    loss.backward()
    gradients = {f"gradient of {name}": parameter.grad for name, parameter in method.named_parameters()}
    return {"loss": loss.detach(), **gradients, **dict(method.named_buffers())}
