"""What networks are called with, as pictures: the very clips, whatever the task, and no bit of training changed."""

import numpy as np
import pytest
import torch
from torch import nn

from praxino.backbones.base import Backbone
from praxino.backbones.block_recurrent import BlockRecurrent
from praxino.training.inputs import inputs_shown, picture_of


class Plain(Backbone):
    dim = 4

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv3d(3, 4, 1)

    def forward(self, x):
        return self.conv(x)


def shown_by(task, call):
    pictures = {}
    with inputs_shown(task, pictures.__setitem__):
        call()
    return pictures


def test_frames_stand_side_by_side_and_clips_below_each_other():
    clips = torch.rand(2, 3, 3, 5, 6)
    clips[0, 0, 0, 0, 0], clips[1, 2, 2, 4, 5] = -1, 2
    picture = picture_of(clips)
    assert picture.shape == (2 * 5, 3 * 6, 3)
    assert picture.dtype == np.uint8
    for clip in range(2):
        for frame in range(3):
            tile = picture[clip * 5 : clip * 5 + 5, frame * 6 : frame * 6 + 6]
            expected = (clips[clip, :, frame].permute(1, 2, 0) + 1) / 3 * 255
            assert np.abs(tile - expected.numpy()).max() <= 0.501


def test_flow_is_two_grey_rows():
    clips = torch.zeros(1, 2, 2, 4, 4)
    clips[:, 0], clips[:, 1] = 1.0, 0.0
    picture = picture_of(clips)
    assert picture.shape == (8, 8, 3)
    assert (picture[:4] == 255).all()
    assert (picture[4:] == 0).all()


def test_of_many_channels_the_greatest_is_shown():
    clips = torch.zeros(1, 17, 1, 4, 4)
    clips[0, 3, 0, 1, 2] = 1
    picture = picture_of(clips)
    assert picture[1, 2].tolist() == [255] * 3
    assert picture.sum() == 3 * 255


@pytest.mark.parametrize("shape", [(9, 3, 30, 224, 160), (1, 1, 1, 1, 300), (3, 5, 9, 112, 112)])
def test_pictures_stay_small(shape):
    picture = picture_of(torch.rand(shape))
    assert picture.shape[0] <= 4 * 112
    assert picture.shape[1] <= 8 * 112


def test_a_clip_without_contrast_is_black():
    assert not picture_of(torch.full((1, 3, 2, 4, 4), 0.5)).any()


def test_each_network_shows_what_it_was_called_with():
    task = nn.ModuleDict({"rgb": BlockRecurrent(Plain(), block_frames=2), "flow": Plain(), "idle": Plain()})
    clips = torch.rand(2, 3, 4, 4, 4)
    pictures = shown_by(task, lambda: (task["rgb"](clips), task["flow"](clips), task["flow"](1 - clips)))
    blocks = clips.unflatten(2, (2, 2)).transpose(1, 2).flatten(0, 1)
    assert {*pictures} == {"inputs/rgb.backbone", "inputs/flow", "inputs/flow.2"}
    assert (pictures["inputs/rgb.backbone"] == picture_of(blocks)).all()
    assert (pictures["inputs/flow"] == picture_of(clips)).all()
    assert (pictures["inputs/flow.2"] == picture_of(1 - clips)).all()


def test_afterwards_nothing_is_noted_any_more():
    network = Plain()
    pictures = shown_by(network, lambda: None)
    network(torch.rand(1, 3, 2, 4, 4))
    assert pictures == {}
    assert not network._forward_pre_hooks


def test_where_training_fails_the_hooks_are_gone_and_nothing_is_shown():
    network = Plain()
    pictures = {}

    def failing():
        network(torch.rand(1, 3, 2, 4, 4))
        raise RuntimeError

    with pytest.raises(RuntimeError), inputs_shown(network, pictures.__setitem__):
        failing()
    assert pictures == {}
    assert not network._forward_pre_hooks
