"""What motion is left, and what motion is destroyed: residual clips, and negatives made of a clip's own frames.

Tao, Wang, Yamasaki: Self-supervised Video Representation Learning Using Inter-intra Contrastive Framework, ACM MM 2020.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from praxino.errors import UserError
from praxino.rng import Rng
from praxino.views.pipeline import Drawn, Operation, Shape

CHUNKS = 4


def residual(x: Tensor, rescale: bool = True, sign: Literal[1, -1] = 1) -> Tensor:
    """Differences of successive frames, the first one's to the last: r[t] = x[t] - x[t - 1].

    Args:
        x: floats [..., T, h, w], in [0, 1].
        rescale: (r + 1) / 2, in [0, 1], with 0.5 where nothing moves; False: r, in [-1, 1].
        sign: -1 takes x[t - 1] - x[t], as VCP does.
    """
    before = x.roll(1, -3)
    r = x - before if sign == 1 else before - x
    return r.add_(1).div_(2) if rescale else r


def repeat(x: Tensor, frames: Tensor) -> Tensor:
    """Clips that stand still: each repeats one of its frames.

    Args:
        x: [b, C, T, h, w].
        frames: int64 [b], which frame.
    """
    still = x[torch.arange(len(x), device=x.device), :, frames.to(x.device)]  # [b, C, h, w]
    return still.unsqueeze(2).expand_as(x)


def shuffle(x: Tensor, first: Tensor, step: Tensor) -> Tensor:
    """Clips in a wrong order: of four parts of the time, two are swapped. The order within a part stays.

    The parts are `torch.chunk`'s: ceil(T / 4) frames each, and the last one shorter.

    Args:
        x: [b, C, T, h, w].
        first: int64 [b], 0..3: one part.
        step: int64 [b], 0..2: the other one is part (first + step + 1) mod 4.

    Raises:
        UserError: if T gives fewer than four parts (1, 2, 3, 5, 6, 9).
    """
    order = shuffled(x.shape[2], first.to(x.device), step.to(x.device))
    return x.gather(2, order[:, None, :, None, None].expand_as(x))


def shuffled(length: int, first: Tensor, step: Tensor) -> Tensor:
    """The frame numbers of `shuffle`: int64 [b, length]."""
    part = -(-length // CHUNKS)
    if -(-length // part) < CHUNKS:
        raise UserError(
            f"{length} frames cannot be shuffled in {CHUNKS} parts: take clips of 4, 7, 8 or at least 10 frames"
        )
    first, second = first[:, None], (first[:, None] + step[:, None] + 1) % CHUNKS
    parts = torch.arange(CHUNKS, device=first.device)
    order = torch.where(parts == first, second, torch.where(parts == second, first, parts.expand(len(first), -1)))
    # A key for each frame: where its part goes, then its place in the part. Sorting them gives the order, also where
    # the last part is shorter.
    frames = torch.arange(length, device=first.device)
    goes_to = order.argsort(1).gather(1, (frames // part).expand(len(first), -1))
    return (goes_to * part + frames % part).argsort(1)


class Residual(Operation):
    """The motion between successive frames, as floats.

    Args:
        rescale: into [0, 1], with 0.5 where nothing moves; False: in [-1, 1].
        sign: 1: a frame minus the one before it; -1: the other way round.
    """

    def __init__(self, rescale: bool = True, sign: Literal[1, -1] = 1) -> None:
        self.rescale = rescale
        self.sign = sign

    def apply(self, x: Tensor, **drawn: Tensor) -> Tensor:
        return residual(x if x.is_floating_point() else x.float().div_(255), self.rescale, self.sign)


class Repeat(Operation):
    """A clip that stands still: one of its frames, drawn anew for each clip, all the time."""

    def draw(self, rng: Rng, shape: Shape, size: Tensor) -> Drawn:
        videos, clips, length = shape
        return {"frames": rng.rows(videos, lambda generator, rows: generator.integers(0, length, (rows, clips, 1)))}

    def apply(self, x: Tensor, **drawn: Tensor) -> Tensor:
        return repeat(x.flatten(0, 1), drawn["frames"].flatten()).unflatten(0, x.shape[:2])


class Shuffle(Operation):
    """A clip in a wrong order: of four parts of its time, two are swapped, every pair as likely."""

    def draw(self, rng: Rng, shape: Shape, size: Tensor) -> Drawn:
        videos, clips, _ = shape
        below = np.array([CHUNKS, CHUNKS - 1])
        drawn = rng.rows(videos, lambda generator, rows: generator.integers(0, below, (rows, clips, 1, 2)))
        return {"first": drawn[..., 0], "step": drawn[..., 1]}

    def apply(self, x: Tensor, **drawn: Tensor) -> Tensor:
        first, step = drawn["first"].flatten(), drawn["step"].flatten()
        return shuffle(x.flatten(0, 1), first, step).unflatten(0, x.shape[:2])


def destroyed(x: Tensor, operation: Operation, rng: Rng) -> Tensor:
    """Intra-negatives: clips of a view after an operation that destroys their motion.

    Args:
        x: float32 [B, C, T, h, w].
        operation: `Repeat`, `Shuffle`, or one of your own.
        rng: the step's; each clip has its own draw.
    """
    videos, _, length, height, width = x.shape
    size = torch.tensor([height, width]).expand(videos, 1, length, 2)
    drawn = operation.draw(rng, (videos, 1, length), size)
    return operation.apply(x[:, None], **{name: value.to(x.device) for name, value in drawn.items()}).squeeze(1)
