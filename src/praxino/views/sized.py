"""DPC's and CoCon's crop of random area and shape, resized to a square."""

from __future__ import annotations

import torch
from torch import Tensor

from praxino.errors import UserError
from praxino.rng import Rng
from praxino.views.boxes import place, whole
from praxino.views.nearest import refuse_smaller
from praxino.views.pipeline import Drawn, Operation, Per, Shape
from praxino.views.resample import resample

TRIES = 10


class SizedCrop(Operation):
    """A part of the frame of random area and aspect ratio, resized to a square.

    Ten tries of a share of the area, uniform in 0.5 .. 1, and a ratio of width to height, uniform in 3/4 .. 4/3 and
    turned around half of the time; the first that fits lies at every place alike. Where none does, the shorter side
    becomes `size` and the square in the middle is kept. Pillow's bilinear resize, to the bit.

    Args:
        size: side of what comes out, in pixels.
        p: how often; else the square of `size` pixels in the middle is taken as it is.
        per: what shares one part.

    Raises:
        UserError: if a number is out of range; in `draw`, if p is below 1 and a frame smaller than the square.
    """

    def __init__(self, size: int, p: float = 1.0, per: Per = "clip") -> None:
        if size < 1 or not 0 <= p <= 1:
            raise UserError(f"SizedCrop: size must be at least 1 pixel and p between 0 and 1, not {size} and {p}")
        self.size = size
        self.p = p
        self.per = per
        self.least_side = size if p < 1 else 0

    def draw(self, rng: Rng, shape: Shape, size: Tensor) -> Drawn:
        """box int64 [..., 4], grid int64 [..., 2] to which it is resized, and corner int64 [..., 2] of what is kept."""
        frame = whole(size)
        sides = frame[..., 2:]
        refuse_smaller("SizedCrop", self.least_side, sides)
        u = self.uniform(rng, shape, 3 * TRIES + 3)
        share, ratio, turn = u[..., : 3 * TRIES].unflatten(-1, (3, TRIES)).unbind(-2)
        tried = self.sides(0.5 + 0.5 * share, 3 / 4 + (4 / 3 - 3 / 4) * ratio, turn < 0.5, sides[..., None, :])
        fits = (tried <= sides[..., None, :]).all(-1)
        first = fits.int().argmax(-1)
        found = tried.gather(-2, first[..., None, None].expand(*first.shape, 1, 2)).squeeze(-2)
        box = torch.cat([place(u[..., -2:], (sides - found).clamp(min=0)), found], -1)
        square = torch.full_like(found, self.size)
        # Where nothing fits the whole frame is resized in proportion; where nothing is to be done it stays.
        kept = u[..., -3:-2] >= self.p
        some = fits.any(-1, keepdim=True) & ~kept
        shorter = self.size * sides // sides.amin(-1, keepdim=True)
        grid = torch.where(some, square, torch.where(kept, sides, shorter))
        corner = ((grid - self.size) / 2).round().long()
        return {"box": torch.where(some, box, frame), "grid": grid, "corner": corner}

    @staticmethod
    def sides(share: Tensor, ratio: Tensor, turned: Tensor, frame: Tensor) -> Tensor:
        """Height and width of tries: int64 [..., 2].

        Args:
            share: of the area, float64 [...].
            ratio: of width to height, before it is turned.
            turned: bool [...].
            frame: int64 [..., 2], height and width.
        """
        area = share * frame.prod(-1)
        wide, high = (area * ratio).sqrt().round().long(), (area / ratio).sqrt().round().long()
        return torch.stack([torch.where(turned, wide, high), torch.where(turned, high, wide)], -1)

    def apply(self, x: Tensor, **drawn: Tensor) -> Tensor:
        height, width = drawn["grid"].unbind(-1)
        top, left = drawn["corner"].unbind(-1)
        return resample(x, drawn["box"].unbind(-1), (height, width), (top, left, self.size, self.size))

    def size_after(self, size: Tensor) -> Tensor:
        return torch.full_like(size, self.size)
