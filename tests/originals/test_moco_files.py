"""Files of MoCo and CycleContrast as encoders."""

import json
import math
import os
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from moco_states import counted, head, linear, lively, pretraining, saved, ucf101, with_prefix
from praxino.backbones.resnet2d import ResNet18
from praxino.batch import ClipBatch, Frames
from praxino.clips import EvenClips, EvenSeconds
from praxino.described import describe
from praxino.encoders.encoder import Encoder
from praxino.errors import UserError
from praxino.originals.moco import backbone_to_original
from praxino.originals.moco_files import encoder_of_file, read_file, write_file

KEYS = Path(__file__).parents[2] / "../shared/specs/cyclecontrast_keys.json"


@pytest.fixture
def network():
    torch.manual_seed(4)
    return lively(ResNet18(1))


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_pretraining_of_cyclecontrast(tmp_path, network, zipped):
    state = pretraining(network)
    path = saved(tmp_path / "checkpoint_0199.pth.tar", state, zipped)
    encoder, report = encoder_of_file(path, "cyclecontrast")
    assert report == [
        "CycleContrast's ResNet-18: 120 tensors mapped, of a pretraining",
        "view rgb, 10 clips of 1 frame, feature mean",
        "written down, not used: epoch 200, arch resnet18",
        "left out: query head (4 tensors); key head (4 tensors); query cycle head (4 tensors); key cycle head "
        "(4 tensors); key network (120 tensors); queues (6 tensors); optimizer",
    ]
    assert counted(report) == len(state)
    assert encoder.record == {
        "original": "CycleContrast", "file": path.name, "epoch": 200, "arch": "resnet18"
    }  # fmt: skip
    assert encoder.classes == ()
    got = encoder.backbone.state_dict()
    assert all(torch.equal(got[key], tensor) for key, tensor in network.state_dict().items())
    with pytest.raises(UserError, match=r"has a cycle head .* praxino convert cyclecontrast .*0199\.pth\.tar"):
        encoder_of_file(path, "moco")


def test_it_is_the_query_and_not_the_averaged_network(tmp_path, network):
    state = pretraining(network)
    state["encoder_k.conv1.weight"] = state["encoder_q.conv1.weight"] + 1
    read = read_file(saved(tmp_path / "a.pth", state))
    assert torch.equal(read.backbone.conv1.weight, state["encoder_q.conv1.weight"])
    assert torch.equal(read.parts.key["conv1.weight"], state["encoder_k.conv1.weight"])


@pytest.mark.parametrize("mlp", [True, False])
@pytest.mark.parametrize("labelled", [True, False])
def test_a_pretraining_of_moco(tmp_path, network, mlp, labelled):
    """Also of its own repository, which keeps no labels beside the queue."""
    state = pretraining(network, cycle=False, mlp=mlp, labelled=labelled)
    path = saved(tmp_path / "checkpoint_0199.pth.tar", state)
    encoder, report = encoder_of_file(path, "moco", clips=1)
    assert report[0] == "MoCo's ResNet-18: 120 tensors mapped, of a pretraining"
    assert report[1] == "view rgb, 1 clip of 1 frame, feature mean"
    assert counted(report) == len(state)
    assert encoder.record["original"] == "MoCo"
    with pytest.raises(UserError, match=r"no cycle head .* praxino convert moco .*0199\.pth\.tar") as refused:
        encoder_of_file(path, "cyclecontrast")
    assert "\n" not in str(refused.value)


@pytest.mark.skipif(not KEYS.is_file(), reason="the original's key lists are not beside the repository")
def test_a_file_of_the_published_form(tmp_path):
    """All 658 entries of the ResNet-50's recipe in their sizes; they share their numbers, so the file is small."""
    listed = json.loads(KEYS.read_text())
    shapes = listed["pretrain_other_resnet50"]
    for prefix in ("module.encoder_q.", "module.encoder_k."):
        shapes = shapes | with_prefix(prefix, listed["encoder_resnet50"])
    whole = ("num_batches_tracked", "ptr", "labels", "indices")
    most = max(math.prod(shape) for shape in shapes.values())
    weights, counts = torch.full((most,), 0.5), torch.full((most // 128,), 7)
    state = {
        key: (counts if key.endswith(whole) else weights)[: math.prod(shape)].view(shape)
        for key, shape in shapes.items()
    }  # fmt: skip
    path = saved(tmp_path / "checkpoint_0199.pth.tar", state, parallel=False, arch="resnet50")
    assert path.stat().st_size < 1 << 26
    encoder, report = encoder_of_file(path, "cyclecontrast")
    assert report[0] == "CycleContrast's ResNet-50: 318 tensors mapped, of a pretraining"
    assert "queues (6 tensors)" in report[-1]
    assert counted(report) == len(state) == 658
    assert encoder.backbone.dim == 2048
    assert all(parameter.eq(0.5).all() for parameter in encoder.backbone.parameters())


def test_the_encoder_computes_what_the_linear_evaluation_sees(tmp_path, network):
    state = linear(network)
    (tmp_path / "classes.txt").write_text("".join(f"{n + 1} n0144{n}\n" for n in range(7)))
    encoder, report = encoder_of_file(
        saved(tmp_path / "a.pth", state, best_acc1=torch.tensor([55.5])), "cyclecontrast",
        classes=tmp_path / "classes.txt",
    )  # fmt: skip
    assert report[0] == "CycleContrast's ResNet-18: 122 tensors mapped, of a linear evaluation"
    assert report[2:] == [
        "classifier of 7 classes", "written down, not used: epoch 200, arch resnet18, best_acc1 55.5",
        "left out: optimizer",
    ]  # fmt: skip
    encoder.save(tmp_path / "e.safetensors")
    encoder = Encoder.load(tmp_path / "e.safetensors")
    assert encoder.classes == tuple(f"n0144{n}" for n in range(7))
    assert not encoder.reestimate_batchnorm
    assert not encoder.centred
    assert encoder.sampler.numbers(100).tolist() == [[0], [11], [22], [33], [44], [55], [66], [77], [88], [99]]
    # A picture whose shorter side is 256 already: only the crop is left, at (256 - 224) / 2 and (300 - 224) / 2.
    pixels = torch.randint(0, 256, (1, 256, 300, 3), dtype=torch.uint8)
    number = torch.zeros(1, 1, 1, dtype=torch.int64)
    frames = Frames(pixels, torch.tensor([[256, 300]]), torch.ones(1, dtype=torch.bool), number)
    batch = ClipBatch({"rgb": frames}, torch.tensor([0]), torch.tensor([-1]), number, number / 25)
    seen = pixels[0, 16:240, 38:262].permute(2, 0, 1).float() / 255
    seen = (seen - torch.tensor([0.485, 0.456, 0.406])[:, None, None]) / torch.tensor([0.229, 0.224, 0.225])[
        :, None, None
    ]
    with torch.no_grad():
        feature = F.adaptive_avg_pool2d(network.eval()(seen[None, :, None])[:, :, 0], 1).flatten(1)
        logits = F.linear(feature, state["fc.weight"], state["fc.bias"])
    torch.testing.assert_close(encoder.features(batch), feature, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(encoder.logits(batch), logits, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("parallel", [True, False])
@pytest.mark.parametrize("original", ["moco", "cyclecontrast"])
def test_classifiers_of_each_form(tmp_path, network, parallel, original):
    forms = {
        "linear evaluation": (linear(network), 7), "with dropout": (linear(network, "fc.1."), 7),
        "UCF101 classifier": (ucf101(network), 5),
    }  # fmt: skip
    for name, (state, count) in forms.items():
        path = saved(tmp_path / "a.pth.tar", state, parallel=parallel)
        without, report = encoder_of_file(path, original)
        assert without.head is None
        assert report[-1] == f"left out: classifier of {count} classes (--classes classInd.txt keeps it); optimizer"
        (tmp_path / "classInd.txt").write_text("".join(f"{n + 1} Class{n}\n" for n in range(count)))
        encoder, report = encoder_of_file(path, original, classes=tmp_path / "classInd.txt")
        assert "122 tensors mapped" in report[0], name
        tested = EvenSeconds(10, 32, 16.0) if "UCF101" in name else EvenClips(10, 1)
        assert describe(encoder.sampler) == describe(tested)
        assert report[1] == f"view rgb, 10 clips of {'32 frames' if 'UCF101' in name else '1 frame'}, feature mean"
        place = next(key for key in reversed(state) if key.endswith(".weight")).removesuffix("weight")
        for word, tensor in encoder.head.state_dict().items():
            assert torch.equal(tensor, state[place + word])
        # The way back is the network without the classes, and says so.
        lines = write_file(encoder, tmp_path / "back.pth")
        assert lines[1].startswith(f"left out: the classifier ({count} classes)")
        assert len(torch.load(tmp_path / "back.pth", weights_only=True)["state_dict"]) == 120


def test_a_scheduler_beside_the_classifier(tmp_path, network):
    """Its state has a Counter of milestones."""
    scheduler = torch.optim.lr_scheduler.MultiStepLR(torch.optim.Adam(network.parameters()), [6, 10, 14], 0.3)
    path = saved(tmp_path / "checkpoint.pth.tar", ucf101(network), scheduler=scheduler.state_dict())
    assert read_file(path).unused == ["optimizer", "scheduler"]


def test_a_bare_state_and_one_of_torchvision(tmp_path, network):
    """torchvision's own networks have the names of the linear evaluation's."""
    for name, state in (("bare", backbone_to_original(network)), ("torchvision", linear(network))):
        torch.save(state, tmp_path / f"{name}.pth")
        _, report = encoder_of_file(tmp_path / f"{name}.pth", "moco")
        assert report[0].startswith("MoCo's ResNet-18: 120 tensors mapped")
    (tmp_path / "classInd.txt").write_text("1 Run\n")
    with pytest.raises(UserError, match=r"names 1 classes, and .*bare\.pth has no classifier"):
        encoder_of_file(tmp_path / "bare.pth", "moco", classes=tmp_path / "classInd.txt")
    with pytest.raises(UserError, match=r"names 1 classes, and .*torchvision\.pth has a classifier of 7"):
        encoder_of_file(tmp_path / "torchvision.pth", "moco", classes=tmp_path / "classInd.txt")
    with pytest.raises(UserError, match="--classes: there is no file"):
        encoder_of_file(tmp_path / "bare.pth", "moco", classes=tmp_path / "none.txt")


def test_a_file_that_would_run_code(tmp_path, network):
    class Malicious:
        def __reduce__(self):
            return os.system, (f"touch '{tmp_path / 'was here'}'",)

    with pytest.raises(UserError, match=r"is refused: it asks for posix\.system"):
        read_file(saved(tmp_path / "a.pth", pretraining(network), best_acc1=Malicious()))
    assert not (tmp_path / "was here").exists()


@pytest.mark.parametrize(
    "content, said",
    [
        ([1, 2], "holds no state: it is a list"),
        ({"state_dict": [1]}, "holds no state"),
        ({"state_dict": {"conv1.weight": 3}}, "holds no state"),
        ({0: torch.zeros(2)}, "holds no state"),
        ({"epoch": 3, "model": {}}, "holds no state"),
        ({}, "it is empty"),
        ({"state_dict": {"module.encoder_q.bn1.weight": torch.zeros(2)}}, r"encoder_q\.conv1\.weight is missing"),
        ({"state_dict": with_prefix("module.", head(8))}, "no conv1; its first key is 0"),
    ],
)
def test_files_of_something_else(tmp_path, content, said):
    torch.save(content, tmp_path / "other.pth")
    with pytest.raises(UserError, match=said) as refused:
        read_file(tmp_path / "other.pth")
    assert str(tmp_path / "other.pth") in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "key, change, said",
    [
        ("conv1.weight", lambda t: t.to(torch.complex64), "is of the type complex64, not of a floating-point type"),
        ("bn1.weight", lambda t: t > 0, "is of the type bool, not of a floating-point type"),
        ("layer1.0.conv1.weight", lambda t: t.long(), "is of the type int64, not of a floating-point type"),
        ("bn1.num_batches_tracked", lambda t: t.float(), "is of the type float32, not of an integer type"),
        ("bn1.running_var", lambda t: t * torch.nan, r"holds 1 numbers of 1 that are not finite"),
        ("fc.bias", lambda t: t / 0, r"holds 7 numbers of 7 that are not finite"),
    ],
)
def test_numbers_of_another_kind(tmp_path, network, key, change, said):
    state = linear(network)
    with pytest.raises(UserError, match=rf"a\.pth: .*{key} {said}") as refused:
        read_file(saved(tmp_path / "a.pth", {**state, key: change(state[key])}))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("key", ["queue_ptr", "queue_labels", "encoder_k.conv1.weight", "queue_cycle"])
def test_numbers_of_another_kind_in_what_is_not_used(tmp_path, network, key):
    state = pretraining(network)
    odd = state[key].float() if state[key].dtype == torch.int64 else state[key].long()
    with pytest.raises(UserError, match=f"{key} is of the type"):
        read_file(saved(tmp_path / "a.pth", {**state, key: odd}))


def test_weights_of_half_precision(tmp_path, network):
    state = {key: tensor.half() if tensor.is_floating_point() else tensor for key, tensor in linear(network).items()}
    read = read_file(saved(tmp_path / "a.pth", state))
    assert torch.equal(read.backbone.conv1.weight, state["conv1.weight"].float())


def test_a_missing_file_is_no_random_network(tmp_path):
    with pytest.raises(UserError, match="there is no file"):
        encoder_of_file(tmp_path / "none.pth.tar", "moco")
