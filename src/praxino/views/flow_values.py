"""From bytes of optical flow to values around 0, and its mirror image."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from praxino.errors import UserError, check_arguments, nearest
from praxino.rng import Rng
from praxino.views.pipeline import Drawn, Operation, Per, Shape, on_rows, refuse_mixed_sizes

LOWEST_MEAN = 0.3  # of CoCon's rule


class FlowValues(Operation):
    """Bytes of flow as values in -0.5 .. 0.5: byte / 255 - 0.5. No byte is exactly 0: 127 and 128 are -+0.002.

    Args:
        rule: "always"; or "cocon": a clip whose mean over all frames and channels is 0.3 or less stays in 0 .. 1. So
            clips without flow, all of whose bytes are 0, stay at 0; here they never get so far.

    Raises:
        UserError: if the rule is unknown.
    """

    def __init__(self, rule: Literal["always", "cocon"] = "always") -> None:
        if rule not in ("always", "cocon"):
            raise UserError(f"FlowValues: unknown rule {rule!r}.{nearest(rule, ('always', 'cocon'))}")
        self.rule = rule

    def apply(self, x: Tensor, **drawn: Tensor) -> Tensor:
        x = x if x.is_floating_point() else x.float().div_(255)
        if self.rule == "always":
            return x - 0.5
        moving = x.mean((2, 3, 4, 5), keepdim=True) > LOWEST_MEAN
        return x - 0.5 * moving


class WrappedFlow(Operation):
    """Bytes of flow as CoCon's fine-tuning has them by a mistake: byte - 127.5, its fraction cut off, modulo 256.

    0.5 is taken off before bytes are made again, so that what is negative goes round: 0 becomes 129, 126 255, 127 and
    128 0, 255 127. It stands before the crop, which is chosen by these bytes, and nothing is taken off afterwards.
    """

    def apply(self, x: Tensor, **drawn: Tensor) -> Tensor:
        if x.dtype != torch.uint8:
            raise UserError("WrappedFlow takes bytes: put it before operations that make floats")
        refuse_other_than_flow(self, x)
        return x.sub(127 + (x > 127).to(torch.uint8))


class FlowFlip(Operation):
    """Mirrors a flow left and right: what moves to the right then moves to the left.

    It draws what `Flip` draws: in aligned views RGB and flow are mirrored together. It stands before `FlowValues`.

    Args:
        p: how often.
        per: what is mirrored together.
    """

    drawn_as = "Flip"

    def __init__(self, p: float = 0.5, per: Per = "clip") -> None:
        check_arguments(self, 0, 1, p=p)
        self.p = p
        self.per = per

    def draw(self, rng: Rng, shape: Shape, size: Tensor) -> Drawn:
        refuse_mixed_sizes(self, size)
        return {"on": self.uniform(rng, shape) < self.p}

    def apply(self, x: Tensor, **drawn: Tensor) -> Tensor:
        refuse_other_than_flow(self, x)
        return on_rows(mirrored_flow, x, drawn["on"])


def mirrored_flow(x: Tensor) -> Tensor:
    """Rows [r, 2, T, h, w] of bytes, or of floats in 0 .. 1, mirrored, with the first component turned around."""
    u, v = x.flip(-1).split(1, 1)
    return torch.cat([(255 if x.dtype == torch.uint8 else 1) - u, v], 1)


def refuse_other_than_flow(operation: Operation, x: Tensor) -> None:
    """Refuses clips that are no flow of two channels.

    Args:
        operation: which asks.
        x: [B, n, C, T, H, W].

    Raises:
        UserError: names the operation and C.
    """
    if x.shape[2] != 2:
        name = type(operation).__name__
        raise UserError(f"{name} needs optical flow of two channels, and the clips have {x.shape[2]}: leave it out")
