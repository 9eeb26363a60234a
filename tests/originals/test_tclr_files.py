"""Files of TCLR as encoders, and encoders as files of TCLR."""

import os
from collections import OrderedDict, defaultdict

import pytest
import torch
from torch.nn import functional as F

from praxino.backbones.r3d import DilatedR3D
from praxino.backbones.r21d import DilatedR21D18
from praxino.backbones.resnet3d import R3D18, DilatedR3D18
from praxino.batch import ClipBatch, Frames
from praxino.clips.samplers import EvenClips
from praxino.encoders.encoder import Encoder
from praxino.errors import UserError
from praxino.originals.pickles import load_pickle
from praxino.originals.tclr import backbone_from_original, backbone_to_original
from praxino.originals.tclr_files import SCALER, encoder_of_file, read_file, write_file
from praxino.views.pipeline import View

SCALE = {"_enabled": True, "_scale": None, "_growth_tracker": None, "_init_scale": 1024.0, "_init_growth_tracker": 7}


def lively(network):
    """Weights and statistics that are not the trivial ones."""
    for name, tensor in network.state_dict().items():
        if name.endswith(("running_var", "norm1.weight", "norm.weight")):
            tensor.uniform_(0.5, 1.5)
        elif tensor.ndim == 1:
            tensor.uniform_(-0.2, 0.2)
        elif name.endswith("num_batches_tracked"):
            tensor.fill_(2_390)
    return network


def with_prefix(prefix, state):
    return OrderedDict((prefix + key, tensor) for key, tensor in state.items())


def head(dim=8, hidden=8, out=4, norms=True):
    made = {"fc1.weight": torch.rand(hidden, dim), "fc1.bias": torch.rand(hidden)}
    for name, size in (("bn1", hidden), ("bn2", out)) if norms else ():
        made |= {f"{name}.{word}": torch.rand(size) for word in ("weight", "bias", "running_mean", "running_var")}
        made[f"{name}.num_batches_tracked"] = torch.tensor(5)
    made["fc2.weight"] = torch.rand(out, hidden)
    return made if norms else made | {"fc2.bias": torch.rand(out)}


def saved(path, content, zipped=True):
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return path


@pytest.fixture
def scaler(monkeypatch):
    """A gradient scaler that is pickled under the names that torch 1.9 had for it."""
    module = torch.cuda.amp.grad_scaler

    class GradScaler:
        pass

    def _refresh_per_optimizer_state():
        raise AssertionError("nothing of a file is run")

    for thing in (GradScaler, _refresh_per_optimizer_state):
        thing.__module__, thing.__qualname__ = module.__name__, thing.__name__
        monkeypatch.setattr(module, thing.__name__, thing, raising=False)
    made = GradScaler()
    made.__dict__ |= SCALE | {"_per_optimizer_states": defaultdict(_refresh_per_optimizer_state)}
    return made


@pytest.fixture
def state():
    torch.manual_seed(1)
    return backbone_to_original(lively(DilatedR3D18(1)))


@pytest.fixture
def pretraining(state, scaler):
    return {
        "epoch": 235,
        "state_dict": with_prefix("module.0.", state) | with_prefix("module.1.", head()),
        "optimizer": {"state": {}, "param_groups": [{"lr": 1e-4, "betas": (0.9, 0.999), "params": [0, 1]}]},
        "learning_rate": 1e-4,
        "amp_scaler": scaler,
        "best_score": 12.264,
        "scheduler_epoch": 2,
    }


@pytest.mark.parametrize("network", [DilatedR3D18(1), DilatedR3D(2), DilatedR21D18(2)], ids=lambda n: type(n).__name__)
def test_ours_to_the_originals_form_and_back_is_bit_equal(tmp_path, network):
    Encoder(lively(network), {"rgb": View([])}, EvenClips()).save(tmp_path / "ours.safetensors")
    (line,) = write_file(Encoder.load(tmp_path / "ours.safetensors"), tmp_path / "theirs.pth")
    held = torch.load(tmp_path / "theirs.pth", weights_only=True)
    assert list(held) == ["state_dict"]
    assert all(key.startswith("0.") for key in held["state_dict"])
    assert f"{len(held['state_dict'])} tensors" in line
    again, _ = encoder_of_file(tmp_path / "theirs.pth")
    again.save(tmp_path / "again.safetensors")
    want, got = (Encoder.load(tmp_path / f"{n}.safetensors").backbone.state_dict() for n in ("ours", "again"))
    assert list(got) == list(want)
    assert all(torch.equal(got[key], want[key]) and got[key].dtype == want[key].dtype for key in want)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_pretraining_file(tmp_path, state, pretraining, zipped):
    path = saved(tmp_path / "model_temp.pth", pretraining, zipped)
    with pytest.raises(UserError, match=r"asks for (torch\.cuda\.amp\.grad_scaler|collections\.defaultdict)"):
        load_pickle(path)
    assert load_pickle(path, unread=SCALER)["amp_scaler"]._init_scale == SCALE["_init_scale"]
    read = read_file(path)
    got = backbone_to_original(read.backbone)
    assert all(torch.equal(got[key], state[key]) for key in state)
    held = pretraining["state_dict"]
    assert all(torch.equal(tensor, held[f"module.1.{key}"]) for key, tensor in read.head.items())
    assert len(read.head) == 13
    assert read.facts == {"epoch": 235, "learning_rate": 1e-4, "best_score": 12.264, "scheduler_epoch": 2}
    assert read.unused == ["optimizer", "amp_scaler"]
    encoder, report = encoder_of_file(path)
    assert report == [
        "TCLR's R3D-18: 120 tensors mapped, the first convolution from BGR to RGB",
        "view rgb, 9 clips of 16 frames, feature time",
        "written down, not used: epoch 235, learning_rate 0.0001, best_score 12.264, scheduler_epoch 2",
        "left out: MLP head (13 tensors); optimizer; amp_scaler",
    ]
    assert encoder.record["original"] == "TCLR"
    assert encoder.record["epoch"] == 235


def test_a_gradient_scaler_of_todays_torch(tmp_path, pretraining):
    pretraining["amp_scaler"] = torch.amp.GradScaler("cpu")
    assert read_file(saved(tmp_path / "a.pth", pretraining)).unused == ["optimizer", "amp_scaler"]


def test_what_stands_in_lets_nothing_else_through(tmp_path, pretraining):
    class Malicious:
        def __reduce__(self):
            return os.system, (f"touch '{tmp_path / 'was here'}'",)

    pretraining["amp_scaler"].__dict__["_scale"] = Malicious()
    with pytest.raises(UserError, match=r"is refused: it asks for posix\.system"):
        read_file(saved(tmp_path / "a.pth", pretraining))
    assert not (tmp_path / "was here").exists()
    before = set(torch.serialization.get_safe_globals())
    pretraining["amp_scaler"].__dict__["_scale"] = None
    read_file(saved(tmp_path / "a.pth", pretraining))
    assert set(torch.serialization.get_safe_globals()) == before


def test_the_forms_of_file_are_one_network(tmp_path, state):
    classifier = {"fc.weight": torch.rand(102, 8), "fc.bias": torch.rand(102)}
    forms = {
        "pair": {"state_dict": with_prefix("0.", state) | with_prefix("1.", head())},
        "pair of several GPUs": {"state_dict": with_prefix("module.0.", state) | with_prefix("module.1.", head())},
        "older head": {"state_dict": with_prefix("0.", state) | with_prefix("1.", head(norms=False))},
        "no head": {"state_dict": with_prefix("0.", state)},
        "older container": {"bb_state_dict": with_prefix("0.", state)},
        "linear": {"epoch": 8, "state_dict": state | classifier, "optimizer": {}},
        "linear of several GPUs": {"state_dict": with_prefix("module.", state | classifier)},
        "bare": state,
    }
    for name, content in forms.items():
        read = read_file(saved(tmp_path / "a.pth", content))
        got = backbone_to_original(read.backbone)
        assert all(torch.equal(got[key], state[key]) for key in state), name
        assert len(read.head) == {"pair": 13, "pair of several GPUs": 13, "older head": 4}.get(name, 0)
        assert len(read.classifier) == (2 if name.startswith("linear") else 0)
        _, report = encoder_of_file(tmp_path / "a.pth")
        assert ("MLP head" in report[-1]) == bool(read.head)
        assert ("classifier of 102 outputs" in report[-1]) == bool(read.classifier)


def test_the_encoder_computes_what_the_original_retrieves_with(tmp_path):
    torch.manual_seed(2)
    state = backbone_to_original(lively(DilatedR3D(2)))
    encoder, _ = encoder_of_file(saved(tmp_path / "prp.pth", {"state_dict": with_prefix("0.", state)}))
    encoder.save(tmp_path / "tclr.safetensors")
    encoder = Encoder.load(tmp_path / "tclr.safetensors")
    assert list(encoder.views) == ["rgb"]
    assert not encoder.reestimate_batchnorm
    assert not encoder.centred
    # Nine clips of every other frame; the last begins 42 frames before the end.
    numbers = encoder.sampler.numbers(100)
    assert numbers.shape == (9, 16)
    assert numbers[0].tolist() == list(range(0, 32, 2))
    assert numbers[-1].tolist() == list(range(58, 90, 2))
    # Frames whose square of 0.8 times the shorter side has the size that the network takes: only the crop is left.
    pixels = torch.randint(0, 256, (16, 140, 200, 3), dtype=torch.uint8)
    frames = Frames(
        pixels, torch.tensor([[140, 200]] * 16), torch.ones(16, dtype=torch.bool), torch.arange(16)[None, None]
    )
    numbers = torch.arange(16)[None, None]
    batch = ClipBatch({"rgb": frames}, torch.tensor([0]), torch.tensor([-1]), numbers, numbers / 25)
    bgr = pixels[:, 14:126, 44:156].flip(-1).permute(3, 0, 1, 2)[None].float() / 255
    # The network with the original's weights as they are.
    plain = backbone_from_original(state)
    plain.stem.conv.weight.data = state["conv1.temporal_spatial_conv.weight"]
    with torch.no_grad():
        want = F.adaptive_avg_pool3d(plain.eval()(bgr), (4, 1, 1)).reshape(1, -1)
    assert want.shape == (1, 4 * 16)
    torch.testing.assert_close(encoder.features(batch), want, rtol=1e-4, atol=1e-5)


def test_a_linear_evaluations_file(tmp_path, state):
    classifier = {"fc.weight": torch.rand(4, 8), "fc.bias": torch.rand(4)}
    path = saved(tmp_path / "model_7_bestAcc_0.6987.pth", {"epoch": 8, "state_dict": state | classifier})
    encoder, report = encoder_of_file(path)
    assert encoder.head is None
    assert report[-1] == "left out: classifier of 4 outputs (--classes classInd.txt keeps one of 1 + its classes)"

    (tmp_path / "classInd.txt").write_text("1 Run\r\n2 Jump\r\n3 Sit\r\n")
    encoder, report = encoder_of_file(path, classes=tmp_path / "classInd.txt")
    assert encoder.classes == ("Run", "Jump", "Sit")
    assert encoder.sampler.clips == 10
    assert "122 tensors" in report[0]
    assert "classifier of 3 classes, without its output 0, which is none" in report
    assert report[-1] == "left out: nothing"
    encoder.save(tmp_path / "ours.safetensors")
    encoder = Encoder.load(tmp_path / "ours.safetensors")
    features = torch.rand(5, 8)
    with torch.no_grad():
        want = F.linear(features, classifier["fc.weight"], classifier["fc.bias"])
        torch.testing.assert_close(encoder.head(features), want[:, 1:])
        (line,) = write_file(encoder, tmp_path / "back.pth")
        assert "122 tensors" in line
        assert "1 + 3 outputs" in line
        back = torch.load(tmp_path / "back.pth", weights_only=True)["state_dict"]
        assert list(back) == [*state, *classifier]
        assert all(torch.equal(back[key], state[key]) for key in state)
        # The output that is no class has no share in the softmax.
        got = F.linear(features, back["fc.weight"], back["fc.bias"]).softmax(1)
        assert (got[:, 0] == 0).all()
        torch.testing.assert_close(got[:, 1:], want[:, 1:].softmax(1))
    again, _ = encoder_of_file(tmp_path / "back.pth", classes=tmp_path / "classInd.txt")
    for name, tensor in encoder.head.state_dict().items():
        assert torch.equal(again.head.state_dict()[name], tensor)


def test_classes_that_do_not_fit(tmp_path, state):
    (tmp_path / "classInd.txt").write_text("1 Run\n2 Jump\n")
    linear = {"state_dict": state | {"fc.weight": torch.rand(4, 8), "fc.bias": torch.rand(4)}}
    with pytest.raises(UserError, match=r"names 2 classes, and .* has a classifier of 1 \+ 3"):
        encoder_of_file(saved(tmp_path / "linear.pth", linear), classes=tmp_path / "classInd.txt")
    with pytest.raises(UserError, match=r"names 2 classes, and .* has no classifier"):
        encoder_of_file(saved(tmp_path / "bare.pth", state), classes=tmp_path / "classInd.txt")
    with pytest.raises(UserError, match="--classes: there is no file"):
        encoder_of_file(tmp_path / "bare.pth", classes=tmp_path / "none.txt")


@pytest.mark.parametrize(
    "content, said",
    [
        ([1, 2], "holds no state: it is a list"),
        ({"state_dict": [1]}, "holds no state"),
        ({"state_dict": {"stem.0.weight": 3}}, "holds no state"),
        ({0: torch.zeros(2)}, "holds no state"),
        ({"epoch": 3, "model": {}}, "holds no state"),
        ({}, "it is empty"),
        ({"state_dict": {"0.fc.weight": torch.zeros(2, 2)}}, r"fc\.bias is missing"),
    ],
)
def test_files_of_something_else(tmp_path, content, said):
    path = saved(tmp_path / "other.pth", content)
    with pytest.raises(UserError, match=said) as refused:
        read_file(path)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_key_that_does_not_fit_is_named_with_its_file(tmp_path, state):
    path = saved(tmp_path / "other.pth", {"state_dict": with_prefix("0.", state | {"more": torch.zeros(2)})})
    with pytest.raises(UserError, match=rf"{path.name}: .*the key more does not belong"):
        read_file(path)
    path = saved(tmp_path / "wide.pth", state | {"fc.weight": torch.zeros(3, 9), "fc.bias": torch.zeros(3)})
    with pytest.raises(UserError, match=rf"{path.name}: .*classifier: weight has the shape \[3, 9\]"):
        read_file(path)


def test_an_encoder_of_another_network(tmp_path):
    with pytest.raises(UserError, match="TCLR has no network like R3D18"):
        write_file(Encoder(R3D18(1), {"rgb": View([])}, EvenClips()), tmp_path / "a.pth")
    assert list(tmp_path.iterdir()) == []
