"""The test of a classifier by the mean of its clips' softmax, against a loop over videos and clips."""

import numpy as np
import pytest
import torch
from test_finetune import ListedToys, toy_encoder

from praxino.clips.dataset import collate, load_clips
from praxino.errors import UserError
from praxino.evaluations.classifying.recognition import recognise, video_logits
from praxino.rng import Rng
from toys import ToySampler, ToyStream


def softmax_of(encoder, row, video):
    """[clips, classes], written out."""
    generator = Rng(0, "evaluation", row).shared()
    loaded = load_clips(video, ("rgb",), {"rgb": ToyStream()}, {}, ToySampler(clips=3), generator)
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


def test_another_mean_is_refused():
    with pytest.raises(UserError, match="--average median"):
        recognise(toy_encoder(classes=("even", "odd")), ListedToys(), average="median", workers=0, device="cpu")
