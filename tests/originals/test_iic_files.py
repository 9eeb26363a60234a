"""Files of IIC as encoders, and encoders as files of IIC."""

import argparse

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import r3d_reference
from praxino.backbones.c3d import C3D
from praxino.backbones.r3d import R3D
from praxino.backbones.r21d import R21D
from praxino.backbones.resnet3d import R3D18
from praxino.batch import ClipBatch, Frames
from praxino.clips.samplers import EvenClips
from praxino.encoders.encoder import Encoder
from praxino.errors import UserError
from praxino.originals.iic import backbone_to_original
from praxino.originals.iic_files import encoder_of_file, read_file, write_file
from praxino.views.pipeline import View


def lively(network):
    """Weights and statistics that are not the trivial ones."""
    for name, tensor in network.state_dict().items():
        if name.endswith(("running_var", "norm1.weight", "norm.weight")):
            tensor.uniform_(0.5, 1.5)
        elif tensor.ndim == 1:
            tensor.uniform_(-0.2, 0.2)
        elif name.endswith("num_batches_tracked"):
            tensor.fill_(143_040)
    return network


def pretraining_file(state, **settings):
    return {
        "opt": argparse.Namespace(learning_rate=0.01, nce_k=1024, resume="", device=torch.device("cpu"), **settings),
        "model": state,
        "contrast": {"params": torch.zeros(5), "memory_l": torch.zeros(7, 16), "memory_ab": torch.zeros(7, 16)},
        "optimizer": {"state": {}, "param_groups": [{"lr": 0.01, "params": [0, 1]}]},
        "epoch": 240,
    }


def saved(path, content):
    torch.save(content, path)
    return path


@pytest.fixture
def state():
    torch.manual_seed(1)
    return backbone_to_original(lively(R3D(2)))


@pytest.fixture
def classifier():
    return {"linear.weight": torch.rand(3, 16), "linear.bias": torch.rand(3)}


@pytest.mark.parametrize("network", [C3D(2), R3D(2), R21D(2), R3D18(1)], ids=lambda n: type(n).__name__)
def test_ours_to_the_originals_form_and_back_is_bit_equal(tmp_path, network):
    lively(network)
    view = {"rgb": View([])}
    Encoder(network, view, EvenClips()).save(tmp_path / "ours.safetensors")
    encoder = Encoder.load(tmp_path / "ours.safetensors")
    (line,) = write_file(encoder, tmp_path / "theirs.pth")
    held = torch.load(tmp_path / "theirs.pth", weights_only=True)
    assert list(held) == ["model"]
    assert f"{len(held['model'])} tensors" in line
    again, _ = encoder_of_file(tmp_path / "theirs.pth")
    again.save(tmp_path / "again.safetensors")
    want, got = (Encoder.load(tmp_path / f"{n}.safetensors").backbone.state_dict() for n in ("ours", "again"))
    assert list(got) == list(want)
    assert all(torch.equal(got[key], want[key]) and got[key].dtype == want[key].dtype for key in want)


def test_the_three_forms_of_file_are_one_network(tmp_path, state):
    forms = {
        "pretraining": pretraining_file(state),
        "fine-tuned": {"model": state},
        "bare": state,
        "parallel": {"model": {f"module.{key}": tensor for key, tensor in state.items()}},
    }
    for name, content in forms.items():
        read = read_file(saved(tmp_path / f"{name}.pth", content))
        assert read.names == list(state)
        got = backbone_to_original(read.backbone)
        assert all(torch.equal(got[key], state[key]) for key in state)
        assert read.epoch == (240 if name == "pretraining" else None)
        assert bool(read.unused) == (name == "pretraining")


def test_the_encoder_computes_what_the_original_retrieves_with(tmp_path, state):
    path = saved(tmp_path / "ckpt.pth", pretraining_file(state, modality="res"))
    encoder, _ = encoder_of_file(path)
    encoder.save(tmp_path / "iic.safetensors")
    encoder = Encoder.load(tmp_path / "iic.safetensors")
    assert list(encoder.views) == ["residual", "rgb"]
    assert encoder.sampler.numbers(30)[-1].tolist() == list(range(13, 29))  # the last of 30 frames is never used
    assert not encoder.reestimate_batchnorm
    assert not encoder.centred
    # Frames that have the size of the resized ones already: only the crop is left to be done by hand.
    pixels = torch.randint(0, 256, (16, 128, 171, 3), dtype=torch.uint8)
    frames = Frames(
        pixels, torch.tensor([[128, 171]] * 16), torch.ones(16, dtype=torch.bool), torch.arange(16)[None, None]
    )
    numbers = torch.arange(16)[None, None]
    batch = ClipBatch({"rgb": frames}, torch.tensor([0]), torch.tensor([-1]), numbers, numbers / 25)
    x = pixels[:, 8:120, 30:142].permute(3, 0, 1, 2)[None].float() / 255
    for view, clip in (("residual", (x - x.roll(1, 2) + 1) / 2), ("rgb", x)):
        with torch.no_grad():
            want = F.max_pool3d(r3d_reference.forward(state, clip), (1, 2, 2)).flatten(1)
        torch.testing.assert_close(encoder.features(batch, view), want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "modality, asked, views, dropped",
    [
        ("res", None, ["residual", "rgb"], 1),
        (None, None, ["residual", "rgb"], 1),
        ("rgb", None, ["rgb", "residual"], 1),
        ("u", None, ["flow_u", "residual", "rgb"], 0),
        ("res", "v", ["flow_v", "residual", "rgb"], 0),
        ("v", "residual", ["residual", "rgb"], 1),
    ],
)
def test_views(tmp_path, state, modality, asked, views, dropped):
    settings = {} if modality is None else {"modality": modality}
    encoder, report = encoder_of_file(saved(tmp_path / "ckpt.pth", pretraining_file(state, **settings)), asked)
    assert list(encoder.views) == views
    assert encoder.views[views[0]].stream == ("flow" if "flow" in views[0] else "rgb")
    assert encoder.sampler.drop_last_frames == dropped
    assert f"view {views[0]} (also {', '.join(views[1:])})" in report[1]


def test_what_is_left_out_is_told(tmp_path, state):
    content = pretraining_file(state, modality="res", neg="repeat") | {7: 3}
    encoder, report = encoder_of_file(saved(tmp_path / "ckpt.pth", content))
    assert report == [
        "IIC's R3D: 72 tensors mapped",
        "view residual (also rgb), 10 clips of 16 frames, feature map",
        "written down, not used: epoch 240, modality res, neg repeat, ... (opt)",
        "left out: contrast (params [5], memory_l [7, 16], memory_ab [7, 16]); optimizer; 7",
    ]
    assert encoder.record["epoch"] == 240
    assert encoder.record["settings"]["nce_k"] == 1024
    assert encoder.record["settings"]["device"] == "cpu"
    _, report = encoder_of_file(saved(tmp_path / "bare.pth", state))
    assert report[-1] == "left out: nothing"


def test_the_later_codes_network_is_pooled(tmp_path):
    encoder, report = encoder_of_file(saved(tmp_path / "r18.pth", {"model": backbone_to_original(R3D18(1))}))
    assert encoder.feature == "mean"
    assert "ResNet-18-3D: 120 tensors" in report[0]


def test_a_fine_tuned_file(tmp_path, state, classifier):
    path = saved(tmp_path / "best_model_141.pt", {"model": state | classifier})
    encoder, report = encoder_of_file(path)
    # The original fine-tunes on residuals that are not scaled to [0, 1].
    assert encoder.views["residual"].operations[1].rescale is False
    assert encoder.head is None
    assert report[-1] == "left out: classifier of 3 classes (--classes classInd.txt keeps it)"

    (tmp_path / "classInd.txt").write_text("1 Run\r\n2 Jump\r\n3 Sit\r\n")
    encoder, report = encoder_of_file(path, classes=tmp_path / "classInd.txt")
    assert encoder.classes == ("Run", "Jump", "Sit")
    assert "classifier of 3 classes" in report
    assert "74 tensors" in report[0]
    encoder.save(tmp_path / "ours.safetensors")
    encoder = Encoder.load(tmp_path / "ours.safetensors")
    x = torch.rand(2, 3, 8, 32, 32)
    with torch.no_grad():
        want = F.linear(r3d_reference.forward(state, x).mean((2, 3, 4)), *classifier.values())
        torch.testing.assert_close(encoder.head(encoder.backbone(x).mean((2, 3, 4))), want, rtol=1e-4, atol=1e-5)
    # The original's test of a fine-tuned network takes the bare state.
    (line,) = write_file(encoder, tmp_path / "back.pt")
    assert "74 tensors" in line
    back = torch.load(tmp_path / "back.pt", weights_only=True)
    assert list(back) == [*state, *classifier]
    assert all(torch.equal(back[key], value) for key, value in (state | classifier).items())


def test_classes_that_do_not_fit(tmp_path, state, classifier):
    (tmp_path / "classInd.txt").write_text("1 Run\n2 Jump\n")
    fine_tuned = saved(tmp_path / "best.pt", {"model": state | classifier})
    with pytest.raises(UserError, match=r"names 2 classes, and .* has a classifier of 3"):
        encoder_of_file(fine_tuned, classes=tmp_path / "classInd.txt")
    with pytest.raises(UserError, match=r"names 2 classes, and .* has no classifier"):
        encoder_of_file(saved(tmp_path / "bare.pth", state), classes=tmp_path / "classInd.txt")
    (tmp_path / "classInd.txt").write_text("Run\n")
    with pytest.raises(UserError, match="expected lines of the form"):
        encoder_of_file(fine_tuned, classes=tmp_path / "classInd.txt")


@pytest.mark.parametrize(
    "content, said",
    [
        ([1, 2], "holds no state: it is a list"),
        ({"model": [1]}, "holds no state"),
        ({"model": {"conv1.weight": 3}}, "holds no state"),
        ({0: torch.zeros(2)}, "holds no state"),
        ({"epoch": 3, "state_dict": {}}, "holds no state"),
        ({}, "it is empty"),
        (np.float64(3), "asks for numpy"),
    ],
)
def test_files_of_something_else(tmp_path, content, said):
    path = saved(tmp_path / "other.pth", content)
    with pytest.raises(UserError, match=said) as refused:
        read_file(path)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_key_that_does_not_fit_is_named_with_its_file(tmp_path, state):
    path = saved(tmp_path / "vcop.pth", state | {"fc8.weight": torch.zeros(2)})
    with pytest.raises(UserError, match=rf"{path.name}: .*the key fc8\.weight does not belong"):
        read_file(path)
