"""Videos played backwards as further videos of the batch."""

import torch
from test_simclr import batch_of

from praxino.losses.contrastive import nt_xent
from praxino.methods.parts.backwards import with_backwards
from praxino.methods.simclr import SimCLR
from praxino.rng import Rng
from praxino.views.pipeline import View
from toys import ToyBackbone


def test_each_video_has_itself_backwards_behind_it():
    batch = batch_of()
    made = with_backwards(batch)
    clips = batch.streams["rgb"].clips()  # [B, N, T, H, W, C]
    doubled = made.streams["rgb"].clips()
    assert torch.equal(doubled[0::2], clips)
    assert torch.equal(doubled[1::2], clips.flip(2))
    assert made.streams["rgb"].pixels is batch.streams["rgb"].pixels
    for name in ("numbers", "times"):
        assert torch.equal(getattr(made, name)[0::2], getattr(batch, name))
        assert torch.equal(getattr(made, name)[1::2], getattr(batch, name).flip(-1))
    assert torch.equal(made.index, batch.index.repeat_interleave(2))
    assert torch.equal(made.label, batch.label.repeat_interleave(2))
    assert len(made) == 2 * len(batch)


def test_the_loss_is_that_of_twice_as_many_videos():
    torch.manual_seed(0)
    method = SimCLR(ToyBackbone(), View([]), backwards=True)
    batch = batch_of()
    clips = batch.streams["rgb"].clips().movedim(-1, 2).float() / 255
    both = torch.stack([clips, clips.flip(3)], 1).flatten(0, 1)
    one, two = (method.head(method.backbone(both[:, n]).mean((2, 3, 4))) for n in (0, 1))
    torch.testing.assert_close(method(batch, Rng(0)).total, nt_xent(one, two, 0.1))


def test_what_moves_alike_in_both_directions_cannot_be_told_apart():
    """The mean over time sees no order: a video and itself backwards are then two equal rows."""
    torch.manual_seed(0)
    method = SimCLR(ToyBackbone(), View([]), backwards=True)
    method.backbone.forward = lambda x: x.mean(2, keepdim=True)
    method.head = torch.nn.Identity()
    rows = method(batch_of(), Rng(0)).embeddings["clip"]
    torch.testing.assert_close(rows[0::2], rows[1::2])
