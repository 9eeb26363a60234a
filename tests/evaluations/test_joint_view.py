"""The view "joint": all views of an encoder side by side on an equal footing, held against plain NumPy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import videos
from praxino.catalogs.base import Video
from praxino.catalogs.folder import VideoFolder
from praxino.clips.samplers import EvenClips
from praxino.encoders.cautions import caution
from praxino.encoders.encoder import Encoder
from praxino.encoders.joined import joined
from praxino.encoders.statistics import Statistics, averages
from praxino.encoders.trained_views import TRAINED
from praxino.errors import UserError
from praxino.evaluations.embedding import embed_videos
from praxino.evaluations.joint import members_of
from praxino.streams.base import Derived
from praxino.streams.video import VideoFile
from praxino.views.motion import Residual
from praxino.views.pipeline import View
from toys import ToyBackbone

FRAMES = np.stack([videos.frame(k, 24, 32) for k in range(12)])
QUICK = {"workers": 0, "device": "cpu"}


def encoder(names=("residual", "rgb"), **more):
    """Each view with statistics of its own, whose centres are of very different lengths."""
    torch.manual_seed(0)
    backbone = ToyBackbone(norm=True)
    made = [View([Residual(rescale=False)]), View([])]
    one = Encoder(backbone, dict(zip(names, made, strict=True)), EvenClips(2, frames=4), **more)
    for name, length in zip(names, (0.1, 30.0), strict=True):
        batchnorm = {key: torch.rand_like(value) + 0.5 for key, value in averages(backbone).items()}
        one.statistics[name] = Statistics(batchnorm, length * torch.randn(6), "max")
    return one.eval()


def by_hand(parts):
    return np.concatenate([part / np.linalg.norm(part, axis=1, keepdims=True) for part in parts], 1) / np.sqrt(
        len(parts)
    )


@given(
    st.integers(1, 4), st.lists(st.integers(1, 5), min_size=1, max_size=4), st.floats(1e-3, 1e3), st.integers(0, 2**31)
)
@settings(deadline=None, max_examples=50)
def test_a_cosine_is_the_mean_of_the_views_cosines(rows, widths, scale, seed):
    draw = np.random.default_rng(seed)
    parts = [draw.normal(size=(rows, width)) * scale**k for k, width in enumerate(widths)]
    made = joined([torch.from_numpy(part) for part in parts]).numpy()
    assert made.shape == (rows, sum(widths))
    units = [part / np.linalg.norm(part, axis=1, keepdims=True) for part in parts]
    assert np.allclose(made @ made.T, np.mean([unit @ unit.T for unit in units], axis=0))


def test_it_is_the_views_as_they_are_measured():
    one = encoder()
    parts = [one.embed(FRAMES, view=name) for name in ("residual", "rgb")]
    both, times = one.embed(FRAMES, view="joint", times=True)
    assert np.allclose(both, by_hand(parts), atol=1e-6)
    assert both.shape == (2, 12)
    assert both.dtype == np.float32
    assert np.array_equal(times, one.embed(FRAMES, times=True)[1])
    # Without the lengths' being made equal, the view of the longer vectors alone would decide.
    assert not np.allclose(np.concatenate(parts, 1), both, atol=1e-2)


def test_a_vector_of_zeros_stays_one():
    made = joined([torch.zeros(1, 3), torch.ones(1, 2)])
    assert made.isfinite().all()
    assert not made[:, :3].any()


def test_of_one_view_it_is_that_view_at_length_one():
    one = encoder()
    del one.views["residual"], one.statistics["residual"]
    assert np.allclose(one.embed(FRAMES, view="joint"), by_hand([one.embed(FRAMES)]), atol=1e-6)


def test_a_view_of_this_name_is_that_view():
    one = encoder(("rgb", "joint"))
    assert one.names_of("joint") == ("joint",)
    assert one.embed(FRAMES, view="joint").shape == (2, 6)
    assert list(members_of(one, "joint")) == ["joint"]


def test_an_evaluation_joins_by_views():
    with pytest.raises(UserError, match=r"pass --views \[residual,rgb\]"):
        members_of(encoder(), "joint")


def test_each_view_that_lacks_something_is_told():
    one = encoder()
    one.record[TRAINED] = ["residual"]
    assert caution(one, "joint") is None
    del one.statistics["rgb"]
    assert "'rgb' was not trained on" in (caution(one, "joint") or "")
    with pytest.warns(UserWarning, match="'rgb' was not trained on"):
        one.embed(FRAMES, view="joint")


class Opened(VideoFile):
    def __init__(self, stream="rgb"):
        super().__init__(stream)
        self.ids = []

    def open(self, video, *rest, **more):
        self.ids.append(video.id)
        return super().open(video, *rest, **more)


class Mirrored(Derived):
    of = "rgb"

    def make(self, prepared, wanted):
        return prepared[:, :, ::-1]

    def needs(self, wanted):
        return wanted


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    for seed, frames in enumerate((30, 41, 9)):
        videos.write(folder / f"{seed}.mp4", frames, size=(24, 32), seed=seed)
    return folder


def test_the_pixels_are_decoded_once(films, tmp_path):
    """Also where a view is of a stream that is made from the other one's frames."""
    stream = Opened()
    one = encoder(streams={"rgb": stream, "mirrored": Mirrored()})
    one.views["rgb"] = View([], "mirrored")
    parts = [one.embed(films / "0.mp4", view=name) for name in one.views]
    stream.ids.clear()
    both = one.embed(films / "0.mp4", view="joint")
    assert len(stream.ids) == 1
    assert np.allclose(both, by_hand(parts), atol=1e-6)
    stream.ids.clear()
    made = embed_videos(one, VideoFolder(films), tmp_path / "v.npz", view="joint", **QUICK)
    assert stream.ids == ["0.mp4", "1.mp4", "2.mp4"]
    assert np.allclose(made.vectors[:2], both, atol=1e-6)


def test_views_of_several_files_need_a_video(films):
    one = encoder()
    one.views["other"] = View([], "depth")
    one.statistics["other"] = one.statistics["rgb"]
    with pytest.raises(UserError, match="rgb and depth, which are read from files of their own"):
        one.embed(films / "0.mp4", view="joint")
    place = str(films / "0.mp4")
    assert one.embed(Video("both", {"rgb": place, "depth": place}), view="joint").shape == (2, 18)


@pytest.mark.parametrize("ending", ["npz", "parquet"])
@pytest.mark.parametrize("more", [{}, {"sampler": EvenClips(3, frames=5)}, {"every": 0.2}])
def test_a_file_holds_what_embed_gives(films, tmp_path, more, ending):
    if ending == "parquet":
        parquet = pytest.importorskip("pyarrow.parquet")
    one, out = encoder(), tmp_path / f"v.{ending}"
    seen = {name: embed_videos(one, VideoFolder(films), out, view=name, **QUICK, **more).vectors for name in one.views}
    made = embed_videos(one, VideoFolder(films), out, view="joint", **QUICK, **more)
    assert len(made.vectors) > 6 or not more
    assert np.allclose(made.vectors, by_hand(list(seen.values())), atol=1e-6)
    read = np.load(out)["vectors"] if ending == "npz" else np.stack(parquet.read_table(out)["vectors"].to_numpy())
    assert np.array_equal(read, made.vectors)
