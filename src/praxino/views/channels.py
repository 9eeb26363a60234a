"""A change of colour that DPC has in the place of grey."""

from __future__ import annotations

import torch
from torch import Tensor

from praxino.errors import check_arguments
from praxino.rng import Rng
from praxino.views.boxes import place
from praxino.views.pipeline import Drawn, Operation, Per, Shape, on_rows, refuse_mixed_sizes, refuse_other_than_rgb


def one_channel(x: Tensor, channel: Tensor) -> Tensor:
    """One of the channels in the place of all: rows [r, 3, T, h, w], channel [r, 1, 1, 1, 1]."""
    return x.gather(1, channel.long().expand(-1, 1, *x.shape[2:])).expand_as(x)


class OneChannel(Operation):
    """One of the three channels, each as likely, takes the place of all: a grey picture that is no luma.

    DPC and CoCon: half of all frames, each by itself, so that colour does not tell which frames are of one clip.

    Args:
        p: how often.
        per: what shares one draw.

    Raises:
        UserError: if p is no share.
    """

    def __init__(self, p: float = 0.5, per: Per = "frame") -> None:
        check_arguments(self, 0, 1, p=p)
        self.p = p
        self.per = per

    def draw(self, rng: Rng, shape: Shape, size: Tensor) -> Drawn:
        refuse_mixed_sizes(self, size)
        u = self.uniform(rng, shape, 2)
        return {"on": u[..., 0] < self.p, "channel": place(u[..., 1], torch.tensor(2))}

    def apply(self, x: Tensor, **drawn: Tensor) -> Tensor:
        refuse_other_than_rgb(self, x)
        return on_rows(one_channel, x, drawn["on"], drawn["channel"])
