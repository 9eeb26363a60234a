"""The networks over single frames against their layer tables written out, and against stored trunks of the original."""

import sys
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from praxino.backbones.resnet2d import ResNet18, ResNet34, ResNet50
from praxino.described import build, describe
from praxino.errors import UserError

sys.path.insert(0, str(Path(__file__).parents[1] / "golden"))

BLOCKS = {ResNet18: (2, 2, 2, 2), ResNet34: (3, 4, 6, 3), ResNet50: (3, 4, 6, 3)}
# torchvision's counts of parameters, with a last layer of 1000 classes.
PUBLISHED = {ResNet18: 11_689_512, ResNet34: 21_797_672, ResNet50: 25_557_032}
# Of each stage: the stride, the dilation of its first block, that of the others.
TABLES = {32: ((1, 1, 1), (2, 1, 1), (2, 1, 1), (2, 1, 1)), 8: ((1, 1, 1), (2, 1, 1), (1, 1, 2), (1, 2, 4))}


def forward(state, frames, blocks, table):
    """The layer table in eval mode, of frames [n, C, H, W]; the kind of a block is told by its keys."""

    def norm(x, name):
        weight, bias, mean, var = (state[f"{name}.{w}"] for w in ("weight", "bias", "running_mean", "running_var"))
        return (x - mean[:, None, None]) / torch.sqrt(var + 1e-5)[:, None, None] * weight[:, None, None] + bias[
            :, None, None
        ]

    def conv(x, name, stride=1, dilation=1):
        weight = state[f"{name}.weight"]
        return F.conv2d(x, weight, None, stride, weight.shape[-1] // 2 * dilation, dilation)

    x = F.max_pool2d(torch.relu(norm(conv(frames, "conv1", 2), "bn1")), 3, 2, 1)
    for stage, (stride, first, others) in enumerate(table):
        for number in range(blocks[stage]):
            block = f"layer{stage + 1}.{number}"
            step, dilation = (stride, first) if number == 0 else (1, others)
            if f"{block}.conv3.weight" in state:
                y = torch.relu(norm(conv(x, f"{block}.conv1"), f"{block}.bn1"))
                y = torch.relu(norm(conv(y, f"{block}.conv2", step, dilation), f"{block}.bn2"))
                y = norm(conv(y, f"{block}.conv3"), f"{block}.bn3")
            else:
                y = torch.relu(norm(conv(x, f"{block}.conv1", step, dilation), f"{block}.bn1"))
                y = norm(conv(y, f"{block}.conv2"), f"{block}.bn2")
            if f"{block}.downsample.0.weight" in state:
                x = norm(conv(x, f"{block}.downsample.0", step), f"{block}.downsample.1")
            x = torch.relu(x + y)
    return x


def lively(network):
    """Batch statistics that are not the trivial ones."""
    for name, tensor in network.state_dict().items():
        if name.endswith(("running_var", "running_mean")):
            tensor.uniform_(0.5, 1.5)
    return network.eval()


@pytest.mark.parametrize("shape", [(2, 3, 1, 64, 64), (2, 3, 3, 33, 47)])
@pytest.mark.parametrize("output_stride", [32, 8])
@pytest.mark.parametrize("cls", BLOCKS)
def test_forward_is_the_layer_table_of_each_frame(cls, output_stride, shape):
    torch.manual_seed(3)
    network = lively(cls(width=4, output_stride=output_stride))
    x = torch.rand(shape)
    with torch.no_grad():
        got = network(x)
        frames = [forward(network.state_dict(), frame, BLOCKS[cls], TABLES[output_stride]) for frame in x.unbind(2)]
    sides = [-(-side // output_stride) for side in shape[3:]]
    assert list(got.shape) == [shape[0], network.dim, shape[2], *sides]
    # The same sums in another order, through up to fifty layers.
    want = torch.stack(frames, dim=2)
    torch.testing.assert_close(got, want, rtol=1e-3, atol=1e-4 * want.abs().max().item())


@pytest.mark.parametrize("cls, parameters", PUBLISHED.items())
def test_size_of_the_published_networks(cls, parameters):
    with torch.device("meta"):
        network = cls()
        dim = 2048 if cls is ResNet50 else 512
        assert network(torch.empty(2, 3, 5, 224, 224)).shape == (2, dim, 5, 7, 7)
    assert network.dim == dim
    assert sum(p.numel() for p in network.parameters()) + dim * 1000 + 1000 == parameters


def test_the_sides_of_the_trackers_maps():
    with torch.device("meta"):
        network = ResNet50(output_stride=8)
        assert [network(torch.empty(1, 3, 1, side, side)).shape[-1] for side in (120, 239, 255)] == [15, 30, 32]


@pytest.mark.parametrize("cls", BLOCKS)
def test_dilation_changes_no_key_and_no_shape(cls):
    shapes = [{k: v.shape for k, v in cls(width=2, output_stride=s).state_dict().items()} for s in (32, 8)]
    assert list(shapes[0].items()) == list(shapes[1].items())


def test_keys_are_torchvisions():
    keys = list(ResNet50(width=1).state_dict())
    words = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    assert keys[:6] == ["conv1.weight", *(f"bn1.{word}" for word in words)]
    assert keys[6:24] == [
        key for n in (1, 2, 3) for key in (f"layer1.0.conv{n}.weight", *(f"layer1.0.bn{n}.{word}" for word in words))
    ]
    assert keys[24:30] == ["layer1.0.downsample.0.weight", *(f"layer1.0.downsample.1.{word}" for word in words)]
    assert len(keys) == 318
    # The first stage of the other two changes neither size nor channels.
    assert [k for k in ResNet34(width=1).state_dict() if "downsample.0" in k] == [
        f"layer{stage}.0.downsample.0.weight" for stage in (2, 3, 4)
    ]


@pytest.mark.parametrize("cls", BLOCKS)
def test_weights_start_as_torchvisions(cls):
    torch.manual_seed(0)
    network = cls(width=16)
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            assert module.bias is None
            fan_out = module.out_channels * module.kernel_size[0] * module.kernel_size[1]
            # Five standard errors of a standard deviation.
            spread = pytest.approx((2 / fan_out) ** 0.5, rel=5 / (2 * module.weight.numel()) ** 0.5)
            assert module.weight.std().item() == spread, name
        elif isinstance(module, nn.BatchNorm2d):
            assert (module.eps, module.momentum) == (1e-5, 0.1)
            assert module.weight.eq(1).all(), name
            assert module.bias.eq(0).all(), name


@pytest.mark.parametrize("cls", BLOCKS)
def test_describes_itself(cls):
    again = build(describe(cls(width=2, in_channels=5, output_stride=8)))
    assert type(again) is cls
    assert (again.width, again.in_channels, again.output_stride) == (2, 5, 8)
    assert again.eval()(torch.rand(1, 5, 2, 16, 16)).shape == (1, again.dim, 2, 2, 2)


def test_another_output_stride_is_one_line():
    with pytest.raises(UserError, match="a ResNet has no output stride 16: there are 32, 8"):
        ResNet18(width=2, output_stride=16)


def trunk(item, cls):
    """The dilated network with an item's weights, without its projection head."""
    state = {key.removeprefix("module.encoder_q."): value for key, value in item.state().items()}
    with torch.device("meta"):
        network = cls(output_stride=8)
    network.to_empty(device="cpu").load_state_dict({k: v for k, v in state.items() if not k.startswith("fc.")})
    return network.eval()


def golden(name):
    """A golden item, which is data beside the repository."""
    import golden_items

    if not (golden_items.FOLDER / "cyclecontrast" / "manifest.json").is_file():
        pytest.skip("no golden items beside the repository")
    return next(item for item in golden_items.items("cyclecontrast") if item.name == name)


@pytest.mark.golden
def test_the_dilated_trunk_is_the_trackers():
    item = golden("siamfc_trunk_r18")
    with torch.no_grad():
        (x,) = item.entry["fills"]
        feat = trunk(item, ResNet18)(item.tensor(x)[:, :, None])[:, :, 0]
    item.compare(feat=feat, feat_mean=feat.mean((2, 3)))


@pytest.mark.golden
def test_the_dilated_bottlenecks_give_the_trackers_response():
    item = golden("siamfc_net_r50")
    head = item.state("head")
    network = trunk(item, ResNet50)
    with torch.no_grad():
        z, x = (
            F.conv2d(network(item.tensor(k)[:, :, None])[:, :, 0], head[f"head.{k}_convs.0.weight"],
                     head[f"head.{k}_convs.0.bias"]) for k in "zx"
        )  # fmt: skip
        response = torch.cat([F.conv2d(a[None], b[None]) for a, b in zip(x, z, strict=True)])
    wrong = item._difference("response", (response * item.scalars["out_scale"]).numpy())
    assert wrong is None, wrong
