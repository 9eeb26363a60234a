"""A backbone over short blocks of a clip, and a recurrent cell over the blocks: the network of DPC and CoCon.

Han, Xie, Zisserman: Video Representation Learning by Dense Predictive Coding, ICCV Workshops 2019; Rai, Adeli, Lee,
Gaidon, Niebles: CoCon: Cooperative-Contrastive Learning, CVPR Workshops 2021. The cell is that of Ballas, Yao, Pal,
Courville: Delving Deeper into Convolutional Networks for Learning Video Representations, ICLR 2016, with dropout.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from praxino.backbones.base import Backbone
from praxino.errors import UserError, check_within, nearest
from praxino.precision import full_precision

Rectified = Literal["no", "after_pooling", "before_pooling"]
RECTIFIED = ("no", "after_pooling", "before_pooling")
TINY = 1e-5  # of the originals: keeps a vector of zeros from being divided by 0


@full_precision
def unit_length(x: Tensor) -> Tensor:
    """x [b, D, ...] with vectors of (nearly) unit length along D: x / (|x| + 1e-5)."""
    return x / (x.norm(dim=1, keepdim=True) + TINY)


class ConvGRUCell(nn.Module):
    """A GRU whose products are convolutions over a map; its state is dropped out after every step.

    With c = [x, h] along the channels, z = sigmoid(Wz c), r = sigmoid(Wr c), o = tanh(Wo [x, h r]), the new state is
    dropout(h (1 - z) + o z). Weights start orthogonal, biases at 0.

    Args:
        inputs: channels of x.
        hidden: channels of h.
        kernel: side of the convolutions, odd.
        dropout: share of the state that is dropped after each step in training.
    """

    def __init__(self, inputs: int, hidden: int, kernel: int = 1, dropout: float = 0.1) -> None:
        super().__init__()
        self.dropout = dropout
        self.reset_gate, self.update_gate, self.out_gate = (
            nn.Conv2d(inputs + hidden, hidden, kernel, padding=kernel // 2) for _ in range(3)
        )
        for gate in (self.reset_gate, self.update_gate, self.out_gate):
            nn.init.orthogonal_(gate.weight)
            assert gate.bias is not None
            nn.init.zeros_(gate.bias)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        """x [b, inputs, S, S], h [b, hidden, S, S] -> the new state [b, hidden, S, S]."""
        both = torch.cat([x, h], 1)
        update, reset = torch.sigmoid(self.update_gate(both)), torch.sigmoid(self.reset_gate(both))
        out = torch.tanh(self.out_gate(torch.cat([x, h * reset], 1)))
        return F.dropout(h * (1 - update) + out * update, self.dropout, self.training)

    def over(self, x: Tensor, h: Tensor | None = None) -> Tensor:
        """The states after each step.

        Args:
            x: [b, T, inputs, S, S].
            h: [b, hidden, S, S], where it starts; None: at zeros.

        Returns:
            [b, T, hidden, S, S].
        """
        h = x.new_zeros(len(x), self.out_gate.out_channels, *x.shape[3:]) if h is None else h
        states = []
        for step in x.unbind(1):
            h = self(step, h)
            states.append(h)
        return torch.stack(states, 1)


class BlockRecurrent(Backbone):
    """Cuts a clip into blocks, and returns the cell's last state: [b, C, N * L, H, W] -> [b, dim, 1, S, S].

    Each block of L frames goes through the backbone, whose map is averaged over time; the cell goes over the N maps. It
    is the network that DPC and CoCon fine-tune. Their pretraining takes its parts: `blocks` and `cell`.

    Args:
        backbone: of a block.
        block_frames: L, frames of a block. The clips of any sampler have to be a multiple of it.
        dropout: share of the cell's state that is dropped after each step in training.
        rectified: whether the cell gets maps behind a ReLU: "no" is CoCon's network; DPC's has one, "after_pooling"
            over time in its pretraining and "before_pooling" in its fine-tuning.
        unit_length: maps and context are divided by their length along the channels, at each place, as in CoCon's
            pretraining. False: they stay as they are, as in the fine-tuning of both.

    Raises:
        UserError: if a number is out of range, or the rule of the ReLU unknown.
    """

    def __init__(
        self,
        backbone: Backbone,
        block_frames: int = 5,
        dropout: float = 0.1,
        rectified: Rectified = "no",
        unit_length: bool = False,
    ) -> None:
        super().__init__()
        check_within(1, **{"backbone.block_frames": block_frames})
        if not 0 <= dropout < 1:
            raise UserError(f"BlockRecurrent: dropout is a share from 0 to below 1, not {dropout}")
        if rectified not in RECTIFIED:
            raise UserError(f"BlockRecurrent: rectified cannot be {rectified!r}.{nearest(rectified, RECTIFIED)}")
        self.backbone = backbone
        self.block_frames = block_frames
        self.dropout = dropout
        self.rectified = rectified
        self.unit_length = unit_length
        self.dim = backbone.dim
        self.cell = ConvGRUCell(self.dim, self.dim, dropout=dropout)

    def maps(self, clips: Tensor) -> Tensor:
        """The backbone's maps of the blocks of clips [b, C, N * L, H, W], as they are: [b, N, dim, t, S, S].

        Raises:
            UserError: if the clips' frames are no multiple of L.
        """
        frames = clips.shape[2]
        if frames % self.block_frames:
            raise UserError(
                f"BlockRecurrent cuts blocks of {self.block_frames} frames, and the clips have {frames}: take a "
                "sampler whose clips are a multiple (--sampler.frames), or another block_frames"
            )
        cut = clips.unflatten(2, (-1, self.block_frames)).transpose(1, 2)
        return self.backbone(cut.flatten(0, 1)).unflatten(0, cut.shape[:2])

    def blocks(self, clips: Tensor) -> Tensor:
        """One map a block, the mean over its time: [b, C, N * L, H, W] -> [b, N, dim, S, S]."""
        return self.maps(clips).mean(3)

    def forward(self, x: Tensor) -> Tensor:
        maps = self.maps(x)
        z = (F.relu(maps) if self.rectified == "before_pooling" else maps).mean(3)
        z = F.relu(z) if self.rectified == "after_pooling" else z
        if self.unit_length:
            z = unit_length(z.flatten(0, 1)).unflatten(0, z.shape[:2])
        context = self.cell.over(z)[:, -1]
        return (unit_length(context) if self.unit_length else context)[:, :, None]
