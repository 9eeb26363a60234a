"""Operations on where pixels are: resize, crop, flip. Each crop with its resize is one product (`resample`)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from praxino.errors import UserError, check_arguments, nearest
from praxino.rng import Rng
from praxino.views.boxes import place, whole
from praxino.views.pipeline import Drawn, Operation, Per, Shape, on_rows, refuse_mixed_sizes
from praxino.views.resample import resample as resample


class Resize(Operation):
    """Resizes the whole frame to one size, whatever its aspect ratio, and may keep a square of that.

    IIC: `Resize(128, 171, crop=112, at="random")`, and `at="centre"` in tests.

    Args:
        height: of the resized frame, in pixels.
        width: of the resized frame, in pixels.
        crop: side of the square that is kept; None: all is kept.
        at: where the square is: "centre" (offsets rounded half to even), or "random" (every place alike).
        exact: as Pillow, to the bit; False: float32 without rounding in between, quicker by a third.
        per: what shares one random place.
    """

    def __init__(
        self,
        height: int,
        width: int,
        crop: int | None = None,
        at: Literal["centre", "random"] = "centre",
        exact: bool = True,
        per: Per = "clip",
    ) -> None:
        if at not in ("centre", "random"):
            raise UserError(f"Resize: unknown place {at!r}.{nearest(at, ('centre', 'random'))}")
        check_arguments(self, 1, height=height, width=width, crop=crop)
        if crop is not None and crop > min(height, width):
            raise UserError(f"Resize: crop {crop} does not fit into {height}x{width}")
        self.height = height
        self.width = width
        self.crop = crop
        self.at = at
        self.exact = exact
        self.per = per
        self.shape = (height, width) if crop is None else (crop, crop)

    def draw(self, rng: Rng, shape: Shape, size: Tensor) -> Drawn:
        room = torch.tensor([self.height, self.width]) - torch.tensor(self.shape)
        if self.at == "random":
            corner = place(self.uniform(rng, shape, 2), room)
        else:
            corner = (room / 2).round().long().expand(1, 1, 1, 2)
        return {"box": whole(size), "corner": corner}

    def apply(self, x: Tensor, **drawn: Tensor) -> Tensor:
        top, left = drawn["corner"].unbind(-1)
        return resample(x, drawn["box"].unbind(-1), (self.height, self.width), (top, left, *self.shape), self.exact)

    def size_after(self, size: Tensor) -> Tensor:
        return torch.tensor(self.shape).expand_as(size)


class ResizeShorterSide(Operation):
    """Resizes the shorter side to `size`, the longer one in proportion, and keeps the square in the middle.

    ImageNet's way of testing: the longer side is int(size * longer / shorter), offsets are rounded half to even.

    Args:
        size: the shorter side, in pixels.
        crop: side of the square that is kept.
        exact: as Pillow, to the bit; False: float32 without rounding in between, quicker by a third.
    """

    def __init__(self, size: int, crop: int, exact: bool = True) -> None:
        check_arguments(self, 1, size=size, crop=crop)
        if crop > size:
            raise UserError(f"ResizeShorterSide: crop {crop} does not fit into a shorter side of {size}")
        self.size = size
        self.crop = crop
        self.exact = exact

    def draw(self, rng: Rng, shape: Shape, size: Tensor) -> Drawn:
        box = whole(size)
        sides = box[..., 2:]
        grid = self.size * sides // sides.amin(-1, keepdim=True)
        return {"box": box, "grid": grid, "corner": ((grid - self.crop) / 2).round().long()}

    def apply(self, x: Tensor, **drawn: Tensor) -> Tensor:
        height, width = drawn["grid"].unbind(-1)
        top, left = drawn["corner"].unbind(-1)
        return resample(x, drawn["box"].unbind(-1), (height, width), (top, left, self.crop, self.crop), self.exact)

    def size_after(self, size: Tensor) -> Tensor:
        return torch.full_like(size, self.crop)


class _CropToSquare(Operation):
    """A box of each frame, resized to a square."""

    def __init__(self, size: int, exact: bool) -> None:
        check_arguments(self, 1, size=size)
        self.size = size
        self.exact = exact

    def apply(self, x: Tensor, **drawn: Tensor) -> Tensor:
        return resample(x, drawn["box"].unbind(-1), (self.size, self.size), exact=self.exact)

    def size_after(self, size: Tensor) -> Tensor:
        return torch.full_like(size, self.size)


class RandomResizedCrop(_CropToSquare):
    """A random part of the frame, of random aspect ratio, resized to a square.

    The law is torchvision's: up to ten tries of a uniform share of the area and a log-uniform aspect ratio, at every
    place where it fits alike; after ten misses the largest part in the middle whose ratio is within the range.

    Args:
        size: side of what comes out, in pixels.
        scale: least and greatest share of the area.
        ratio: least and greatest width / height.
        exact: as Pillow, to the bit; False: float32 without rounding in between, quicker by a third.
        per: what shares one box.
        rounded: a try fits if its sides do once they are rounded, as in torchvision; False: if they do before that, so
            that the answer is the same at any resolution.
    """

    def __init__(
        self,
        size: int,
        scale: tuple[float, float] = (0.08, 1.0),
        ratio: tuple[float, float] = (3 / 4, 4 / 3),
        exact: bool = True,
        per: Per = "clip",
        rounded: bool = False,
    ) -> None:
        super().__init__(size, exact)
        if not 0 < scale[0] <= scale[1] or not 0 < ratio[0] <= ratio[1]:
            raise UserError(f"RandomResizedCrop: scale {scale} and ratio {ratio} must be least, then greatest, above 0")
        self.scale = scale
        self.ratio = ratio
        self.per = per
        self.rounded = rounded

    def draw(self, rng: Rng, shape: Shape, size: Tensor) -> Drawn:
        u = self.uniform(rng, shape, 10, 4)
        sides = whole(size)[..., None, 2:]  # [B, 1|n, 1|T, 1, 2]
        area = (self.scale[0] + (self.scale[1] - self.scale[0]) * u[..., 0]) * sides.prod(-1)
        low, high = torch.tensor(self.ratio, dtype=torch.float64).log()
        ratio = (low + (high - low) * u[..., 1]).exp()
        tried = torch.stack([(area / ratio).sqrt(), (area * ratio).sqrt()], -1)
        pixels = tried.round().long().clamp(min=1)
        fits = ((pixels if self.rounded else tried) <= sides).all(-1)
        boxes = torch.cat([place(u[..., 2:], (sides - pixels).clamp(min=0)), pixels], -1)
        first = fits.int().argmax(-1)[..., None, None].expand(*fits.shape[:3], 1, 4)
        box = boxes.gather(-2, first).squeeze(-2)
        return {"box": torch.where(fits.any(-1, keepdim=True), box, self._middle(sides.squeeze(-2)))}

    def _middle(self, sides: Tensor) -> Tensor:
        """The largest centred box whose ratio is within the range: int64 [..., 4]."""
        height, width = sides.double().unbind(-1)
        low, high = self.ratio
        new = torch.stack(
            [torch.minimum(height, (width / low).round()), torch.minimum(width, (height * high).round())], -1
        ).long()
        return torch.cat([(sides - new) // 2, new], -1)


class SquareCrop(_CropToSquare):
    """A random square of the frame, resized: milder than `RandomResizedCrop`, and it keeps the aspect ratio.

    Args:
        size: side of what comes out, in pixels.
        scale: least and greatest side of the square, as a share of the frame's shorter side.
        exact: as Pillow, to the bit; False: float32 without rounding in between, quicker by a third.
        per: what shares one square.
        everywhere: every place alike. False: as TCLR, which draws the place as if the box had the frame's own shape:
            the squares lie too far to the left, and of 320 columns (240 rows) those from 272 on are never seen.
    """

    def __init__(
        self,
        size: int,
        scale: tuple[float, float] = (0.6, 1.0),
        exact: bool = True,
        per: Per = "clip",
        everywhere: bool = True,
    ) -> None:
        super().__init__(size, exact)
        if not 0 < scale[0] <= scale[1] <= 1:
            raise UserError(f"SquareCrop: scale {scale} must be least, then greatest, above 0 and at most 1")
        self.scale = scale
        self.per = per
        self.everywhere = everywhere

    def draw(self, rng: Rng, shape: Shape, size: Tensor) -> Drawn:
        u = self.uniform(rng, shape, 3)
        sides = whole(size)[..., 2:]
        share = self.scale[0] + (self.scale[1] - self.scale[0]) * u[..., :1]
        side = (share * sides.amin(-1, keepdim=True)).long().clamp(min=1)
        room = sides - side if self.everywhere else ((1 - share) * sides).long()
        return {"box": torch.cat([place(u[..., 1:], room), side, side], -1)}


class CentreCrop(_CropToSquare):
    """The square in the middle of the frame, resized.

    Args:
        size: side of what comes out, in pixels.
        share: side of the square as a share of the frame's shorter side, rounded down.
        exact: as Pillow, to the bit; False: float32 without rounding in between, quicker by a third.
    """

    def __init__(self, size: int, share: float = 1.0, exact: bool = True) -> None:
        super().__init__(size, exact)
        if not 0 < share <= 1:
            raise UserError(f"CentreCrop: the share must be above 0 and at most 1, not {share}")
        self.share = share

    def draw(self, rng: Rng, shape: Shape, size: Tensor) -> Drawn:
        sides = whole(size)[..., 2:]
        side = (self.share * sides.amin(-1, keepdim=True).double()).long().clamp(min=1)
        return {"box": torch.cat([((sides - side) / 2).round().long(), side, side], -1)}


class Flip(Operation):
    """Mirrors left and right.

    Args:
        p: how often.
        per: what is mirrored together.
    """

    def __init__(self, p: float = 0.5, per: Per = "clip") -> None:
        check_arguments(self, 0, 1, p=p)
        self.p = p
        self.per = per

    def draw(self, rng: Rng, shape: Shape, size: Tensor) -> Drawn:
        refuse_mixed_sizes(self, size)
        return {"on": self.uniform(rng, shape) < self.p}

    def apply(self, x: Tensor, **drawn: Tensor) -> Tensor:
        return on_rows(lambda rows: rows.flip(-1), x, drawn["on"])
