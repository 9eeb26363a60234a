"""Features of videos, BatchNorm statistics, retrieval, kNN, own-video scores, embedding: on computed videos."""

import copy
import json

import numpy as np
import pytest
import torch

from praxino.catalogs.base import Video
from praxino.clips.blocks import BlockWindows
from praxino.clips.dataset import collate, load_clips
from praxino.clips.sparse_dense import SparseDense
from praxino.encoders.protocol import Protocol
from praxino.errors import UserError
from praxino.evaluations.batchnorm import reestimate_batchnorm
from praxino.evaluations.comparison import HANDMADE, ONE_FRAME, compared_features
from praxino.evaluations.embedding import embed_videos
from praxino.evaluations.features import extract, one_frame_only
from praxino.evaluations.instance import find_own_video
from praxino.evaluations.joint import members_of
from praxino.evaluations.nearest_neighbours import knn, top_hits
from praxino.evaluations.result import best_handmade, table_lines, write_result
from praxino.evaluations.retrieval import retrieve
from praxino.evaluations.untrained import untrained
from praxino.rng import Rng
from praxino.views.pipeline import View
from toys import Noise, ToyCatalog, ToySampler, ToyStream, toy_method


class Lists(ToyCatalog):
    """Even rows to train, multiples of three to test; labels by the row's half."""

    def __init__(self, videos=12, rows=None):
        super().__init__(videos)
        self.rows = range(videos) if rows is None else rows

    def __len__(self):
        return len(self.rows)

    def video(self, row):
        number = self.rows[row]
        return Video(f"video{number:02d}", {"rgb": f"/toy/{number}"}, int(number >= self.videos // 2))

    def part(self, name):
        chosen = {"train": range(0, self.videos, 2), "test": range(1, self.videos, 2), "all": range(self.videos)}
        return type(self)(self.videos, chosen[name])


class Spaced(ToySampler):
    """Evenly spaced clips, without a draw."""

    def __call__(self, times, rng):
        starts = np.linspace(0, len(times) - self.frames, self.clips).astype(int)
        return starts[:, None] + np.arange(self.frames)


def encoder(norm=False, broken=(), clips=3):
    evaluation = Protocol({"plain": View([]), "rgb": View([])}, Spaced(clips), streams={"rgb": ToyStream(broken)})
    made = toy_method(norm=norm).exports(evaluation)[""]
    made.backbone.eval()
    return made


def test_a_video_is_the_mean_of_its_clips_and_what_is_unreadable_is_listed():
    one = encoder(broken=("video04",))
    got = extract(Lists(), {"a": one.features}, ["rgb"], one.sampler, one.streams)["a"]
    assert got.left_out == [("video04", "broke")]
    assert len(got.ids) == 11
    assert "video04" not in got.ids
    assert got.rows.tolist() == [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11]
    assert np.allclose(got.vectors[3], one.embed(Lists()[3]).mean(0), atol=1e-6)
    assert got.labels.tolist() == [0] * 5 + [1] * 6
    apart = extract(Lists(), {"a": one.features}, ["rgb"], one.sampler, one.streams, clips_apart=True)["a"]
    assert apart.vectors.shape == (11, 3, 6)
    assert np.allclose(apart.vectors.mean(1), got.vectors, atol=1e-6)
    again = extract(Lists(), {"a": one.features}, ["rgb"], one.sampler, one.streams, workers=2)["a"]
    assert np.array_equal(again.vectors, got.vectors)
    with pytest.raises(UserError, match="--max_left_out 1"):
        extract(Lists(), {"a": one.features}, ["rgb"], one.sampler, one.streams, max_left_out=0.05)


def test_one_frame_has_no_motion():
    one = encoder()
    batch = collate([load_clips(Lists()[2], ["rgb"], one.streams, {}, one.sampler, np.random.default_rng(0))], [0], [0])
    still = one_frame_only(batch).streams["rgb"].clips()
    assert (still == still[:, :, :1]).all()
    assert torch.equal(still[:, :, 0], batch.streams["rgb"].clips()[:, :, 2])


def test_batchnorm_statistics_are_those_of_the_clips():
    one = encoder(norm=True)
    clips = reestimate_batchnorm({"a": (one, None)}, Lists(), batch_size=4)
    assert clips == 12
    layer = one.backbone.layers[1]
    assert layer.momentum == 0.1
    assert not layer.training
    middle = copy.copy(one)
    pixels = []
    for row in range(12):
        loaded = load_clips(Lists()[row], ["rgb"], one.streams, {}, one.sampler, np.random.default_rng(0))
        pixels.append(middle.view()(collate([loaded.only(slice(1, 2))], [0], [0]), Rng(0)).flatten(0, 1))
    with torch.no_grad():
        seen = one.backbone.layers[0](torch.cat(pixels))
    # The mean of batch means is the mean of all, batches being equal; 1e-5 is float32's.
    assert torch.allclose(layer.running_mean, seen.mean((0, 2, 3, 4)), atol=1e-5)


def test_an_untrained_twin_is_drawn_anew():
    one = encoder()
    twin, again = untrained(one), untrained(one)
    for a, b, c in zip(*(e.backbone.state_dict().values() for e in (one, twin, again)), strict=True):
        assert torch.equal(b, c)
        assert not torch.equal(a, b)


def test_retrieval_on_features_that_are_known(tmp_path):
    """The toy's videos differ by brightness alone; the score is recomputed here in plain numpy."""
    one = encoder()
    result = retrieve(one, Lists(), k=(1, 3), workers=0, device="cpu")
    assert [row.name for row in result.rows] == ["chance", "untrained", ONE_FRAME, *HANDMADE, "trained"]
    gallery, queries = (Lists().part(part) for part in ("train", "test"))
    a, b = (np.stack([one.embed(v).mean(0) for v in part]).astype(float) for part in (gallery, queries))
    a, b = a - a.mean(0), b - a.mean(0)
    cosine = (b / np.linalg.norm(b, axis=1, keepdims=True)) @ (a / np.linalg.norm(a, axis=1, keepdims=True)).T
    labels = [np.array([v.label for v in part]) for part in (gallery, queries)]
    first = labels[0][cosine.argmax(1)] == labels[1]
    assert result.row("trained").values["1"] == pytest.approx(100 * first.mean())
    assert result.per_query["trained"]["1"] == first.tolist()
    assert result.row("chance").values["1"] == pytest.approx(50)
    assert result.settings["centred on the gallery"] is True
    assert result.settings["batchnorm re-estimated on clips"] == 0  # the toy has no BatchNorm
    assert any("trained" in line for line in table_lines(result))
    path = write_result(tmp_path, "retrieval", result, ("low", "high"), one.streams)
    said = json.loads(path.read_text())
    assert said["gallery"][0]["query"]["label"] in ("low", "high")
    for picture in said["gallery"][0]["query"]["frames"]:
        assert (tmp_path / picture).is_file()
    write_result(tmp_path, "retrieval", result, ("low", "high"), one.streams)
    assert sorted(p.name for p in (tmp_path / "evaluations").iterdir()) == ["retrieval-frames", "retrieval.json"]


def test_switches_of_the_protocol():
    one = encoder(norm=True)
    plain = compared_features(
        members_of(one), Lists(), Lists(), baselines=False, reestimate_batchnorm=False, centred=False, workers=0
    )
    assert list(plain.gallery) == ["trained"]
    assert np.allclose(plain.gallery["trained"].vectors[0], one.embed(Lists()[0]).mean(0), atol=1e-6)
    done = compared_features(members_of(one), Lists(), Lists(), baselines=False, workers=0)
    assert done.settings["batchnorm re-estimated on clips"] > 0
    assert abs(done.gallery["trained"].vectors.mean()) < 1e-6


class OnlyTraining(ToyCatalog):
    def part(self, name):
        return OnlyTraining(0 if name == "test" else self.videos)


def test_an_empty_part_and_a_folder_for_a_file_are_told(tmp_path):
    with pytest.raises(UserError, match="empty"):
        retrieve(encoder(), OnlyTraining(), workers=0)
    with pytest.raises(UserError, match="'test' of the catalog is empty"):
        embed_videos(encoder(), OnlyTraining(), tmp_path / "v.npz", part="test", workers=0)
    with pytest.raises(UserError, match=r"vectors\.npz"):
        embed_videos(encoder(), ToyCatalog(), tmp_path, workers=0)


def test_no_labels_no_score():
    catalog = ToyCatalog()
    catalog.classes = ()
    with pytest.raises(UserError, match="no labels"):
        retrieve(encoder(), catalog, workers=0)


def test_a_query_never_finds_itself():
    result = retrieve(encoder(), Lists(), "all", "all", k=(1,), workers=0, baselines=False)
    assert (result.settings["gallery"], result.settings["queries"]) == ("all others", "each video")
    assert all(found[0].id != one.query.id for one in result.neighbours for found in one.found)
    assert result.row("chance").values["1"] == pytest.approx(100 * 5 / 11)


@pytest.mark.parametrize(
    ("catalog", "gallery", "chance"), [(ToyCatalog(), "train", 100 * 5 / 11), (Lists(), "all", 100 * 5 / 11)]
)
def test_a_query_never_finds_itself_in_a_part_of_another_name(catalog, gallery, chance):
    """Without lists "train" and "test" are both the whole catalog, and "all" holds "test"."""
    result = retrieve(encoder(), catalog, gallery, "test", k=(1,), workers=0, baselines=False)
    assert all(found[0].id != one.query.id for one in result.neighbours for found in one.found)
    assert result.row("chance").values["1"] == pytest.approx(chance)
    votes = knn(encoder(), catalog, gallery, "test", k=1, workers=0, baselines=False)
    own = len(catalog.part(gallery)) == len(catalog.part("test"))  # without lists every part is the whole catalog
    assert votes.title.endswith("nearest others vote for each video") == own
    assert result.title.endswith("each video asks the others") == own
    assert votes.per_query["trained"]["1"] == result.per_query["trained"]["1"]


def test_an_evaluation_leaves_the_encoder_as_it_is():
    one = encoder(norm=True)
    before = {name: value.clone() for name, value in one.backbone.state_dict().items()}
    first = compared_features(members_of(one), Lists(), Lists(), workers=0)
    assert all(torch.equal(before[name], value) for name, value in one.backbone.state_dict().items())
    again = compared_features(members_of(one), Lists(), Lists(), workers=0)
    assert np.array_equal(first.gallery["trained"].vectors, again.gallery["trained"].vectors)


def test_knn_counts_votes():
    votes = np.array([[0.5, 0.3, 0.2, 0.0], [0.0, 0.4, 0.6, 0.0]])
    assert top_hits(votes, np.array([0, 0]), 1).tolist() == [True, False]
    assert top_hits(votes, np.array([2, 0]), 3).tolist() == [True, False]
    assert top_hits(votes, np.array([3, 3]), 4).tolist() == [False, False]
    result = knn(encoder(), Lists(), k=3, workers=0)
    assert result.title.endswith("the 3 nearest train videos vote for each test video")
    assert result.row("chance").values == {"1": 50.0, "5": 100.0}


def test_own_video_is_found_where_clips_are_alike():
    result = find_own_video(encoder(), ToyCatalog(), workers=0)
    assert result.row("chance").values["1"] == pytest.approx(100 / 12)
    # Every toy video has a brightness of its own, which centred cosines of even pictures do not keep but these do.
    raw = find_own_video(encoder(), ToyCatalog(), workers=0, centred=False, reestimate_batchnorm=False)
    assert raw.settings["centred on the gallery"] is False
    assert raw.row("colour histogram").values["1"] > 100 / 12
    assert len(result.per_query["trained"]["1"]) == 12
    for shown in result.neighbours:
        *others, (own, _, hit) = shown.found
        assert (own.id, hit, len(others)) == (shown.query.id, True, 5)
        assert not any(hit or video.id == own.id for video, _, hit in others)
        assert [cosine for _, cosine, _ in others] == sorted((cosine for _, cosine, _ in others), reverse=True)


def test_own_video_by_hand():
    """Each first clip against all second ones, with cosines written out."""
    one = encoder(clips=2)
    result = find_own_video(one, ToyCatalog(), workers=0, centred=False, reestimate_batchnorm=False, baselines=False)
    clips = extract(list(ToyCatalog()), {"": one.features}, ["rgb"], one.sampler, one.streams, clips_apart=True)[""]
    unit = clips.vectors / np.linalg.norm(clips.vectors, axis=2, keepdims=True)
    order = (-(unit[:, 0] @ unit[:, 1].T)).argsort(axis=1, kind="stable")
    own = np.arange(len(order))[:, None]
    assert result.per_query["trained"]["1"] == (order[:, :1] == own)[:, 0].tolist()
    assert result.per_query["trained"]["5"] == (order[:, :5] == own).any(axis=1).tolist()
    assert 0 < np.mean(result.per_query["trained"]["1"]) < 1


def test_own_video_needs_a_sampler_that_says_how_many_clips():
    made = encoder()
    made.sampler = SparseDense()
    with pytest.raises(UserError, match="SparseDense, does not say how many"):
        find_own_video(made, ToyCatalog(), workers=0)


def test_a_hand_made_winner_is_named():
    result = find_own_video(encoder(), ToyCatalog(), workers=0)
    winner = best_handmade(result, HANDMADE, "1")
    best = max(row.values["1"] for row in result.rows if row.name in HANDMADE)
    beaten = best > result.row("trained").values["1"]
    assert (winner is not None) == beaten
    assert winner is None or winner.values["1"] == best


def test_embedding(tmp_path):
    one = encoder(broken=("video04",))
    got = embed_videos(one, ToyCatalog(), tmp_path / "v.npz", workers=0)
    assert got.videos == 11
    assert got.left_out == [("video04", "broke")]
    held = np.load(tmp_path / "v.npz")
    assert held["vectors"].shape == (33, 6)
    assert np.allclose(held["start"][:3], [0, 8 / 25, 16 / 25])
    assert np.allclose(held["end"] - held["start"], 3 / 25)
    with pytest.raises(UserError, match="does not exist"):
        embed_videos(one, ToyCatalog(), tmp_path / "no/v.npz", workers=0)
    with pytest.raises(UserError, match="--max_left_out 1"):
        embed_videos(one, ToyCatalog(), tmp_path / "v.npz", workers=0, max_left_out=0.05)


def test_noise_is_not_for_evaluation_only():
    """A random view is allowed, and drawn the same each time."""
    one = encoder()
    one.views = {"noisy": View([Noise()])}
    assert np.array_equal(one.embed(Lists()[0]), one.embed(Lists()[0]))


def test_clips_of_which_there_are_as_many_as_fit():
    one = encoder()
    one.sampler = BlockWindows(blocks=2, frames=2, stride=1, apart=1)
    compared = compared_features(members_of(one), Lists(), Lists(), baselines=False, centred=False, workers=0)
    assert compared.settings["clips a video"] == "as many as fit"
    assert len(one.embed(Lists()[0])) > 1
    assert np.allclose(compared.gallery["trained"].vectors[0], one.embed(Lists()[0]).mean(0), atol=1e-6)
