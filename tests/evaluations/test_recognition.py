"""The test of a classifier by the mean of its clips' softmax, against a loop over videos and clips."""

import numpy as np
import pytest
import torch
from test_finetune import ListedToys, toy_encoder

from praxino.clips.blocks import BlockWindows
from praxino.clips.dataset import collate, load_clips
from praxino.clips.samplers import RandomClip
from praxino.errors import UserError
from praxino.evaluations.classifying import shared_out
from praxino.evaluations.classifying.recognition import recognise, video_logits
from praxino.rng import Rng
from toys import ToySampler, ToyStream


def softmax_of(encoder, row, video, sampler=None):
    """[clips, classes], written out."""
    generator = Rng(0, "evaluation", row).shared()
    loaded = load_clips(video, ("rgb",), {"rgb": ToyStream()}, {}, sampler or ToySampler(clips=3), generator)
    powers = np.exp(encoder.logits(collate([loaded], [row], [video.label])).numpy().astype(np.float64))
    return powers / powers.sum(axis=1, keepdims=True)


def test_mean_of_softmax():
    encoder = toy_encoder(classes=("even", "odd"))
    encoder.backbone.eval()
    torch.nn.init.normal_(encoder.head.weight, std=30)  # far apart, so that the two means differ
    videos = ListedToys("test")
    want = np.array([softmax_of(encoder, row, video).mean(axis=0) for row, video in enumerate(videos)])
    found = video_logits(encoder, videos, "rgb", "softmax", workers=0)
    assert np.exp(found.vectors) == pytest.approx(want, rel=1e-4, abs=1e-7)
    of_logits = video_logits(encoder, videos, "rgb", workers=0).vectors
    assert not np.allclose(torch.from_numpy(of_logits).softmax(1).numpy(), want, atol=1e-3)

    result = recognise(encoder, ListedToys(), average="softmax", workers=0, device="cpu")
    assert result.settings["a video's score"] == "mean over its clips of their softmax"
    hits = want.argmax(axis=1) == [video.label for video in videos]
    assert result.row("classifier").values["1"] == pytest.approx(100 * hits.mean())


def test_single_clips_have_columns_of_their_own():
    """Each clip's own class, of clips that are not those of the video's mean."""
    encoder = toy_encoder(classes=("even", "odd"))
    encoder.backbone.eval()
    torch.nn.init.normal_(encoder.head.weight, std=30)
    torch.nn.init.zeros_(encoder.head.bias)
    sampler = RandomClip(2, stride=5, clips=4)
    each = [softmax_of(encoder, row, video, sampler).argmax(axis=1) for row, video in enumerate(ListedToys("test"))]
    shares = np.mean(np.array(each) == [[video.label] for video in ListedToys("test")], axis=1)
    assert 0 < shares.mean() < 1

    how = {"workers": 0, "device": "cpu"}
    alone = recognise(encoder, ListedToys(), **how)
    result = recognise(encoder, ListedToys(), clip_sampler=sampler, **how)
    assert result.columns == ["1", "5", "clip @1", "clip @5", "batch mean"]
    row, before = result.row("classifier"), alone.row("classifier")
    assert row.values["clip @1"] == pytest.approx(100 * shares.mean())
    assert row.values["clip @5"] == 100
    assert result.per_query["classifier"]["clip @1"] == pytest.approx(shares)
    low, high = row.intervals["clip @1"]
    assert low <= row.values["clip @1"] <= high
    assert result.settings["clips scored one by one"] == "4 a video, RandomClip"
    # The videos' own numbers are what they are without.
    assert {name: row.values[name] for name in before.values} == before.values
    assert alone.columns == ["1", "5", "batch mean"]
    assert "clips scored one by one" not in alone.settings


def test_another_mean_is_refused():
    with pytest.raises(UserError, match="--average median"):
        recognise(toy_encoder(classes=("even", "odd")), ListedToys(), average="median", workers=0, device="cpu")


def test_as_many_windows_as_fit():
    """The test of CoCon and DPC: all windows that fit, scored by their mean, and one by one."""
    encoder = toy_encoder(classes=("even", "odd"))
    encoder.backbone.eval()
    torch.nn.init.normal_(encoder.head.weight, std=30)
    torch.nn.init.zeros_(encoder.head.bias)
    encoder.sampler = windows = BlockWindows(blocks=2, frames=2, stride=1, apart=1)
    each = [softmax_of(encoder, row, video, windows) for row, video in enumerate(ListedToys("test"))]
    assert min(map(len, each)) > 1
    result = recognise(encoder, ListedToys(), average="softmax", clip_sampler=windows, workers=0, device="cpu")
    assert result.settings["clips a video"] == "as many as fit"
    assert result.settings["clips scored one by one"] == "as many as fit a video, BlockWindows"
    labels = [video.label for video in ListedToys("test")]
    hits = [one.mean(0).argmax() == label for one, label in zip(each, labels, strict=True)]
    assert result.row("classifier").values["1"] == pytest.approx(100 * np.mean(hits))
    shares = [np.mean(one.argmax(1) == label) for one, label in zip(each, labels, strict=True)]
    assert result.row("classifier").values["clip @1"] == pytest.approx(100 * np.mean(shares))


@pytest.mark.parametrize("average", ["logits", "softmax"])
def test_logits_that_are_not_finite_are_no_answers(average):
    encoder = toy_encoder(classes=("even", "odd"))
    torch.nn.init.constant_(encoder.head.weight, float("nan"))
    with pytest.raises(UserError, match="not finite"):
        recognise(encoder, ListedToys(), average=average, workers=0, device="cpu")


class Share:
    """One process of two, which has met what the other one gives."""

    def __init__(self, rank, other):
        self.number, self.other = rank, other

    def world(self):
        return 2

    def rank(self):
        return self.number

    def gather_objects(self, part):
        return [part, self.other] if self.number == 0 else [self.other, part]


def test_a_share_that_cannot_be_read_is_judged_with_the_others(monkeypatch):
    encoder = toy_encoder(classes=("even", "odd"))
    videos = list(ListedToys("test"))[:3]
    names = [video.id for video in videos]
    encoder.streams = {"rgb": ToyStream((names[0], names[2]))}
    alone = video_logits(encoder, videos, "rgb", workers=0, max_left_out=0.7)
    monkeypatch.setattr(shared_out, "ranks", Share(1, None))
    monkeypatch.setattr(Share, "gather_objects", lambda self, part: [part])
    second = shared_out.of_each_video(
        encoder, videos, "rgb", encoder.sampler, lambda batch: encoder.logits(batch, "rgb"), 0, 0.7, None
    )
    monkeypatch.undo()
    monkeypatch.setattr(shared_out, "ranks", Share(0, second))
    both = video_logits(encoder, videos, "rgb", workers=0, max_left_out=0.7)
    assert both.ids == alone.ids == [names[1]]
    assert np.array_equal(both.vectors, alone.vectors)
    assert sorted(both.left_out) == sorted(alone.left_out)
    with pytest.raises(UserError, match="more than 50%"):
        video_logits(encoder, videos, "rgb", workers=0, max_left_out=0.5)
