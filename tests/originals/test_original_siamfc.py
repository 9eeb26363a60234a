"""Files of CycleContrast's tracker: into an encoder with its tracker and back, and what is refused."""

import numpy as np
import pytest
import torch

from praxino.backbones.r3d import R3D
from praxino.backbones.resnet2d import ResNet18, ResNet50
from praxino.cli.main import main
from praxino.encoders.siamese import SiameseHead
from praxino.errors import UserError
from praxino.evaluations.tracking.tracker import Tracker
from praxino.originals.pickles import load_pickle
from praxino.originals.siamfc import from_original, to_original
from praxino.originals.siamfc_files import encoder_of_file, read_file, write_file
from tracked import encoder_on, moving

pytest.importorskip("cv2")


def drawn(cls=ResNet18, width=2, channels=5):
    torch.manual_seed(0)
    backbone = cls(width=width)
    for name, value in backbone.named_buffers():
        if "running" in name:
            value.uniform_(0.5, 1.5)
    return backbone, None if channels is None else SiameseHead(backbone.dim, channels, 1e-3)


def saved(path, **more):
    state = to_original(*drawn(**more))
    torch.save(
        {"meta": {"epoch": 49, "mmcv_version": "1.0", "scheduler": {}}, "state_dict": state, "optimizer": {}}, path
    )
    return path


@pytest.mark.parametrize("cls", [ResNet18, ResNet50])
@pytest.mark.parametrize("channels", [5, None])
def test_there_and_back(cls, channels):
    backbone, head = drawn(cls, channels=channels)
    state = to_original(backbone, head)
    assert {"backbone.conv1.conv.weight", "backbone.conv1.bn.running_var"} <= set(state)
    assert {"backbone.layer2.0.conv2.bn.bias", "backbone.layer2.0.downsample.conv.weight"} <= set(state)
    assert ("head.z_convs.0.bias" in state) == (channels is not None)
    again, other = from_original(state)
    assert type(again) is cls
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in backbone.state_dict().items())
    if channels is None:
        assert other is None
    else:
        assert all(torch.equal(value, other.state_dict()[name]) for name, value in head.state_dict().items())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda state: state.pop("backbone.layer3.1.conv2.bn.weight"), "layer3.1.conv2.bn.weight is missing"),
        (lambda state: state.pop("head.x_convs.0.bias"), "head.x_convs.0.bias is missing"),
        (lambda state: state.update(more=torch.zeros(1)), "the key more does not belong to it"),
        (lambda state: state.update({"head.z_convs.0.bias": torch.zeros(4)}), r"has the shape \[4\], not \[5\]"),
        (lambda state: state.update({"backbone.conv1.bn.bias": torch.full((2,), torch.nan)}), "not finite"),
        (lambda state: state.clear(), "it has no backbone"),
    ],
)
def test_a_key_that_is_not_in_its_place_is_told(change, said):
    state = to_original(*drawn())
    change(state)
    with pytest.raises(UserError, match=said):
        from_original(state)


def test_a_file_becomes_an_encoder_with_its_tracker(tmp_path, capsys):
    saved(tmp_path / "epoch_50.pth")
    assert main(["convert", "siamfc", str(tmp_path / "epoch_50.pth"), str(tmp_path / "one.safetensors")]) == 0
    said = capsys.readouterr().out
    assert "on a ResNet-18: 120 tensors of the trunk mapped" in said
    assert "head of 5 channels: 4 tensors mapped; out_scale 0.001" in said
    assert "epoch 49" in said
    assert "left out: optimizer" in said
    tracker = Tracker.load(tmp_path / "one.safetensors")
    assert (tracker.grid, tracker.middle, tracker.bounded, tracker.head.out_scale) == (17, "grid", False, 1e-3)
    frames, boxes = moving(frames=2)
    tracker.init(frames[0], boxes[0])
    assert np.isfinite(tracker.update(frames[1])).all()
    back = ["convert", "siamfc", str(tmp_path / "one.safetensors"), str(tmp_path / "back.pth"), "--to_original"]
    assert main(back) == 0
    assert "124 tensors as 'state_dict'" in capsys.readouterr().out
    before, after = (load_pickle(tmp_path / name)["state_dict"] for name in ("epoch_50.pth", "back.pth"))
    assert list(before) == list(after)
    assert all(torch.equal(value, after[key]) for key, value in before.items())


def test_the_published_scales_are_told_by_the_network(tmp_path):
    for cls, scale in ((ResNet18, 1e-3), (ResNet50, 1e-5)):
        assert encoder_of_file(saved(tmp_path / "one.pth", cls=cls))[0].head.out_scale == scale
    assert encoder_of_file(tmp_path / "one.pth", 0.5)[0].head.out_scale == 0.5
    for scale in (0, -1, float("inf")):
        with pytest.raises(UserError, match="--out_scale"):
            encoder_of_file(tmp_path / "one.pth", scale)
    with pytest.raises(UserError, match="has no head"):
        encoder_of_file(saved(tmp_path / "none.pth", channels=None), 0.5)


def test_without_a_head_the_maps_are_correlated(tmp_path):
    made, lines = encoder_of_file(saved(tmp_path / "one.pth", channels=None))
    assert "no head: the trunk's maps are correlated as they are" in lines
    made.save(tmp_path / "one.safetensors")
    tracker = Tracker.load(tmp_path / "one.safetensors")
    assert (tracker.head.channels, tracker.grid) == (None, 17)
    assert "no head: for its option --no-train" in write_file(made.encoder, tmp_path / "back.pth")
    assert read_file(tmp_path / "back.pth").head is None


def test_what_the_original_has_not_is_refused(tmp_path):
    backbone, _ = drawn()
    with pytest.raises(UserError, match="this head compares cosines"):
        write_file(encoder_on(backbone), tmp_path / "one.pth", SiameseHead(16, 4, cosine=True))
    with pytest.raises(UserError, match="no network like R3D"):
        write_file(encoder_on(R3D(width=2)), tmp_path / "one.pth")
