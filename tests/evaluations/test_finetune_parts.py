"""What fine-tuning holds out, and what it takes from the encoder."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from praxino.backbones.r3d import R3D
from praxino.catalogs.base import Video
from praxino.clips.samplers import EvenClips, RandomClip
from praxino.described import describe
from praxino.encoders.encoder import Encoder
from praxino.encoders.protocol import Protocol
from praxino.errors import UserError
from praxino.evaluations.classifying.defaults import (
    fewer_clips,
    one_random_clip,
    protocol_of,
    rates_as_factors,
    trained_as,
    usual_stages,
)
from praxino.rng import Rng
from praxino.training.held_out import held_out_rows
from praxino.views.geometry import CentreCrop, Flip, Resize, SquareCrop
from praxino.views.motion import Residual
from praxino.views.nearest import NearestCrop
from praxino.views.pipeline import View
from toys import ToyStream


def listed(shape):
    """Videos of classes of groups of so many clips each."""
    return [
        Video(f"{label}-{group}-{clip}", {}, label, f"{label}-{group}")
        for label, groups in enumerate(shape)
        for group, clips in enumerate(groups)
        for clip in range(clips)
    ]


@given(
    shape=st.lists(st.lists(st.integers(1, 7), min_size=1, max_size=9), min_size=1, max_size=6),
    share=st.floats(0.01, 0.6),
    seed=st.integers(0, 99),
)
def test_whole_groups_are_held_out_and_every_class_stays(shape, share, seed):
    videos = listed(shape)
    try:
        held = held_out_rows(videos, share, "group", Rng(seed, "validation"))
    except UserError:
        return  # too few to hold any out
    kept = set(range(len(videos))) - set(held)
    assert held.tolist() == sorted(held)
    assert {videos[row].label for row in kept} == set(range(len(shape)))
    assert not {videos[row].group for row in held} & {videos[row].group for row in kept}
    # Where classes have groups to spare, the share is met to half a group.
    if all(len(groups) > 1 and max(groups) < (1 - share) * sum(groups) for groups in shape):
        assert abs(len(held) - share * len(videos)) <= max(map(max, shape)) / 2 + 1


def test_every_class_holds_out_its_share():
    videos = listed([[3] * 20, [3] * 20, [3] * 20])
    held = held_out_rows(videos, 0.1, "group", Rng(0))
    assert [sum(videos[row].label == label for row in held) for label in range(3)] == [6, 6, 6]


@given(count=st.integers(1, 39), seed=st.integers(0, 99))
def test_any_videos_alike(count, seed):
    """As IIC: so many videos, whatever their class and group."""
    videos = listed([[3] * 10, [1] * 10])
    held = held_out_rows(videos, count, "video", Rng(seed))
    assert len(set(held)) == count
    assert np.array_equal(held, held_out_rows(videos, count, "video", Rng(seed)))


def test_any_video_may_be_held_out():
    videos = listed([[1] * 10])
    seen = np.bincount([held_out_rows(videos, 3, "video", Rng(seed))[k] for seed in range(300) for k in range(3)])
    # 900 draws of 10 videos: 90 each, with a standard deviation of 8.
    assert len(seen) == 10
    assert abs(seen - 90).max() < 5 * 8


def toy(**views):
    return Encoder(R3D(width=1), views, EvenClips(4, 8, 2, 1), {"rgb": None}, feature="map", centred=False)


def test_the_protocol_is_the_encoders_and_the_asked_view_stands_first():
    one, two = View([CentreCrop(8)]), View([Resize(8, 8)])
    encoder = toy(rgb=one, residual=two)
    assert list(protocol_of(encoder).views) == ["rgb", "residual"]
    found = protocol_of(encoder, view="residual")
    assert list(found.views) == ["residual", "rgb"]
    assert (found.feature, found.centred, found.sampler) == ("map", False, encoder.sampler)
    said = Protocol({"other": one}, EvenClips(1))
    assert describe(protocol_of(encoder, said)) == describe(said)
    encoder.streams = {"rgb": ToyStream()}
    assert protocol_of(encoder, said).streams == encoder.streams
    with pytest.raises(UserError, match="Did you mean 'residual'"):
        protocol_of(encoder, view="residuals")


def test_the_training_view_crops_anywhere():
    def operations(view, **more):
        return describe(trained_as(view, **more))["init_args"]["operations"]

    iic = View([Resize(128, 171, crop=112), Residual(rescale=False)])
    anywhere = Resize(128, 171, crop=112, at="random")
    assert operations(iic, flip=False) == describe([anywhere, Residual(rescale=False)])
    assert operations(iic) == describe([anywhere, Flip(), Residual(rescale=False)])
    assert operations(View([CentreCrop(56, exact=False)])) == describe([SquareCrop(56, exact=False), Flip()])
    # A mirrored flow would have to change its sign.
    assert operations(View([CentreCrop(56)], "flow_u")) == describe([SquareCrop(56)])
    assert operations(View([Resize(8, 8)])) == describe([Resize(8, 8)])
    centre = View([NearestCrop(24, 16, at="centre")])
    assert operations(centre) == describe([NearestCrop(24, 16, at="random"), Flip()])


def test_clips_like_those_of_the_test():
    assert describe(one_random_clip(EvenClips(10, 8, 2, 1))) == describe(RandomClip(8, 2, 1, 1, "repeat"))
    assert describe(one_random_clip(EvenClips(10, 16, short="wrap"))) == describe(RandomClip(16))
    assert describe(fewer_clips(EvenClips(10, 8, 2, 1), 3)) == describe(EvenClips(3, 8, 2, 1))
    assert fewer_clips(EvenClips(2), 3).clips == 2


def test_the_usual_stage_is_the_recipes():
    (stage,) = usual_stages()
    assert stage["init_args"]["epochs"] == 30
    assert stage["init_args"]["schedule"]["init_args"]["warmup"] == 1


def test_rates_are_written_as_factors():
    (stage,) = usual_stages()
    own = stage["init_args"]["optimizer"]["init_args"]["lr"]
    config = {"rates": {"^linear": 5 * own, "stem": 0.0}, "stages": [stage]}
    for said in (config, {**config, "stages": None}):
        now = rates_as_factors(said)
        assert now["rates"] is None
        assert now["stages"][0]["init_args"]["rate_factors"] == {"^linear": pytest.approx(5), "stem": 0}
        assert rates_as_factors(now) == now
    again = rates_as_factors({**now, "rates": {"stem": 2 * own}})
    assert again["stages"][0]["init_args"]["rate_factors"] == {"stem": pytest.approx(2)}
