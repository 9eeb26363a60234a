"""Pictures are videos of one frame: they are embedded and compared as videos are, without the features of motion."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from praxino.backbones.r3d import R3D
from praxino.catalogs.base import Catalog, Video
from praxino.clips.samplers import EvenClips
from praxino.encoders.encoder import Encoder
from praxino.evaluations.classifying.linear import linear
from praxino.evaluations.comparison import HANDMADE, ONE_FRAME
from praxino.evaluations.embedding import embed_videos
from praxino.evaluations.nearest_neighbours import knn
from praxino.evaluations.retrieval import retrieve
from praxino.views.geometry import Resize
from praxino.views.pipeline import View

COLOURS = {"blue": (40, 60, 200), "green": (50, 180, 60), "red": (210, 50, 40)}
MOTION = ["frame difference", "temporal spectrum"]


class Pictures(Catalog):
    """Files `<class>/<number>.png`; every third one is for the test."""

    classes = tuple(COLOURS)

    def __init__(self, root: str | Path, part: str = "all") -> None:
        self.root = root = Path(root)
        files = [path for path in sorted(root.rglob("*.png")) if part == "all" or (part == "test") == is_test(path)]
        self.paths = [path.relative_to(root) for path in files]

    def __len__(self):
        return len(self.paths)

    def video(self, row):
        path = self.paths[row]
        return Video(path.as_posix(), {"rgb": str(self.root / path)}, self.classes.index(path.parent.name))

    def part(self, name):
        return Pictures(self.root, name)


def is_test(path):
    return int(path.stem) % 3 == 0


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Three classes of one colour with noise, of different sizes, and a damaged file."""
    root, draw = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for name, colour in COLOURS.items():
        (root / name).mkdir()
        for number in range(9):
            noise = draw.normal(0, 25, (*draw.integers(20, 50, 2), 3))
            pixels = np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(root / name / f"{number}.png")
    (root / "green/4.png").write_bytes((root / "green/4.png").read_bytes()[:50])
    return root


def encoder(frames=1):
    torch.manual_seed(1)
    return Encoder(R3D(width=4), {"rgb": View([Resize(32, 32)])}, EvenClips(clips=1, frames=frames)).eval()


QUICK = {"workers": 0, "device": "cpu", "max_left_out": 0.1}


def test_each_picture_is_one_vector(pictures, tmp_path):
    one = encoder()
    got = embed_videos(one, Pictures(pictures), tmp_path / "v.npz", clips_at_once=10, **QUICK)
    assert [id for id, _ in got.left_out] == ["green/4.png"]
    paths = [path for path in sorted(pictures.rglob("*.png")) if path.relative_to(pictures).as_posix() != "green/4.png"]
    assert got.video.tolist() == [path.relative_to(pictures).as_posix() for path in paths]
    # A convolution may add in another order for another number of clips.
    np.testing.assert_allclose(got.vectors, np.concatenate([one.embed(path) for path in paths]), rtol=1e-5, atol=1e-6)
    assert not got.start.any()
    assert not got.end.any()


def test_a_table_of_pictures_has_no_rows_of_motion_and_says_so(pictures):
    found = linear(encoder(), Pictures(pictures), validation=0, **QUICK)
    still = [row for row in HANDMADE if row not in MOTION]
    assert [row.name for row in found.rows] == ["chance", "untrained", ONE_FRAME, *still, "trained"]
    assert found.settings["left out"] == "frame difference, temporal spectrum: features of motion need two frames"
    assert found.left_out[0][0] == "green/4.png"
    # Classes are colours: a single cell of a thumbnail tells them.
    assert found.row("mean 8x8 thumbnail").values["1"] == 100
    assert found.row("trained").values["1"] > found.row("chance").values["1"]


@pytest.mark.parametrize("measure", [retrieve, knn, linear])
def test_a_picture_that_is_shown_several_times_does_not_move(pictures, measure):
    """An encoder of videos fills its clips with the only frame: rows of motion would be rows of zeros."""
    more = {linear: {"validation": 0}, knn: {"k": 1}}.get(measure, {"k": (1,)})
    found = measure(encoder(frames=2), Pictures(pictures), **more, **QUICK)
    still = [row for row in HANDMADE if row not in MOTION]
    assert [row.name for row in found.rows] == ["chance", "untrained", ONE_FRAME, *still, "trained"]
    assert found.settings["left out"] == "frame difference, temporal spectrum: features of motion need two frames"


class OneMoves(Pictures):
    """The first item has two frames, those of its class's next picture."""

    def video(self, row):
        video = super().video(row)
        if row:
            return video
        return Video(video.id, {"rgb": (video.files["rgb"], super().video(1).files["rgb"])}, video.label)

    def part(self, name):
        return OneMoves(self.root, name)


@pytest.mark.parametrize("frames", [1, 2])
def test_where_one_video_moves_there_is_motion(pictures, frames):
    """Among pictures, too; but not where a clip is one frame."""
    found = retrieve(encoder(frames), OneMoves(pictures), k=(1,), **QUICK)
    rows = [row for row in HANDMADE if frames > 1 or row not in MOTION]
    assert [row.name for row in found.rows] == ["chance", "untrained", ONE_FRAME, *rows, "trained"]
    assert ("left out" in found.settings) == (frames == 1)


class BatchesNoted(R3D):
    """Notes how many clips come at once."""

    noted: list[int]

    def forward(self, x):
        self.noted.append(len(x))
        return super().forward(x)


@pytest.mark.parametrize("measure", [retrieve, knn, linear])
def test_pictures_go_through_the_network_many_at_once(pictures, measure, monkeypatch):
    """Of whatever sizes, where the view resizes first."""
    monkeypatch.setattr(BatchesNoted, "noted", [], raising=False)
    one = encoder()
    one.backbone = BatchesNoted(width=4).eval()
    more = {linear: {"validation": 0}, knn: {"k": 1}}.get(measure, {"k": (1,)})
    measure(one, Pictures(pictures), baselines=False, reestimate_batchnorm=False, **more, **QUICK)
    assert BatchesNoted.noted == [17, 9]


def test_without_baselines_nothing_is_left_out(pictures):
    found = retrieve(encoder(), Pictures(pictures), k=(1,), baselines=False, **QUICK)
    assert [row.name for row in found.rows] == ["chance", "trained"]
    assert "left out" not in found.settings


@pytest.mark.parametrize("measure", [retrieve, knn, linear])
def test_a_picture_goes_through_the_network_once(pictures, measure):
    """Ten clips of a picture are ten times the same: their mean is the first one's vector."""
    more = {linear: {"validation": 0}, knn: {"k": 1}}.get(measure, {"k": (1,)})
    found = {}
    for clips in (1, 10):
        one = encoder()
        one.backbone = BatchesNoted(width=4)
        one.backbone.load_state_dict(encoder().backbone.state_dict())
        one.reestimate_batchnorm = False
        BatchesNoted.noted = []
        one.sampler = EvenClips(clips, frames=1)
        result = measure(one.eval(), Pictures(pictures), baselines=False, **more, **QUICK)
        found[clips] = sum(BatchesNoted.noted), [row.values for row in result.rows]
    assert found[1] == found[10]
    assert found[1][0] == 26  # of 27 files one is damaged
