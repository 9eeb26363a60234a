"""Heads on the way back to an original's form."""

import pytest

from praxino.backbones.r3d import R3D
from praxino.backbones.resnet3d import DilatedR3D18
from praxino.clips.samplers import EvenClips
from praxino.encoders.encoder import Encoder
from praxino.encoders.head import Head
from praxino.errors import UserError
from praxino.originals import iic_files, tclr_files
from praxino.views.pipeline import View


@pytest.mark.parametrize("files", [iic_files, tclr_files])
def test_a_head_that_normalises_does_not_go_back(tmp_path, files):
    """It would lose its BatchNorm without a word."""
    backbone = R3D(2) if files is iic_files else DilatedR3D18(2)
    head = Head(backbone.dim, 3, norm=True)
    encoder = Encoder(backbone, {"rgb": View([])}, EvenClips(2, 16), classes=("a", "b", "c"), head=head)
    with pytest.raises(UserError, match="a linear layer, and this head has a BatchNorm before it"):
        files.write_file(encoder, tmp_path / "out.pth")
    assert not list(tmp_path.iterdir())
