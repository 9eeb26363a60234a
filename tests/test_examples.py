"""The examples do what they say: one's own loop trains, one's own method is trained, a picture shows what TCLR sees."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import praxino
import videos
from praxino.methods.tclr import passes
from praxino.rng import Rng

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    for row in range(8):
        videos.write(folder / f"clip{row}.mp4", range(row * 40, row * 40 + 24))
    return folder


def example(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(*words):
    return subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=EXAMPLES, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True,
    )  # fmt: skip


def test_own_loop(clips):
    own_loop = example("own_loop")
    curves = []
    for _ in range(2):
        torch.manual_seed(0)
        curves.append(own_loop.main(str(clips), steps=4, batch_size=8))
    assert len(set(curves[0])) == 4
    assert np.isfinite(curves[0]).all()
    assert curves[0] == curves[1]


def test_my_method(clips, tmp_path):
    words = ["pretrain", "my_method.yaml", "--videos", clips, "--out", tmp_path / "run", "--steps", 2]
    quick = ["--batch_size", 4, "--workers", 0, "--threads", 1, "--device", "cpu"]
    done = run("-m", "praxino", *words, *quick)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "barlow_twins" in (tmp_path / "run/metrics.jsonl").read_text()
    # The encoder is made of praxino's own classes, so that nobody has to trust anything.
    assert praxino.load_encoder(tmp_path / "run").embed(clips / "clip0.mp4").shape == (3, 64)


def test_training_item_is_what_tclr_sees(tmp_path):
    """The clips and views are those of the method's own forward, and the picture shows them under their frames."""
    training_item = example("training_item")
    method, batch = training_item.load(videos.write(tmp_path / "clip.mp4", 80), "tclr_small", 3)
    seen = training_item.views(method, batch, Rng(3))
    assert seen.shape == (2, 5, 8, 56, 56, 3)
    given = []
    method.backbone.register_forward_hook(lambda _, inputs, made: given.append(inputs[0][0]))
    with torch.no_grad():
        method.eval()(batch, Rng(3))
    assert len(given) == 10
    for (version, number), clip in zip(passes(4), given, strict=True):
        assert torch.equal(seen[version, number], clip.movedim(0, -1)), (version, number)

    (axes,) = training_item.picture(batch, seen).axes
    strip, *drawn = [np.asarray(image.get_array()) for image in axes.images]
    # A white pixel lies around each frame; the recipe's canvas is as high as the file, so its frames can be read.
    shown = [strip[1:65, 98 * k + 1 : 98 * k + 97] for k in range(8)]
    numbers = [videos.number((frame * 255).round()) for frame in shown]
    assert numbers == batch.numbers[0, 0].tolist()
    texts = [text.get_text() for text in axes.texts]
    assert texts[:8] == [f"frame {numbers[0]}", *map(str, numbers[1:])]
    assert f"D3: frames {numbers[6]}, {numbers[6] + 1}, ... {numbers[6] + 7}" in texts
    tiles = [(0, 0, 7, drawn[0], 0, 7), (1, 0, 2, drawn[1], 0, 2), (0, 2, 3, drawn[3], 0, 3), (1, 4, 5, drawn[9], 1, 1)]
    for version, number, frame, image, line, column in tiles:
        tile = image[58 * line + 1 : 58 * line + 57, 58 * column + 1 : 58 * column + 57]
        assert np.array_equal(tile, seen[version, number, frame]), (version, number, frame)


def test_training_item_draws_a_file(clips, tmp_path):
    (tmp_path / "folder").mkdir()
    videos.write(tmp_path / "folder/clip.mp4", 80)
    example("training_item").draw(tmp_path / "folder", seed=5, out=tmp_path / "new/item.png")
    with Image.open(tmp_path / "new/item.png") as picture:
        picture.load()
        assert picture.format == "PNG"
        assert picture.width == 1400
        assert 700 < picture.height < 1100
        assert len(picture.getcolors()) > 100
    videos.write(tmp_path / "brief.mp4", 16)
    done = run("training_item.py", tmp_path / "brief.mp4", "--out", tmp_path / "short.png")
    assert done.returncode == 2
    assert done.stderr == f"praxino: {tmp_path}/brief.mp4: has 16 frames, and the sampler needs 17\n"
    assert not list(tmp_path.glob("short*"))


@pytest.fixture(scope="module")
def cycles(clips, tmp_path_factory):
    """A run of CycleContrast of two steps."""
    out = tmp_path_factory.mktemp("cycles") / "run"
    words = ["pretrain", "cyclecontrast_small", "--videos", clips, "--out", out, "--steps", 2, "--batch_size", 8]
    quick = ["--workers", 0, "--threads", 1, "--device", "cpu", "--sampler.distance", 0.2]
    done = run("-m", "praxino", *words, *quick)
    assert done.returncode == 0, done.stderr[-2000:]
    return out


def test_a_cycle_is_what_the_method_computes(cycles):
    """Queries by the trained network, keys and ends by the one that follows; weights and ranks by hand."""
    cycle_picture = example("cycle_picture")
    method, frames = cycle_picture.trained(cycles, 256, 0)
    assert frames.queries.shape == frames.candidates.shape == (8, 64, 64, 3)
    assert 0 <= float(frames.queries.min()) < float(frames.queries.max()) <= 1
    assert all(torch.allclose(some.norm(dim=1), torch.ones(8)) for some in (frames.asked, frames.keys, frames.ends))
    assert not torch.allclose(frames.asked, frames.keys, atol=1e-3)
    titles = [axes.get_title() for axes in cycle_picture.picture(method, frames, 2).axes]
    similar = frames.asked @ frames.keys.T / method.temperature
    for row in range(2):
        others = [k for k in range(8) if k != row]
        weights = similar[row, others].softmax(0)
        shown = [title for title in titles if title.startswith("weight")][3 * row : 3 * row + 3]
        assert shown == [f"weight {weight:.2f}" for weight in weights.sort(descending=True).values[:3].tolist()]
        neighbour = torch.nn.functional.normalize(weights @ frames.keys[others], dim=0)
        back = frames.ends @ neighbour
        place = 1 + sum(float(back[k]) > float(back[row]) for k in others)
        assert {f"{place}. its own", f"{place}. of 8, its own"} & {*titles}


def test_cycles_are_drawn_into_a_file(cycles, clips, tmp_path):
    done = run("cycle_picture.py", cycles, "--out", tmp_path / "new/cycle.png")
    assert done.returncode == 0, done.stderr[-2000:]
    assert " of 8 cycles end at their own video" in done.stdout
    with Image.open(tmp_path / "new/cycle.png") as picture:
        picture.load()
        assert (picture.format, picture.width) == ("PNG", 1100)
    for words in ([clips], [cycles, "--cycles", 0], [cycles, "--videos", -5], [cycles, "--cycles", 8]):
        done = run("cycle_picture.py", *words, "--out", tmp_path / "no.png")
        assert done.returncode == 2
        assert done.stderr.startswith("praxino: ")
        assert done.stderr.count("\n") == 1
    assert not (tmp_path / "no.png").exists()
