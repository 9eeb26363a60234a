"""Crops of so many pixels whose resize takes the nearest one: how DPC and CoCon shrink frames and flow."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from praxino.errors import UserError, nearest
from praxino.precision import full_precision
from praxino.rng import Rng
from praxino.views.boxes import place, whole
from praxino.views.pipeline import Drawn, Operation, Per, Shape
from praxino.views.resample import resample


@full_precision
def take_nearest(x: Tensor, corner: Tensor, side: int, size: int) -> Tensor:
    """Cuts squares, and shrinks or enlarges them by taking the nearest pixel; what lies outside of the frame is 0.

    Pixel i of `size` is source pixel floor((i + 0.5) * side / size), as Pillow's NEAREST takes it, to the bit.

    Args:
        x: [B, n, C, T, H, W], of any type.
        corner: int64 [B|1, n|1, T|1, 2], top and left; may be negative.
        side: of the square, in pixels.
        size: of what comes out, in pixels.

    Returns:
        [B, n, C, T, size, size], of the same type.
    """
    videos, clips, channels, frames, height, width = x.shape
    per_frame = corner.shape[2] > 1
    rows = x.transpose(2, 3) if per_frame else x
    lead = (videos, clips, frames) if per_frame else (videos, clips)
    corner = corner.to(x.device).expand(videos, clips, frames if per_frame else 1, 2).reshape(-1, 2)
    steps = torch.from_numpy(_source(side, size)).to(x.device)
    top, left = (corner[:, axis, None] + steps for axis in (0, 1))  # [G, size]
    at = (top.clamp(0, height - 1)[:, :, None] * width + left.clamp(0, width - 1)[:, None, :]).flatten(1)
    planes = rows.reshape(len(at), -1, height * width)
    y = planes.gather(2, at[:, None].expand(-1, planes.shape[1], -1))
    inside = ((top >= 0) & (top < height))[:, :, None] & ((left >= 0) & (left < width))[:, None, :]
    if not inside.all():
        y = y * inside.flatten(1)[:, None]
    y = y.view(*lead, *(channels,), *(() if per_frame else (frames,)), size, size)
    return y.transpose(2, 3) if per_frame else y


def _source(side: int, size: int) -> NDArray[np.int64]:
    """Which of `side` pixels each of `size` is: floor((i + 0.5) * side / size), added up step by step as in Pillow."""
    step = side / size
    return np.add.accumulate([0.5 * step, *[step] * (size - 1)]).astype(np.int64)


class NearestCrop(Operation):
    """A square of so many pixels of the frame, whatever the frame's size, and then a resize by the nearest pixel.

    DPC and CoCon: `NearestCrop(224, 128)` on frames of 240 pixels in pretraining, and at the "centre" in tests.

    Args:
        crop: side of the square, in pixels.
        size: side of what comes out, in pixels; None: as cut.
        at: where the square is: "random" (every place alike), or "centre" (offsets rounded half to even).
        outside: what a square in the centre that leaves the frame does: "refuse", or "black" (as Pillow fills it).
        filter: of the resize: "nearest", or "bilinear" (Pillow's, to the bit).
        per: what shares one place.

    Raises:
        UserError: if a number is below 1 or a word unknown; in `draw`, if a frame is too small.
    """

    def __init__(
        self,
        crop: int,
        size: int | None = None,
        at: Literal["random", "centre"] = "random",
        outside: Literal["refuse", "black"] = "refuse",
        filter: Literal["nearest", "bilinear"] = "nearest",
        per: Per = "clip",
    ) -> None:
        for name, word, known in (
            ("place", at, ("random", "centre")),
            ("rule for what is outside", outside, ("refuse", "black")),
            ("filter", filter, ("nearest", "bilinear")),
        ):
            if word not in known:
                raise UserError(f"NearestCrop: unknown {name} {word!r}.{nearest(word, known)}")
        refuse_sides("NearestCrop", crop, size)
        self.crop = crop
        self.size = size
        self.at = at
        self.outside = outside
        self.filter = filter
        self.per = per
        self.least_side = crop if at == "random" or outside == "refuse" else 0

    def draw(self, rng: Rng, shape: Shape, size: Tensor) -> Drawn:
        sides = whole(size)[..., 2:]
        refuse_smaller("NearestCrop", self.least_side, sides)
        if self.at == "random":
            return {"corner": place(self.uniform(rng, shape, 2), sides - self.crop)}
        return {"corner": ((sides - self.crop) / 2).round().long()}

    def apply(self, x: Tensor, **drawn: Tensor) -> Tensor:
        size = self.size or self.crop
        if self.filter == "nearest":
            return take_nearest(x, drawn["corner"], self.crop, size)
        cut = take_nearest(x, drawn["corner"], self.crop, self.crop)
        return resample(cut, (0, 0, self.crop, self.crop), (size, size))

    def size_after(self, size: Tensor) -> Tensor:
        return torch.full_like(size, self.size or self.crop)


class LiveliestCrop(Operation):
    """Of some squares at random places the one in which most happens, resized by the nearest pixel.

    CoCon's crop of flow, `LiveliestCrop(224, 128)`, and of heat maps and masks, `LiveliestCrop(153, 64, of="maps")`.
    What happens is counted in whole numbers over all frames and channels of the clip; of equal squares the first wins.
    Maps of which every other frame is the mean of two are compared here without the half that their bytes have lost.

    Args:
        crop: side of the squares, in pixels.
        size: side of what comes out, in pixels; None: as cut.
        of: "flow": the distance of its bytes from 127, where frames that are nowhere above 9 (blank ones) count as 127;
            "maps": the values themselves.
        proposals: how many squares are drawn.

    Raises:
        UserError: if a number is below 1 or the word unknown; in `draw`, if a frame is too small.
    """

    def __init__(
        self, crop: int, size: int | None = None, of: Literal["flow", "maps"] = "flow", proposals: int = 3
    ) -> None:
        if of not in ("flow", "maps"):
            raise UserError(f"LiveliestCrop: there is no measure for {of!r}.{nearest(of, ('flow', 'maps'))}")
        refuse_sides("LiveliestCrop", crop, size)
        if proposals < 1:
            raise UserError(f"LiveliestCrop: proposals must be at least 1, not {proposals}")
        self.crop = crop
        self.size = size
        self.of = of
        self.proposals = proposals
        self.least_side = crop

    def draw(self, rng: Rng, shape: Shape, size: Tensor) -> Drawn:
        """corners int64 [B, n, 1, proposals, 2]: top and left."""
        sides = whole(size)[..., 2:]
        refuse_smaller("LiveliestCrop", self.least_side, sides)
        u = self.uniform(rng, shape, self.proposals, 2)
        return {"corners": place(u, (sides[:, :, :1] - self.crop)[..., None, :])}

    def apply(self, x: Tensor, **drawn: Tensor) -> Tensor:
        if x.dtype != torch.uint8:
            raise UserError("LiveliestCrop counts bytes: put it before operations that make floats")
        top, left = drawn["corners"][:, :, 0].to(x.device).unbind(-1)  # [B, n, proposals]
        sums = self._lively(x).cumsum(-1).cumsum(-2)
        # Of all pixels above and to the left: [B, n, H + 1, W + 1].
        sums = torch.nn.functional.pad(sums, (1, 0, 1, 0)).flatten(2)
        width = x.shape[-1] + 1
        corners = [sums.gather(2, y * width + z) for y, z in _corners(top, left, self.crop)]
        best = (corners[0] - corners[1] - corners[2] + corners[3]).argmax(2, keepdim=True)
        corner = torch.stack([top.gather(2, best), left.gather(2, best)], -1)  # [B, n, 1, 2]
        return take_nearest(x, corner, self.crop, self.size or self.crop)

    def size_after(self, size: Tensor) -> Tensor:
        return torch.full_like(size, self.size or self.crop)

    def _lively(self, x: Tensor) -> Tensor:
        """How much happens at each pixel over the clip: int64 [B, n, H, W]."""
        # In bytes, and channels last as they lie in memory: a tenth of the time of whole numbers.
        values = x.movedim(2, -1)
        if self.of == "flow":
            middle = values.new_tensor(127)
            lively = values.amax((3, 4, 5), keepdim=True) >= 10
            values = (torch.maximum(values, middle) - torch.minimum(values, middle)) * lively
        return values.sum(2, dtype=torch.int32).sum(-1)


def _corners(top: Tensor, left: Tensor, side: int) -> list[tuple[Tensor, Tensor]]:
    return [(top + side, left + side), (top, left + side), (top + side, left), (top, left)]


def refuse_sides(operation: str, crop: int, size: int | None) -> None:
    """Refuses sides below 1.

    Raises:
        UserError: names the operation.
    """
    if crop < 1 or (size is not None and size < 1):
        raise UserError(f"{operation}: crop and size must be at least 1 pixel, not {crop} and {size}")


def refuse_smaller(operation: str, crop: int, sides: Tensor) -> None:
    """Refuses frames into which a crop does not fit.

    Args:
        operation: which asks.
        crop: side of its square.
        sides: int64 [..., 2], height and width.

    Raises:
        UserError: says how large they are.
    """
    if (sides < crop).any():
        height, width = sides.reshape(-1, 2)[(sides < crop).any(-1).reshape(-1)][0].tolist()
        raise UserError(
            f"{operation} cuts {crop}x{crop} pixels, and a frame has {height}x{width}: take a smaller crop, or a "
            f"canvas with a shorter side of at least {crop}"
        )
