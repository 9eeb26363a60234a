"""Runs of the commit before flow became one stream of two channels: gone on with and measured, in the same numbers.

That commit's source trains, is stopped, and measures. Flow is computed there, `DISFlow` of u and of v in streams of
their own, or lies in folders of pictures, told by `u_root` and `v_root` or found; or there is u alone.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from earlier_commands import QUICK, SHORT, resized, write_clips
from earlier_runs import metrics, result, run_all, scores, source_of
from PIL import Image
from safetensors.torch import load_file

import praxino

pytestmark = pytest.mark.slow
COMMIT = "c0f9a18"
NOW = Path(praxino.__file__).parents[1]
LINE = "optical flow is one stream now: "
VIEWS = ("method.first", "method.second", "protocol.views.flow", "protocol.views.rgb")
TESTED = ("protocol.views.flow_u", "protocol.views.flow_v")
COMPUTED = "--streams.flow_u DISFlow --streams.flow_v DISFlow --streams.flow_v.component v"

# Run -> the step after which it is stopped, in the middle of an epoch.
STOPPED = {"computed": 6, "told": 6, "found": 6, "finetune": 8}
MEASURED = [
    ("computed", "retrieval-flow"), ("computed", "retrieval-rgb-flow"), ("computed", "knn"), ("told", "retrieval-flow"),
    ("told", "knn"), ("found", "retrieval-flow"), ("finetune", "recognition"), ("finetune-stopped", "recognition"),
]  # fmt: skip
MEASURING = """\
evaluate retrieval computed --k 1,2 --view flow
evaluate retrieval computed --k 1,2 --views [rgb,flow] --baselines false
evaluate knn computed/encoder.safetensors --k 3
evaluate retrieval told --k 1,2 --view flow --baselines false
evaluate knn told --k 3
evaluate retrieval found --k 1,2 --view flow --baselines false
evaluate recognition finetune
evaluate recognition finetune-stopped"""


def write_pictures(folder: Path, clips: Path, seed: int) -> Path:
    """Pictures for each of the clips, with a number that is missing: it is a frame fewer, as ever."""
    rng = np.random.default_rng(seed)
    for video in sorted(clips.glob("*/*.mp4")):
        place = folder / video.stem
        place.mkdir(parents=True)
        for number in set(range(1, 20)) - {7}:
            pixels = rng.integers(80, 180, (32, 32), dtype=np.uint8)
            Image.fromarray(pixels).save(place / f"frame{number:06d}.jpg")
    return folder


def trainings(clips: Path) -> dict[str, list]:
    """Run -> its command line, in the folder that holds the runs; without its own folder's name."""
    both, found, quick = clips.parent / "both", clips.parent / "u_alone", QUICK.split()
    words = f"pretrain iic_ucf101_flow {SHORT} --epochs 2 --method.backbone.width 2 --method.negatives 4".split()
    words = [*words, *resized(VIEWS)]
    tuning = f"evaluate finetune computed --recipe finetune_iic_flow {SHORT} --epochs 3 --validation 2 --view flow_v"
    return {
        "computed": [*words, "--catalog.root", clips, "--method.first.stream", "flow_v", *COMPUTED.split(), *quick],
        "told": [
            *words, "--catalog.root", clips, "--method.first.stream", "flow_v",
            "--catalog.u_root", both / "horizontal", "--catalog.v_root", both / "vertical", *quick,
        ],
        "found": [*words, "--catalog.root", found, *quick],
        "finetune": [*tuning.split(), *resized(TESTED), *quick],
    }  # fmt: skip


def measurements(clips: Path) -> list[list]:
    embedded = ["embed", "computed", "--view", "flow", "--videos", clips, "--out", "computed.npz"]
    lines = [*(line.split() for line in MEASURING.splitlines()), embedded]
    return [[*line, "--workers", "0", "--device", "cpu"] for line in lines]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """(then, now): two folders of the same runs, the first measured with the earlier source, the second with today's.

    Of today's, the stopped ones have been resumed besides.
    """
    pytest.importorskip("cv2", reason="OpenCV computes the flow")
    source = source_of(COMMIT, tmp_path_factory.mktemp("source"))
    folder = tmp_path_factory.mktemp("runs")
    (folder / "clips").mkdir()
    clips = write_clips(folder / "clips")
    for seed, name in enumerate(("horizontal", "vertical")):
        write_pictures(folder / "both" / name, clips, seed)
    shutil.copytree(clips, folder / "u_alone")
    write_pictures(folder / "u_alone/tvl1_flow/u", clips, 2)
    then, now = folder / "then", folder / "now"
    then.mkdir()
    lines = []
    for name, line in trainings(clips).items():
        lines.append([*line, "--out", name])
        lines.append([STOPPED[name], *line, "--out", f"{name}-stopped"])
    run_all(source, lines, then)
    shutil.copytree(then, now)
    run_all(source, measurements(clips), then)
    resuming = [["resume", f"{name}-stopped"] for name in STOPPED]
    run_all(NOW, [*measurements(clips), *resuming], now)
    return then, now


def checkpoint(run: Path) -> dict:
    return torch.load(run / "checkpoints/last.ckpt", weights_only=True)


@pytest.mark.parametrize("name", STOPPED)
def test_resumed_as_if_never_stopped(runs, name):
    then, now = runs
    part = metrics(then / f"{name}-stopped")
    assert 0 < len(part) < len(metrics(then / name))
    assert metrics(now / f"{name}-stopped") == metrics(then / name)
    earlier, later = checkpoint(then / name)["task"], checkpoint(now / f"{name}-stopped")["task"]
    assert earlier.keys() == later.keys()
    assert all(torch.equal(value, later[key]) for key, value in earlier.items() if isinstance(value, torch.Tensor))
    (file,) = (now / f"{name}-stopped").glob("encoder*.safetensors")
    earlier, later = load_file(then / name / file.name), load_file(file)
    assert earlier.keys() == later.keys()
    assert all(torch.equal(value, later[key]) for key, value in earlier.items())


def test_both_components_were_seen(runs):
    """Of two computed streams one is left, and each view takes its own component."""
    _, now = runs
    encoder = praxino.load_encoder(now / "computed")
    assert list(encoder.streams) == ["flow"]
    assert encoder.views["flow"].operations[0].component == "u"
    encoder = praxino.load_encoder(now / "finetune-stopped")
    assert [view.operations[0].component for view in encoder.views.values()] == ["v", "u"]
    assert {view.stream for view in encoder.views.values()} == {"flow"}


@pytest.mark.parametrize(("run", "name"), MEASURED)
def test_measured_with_the_same_result(runs, run, name):
    earlier, later = (result(folder / run, name) for folder in runs)
    assert scores(later) == scores(earlier)
    assert later["columns"] == earlier["columns"]


def test_tested_with_the_same_result(runs):
    then, now = runs
    assert scores(result(now / "finetune-stopped", "finetune")) == scores(result(then / "finetune", "finetune"))


def test_the_same_vectors(runs):
    earlier, later = (np.load(folder / "computed.npz") for folder in runs)
    assert set(earlier) == {"vectors", "video", "start", "end"}
    for name in earlier:
        assert np.array_equal(earlier[name], later[name]), name


@pytest.mark.parametrize(
    "words",
    [
        "resume computed-again",
        "evaluate knn computed --k 1 --workers 0 --device cpu",
        "evaluate finetune computed --recipe finetune_iic_flow --validation 2 --epochs 1 --out tuned",
    ],
)
def test_one_line_says_how_it_is_written_now(runs, words):
    then, now = runs
    if "again" in words:
        shutil.copytree(then / "computed-stopped", now / "computed-again")
    # Today the component is the first operation, and the size is the second one's.
    sizes = [str(word).replace("operations.0", "operations.1") for word in resized(TESTED)]
    more = [*SHORT.split(), *sizes, *QUICK.split()] if "finetune" in words else []
    said = run_all(NOW, [[*words.split(), *more]], now).stderr
    (line,) = [line for line in said.splitlines() if LINE in line]
    assert "flow_u and flow_v are read as 'flow'" in line
    assert "Component" in line
