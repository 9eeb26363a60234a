"""Each command that the pages of CoCon and DPC name beside one of the originals', on a handful of tiny videos."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

import praxino
import videos
from praxino.backbones import BlockRecurrent, ResNet2D3D18
from praxino.cli.main import main
from praxino.configuration.recipes import recipe_file
from praxino.methods.parts.prediction import PredictionNetwork
from praxino.originals.cocon import network_to_original
from test_original_commands import HMDB, UCF, commands, listed, lists

PAGES = [Path(__file__).parents[1] / "docs" / "methods" / f"{name}.md" for name in ("cocon", "dpc")]
FRAMES, SIZE = 24, (24, 32)  # more than the four blocks of five frames that are left of the published clips
KINETICS = {"zumba": "zumba{:06d}_000001_000011", "air drumming": "drums{:06d}_000004_000014"}
# Where the page's DATA is, by the recipe; the others' is UCF101.
ROOTS = {"cocon_r18_hmdb51": "HMDB", "cocon_r34_kinetics400": "K400", "Kinetics400": "K400"}

# What makes a command small: added to it, and in the place of what it says of the same.
ONE = {"workers": "0", "device": "cpu", "threads": "1"}
MEASURED = {"workers": "0", "device": "cpu", "baselines": "false"}
STEP = {**ONE, "steps": "1", "batch_size": "2"}
EPOCH = {**ONE, "epochs": "1", "batch_size": "2", "validation": "0.3"}
BLOCKS = {"sampler.blocks": "4", "sampler.stride": "1"}
WINDOWS = {"protocol.sampler.blocks": "4", "protocol.sampler.stride": "1", "protocol.sampler.apart": "2"}
PUBLISHED = {**EPOCH, **BLOCKS, **WINDOWS}


def canvas(*streams):
    return {f"{place}canvas.{stream}.short_side": "36" for place in ("", "protocol.") for stream in streams}


def view(place, **numbers):
    return {f"{place}.{name}": str(number) for name, number in numbers.items()}


def cropped(name, at=0, crop=24):
    """A view of CoCon and what is seen of it in a test; its crop is operation `at` of the former."""
    of_test = view(f"protocol.views.{name}.operations.0", crop=crop, size=32)
    return {**view(f"method.views.{name}.operations.{at}", crop=crop, size=32), **of_test}


def widths(*names):
    return {f"method.networks.{name}.backbone.width": "2" for name in names}


def small_views(*names):
    return {f"{place}views.{name}.operations.0.size": "32" for place in ("method.", "protocol.") for name in names}


FOUR = ("rgb", "flow", "segmentation", "keypoints")
KINETICS_VIEWS = {"method.views.rgb.operations.0.size": "32", "method.views.flow.operations.0.crop": "32"} | {
    f"protocol.views.{name}.operations.0.crop": "32" for name in ("rgb", "flow")
}
DPC = {**PUBLISHED, **canvas("rgb"), "method.network.backbone.width": "2"}
TUNED = {**ONE, "epochs": "1", "batch_size": "4"}
RGB_TUNED = {
    **TUNED, **BLOCKS, **WINDOWS, **view("training_view.operations.0", size=32),
    **view("training_view.operations.1", crop=32, size=32), **view("protocol.views.rgb.operations.0", crop=24, size=32),
}  # fmt: skip
SMALL = {
    "cocon_small": {
        **STEP, **canvas("rgb"), **small_views("rgb", "flow"), **widths("rgb", "flow"), "protocol.sampler.clips": "1",
    },
    "cocon_small_four_views": {
        **STEP, **canvas("rgb", "segmentation", "keypoints"), **small_views(*FOUR), **widths(*FOUR),
        "protocol.sampler.clips": "1",
    },
    "dpc_small": {
        **STEP, **canvas("rgb"), "method.network.backbone.width": "2", "method.view.operations.0.size": "32",
        "protocol.views.rgb.operations.0.size": "32", "protocol.sampler.clips": "1",
    },
    "cocon_r18_ucf101": {**PUBLISHED, **canvas("rgb"), **cropped("rgb", at=1, crop=32), **widths("rgb")},
    "cocon_r18_hmdb51": {
        **PUBLISHED, **canvas("rgb"), **cropped("rgb", at=1, crop=32), **cropped("flow"), **cropped("keypoints"),
        **cropped("mask"), **widths("rgb", "flow", "keypoints", "mask"),
    },
    "cocon_r34_kinetics400": {**PUBLISHED, **canvas("rgb", "flow"), **KINETICS_VIEWS, **widths("rgb", "flow")},
    "dpc_r18_ucf101": {
        **DPC, **view("method.view.operations.1", crop=32, size=32),
        **view("protocol.views.rgb.operations.0", crop=32, size=32),
    },
    "finetune": TUNED,
    "finetune_cocon": RGB_TUNED,
    "finetune_dpc": RGB_TUNED,
    "finetune_cocon_flow": {
        **TUNED, **BLOCKS, **WINDOWS, **view("training_view.operations.1", crop=24, size=32),
        **view("protocol.views.flow.operations.1", crop=24, size=32),
    },
    **{
        f"finetune_cocon_{name}": {
            **TUNED, **BLOCKS, **WINDOWS, **view("training_view.operations.0", crop=24, size=32),
            **view(f"protocol.views.{name}.operations.0", crop=24, size=32),
        }
        for name in ("keypoints", "mask")
    },
    "retrieval": MEASURED,
    "recognition": {"workers": "0", "device": "cpu"},
}  # fmt: skip
TRAINING = ("pretrain", "finetune")

SECTIONS = [section for page in PAGES for section in re.split(r"^#{2,3} ", page.read_text(), flags=re.M)]
COMMANDS = list(dict.fromkeys(command for section in SECTIONS for command in commands(section)))


def small(command, out):
    """The words of a command of the page, made small; `out` is where it writes to."""
    words = shlex.split(command)[1:]
    first, *_ = words
    kind = words[1] if first in ("evaluate", "pretrain") else first
    if "--recipe" in words:
        kind = words[words.index("--recipe") + 1]
    root = next((ROOTS[word] for word in words if word in ROOTS and "UCF101" not in words), "DATA")
    words = [root if word == "DATA" and "--videos" not in words else word for word in words]
    quick = dict(SMALL.get(kind, {}))
    if "SizedCrop" in words:  # it has no pixels to cut
        quick.pop("method.view.operations.1.crop")
    if "--canvas" in words:
        quick = {name: value for name, value in quick.items() if "canvas." not in name}
    if set(words) & set(TRAINING):
        quick |= {"out": str(out)}
    if first == "convert":
        words[3] = str(out.with_suffix(Path(words[3]).suffix))
    if "ensemble" in words:
        out.mkdir(parents=True, exist_ok=True)
        words += ["--out", str(out)]
    for name in (word for word in words if word[2:] in quick):
        words[words.index(name) + 1] = quick[name[2:]]
    return words + [word for name, value in quick.items() if f"--{name}" not in words for word in (f"--{name}", value)]


def ran(command, out):
    assert main(small(command, out)) in (None, 0), command


def pictures(folder, row, named="frame{:06d}.jpg"):
    folder.mkdir(parents=True, exist_ok=True)
    for k in range(FRAMES - 1):
        Image.fromarray(videos.frame(25 * row + k, *SIZE)[..., 0]).save(folder / named.format(k + 1))


def maps(root, video, row, apart=("", "")):
    """Of every other frame, as CoCon's script makes them; `apart`: below the root, of keypoints and of masks."""
    drawn = np.random.default_rng(row)
    kinds = (("heatmaps", "hm", (17, *SIZE)), ("segmasks", "seg", SIZE))
    for below, (name, key, shape) in zip(apart, kinds, strict=True):
        place = root / below / name / video
        place.mkdir(parents=True)
        for number in range(2, FRAMES + 1, 2):
            pixels = drawn.integers(0, 256, shape, dtype=np.uint8)
            np.savez(place / f"{name.removesuffix('s')}_{number:05d}.npz", **{key: pixels})


def video(path, row):
    path.parent.mkdir(parents=True, exist_ok=True)
    videos.write(path, range(45 * row, 45 * row + FRAMES), size=SIZE, codec="mpeg4", gop=1, b_frames=0)


def data(folder):
    """The data sets as the originals have them, with flow and maps where the pages say."""
    lists(folder / "DATA/ucfTrainTestlist", UCF, numbered=True)
    lists(folder / "HMDB/split", HMDB, numbered=False)
    for row, (kind, name) in enumerate(listed(UCF)):
        video(folder / f"DATA/UCF-101/{kind}/{name}.avi", row)
        maps(folder / "VIEWS", f"{kind}/{name}", row, ("keypoints", "segmentation"))
        for axis in "uv":
            pictures(folder / f"FLOW/{axis}/{name}", row)
    for row, (kind, name) in enumerate(listed(HMDB)):
        video(folder / f"HMDB/hmdb51_org/{kind}/{name}.avi", row)
        maps(folder / "MAPS", f"{kind}/{name}", row)
        for axis in "uv":
            pictures(folder / f"FLOW/{axis}/{name}", row)
    for row, (kind, name) in enumerate([(kind, name.format(k)) for kind, name in KINETICS.items() for k in range(4)]):
        video(folder / f"K400/train/{kind}/{name}.mp4", row)
        for axis in "xy":
            pictures(folder / f"FLOW/{kind}/{name}", row, f"flow_{axis}_{{:05d}}.jpg")
    for name, some in (("train", slice(10)), ("test", slice(10, None))):
        rows = [f"DATA/UCF-101/{kind}/{one}.avi,{kind}" for kind, one in listed(UCF)[some]]
        (folder / f"{name}.csv").write_text("\n".join(rows) + "\n")


def original_files(folder):
    for name, running in (("mode_imgs_epoch100", True), ("epoch300", False)):
        torch.manual_seed(0)
        made = BlockRecurrent(ResNet2D3D18(2, 3, running))
        prediction = PredictionNetwork(made.dim).state_dict()
        state = network_to_original(made) | {f"network_pred.{key}": tensor for key, tensor in prediction.items()}
        content = {"epoch": 100, "net": "resnet18", "state_dict": {f"module.{key}": one for key, one in state.items()}}
        torch.save(content, folder / f"{name}.pth.tar")
    (folder / "X").symlink_to("epoch300.pth.tar")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Data sets, files of the originals' weights, and the runs that the pages' commands name."""
    folder = tmp_path_factory.mktemp("cocon")
    data(folder)
    original_files(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        flow = "--streams.flow FlowFolder --streams.flow.root FLOW --streams.flow.layout two_stream"
        ran(f"praxino pretrain cocon_small --videos DATA {flow}", Path("runs/cocon_small"))
        ran(f"praxino pretrain cocon_r34_kinetics400 --catalog UCF101 --catalog.root DATA {flow}", Path("RUN"))
        ran("praxino pretrain dpc_r18_ucf101 --catalog.root DATA", Path("runs/dpc_r18_ucf101"))
        maps = "--streams.keypoints.root MAPS --streams.mask.root MAPS"
        four = Path("runs/cocon_r18_hmdb51")
        ran(f"praxino pretrain {four.name} --catalog.root DATA --streams.flow.root FLOW {maps}", four)
        for name in ("rgb", "flow", "mask", "keypoints"):
            ran(f"praxino evaluate finetune {four}:{name}", four / f"finetune@{name}-split1")
        ran("praxino convert dpc epoch300.pth.tar dpc.safetensors", Path("dpc"))
        labelled = "--catalog UCF101 --catalog.root DATA"
        for run in ("runs/cocon_small", "RUN"):
            for name in ("rgb", "flow"):
                ran(f"praxino evaluate finetune {run}:{name} {labelled}", Path(f"{run}/finetune@{name}-split1"))
        ran(f"praxino evaluate finetune dpc.safetensors --recipe finetune_dpc {labelled}", Path("finetune-split1"))
        yield folder


def test_the_pages_have_commands():
    assert len(COMMANDS) > 20
    words = {word for command in COMMANDS for word in shlex.split(command)}
    assert words >= {"convert", "finetune", "ensemble", "recognition", "retrieval", "ListFile", "--rates", *SMALL}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_pages(command, folder, tmp_path, monkeypatch):
    if "cocon_small --videos" in command and "FlowFolder" not in command:
        pytest.importorskip("cv2", reason="OpenCV computes the flow")
    monkeypatch.chdir(folder)
    ran(command, tmp_path / "out")


def test_flow_of_kinetics_is_computed_as_its_recipe_says(folder, tmp_path, monkeypatch):
    pytest.importorskip("cv2", reason="OpenCV computes the flow")
    monkeypatch.chdir(folder)
    recipe = "cocon_r34_kinetics400"
    (options,) = re.findall("^# (--streams.flow DISFlow .*)$", recipe_file(recipe).read_text(), flags=re.M)
    ran(f"praxino pretrain {recipe} --catalog.root DATA {options}", tmp_path / "out")
    assert praxino.load_encoder(f"{tmp_path / 'out'}:flow").streams["flow"].of == "rgb"


def test_the_rates_are_those_of_the_backbone_alone(folder, tmp_path, monkeypatch):
    """As DPC's page says what `--train_what ft` was meant to do: a tenth of the rate."""
    monkeypatch.chdir(folder)
    (command,) = [command for command in COMMANDS if "--rates" in command]
    ran(command, tmp_path / "out")
    stage = yaml.safe_load((tmp_path / "out/recipe.yaml").read_text())["stages"][0]["init_args"]
    ((pattern, factor),) = stage["rate_factors"].items()
    assert factor == pytest.approx(0.1)
    state = torch.load(tmp_path / "out/checkpoints/last.ckpt", weights_only=True)["task"]
    slow = {name for name in state if re.search(pattern, name)}
    assert slow == {name for name in state if name.startswith("backbone.backbone.")}
    assert {name.split(".")[1] for name in set(state) - slow if name.startswith("backbone.")} == {"cell"}
