"""The vectors that a user takes home are those that were measured: an encoder has its views' statistics with it."""

import copy
import warnings

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from test_protocols import Lists, Spaced

from praxino.catalogs.base import Video
from praxino.cli.main import main
from praxino.clips.dataset import collate, load_clips
from praxino.configuration.complete import complete, instantiate
from praxino.configuration.documents import read
from praxino.configuration.recipes import recipe_file
from praxino.encoders.cautions import caution
from praxino.encoders.encoder import Encoder
from praxino.encoders.protocol import Protocol
from praxino.encoders.reestimate import give_statistics
from praxino.encoders.trained_views import trained_views, views_of
from praxino.errors import UserError
from praxino.evaluations.batchnorm import reestimate_batchnorm
from praxino.evaluations.comparison import compared_features
from praxino.evaluations.embedding import embed_videos
from praxino.evaluations.joint import members_of
from praxino.evaluations.metrics import retrieval
from praxino.evaluations.retrieval import retrieve
from praxino.training.pretrain import pretrain
from praxino.training.run import Run
from praxino.training.start import OUTSIDE
from praxino.views.motion import Residual
from praxino.views.pipeline import View
from toys import ToyCatalog, ToySampler, ToyStream, toy_method, toy_stages, without_checksum

VIEWS = ("rgb", "residual")
LAYER = "layers.1"
KEYS = {
    f"views.{view}.{name}"
    for view in VIEWS
    for name in ("centre", f"batchnorm.{LAYER}.running_mean", f"batchnorm.{LAYER}.running_var")
}
TRUSTED = ("toys", "test_protocols", "test_taken_home")


class Split(Lists):
    """Even rows to train, odd ones to test; every third video is of a class of its own."""

    def __init__(self, videos=24, rows=None):
        super().__init__(videos, rows)

    def video(self, row):
        number = self.rows[row]
        return Video(f"video{number:02d}", {"rgb": f"/toy/{number}"}, int(number % 3 == 0))


def protocol(**more):
    return Protocol(
        {"rgb": View([]), "residual": View([Residual(rescale=False)])}, Spaced(3), streams={"rgb": ToyStream()}, **more
    )


def trained(out, resume=False, **more):
    return pretrain(
        Split(), ToySampler(), toy_method(norm=True), toy_stages(steps=6), protocol(**more), out, batch_size=4,
        streams={"rgb": ToyStream()}, workers=0, threads=1, device="cpu", resume=resume,
    )  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("runs") / "run")


def load(run):
    return Encoder.load(run.path, trust=TRUSTED)


def clips_of(video, encoder):
    return load_clips(video, ("rgb",), encoder.streams, {}, encoder.sampler, np.random.default_rng(0))


@pytest.mark.parametrize("view", VIEWS)
def test_what_is_embedded_is_what_was_measured(run, view):
    """Up to the centre: a mean over one clip of each video of the run, and over all clips of the gallery."""
    encoder = load(run)
    gallery, queries = (Split().part(part) for part in ("train", "test"))
    measured = compared_features(members_of(encoder, view), gallery, queries, baselines=False, workers=0)
    asked = np.stack([encoder.embed(video, view).mean(0) for video in queries])
    answers = np.stack([encoder.embed(video, view).mean(0) for video in gallery])
    theirs = measured.queries["trained"].vectors
    assert np.allclose(asked - answers.mean(0), theirs, atol=1e-5)
    assert np.abs(answers.mean(0)).max() < 0.1 * np.abs(theirs).max()
    # The plain network gives others: else nothing would be shown here.
    encoder.statistics, encoder.record = {}, {}
    plain = np.stack([encoder.embed(video, view).mean(0) for video in queries])
    centred = plain - np.stack([encoder.embed(video, view).mean(0) for video in gallery]).mean(0)
    assert not np.allclose(centred, theirs, atol=0.1 * np.abs(theirs).max())


@pytest.mark.parametrize("view", VIEWS)
def test_the_statistics_are_those_of_an_evaluation_and_the_centre_is_a_mean(run, view):
    encoder = load(run)
    own, twin = encoder.statistics[view], copy.copy(encoder)
    twin.backbone = copy.deepcopy(encoder.backbone)
    videos = Split().part("train")
    assert reestimate_batchnorm({"": (twin, view)}, videos) == len(videos)
    for name, value in own.batchnorm.items():
        assert torch.equal(value, twin.backbone.state_dict()[name])
    middle = [collate([clips_of(video, encoder).only(slice(1, 2))], [0], [None]) for video in videos]
    vectors = torch.cat([twin.features(clip, view) for clip in middle])
    assert torch.allclose(own.centre, vectors.mean(0), atol=1e-5)
    batch = collate([clips_of(videos[2], encoder)], [0], [None])
    assert torch.allclose(encoder.features(batch, view, as_measured=True), twin.features(batch, view) - own.centre)


def test_the_plain_network_stays_as_it_was_trained(run):
    encoder = load(run)
    task = run.checkpoint()["task"]
    for _ in range(2):
        encoder.embed(Split()[0])
        for name, value in encoder.backbone.state_dict().items():
            assert torch.equal(value, task[f"backbone.{name}"])
    with torch.no_grad():
        batch = collate([clips_of(Split()[0], encoder)], [0], [None])
        pixels = batch.streams["rgb"].clips()[0].movedim(-1, 1).float() / 255
        assert torch.allclose(encoder.features(batch), encoder.backbone(pixels).amax((2, 3, 4)), atol=1e-6)


def test_vectors_of_a_file_score_as_the_evaluation_does(run, tmp_path):
    encoder, catalog = load(run), Split()
    scored = retrieve(encoder, catalog, k=(1,), view="residual", baselines=False, workers=0, device="cpu")
    parts = []
    for part in ("train", "test"):
        embed_videos(encoder, catalog, tmp_path / "v.npz", part=part, view="residual", workers=0, device="cpu")
        held = np.load(tmp_path / "v.npz")
        videos = catalog.part(part)
        vectors = [held["vectors"][held["video"] == video.id] for video in videos]
        for own, video in zip(vectors, videos, strict=True):
            assert np.allclose(own, encoder.embed(video, "residual"), atol=1e-5)
        parts.append((np.stack([own.mean(0) for own in vectors]), np.array([video.label for video in videos])))
    (gallery, known), (asked, wanted) = parts
    hits = retrieval(asked, gallery, wanted, known, (1,), np.full(len(asked), -1)).hits[:, 0]
    # Centres differ by the sample, so a near tie may fall otherwise.
    assert np.sum(hits != np.array(scored.per_query["trained"]["1"])) <= 1


def test_a_centre_of_other_vectors_is_not_taken_off(run):
    encoder = load(run)
    encoder.feature = "mean"
    with pytest.raises(
        UserError, match="a mean of vectors of 6 numbers, by the feature max, and these have 6, by mean"
    ):
        encoder.embed(Split()[0])
    encoder.statistics = {}
    assert encoder.embed(Split()[0]).shape == (3, 6)


def test_they_are_in_the_file_under_names_of_their_own(run, tmp_path):
    file = run.path / "encoder.safetensors"
    encoder, held = load(run), load_file(file)
    assert held.keys() == KEYS | encoder.backbone.state_dict().keys()
    assert encoder.save(tmp_path / "again.safetensors").read_bytes() == file.read_bytes()
    assert run.checkpoint()["task"].keys() == toy_method(norm=True).state_dict().keys()
    log = (run.path / "log.txt").read_text(encoding="utf-8")
    assert "statistics of the encoder's views from 12 training videos" in log
    del held[f"views.rgb.batchnorm.{LAYER}.running_var"]
    save_file(held, without_checksum(tmp_path / "again.safetensors"))
    with pytest.raises(UserError, match=r"another network.*views\.rgb\.batchnorm\.layers\.1\.running_var"):
        Encoder.load(tmp_path / "again.safetensors", trust=TRUSTED)


def test_vectors_that_are_no_numbers_are_refused(run, tmp_path):
    encoder = load(run)
    encoder.statistics["rgb"].centre[2] = float("nan")
    with pytest.raises(UserError, match="vectors that are no finite numbers"):
        embed_videos(encoder, Split(), tmp_path / "v.npz", workers=0, device="cpu")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", [f"batchnorm.{LAYER}.running_mean", "centre"])
@pytest.mark.parametrize("type", [torch.bool, torch.int64, torch.complex64, torch.float64])
def test_they_are_real_numbers(run, tmp_path, name, type):
    file = load(run).save(tmp_path / "other.safetensors")
    held = load_file(file)
    save_file({**held, f"views.rgb.{name}": held[f"views.rgb.{name}"].to(type)}, without_checksum(file))
    if type == torch.float64:
        whole, other = load(run), Encoder.load(file, trust=TRUSTED)
        assert np.array_equal(other.embed(ToyCatalog()[0]), whole.embed(ToyCatalog()[0]))
    else:
        with pytest.raises(UserError, match=rf"another network.*views\.rgb\.{name}"):
            Encoder.load(file, trust=TRUSTED)


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ({"reestimate_batchnorm": False, "centred": False}, set()),
        ({"reestimate_batchnorm": False}, {key for key in KEYS if "centre" in key}),
        ({"centred": False}, {key for key in KEYS if "batchnorm" in key}),
    ],
)
def test_a_protocol_gets_what_it_asks_for(asked, kept, tmp_path):
    done = trained(tmp_path / "run", **asked)
    encoder, held = load(done), load_file(done.path / "encoder.safetensors")
    assert held.keys() == kept | encoder.backbone.state_dict().keys()
    if not kept:  # byte for byte the file of the weights alone
        plain = Encoder.of(encoder.backbone, protocol(**asked)).save(tmp_path / "plain.safetensors")
        assert plain.read_bytes() == (done.path / "encoder.safetensors").read_bytes()
        assert caution(encoder) is None
        assert "statistics" not in (done.path / "log.txt").read_text(encoding="utf-8")


def test_a_kill_before_they_are_taken(run, tmp_path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("praxino.encoders.reestimate._centres", killed)
        with pytest.raises(KeyboardInterrupt):
            trained(tmp_path / "run")
    assert not Run(tmp_path / "run").finished
    assert not list((tmp_path / "run").glob("encoder*"))
    assert trained(tmp_path / "run", resume=True).finished
    files = [path / "encoder.safetensors" for path in (run.path, tmp_path / "run")]
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize(("gone", "said"), [(12, "without BatchNorm statistics"), (2, "2 cannot be read any more")])
def test_videos_that_cannot_be_read_any_more(gone, said, tmp_path, monkeypatch):
    import praxino.encoders.reestimate as module

    plain = module.loaded_videos

    def some(*given):
        return ((row, "No such file" if row < gone else found) for row, found in plain(*given))

    monkeypatch.setattr(module, "loaded_videos", some)
    done = trained(tmp_path / "run")
    assert done.finished
    assert set(load(done).statistics) == (set(VIEWS) if gone < 12 else set())
    (line,) = [line for line in (done.path / "log.txt").read_text(encoding="utf-8").splitlines() if said in line]
    assert "No such file" in line


def test_memory_is_that_of_a_batch(run, monkeypatch):
    """However many videos there are: the clips that wait are a batch's."""
    import praxino.encoders.reestimate as module

    sizes = []
    plain = module.collate
    monkeypatch.setattr(module, "collate", lambda clips, *more: (sizes.append(len(clips)), plain(clips, *more))[1])
    assert "256 training videos" in give_statistics(load(run), ToyCatalog(300))
    assert sizes == [32] * 8


def embedded_by_command(place, *more, out=None):
    words = ["--catalog", "toys.ToyCatalog", "--out", str(out or place / "v.npz"), "--workers", "0", "--device", "cpu"]
    return main(["embed", str(place), "--trust", ",".join(TRUSTED), *words, *more])


def test_an_encoder_without_says_so_once_and_not_in_the_library(tmp_path, capsys):
    encoder = Encoder.of(toy_method(norm=True).backbone, protocol())
    assert "no statistics of its own" in caution(encoder, "residual")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoder.embed(Split()[0])
    encoder.save(tmp_path / "encoder.safetensors")
    assert embedded_by_command(tmp_path) == 0
    said = capsys.readouterr().err.splitlines()
    (line,) = [line for line in said if line.startswith("warning:")]
    assert "the encoder has no statistics of its own" in line
    assert not any("checksum" in line for line in said)
    without_checksum(tmp_path / "encoder.safetensors")
    assert embedded_by_command(tmp_path) == 0
    said = capsys.readouterr().err.splitlines()
    assert [line.endswith("has no checksum, since an earlier version has written it") for line in said].count(True) == 1


def test_a_view_that_was_not_trained_warns(tmp_path, capsys):
    done = trained(tmp_path, reestimate_batchnorm=False, centred=False)
    encoder = load(done)
    assert encoder.record["trained views"] == ["rgb"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoder.embed(Split()[0])
    with pytest.warns(UserWarning, match=r"^the view 'residual' was not trained on.*$") as told:
        encoder.embed(Split()[0], "residual")
    assert len(told) == 1
    capsys.readouterr()
    assert embedded_by_command(tmp_path, "--view", "residual") == 0
    assert "warning: the view 'residual' was not trained on" in capsys.readouterr().err
    assert embedded_by_command(tmp_path) == 0
    assert "warning" not in capsys.readouterr().err


def test_statistics_of_its_own_make_up_for_the_training(run, tmp_path, capsys):
    encoder = load(run)
    assert encoder.record["trained views"] == ["rgb"]
    assert caution(encoder, "residual") is None
    assert embedded_by_command(run.path, "--view", "residual", out=tmp_path / "v.npz") == 0
    assert "warning" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("recipe", "known"),
    [
        ("simclr_small", ["residual"]), ("simclr_small_rgb", ["rgb"]), ("simclr_r3d", ["residual"]),
        ("iic_ucf101", ["residual", "rgb"]), ("iic_ucf101_flow", ["flow", "rgb"]), ("cmc_ucf101", ["residual", "rgb"]),
        ("iic_small", ["rgb", "residual"]), ("tclr_r3d18_ucf101", ["rgb"]), ("tclr_small", ["rgb"]),
        ("rendered_encoder", ["residual", "rgb"]),
    ],
)  # fmt: skip
def test_views_that_our_recipes_train(recipe, known):
    given = read(recipe_file(recipe))
    given.pop("catalog", None)  # where its videos lie is the user's
    built = instantiate(pretrain, complete(pretrain, given, without=OUTSIDE, partial=True))
    assert trained_views(built["protocol"].views, views_of(built["method"])) == known


def test_statistics_move_with_the_backbone_that_a_copy_shares(run):
    one = load(run)
    assert one.statistics
    copy.copy(one).to("meta")
    places = {own.centre.device.type for own in one.statistics.values() if own.centre is not None}
    assert places == {one.device.type} == {"meta"}
