"""What DPC and CoCon share: the network that is taken home without statistics, and batches that are too large."""

import pytest
import torch
from cocon_script import VIEWS, cocon, dpc, train

from praxino.backbones import BlockRecurrent, ResNet2D3D18
from praxino.errors import UserError
from praxino.methods.cocon import CoCon
from praxino.methods.dpc import DPC
from praxino.views.pipeline import View
from toys import ToyStream, toy_protocol


class Unread(ToyStream):
    def probe(self, video, full=False):
        raise AssertionError("a video was looked at")


def recurrent():
    return BlockRecurrent(ResNet2D3D18(width=2, running_statistics=False), block_frames=2)


def test_it_lies_where_the_method_lies():
    """`meta` stands in for a GPU: a place that is not the CPU."""
    meta = torch.device("meta")
    for method in (DPC(recurrent(), View([])), CoCon({"rgb": recurrent()}, {"rgb": View([])})):
        for encoder in method.to(meta).exports(toy_protocol()).values():
            named = {**dict(encoder.backbone.named_parameters()), **dict(encoder.backbone.named_buffers())}
            assert any(name.endswith("running_mean") for name in named)
            assert {value.device for value in named.values()} == {meta}


@pytest.mark.parametrize("make", [dpc, cocon])
def test_a_batch_of_too_many_places_is_refused_before_a_video_is_read(monkeypatch, tmp_path, make):
    """The trial has 2 videos of 2 maps of 3 x 4 places: 6 of them are 144 places."""
    monkeypatch.setattr("praxino.methods.parts.prediction.MOST_PLACES", 143, raising=False)
    monkeypatch.setattr("praxino.losses.dense.MOST_PLACES", 143)
    with pytest.raises(UserError, match=r"6 videos of 24 predicted .* here 5 videos\): lower --batch_size"):
        train(tmp_path / "run", make(), streams={"rgb": Unread()})
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("make", [dpc, cocon])
def test_as_many_places_as_there_may_be_are_taken(monkeypatch, make):
    monkeypatch.setattr("praxino.methods.parts.prediction.MOST_PLACES", 48)
    method, clips = make(), {"clips": torch.rand(2, 3, 8, 6, 8)}
    method.objective(clips if make is dpc else dict.fromkeys(VIEWS, clips["clips"]))
    method.refuse_batch(2)
    with pytest.raises(UserError, match="too many to be compared"):
        method.refuse_batch(3)
