"""Clips by index."""

import torch

from praxino.batch import ClipBatch, Frames


def small():
    pixels = torch.arange(5 * 2 * 3 * 1, dtype=torch.uint8).reshape(5, 2, 3, 1)
    where = torch.tensor([[[0, 1], [1, 0]], [[2, 3], [4, 4]]])
    frames = Frames(pixels, torch.tensor([[2, 3]] * 5), torch.ones(5, dtype=torch.bool), where)
    return ClipBatch({"rgb": frames}, torch.tensor([7, 8]), torch.tensor([0, -1]), where, where.double())


def test_clips_are_a_gather():
    frames = small().streams["rgb"]
    clips = frames.clips()
    assert clips.shape == (2, 2, 2, 2, 3, 1)
    assert torch.equal(clips[1, 1, 0], frames.pixels[4])
    assert torch.equal(frames.clips([1]), clips[:, 1:])
    assert torch.equal(frames.clips(1), clips[:, 1:])
    assert frames.sizes().shape == (2, 2, 2, 2)


def test_moving_keeps_everything():
    batch = small()
    batch.replaced = ["a broke"]
    moved = batch.to("meta")
    assert moved.streams["rgb"].pixels.device.type == "meta"
    assert moved.replaced == ["a broke"]
    assert len(moved) == 2
