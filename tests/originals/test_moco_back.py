"""Encoders as files of MoCo and CycleContrast: bit-equal there and back, and as the originals' programs take them."""

import pytest
import torch

from moco_states import counted, lively
from praxino.backbones.resnet2d import ResNet18, ResNet34, ResNet50
from praxino.backbones.resnet3d import R3D18
from praxino.clips.samplers import EvenClips
from praxino.encoders.encoder import Encoder
from praxino.encoders.head import Head
from praxino.errors import UserError
from praxino.originals.moco_files import encoder_of_file, write_file
from praxino.views.pipeline import View


@pytest.mark.parametrize("network", [ResNet18(1), ResNet34(2), ResNet50(1)], ids=lambda n: type(n).__name__)
def test_ours_to_the_originals_form_and_back_is_bit_equal(tmp_path, network):
    Encoder(lively(network), {"rgb": View([])}, EvenClips(1, 1)).save(tmp_path / "ours.safetensors")
    line, width, views = write_file(Encoder.load(tmp_path / "ours.safetensors"), tmp_path / "theirs.pth")
    assert width == f"width {network.width}: the originals' programs build networks of width 64 only"
    assert views.startswith("not in the file: views and clips; its readers take 224x224 pixels")
    held = torch.load(tmp_path / "theirs.pth", weights_only=True)
    assert list(held) == ["arch", "state_dict"]
    assert held["arch"] == type(network).__name__.lower()
    assert all(key.startswith("module.encoder_q.") and ".fc" not in key for key in held["state_dict"])
    assert f"{len(held['state_dict'])} tensors" in line
    for original in ("moco", "cyclecontrast"):
        again, report = encoder_of_file(tmp_path / "theirs.pth", original)
        assert counted(report) == len(held["state_dict"])
        again.save(tmp_path / "again.safetensors")
        want, got = (Encoder.load(tmp_path / f"{n}.safetensors").backbone.state_dict() for n in ("ours", "again"))
        assert list(got) == list(want)
        assert all(torch.equal(got[key], want[key]) and got[key].dtype == want[key].dtype for key in want)


def test_the_file_that_goes_back_is_what_the_originals_programs_take(tmp_path):
    """Their rules, written out: the linear evaluation's and UCF101's; the tracker cuts 17 characters off."""
    network = lively(ResNet18(1))
    write_file(Encoder(network, {"rgb": View([])}, EvenClips(1, 1)), tmp_path / "theirs.pth")
    state = torch.load(tmp_path / "theirs.pth", weights_only=True)["state_dict"]
    kept = {
        key[len("module.encoder_q.") :]: tensor
        for key, tensor in state.items()
        if key.startswith("module.encoder_q") and not key.startswith("module.encoder_q.fc")
    }
    again = ResNet18(1)
    assert again.load_state_dict(kept, strict=False) == ([], [])
    tracked = {key[17:]: tensor for key, tensor in state.items() if "module.encoder_q" in key}
    for got in (again.state_dict(), tracked):
        assert list(got) == list(network.state_dict())
        assert all(torch.equal(got[key], tensor) for key, tensor in network.state_dict().items())


def test_encoders_of_other_networks(tmp_path):
    with pytest.raises(UserError, match="have no network like R3D18"):
        write_file(Encoder(R3D18(1), {"rgb": View([])}, EvenClips()), tmp_path / "a.pth")
    assert list(tmp_path.iterdir()) == []
    # A head that normalises stays behind as any other, and is named.
    normal = Encoder(ResNet18(1), {"rgb": View([])}, EvenClips(), classes=("a",), head=Head(8, 1, norm=True))
    assert "left out: the classifier (1 classes)" in write_file(normal, tmp_path / "a.pth")[1]
    dilated = Encoder(ResNet18(1, output_stride=8), {"rgb": View([])}, EvenClips())
    assert write_file(dilated, tmp_path / "a.pth")[1:-2] == [
        "output stride 8 is the tracker's; the others run these weights at 32"
    ]
