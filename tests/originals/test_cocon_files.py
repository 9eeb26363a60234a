"""Files of CoCon and DPC as encoders, and back."""

import json
from pathlib import Path

import pytest
import torch

from praxino.backbones.block_recurrent import BlockRecurrent
from praxino.backbones.resnet2d3d import ResNet2D3D18, ResNet2D3D34, ResNet2D3D50
from praxino.cli.main import main
from praxino.encoders.encoder import Encoder
from praxino.encoders.head import Head
from praxino.errors import UserError
from praxino.methods.parts.prediction import PredictionNetwork
from praxino.originals.cocon import head_to_original, network_to_original, parts
from praxino.originals.cocon_files import encoder_of_file, read_file, write_file

KEYS = Path(__file__).parents[2] / "../shared/specs/cocon_keys.json"


def network(cls=ResNet2D3D18, channels=3, running=True):
    torch.manual_seed(1)
    made = BlockRecurrent(cls(2, channels, running))
    for name, buffer in made.named_buffers():
        if name.endswith(("running_mean", "running_var")):
            buffer.uniform_(0.5, 1.5)
    return made


def saved(path, state, parallel=True, **beside):
    state = {("module." if parallel else "") + key: tensor for key, tensor in state.items()}
    torch.save({"epoch": 7, "net": "resnet18", "best_acc": torch.tensor(0.5), **beside, "state_dict": state}, path)
    return path


def pretraining(made):
    prediction = PredictionNetwork(made.dim)
    return network_to_original(made) | {f"network_pred.{key}": t for key, t in prediction.state_dict().items()}


def classifier(made, classes=3):
    head = Head(made.dim, classes, norm=True)
    return network_to_original(made) | head_to_original(head), head


@pytest.mark.parametrize(
    ("channels", "view", "side"), [(3, "rgb", 128), (2, "flow", 128), (17, "keypoints", 64), (1, "mask", 64)]
)
@pytest.mark.parametrize("parallel", [True, False])
def test_a_view_of_cocon(tmp_path, channels, view, side, parallel):
    made = network(channels=channels)
    path = saved(tmp_path / "mode_epoch7.pth.tar", pretraining(made), parallel, mode="imgs", optimizer={}, iteration=9)
    encoder, report = encoder_of_file(path, "cocon")
    assert report == [
        "CoCon's ResNet-18: 126 tensors mapped, of a pretraining",
        f"view {view}, windows of 8 blocks of 5 frames, feature mean",
        "written down, not used: epoch 7, mode imgs, net resnet18, best_acc 0.5, iteration 9",
        "left out: prediction network (4 tensors); optimizer",
    ]
    assert encoder.views[view].stream == view
    assert encoder.view().operations[0].size == side
    assert not encoder.reestimate_batchnorm
    got, wanted = encoder.backbone.state_dict(), made.state_dict()
    assert got.keys() == wanted.keys()
    assert all(torch.equal(got[key], tensor) for key, tensor in wanted.items())


def test_dpc_keeps_no_statistics(tmp_path):
    made = network(running=False)
    path = saved(tmp_path / "epoch7.pth.tar", pretraining(made))
    encoder, report = encoder_of_file(path, "dpc", side=224)
    assert "the file keeps no BatchNorm statistics: evaluations re-estimate them on the gallery" in report
    assert encoder.backbone.rectified == "before_pooling"
    assert encoder.backbone.backbone.running_statistics
    assert encoder.reestimate_batchnorm
    assert encoder.view().operations[0].size == 224
    clips = torch.rand(2, 3, 10, 64, 64)
    # In training mode both normalise by the batch; the encoder has the same weights.
    made.rectified = "before_pooling"
    made.cell.dropout = encoder.backbone.cell.dropout = 0.0
    torch.testing.assert_close(encoder.backbone.train()(clips), made.train()(clips))


def test_a_classifier(tmp_path):
    made = network(ResNet2D3D34)
    state, head = classifier(made)
    path = saved(tmp_path / "model_best_epoch7.pth.tar", state)
    names = tmp_path / "classInd.txt"
    names.write_text("1 Archery\n2 Bowling\n3 Cello\n")
    encoder, report = encoder_of_file(path, "cocon", classes=names)
    assert report[0] == "CoCon's ResNet-34: 229 tensors mapped, of a classifier"
    assert encoder.classes == ("Archery", "Bowling", "Cello")
    assert encoder.head is not None
    assert all(torch.equal(encoder.head.state_dict()[key], tensor) for key, tensor in head.state_dict().items())
    other, report = encoder_of_file(path, "cocon")
    assert other.head is None
    assert report[-1] == "left out: classifier of 3 classes (--classes classInd.txt keeps it)"
    names.write_text("1 Archery\n2 Bowling\n")
    with pytest.raises(UserError, match=r"names 2 classes, and .* a classifier of 3"):
        encoder_of_file(path, "cocon", classes=names)


@pytest.mark.parametrize("cls", [ResNet2D3D18, ResNet2D3D50])
@pytest.mark.parametrize("classes", [0, 3])
def test_there_and_back(tmp_path, cls, classes):
    made = network(cls)
    state = classifier(made, classes)[0] if classes else network_to_original(made)
    names = tmp_path / "classInd.txt"
    names.write_text("".join(f"{k + 1} class{k}\n" for k in range(classes)))
    full = state if classes else pretraining(made)
    encoder, _ = encoder_of_file(saved(tmp_path / "a.pth.tar", full), "cocon", classes=names if classes else None)
    report = write_file(encoder, tmp_path / "b.pth")
    back = torch.load(tmp_path / "b.pth", weights_only=True)["state_dict"]
    assert list(back) == [f"module.{key}" for key in state]
    assert all(torch.equal(back[f"module.{key}"], tensor) for key, tensor in state.items())
    assert f"{len(state)} tensors" in report[0]


def test_by_the_command_line(tmp_path, capsys):
    path = saved(tmp_path / "epoch7.pth.tar", pretraining(network()))
    assert main(["convert", "dpc", str(path), str(tmp_path / "dpc.safetensors")]) in (None, 0)
    assert "DPC's ResNet-18" in capsys.readouterr().out
    encoder = Encoder.load(tmp_path / "dpc.safetensors")
    assert encoder.record["original"] == "DPC"
    assert main(["convert", "cocon", str(tmp_path / "dpc.safetensors"), str(tmp_path / "b.pth"), "--to_original"]) in (
        None,
        0,
    )
    read = read_file(tmp_path / "b.pth") if False else torch.load(tmp_path / "b.pth", weights_only=True)
    assert len(read["state_dict"]) == len(network_to_original(encoder.backbone))


def test_what_is_no_file_of_theirs_is_refused(tmp_path):
    state = pretraining(network())
    for change, said in (
        (lambda s: s.pop("agg.ConvGRUCell_00.out_gate.bias") is s.pop("agg.cell_list.0.out_gate.bias"), "is missing"),
        (
            lambda s: s.update({"agg.cell_list.0.out_gate.bias": s["agg.ConvGRUCell_00.out_gate.bias"] + 1}),
            "they differ",
        ),
        (lambda s: s.update({"backbone.fc.weight": torch.zeros(1)}), "backbone.fc.weight does not belong"),
        (lambda s: s.update({"backbone.conv1.weight": torch.zeros(2, 3, 7, 7)}), "conv1.weight has the shape"),
        (lambda s: [s.pop(key) for key in list(s) if "layer4.1" in key], "blocks"),
    ):
        broken = dict(state)
        change(broken)
        with pytest.raises(UserError, match=said) as refused:
            read_file(saved(tmp_path / "a.pth", broken))
        assert "\n" not in str(refused.value)
    with pytest.raises(UserError, match="no view of 5 channels"):
        encoder_of_file(saved(tmp_path / "a.pth", pretraining(network(channels=5))), "cocon")
    with pytest.raises(UserError, match="side"):
        encoder_of_file(saved(tmp_path / "a.pth", state), "cocon", side=0)


def test_the_cell_under_either_name(tmp_path):
    state = pretraining(network())
    for place in ("agg.ConvGRUCell_00.", "agg.cell_list.0."):
        one = {key: tensor for key, tensor in state.items() if not key.startswith(place)}
        assert parts(one).cell.keys() == parts(state).cell.keys()


@pytest.mark.skipif(not KEYS.is_file(), reason="the original's key lists are not beside the repository")
@pytest.mark.parametrize(
    ("net", "cls"), [("resnet18", ResNet2D3D18), ("resnet34", ResNet2D3D34), ("resnet50", ResNet2D3D50)]
)
def test_keys_and_shapes_are_the_originals(net, cls):
    said = json.loads(KEYS.read_text())
    with torch.device("meta"):
        made = BlockRecurrent(cls())
    shapes = {key: list(t.shape) for key, t in made.backbone.state_dict().items()}
    assert shapes == said["backbone"][net]
    assert list(shapes) == list(said["backbone"][net])
    assert sum(p.numel() for p in made.backbone.parameters()) == said["parameters"][f"backbone_{net}"]
    whole = sum(p.numel() for p in (*made.parameters(), *PredictionNetwork(made.dim).parameters()))
    assert whole == said["parameters"][f"pretrain_{net}_imgs"]
