"""Flat batches of clips: what comes out is what each video gives by itself, and goes back to the right one."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from uneven import UNEVEN, AsManyAsFit, Uneven, UnevenStream, one_by_one, uneven_encoder

from praxino.clips.samplers import RandomClip
from praxino.errors import UserError
from praxino.evaluations import comparison
from praxino.evaluations.classifying import recognition, shared_out
from praxino.evaluations.comparison import HANDMADE, compared_features
from praxino.evaluations.embedding import embed_videos
from praxino.evaluations.features import evens_out, extract
from praxino.evaluations.joint import members_of
from praxino.rng import Rng
from praxino.views.geometry import CentreCrop, Flip, Resize
from praxino.views.motion import Residual
from praxino.views.pipeline import View

# A convolution may add in another order for another number of clips: a few roundings of float32, of numbers near 1.
ROUNDING = {"rtol": 1e-5, "atol": 1e-6}
AT_ONCE = (1, 3, 64)


def same(got, want, **tolerance):
    assert (got.ids, got.groups, got.left_out) == (want.ids, want.groups, want.left_out)
    assert got.labels.tolist() == want.labels.tolist()
    assert got.rows.tolist() == want.rows.tolist()
    assert got.vectors.dtype == np.float32
    np.testing.assert_allclose(got.vectors, want.vectors, **tolerance or {"rtol": 0})


def by_hand():
    """The hand-made features, and the bare pixels, of frames of any size."""
    whole = View([Resize(64, 64, exact=False)])

    def embed(function):
        return lambda batch: function(whole(batch, Rng(0)).flatten(0, 1))

    return {**{name: embed(function) for name, function in HANDMADE.items()}, "pixels": embed(lambda x: x.flatten(1))}


@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("clips_at_once", AT_ONCE)
def test_features_are_those_of_each_video_by_itself(clips_at_once, padded):
    one = uneven_encoder()
    embeds = {"network": one.features, **by_hand()}
    what = (Uneven(), embeds, ["rgb"], one.sampler, one.streams)
    want = one_by_one(*what)
    got = extract(*what, clips_at_once=clips_at_once, padded=padded)
    assert want["network"].left_out == [("video3", "broke")]
    for name in embeds:
        same(got[name], want[name], **(ROUNDING if name == "network" else {}))


def test_some_rows_have_the_clips_that_they_have_among_all():
    """Random ones too."""
    one = uneven_encoder()
    what = (Uneven(), {"": one.features}, ["rgb"], RandomClip(2, clips=3, short="repeat"), one.streams)
    whole, done = extract(*what)[""], []
    rows = range(1, len(UNEVEN), 2)
    some = extract(*what, rows=rows, progress=lambda *numbers: done.append(numbers))[""]
    at = [place for place, row in enumerate(whole.rows.tolist()) if row in rows]
    assert some.rows.tolist() == [whole.rows[place] for place in at]
    assert some.ids == [whole.ids[place] for place in at]
    np.testing.assert_allclose(some.vectors, whole.vectors[at], **ROUNDING)
    assert done == [(k + 1, len(rows)) for k in range(len(rows))]
    assert some.left_out == [("video3", "broke")]


@pytest.mark.parametrize("clips_at_once", AT_ONCE)
def test_views_that_keep_the_size_never_see_padding(clips_at_once):
    one = uneven_encoder(views={"rgb": View([])})
    what = (Uneven(), {"": one.features}, ["rgb"], one.sampler, one.streams)
    same(extract(*what, clips_at_once=clips_at_once)[""], one_by_one(*what)[""], **ROUNDING)


@pytest.mark.parametrize(
    ("operations", "so"),
    [([Resize(8, 9), Residual()], True), ([CentreCrop(8)], True), ([], False), ([Residual(), Resize(8, 9)], False),
     ([Flip(), CentreCrop(8)], False)],
)  # fmt: skip
def test_which_views_may_be_given_frames_of_several_sizes(operations, so):
    assert evens_out(View(operations)) is so


@pytest.mark.parametrize("clips_at_once", AT_ONCE)
def test_all_rows_of_a_table(monkeypatch, clips_at_once):
    """Views side by side, untrained twins, the single frame and the hand-made features."""
    one, videos = uneven_encoder(), Uneven()
    how = {"workers": 0, "max_left_out": 0.2, "reestimate_batchnorm": False}
    members = members_of(one, views=["rgb", "residual"])
    got = compared_features(members, videos, videos[:3], **how, clips_at_once=clips_at_once)
    monkeypatch.setattr(comparison, "extract", one_by_one)
    want = compared_features(members, videos, videos[:3], **how)
    assert got.settings == want.settings
    assert list(got.gallery) == list(want.gallery)
    for row in want.gallery:
        tolerance = {} if row in HANDMADE else ROUNDING
        same(got.gallery[row], want.gallery[row], **tolerance)
        same(got.queries[row], want.queries[row], **tolerance)


@pytest.mark.parametrize("average", ["logits", "softmax"])
def test_logits(monkeypatch, average):
    one = uneven_encoder(classes=("even", "odd"))
    got = recognition.video_logits(one, Uneven(), "rgb", average, workers=0, max_left_out=0.2)
    monkeypatch.setattr(shared_out, "extract", one_by_one)
    want = recognition.video_logits(one, Uneven(), "rgb", average, workers=0, max_left_out=0.2)
    same(got, want, **ROUNDING)


@pytest.mark.parametrize("clips_at_once", AT_ONCE)
@pytest.mark.parametrize("view", ["residual", "as it is"])
def test_embedded_videos(tmp_path, clips_at_once, view):
    one = uneven_encoder()
    one.views["as it is"] = View([])
    told = []
    got = embed_videos(
        one, Uneven(), tmp_path / "v.npz", view=view, clips_at_once=clips_at_once, workers=0, device="cpu",
        max_left_out=0.2, progress=lambda *numbers: told.append(numbers),
    )  # fmt: skip
    readable = [row for row, (clips, _, _) in enumerate(UNEVEN) if clips]
    want = [one.embed(Uneven()[row], view, batch_size=99) for row in readable]
    np.testing.assert_allclose(got.vectors, np.concatenate(want), **ROUNDING)
    assert got.video.tolist() == [f"video{row}" for row in readable for _ in range(UNEVEN[row][0])]
    assert got.start.tolist() == [2 * clip / 25 for row in readable for clip in range(UNEVEN[row][0])]
    assert got.end.tolist() == [(2 * clip + 3) / 25 for row in readable for clip in range(UNEVEN[row][0])]
    assert got.left_out == [("video3", "broke")]
    assert told == [(done, len(UNEVEN)) for done in range(1, len(UNEVEN) + 1)]
    assert got.videos == len(readable)
    assert np.array_equal(np.load(tmp_path / "v.npz")["vectors"], got.vectors)


def identity(batch):
    """What a clip is: the video's row and label, the frames' numbers, and a pixel of each. [B * N, 2 + 2 T]."""
    pixels = batch.streams["rgb"].clips()[:, :, :, 0, 0, 0].flatten(0, 1)
    rows = torch.stack([batch.index, batch.label], 1).repeat_interleave(batch.numbers.shape[1], 0)
    return torch.cat([rows, batch.numbers.flatten(0, 1), pixels], 1).float()


@settings(max_examples=60, deadline=None)
@given(
    videos=st.lists(st.tuples(st.integers(0, 9), st.sampled_from([2, 3]), st.just(2)), min_size=1, max_size=9).filter(
        lambda videos: any(clips for clips, _, _ in videos)
    ),
    clips_at_once=st.integers(1, 12),
    padded=st.booleans(),
)
def test_every_row_goes_back_to_its_video(videos, clips_at_once, padded):
    told, batches = [], []

    def watched(batch):
        batches.append(len(batch))
        return identity(batch)

    what = (Uneven(videos), {"": identity}, ["rgb"], AsManyAsFit(), {"rgb": UnevenStream()})
    got = extract(
        what[0], {"": watched}, *what[2:], clips_at_once=clips_at_once, padded=padded,
        progress=lambda *numbers: told.append(numbers),
    )[""]  # fmt: skip
    same(got, one_by_one(*what)[""])
    assert told == [(done, len(videos)) for done in range(1, len(videos) + 1)]
    assert max(batches) <= clips_at_once
    if padded:  # nothing but their number ends a batch: all are full, but for the last one
        assert set(batches[:-1]) <= {clips_at_once}


def test_clips_apart():
    even = [(3, 20, 24), (3, 40, 30), (0, 9, 9), (3, 20, 24)]
    one = uneven_encoder()
    what = (Uneven(even), {"": one.features}, ["rgb"], one.sampler, one.streams)
    got = extract(*what, clips_apart=True, clips_at_once=2, padded=True)[""]
    same(got, one_by_one(*what, clips_apart=True)[""], **ROUNDING)
    with pytest.raises(UserError, match="video1 has 1 clips, and the first video 2: clips are kept apart only where"):
        extract(Uneven(), *what[1:], clips_apart=True)


def test_vectors_that_do_not_fit_are_told_in_one_line():
    one = uneven_encoder(views={"rgb": View([])}, feature="map")
    with pytest.raises(UserError, match=r"video1 gives a vector of \d+ numbers, and the first video one of"):
        extract(Uneven([(1, 32, 32), (1, 64, 64)]), {"": one.features}, ["rgb"], one.sampler, one.streams)
    with pytest.raises(UserError, match="--clips_at_once must be above 0, not 0"):
        extract(Uneven(), {"": one.features}, ["rgb"], one.sampler, one.streams, clips_at_once=0)


class Choosy(AsManyAsFit):
    def __call__(self, times, rng):
        return super().__call__(times, rng)[1:]


def test_a_video_of_no_clips_is_left_out_and_not_a_number():
    got = extract(Uneven(), {"": identity}, ["rgb"], Choosy(), {"rgb": UnevenStream()})[""]
    assert [id for id, _ in got.left_out] == ["video1", "video3", "video4"]
    assert got.left_out[0][1] == "the sampler takes no clip of it"
    assert np.isfinite(got.vectors).all()


def test_too_many_unreadable_videos_are_told_as_soon_as_they_are_read():
    """And not when the batch, which waits for further clips, is full."""
    stream = UnevenStream()
    broken = [(1, 8, 8), (0, 8, 8), (0, 8, 8), *[(1, 8, 8)] * 9]
    with pytest.raises(UserError, match="more than 10% of 12 videos cannot be read"):
        extract(Uneven(broken), {"": identity}, ["rgb"], AsManyAsFit(), {"rgb": stream}, max_left_out=0.1)
    assert stream.opened == [0, 1, 2]
    with pytest.raises(UserError, match="none of 2 videos can be read"):
        extract(Uneven([(0, 8, 8)] * 2), {"": identity}, ["rgb"], AsManyAsFit(), {"rgb": stream})
