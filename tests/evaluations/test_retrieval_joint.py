"""Several views at once: each in its row and all side by side; the originals' switches; against slow plain numpy."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from praxino.backbones.r3d import R3D
from praxino.catalogs.base import Catalog, Video
from praxino.cli.main import main
from praxino.clips.samplers import EvenClips
from praxino.encoders.encoder import Encoder
from praxino.errors import UserError
from praxino.evaluations.classifying.linear import linear
from praxino.evaluations.comparison import HANDMADE, ONE_FRAME, compared_features
from praxino.evaluations.joint import Member, members_of
from praxino.evaluations.nearest_neighbours import knn
from praxino.evaluations.result import write_result
from praxino.evaluations.retrieval import retrieve
from praxino.report.page import write_report
from praxino.streams.base import Canvas, FrameReader, Stream
from praxino.views.motion import Residual
from praxino.views.pipeline import View
from toys import ToyBackbone, ToyStream

BOTH = ["rgb", "residual"]
OPENED: list[str] = []


def frames_of(name):
    """Some videos of different lengths, each textures that move in a way of their class."""
    number = int(name[5:])
    draw = np.random.default_rng(number)
    texture = draw.integers(0, 256, (40, 56, 3))
    length = 17 + number % 5 * 7
    shifts = [(t * (1 + number % 2), t * (number % 2)) for t in range(length)]
    return np.stack([np.roll(texture, shift, (0, 1)) for shift in shifts]).astype(np.uint8)


class Reader(FrameReader):
    def __init__(self, name):
        self.frames = frames_of(name)
        self.times = np.arange(len(self.frames)) / 25

    def read(self, indices):
        return self.frames[np.asarray(indices)], np.ones(len(indices), bool)


class Moving(Stream):
    def open(self, video, canvas=Canvas()):  # noqa: B008
        OPENED.append(video.id)
        return Reader(video.id)


class Movies(Catalog):
    """13 videos to find, 7 that ask."""

    def __init__(self, first=0, count=20):
        self.first, self.count = first, count
        self.classes = ("slow", "quick")

    def __len__(self):
        return self.count

    def video(self, row):
        return Video(f"video{self.first + row}", {"rgb": "/toy"}, label=(self.first + row) % 2)

    def part(self, name):
        return {"train": Movies(0, 13), "test": Movies(13, 7), "all": Movies()}[name]


def encoder(backbone=None, **protocol):
    torch.manual_seed(0)
    backbone = backbone or ToyBackbone(norm=True)
    for module in backbone.modules():
        if isinstance(module, torch.nn.BatchNorm3d):
            torch.nn.init.uniform_(module.running_mean, -0.1, 0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    views = {"residual": View([Residual()]), "rgb": View([])}
    sampler = protocol.pop("sampler", EvenClips(3, 8))
    made = Encoder(backbone, views, sampler, streams={"rgb": Moving()}, **protocol)
    made.backbone.eval()
    return made


def taken(one, view=None, views=None, **how):
    gallery, queries = Movies().part("train"), Movies().part("test")
    return compared_features(members_of(one, view, views), gallery, queries, workers=0, **how)


def test_each_view_stands_as_if_alone_and_jointly_in_one_pass():
    OPENED.clear()
    one = encoder(reestimate_batchnorm=False)
    both = taken(one, views=BOTH)
    assert sorted(OPENED) == sorted(video.id for video in Movies())
    kinds = [f"{kind}, {name}" for kind in ("trained", "untrained") for name in (*BOTH, "joint")]
    assert list(both.gallery) == list(both.queries) == [*kinds, ONE_FRAME, *HANDMADE]
    assert both.main == "trained, joint"
    for name in BOTH:
        alone = taken(one, name)
        for kind in ("trained", "untrained"):
            for part in ("gallery", "queries"):
                vectors = getattr(both, part)[f"{kind}, {name}"].vectors
                # Sums over clips may be taken in another order in a wider array: float32's rounding.
                assert np.allclose(vectors, getattr(alone, part)[kind].vectors, atol=1e-6)
    joint = both.gallery["trained, joint"].vectors
    assert np.array_equal(joint, np.concatenate([both.gallery[f"trained, {name}"].vectors for name in BOTH], 1))
    assert np.shares_memory(joint, both.gallery["trained, rgb"].vectors)
    other = taken(one, views=BOTH[::-1], baselines=False).gallery["trained, joint"].vectors
    assert np.allclose(other, np.roll(joint, joint.shape[1] // 2, 1), atol=1e-6)


def test_batchnorm_is_re_estimated_for_each_view():
    one = encoder(reestimate_batchnorm=True)
    before = {name: value.clone() for name, value in one.backbone.state_dict().items()}
    both = taken(one, views=BOTH)
    assert both.settings["batchnorm re-estimated on clips"] > 0
    for name in BOTH:
        alone = taken(one, name)
        for kind in ("trained", "untrained"):
            assert np.allclose(both.queries[f"{kind}, {name}"].vectors, alone.queries[kind].vectors, atol=1e-5)
    assert all(torch.equal(before[name], value) for name, value in one.backbone.state_dict().items())


def test_joined_equally_the_cosine_is_the_mean_of_the_views_cosines():
    one = encoder(reestimate_batchnorm=False)
    plain, equal = (taken(one, views=BOTH, joined=joined) for joined in ("as_they_are", "equally"))

    def cosines(taken, row):
        ours, theirs = (part[row].vectors.astype(np.float64) for part in (taken.queries, taken.gallery))
        ours, theirs = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (ours, theirs))
        return ours @ theirs.T

    for kind in ("trained", "untrained"):
        single = [cosines(plain, f"{kind}, {name}") for name in BOTH]
        for name, before in zip(BOTH, single, strict=True):
            assert np.allclose(cosines(equal, f"{kind}, {name}"), before, atol=1e-6)
        assert np.allclose(cosines(equal, f"{kind}, joint"), np.mean(single, 0), atol=1e-6)
        assert not np.allclose(cosines(plain, f"{kind}, joint"), np.mean(single, 0), atol=1e-2)
    row = "colour histogram"
    assert np.array_equal(equal.queries[row].vectors, plain.queries[row].vectors)
    assert "each of the length 1" in equal.settings["joint"]


def test_an_ensemble_is_a_list_of_members():
    one, two = encoder(centred=False, reestimate_batchnorm=False), encoder(ToyBackbone(dim=4))
    gallery, queries = Movies().part("train"), Movies().part("test")
    members = {"first": Member(one, "rgb"), "second": Member(two, "residual")}
    both = compared_features(members, gallery, queries, workers=0, baselines=False)
    assert both.gallery["trained, joint"].vectors.shape == (13, 10)
    assert np.allclose(both.queries["trained, second"].vectors[2], two.embed(queries[2], "residual").mean(0), atol=1e-6)
    two.sampler = EvenClips(2, 8)
    with pytest.raises(UserError, match="'second' has another sampler than 'first'"):
        compared_features(members, gallery, queries, workers=0)


def plain_numpy(one, videos, names):
    """Features as IIC stores and averages them: ten clips of 16 of all frames but the last, a map, side by side."""
    rows = []
    for video in videos:
        frames = frames_of(video.id)[:-1].astype(np.float32) / 255
        features = []
        for centre in np.linspace(8, len(frames) - 8, 10):
            clip = frames[int(centre - 8) :][:16].transpose(3, 0, 1, 2)
            before = np.concatenate([clip[:, -1:], clip[:, :-1]], 1)
            seen = {"rgb": clip, "residual": (clip - before + 1) / 2}
            parts = []
            for name in names:
                with torch.no_grad():
                    made = one.backbone(torch.from_numpy(seen[name])[None])[0].double().numpy()
                c, t, h, w = made.shape
                made = made[:, :, : h // 2 * 2, : w // 2 * 2].reshape(c, t, h // 2, 2, w // 2, 2).max((3, 5))
                parts.append(made.reshape(-1))
            features.append(np.concatenate(parts))
        rows.append(np.mean(features, 0))
    return np.stack(rows)


@pytest.mark.parametrize("names", [["residual"], pytest.param(BOTH, marks=pytest.mark.slow)])
def test_the_originals_protocol_against_plain_numpy(names):
    """Spec of IIC's retrieval: ten-clip means, cosine distance, nearest first, a hit is any of the query's class."""
    torch.manual_seed(1)
    one = encoder(
        R3D(width=4), sampler=EvenClips(10, 16, drop_last_frames=1), feature="map",
        reestimate_batchnorm=False, centred=False,
    )  # fmt: skip
    cuts = (1, 3, 5)
    result = retrieve(one, Movies(), views=names, k=cuts, baselines=False, workers=0, device="cpu", drop_last=2)
    gallery, queries = Movies(0, 12), Movies(13, 6)
    found, asked = (plain_numpy(one, videos, names) for videos in (gallery, queries))
    row = "trained" if len(names) == 1 else "trained, joint"
    got = compared_features(members_of(one, views=names), gallery, queries, baselines=False, workers=0)
    # Means in float32 against float64 of values around 1.
    assert np.allclose(got.gallery[row].vectors, found, atol=1e-5)
    assert np.allclose(got.queries[row].vectors, asked, atol=1e-5)
    for at, (query, video) in enumerate(zip(asked, queries, strict=True)):
        distance = [1 - query @ other / np.linalg.norm(query) / np.linalg.norm(other) for other in found]
        nearest = np.argsort(distance, kind="stable")
        for cut in cuts:
            hit = any(gallery[int(near)].label == video.label for near in nearest[:cut])
            assert result.per_query[row][str(cut)][at] == hit
    assert [len(hits) for hits in result.per_query[row].values()] == [6, 6, 6]


def test_the_last_batches_are_dropped_and_counted():
    result = retrieve(encoder(), Movies(), drop_last=4, k=(1,), baselines=False, workers=0)
    assert result.settings["dropped at the end"] == "1 of the gallery, 3 of the queries (batches of 4)"
    assert (result.settings["gallery videos"], result.settings["query videos"]) == (12, 4)
    assert retrieve(encoder(), Movies(), k=(1,), baselines=False, workers=0).settings["dropped at the end"] == "none"
    whole = retrieve(encoder(), Movies(), "all", "all", drop_last=8, k=(1,), baselines=False, workers=0)
    assert whole.settings["query videos"] == 16
    assert len(knn(encoder(), Movies(), drop_last=4, baselines=False, workers=0).per_query["trained"]["1"]) == 4
    for wrong in (0, 8):
        with pytest.raises(UserError, match=f"drop_last={wrong} leaves none of"):
            retrieve(encoder(), Movies(), drop_last=wrong, workers=0)


def test_tables_and_the_report_of_several_views(tmp_path):
    one = encoder()
    result = retrieve(one, Movies(), views=BOTH, k=(1, 3), workers=0)
    names = [f"{kind}, {name}" for kind in ("untrained", "trained") for name in (*BOTH, "joint")]
    assert [row.name for row in result.rows] == ["chance", *names[:3], ONE_FRAME, *HANDMADE, *names[3:]]
    assert all(len(hits["1"]) == 7 for hits in result.per_query.values())
    assert result.settings["view"] == "rgb, residual"
    # The pictures show what the joint feature finds.
    first = [one.found[0][2] for one in result.neighbours]
    assert first == result.per_query["trained, joint"]["1"]
    (tmp_path / "recipe.yaml").write_text("seed: 0\n")
    path = write_result(tmp_path, "retrieval-rgb-residual", result, Movies().classes)
    assert json.loads(path.read_text())["rows"][-1]["name"] == "trained, joint"
    assert "trained, joint" in write_report(tmp_path).read_text(encoding="utf-8")
    votes = knn(one, Movies(), views=BOTH, k=3, workers=0)
    assert [row.name for row in votes.rows] == [row.name for row in result.rows]


def test_views_on_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(Path(__file__).parents[1])
    one = encoder()
    one.streams = {"rgb": ToyStream()}
    one.save(tmp_path / "encoder.safetensors")
    (tmp_path / "recipe.yaml").write_text("catalog: {class_path: toys.ToyCatalog}\n")
    words = [
        "retrieval",
        str(tmp_path),
        "--trust",
        "toys",
        "--workers",
        "0",
        "--baselines",
        "false",
        "--drop_last",
        "5",
    ]
    assert main(["evaluate", *words, "--views", "[rgb,residual]", "--k", "1"]) == 0
    assert "trained, joint" in capsys.readouterr().out
    (file,) = (tmp_path / "evaluations").glob("retrieval-rgb-residual-????????.json")
    written = json.loads(file.read_text())
    assert [row["name"] for row in written["rows"]] == ["chance", *(f"trained, {name}" for name in (*BOTH, "joint"))]
    assert written["settings"]["gallery videos"] == 10
    assert main(["evaluate", *words, "--views", "[rgb,residul]"]) == 2
    assert "Did you mean 'residual'" in capsys.readouterr().err


def test_views_that_cannot_be_joined_are_refused():
    one = encoder()
    one.views["joint"] = View([])
    assert list(members_of(one, views=["rgb"])) == ["rgb"]
    assert list(members_of(one)) == ["residual"]
    for views, said in [
        (["rgb", "rgb"], "twice"),
        (["rgb", "flow"], "no view 'flow'"),
        (["rgb", "joint"], "another row of that name"),
    ]:
        with pytest.raises(UserError, match=said):
            members_of(one, views=views)
    with pytest.raises(UserError, match="--view or --views"):
        members_of(one, "rgb", BOTH)


@pytest.mark.parametrize("protocol", [retrieve, knn])
def test_another_feature_than_the_encoders(protocol):
    """IIC retrieves with the map; the feature that it trains is the mean."""
    mean, map_ = encoder(feature="mean"), encoder(feature="map")
    how = {"baselines": False, "workers": 0, "device": "cpu"}
    asked = protocol(map_, Movies(), feature="mean", **how)
    assert asked.per_query == protocol(mean, Movies(), **how).per_query
    assert asked.settings["feature"] == "mean"
    assert map_.feature == "map"


@pytest.mark.parametrize("protocol", [retrieve, knn, linear])
def test_other_clips_than_the_encoders(protocol):
    how = {"baselines": False, "workers": 0, "device": "cpu"}
    own, other = encoder(), encoder(sampler=EvenClips(2, 8))
    asked = protocol(own, Movies(), sampler=EvenClips(2, 8), **how)
    expected = protocol(other, Movies(), **how)
    assert asked.per_query == expected.per_query
    assert asked.settings == expected.settings
    assert asked.settings["clips a video"] == 2
    assert own.sampler.clips == 3
