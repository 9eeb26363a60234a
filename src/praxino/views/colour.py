"""Operations on colour: on bytes exactly as Pillow does them, on floats the plain formulas.

They come after the resize or crop: there are fewer pixels then, and frames of one size.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from praxino.errors import UserError, check_arguments, nearest
from praxino.rng import Rng
from praxino.views import pixels
from praxino.views.blur import blur
from praxino.views.pipeline import Drawn, Operation, Per, Shape, on_rows, refuse_mixed_sizes, refuse_other_than_rgb


class _Drawn(Operation):
    """One number, uniform in low..high, applied with probability p."""

    change: Callable[[Tensor, Tensor], Tensor]
    needs_rgb = False

    def __init__(self, low: float, high: float, p: float, per: Per) -> None:
        refuse_range(self, low, high, p)
        self.low = low
        self.high = high
        self.p = p
        self.per = per

    def draw(self, rng: Rng, shape: Shape, size: Tensor) -> Drawn:
        refuse_mixed_sizes(self, size)
        u = self.uniform(rng, shape, 2)
        return {"number": self.low + (self.high - self.low) * u[..., 0], "on": u[..., 1] < self.p}

    def apply(self, x: Tensor, **drawn: Tensor) -> Tensor:
        if self.needs_rgb:
            refuse_other_than_rgb(self, x)
        return on_rows(type(self).change, x, drawn.get("on"), drawn["number"])


class Brightness(_Drawn):
    """Multiplies all channels by a factor.

    Args:
        low: least factor; 0 is black, 1 the picture itself.
        high: greatest factor.
        p: how often.
        per: what shares one factor.
    """

    change = staticmethod(pixels.brightness)

    def __init__(self, low: float = 0.6, high: float = 1.4, p: float = 1.0, per: Per = "clip") -> None:
        super().__init__(low, high, p, per)


class Contrast(_Drawn):
    """Draws pixels away from the mean grey of their own frame, or towards it.

    The mean is of each single frame, as in Pillow, also where all frames of a clip share one factor.

    Args:
        low: least factor; 0 is plain grey, 1 the picture itself.
        high: greatest factor.
        p: how often.
        per: what shares one factor.
    """

    change = staticmethod(pixels.contrast)
    needs_rgb = True

    def __init__(self, low: float = 0.6, high: float = 1.4, p: float = 1.0, per: Per = "clip") -> None:
        super().__init__(low, high, p, per)


class Saturation(_Drawn):
    """Draws pixels away from their own grey, or towards it.

    Args:
        low: least factor; 0 is a grey picture, 1 the picture itself.
        high: greatest factor.
        p: how often.
        per: what shares one factor.
    """

    change = staticmethod(pixels.saturation)
    needs_rgb = True

    def __init__(self, low: float = 0.6, high: float = 1.4, p: float = 1.0, per: Per = "clip") -> None:
        super().__init__(low, high, p, per)


class Hue(Operation):
    """Turns the colour circle.

    Args:
        shift: greatest turn either way, as a share of a whole one: 0 to 0.5.
        p: how often.
        per: what shares one turn.
    """

    def __init__(self, shift: float = 0.1, p: float = 1.0, per: Per = "clip") -> None:
        if not 0 <= shift <= 0.5:
            raise UserError(f"Hue: the shift must be between 0 and 0.5, not {shift}")
        check_arguments(self, 0, 1, p=p)
        self.shift = shift
        self.p = p
        self.per = per

    def draw(self, rng: Rng, shape: Shape, size: Tensor) -> Drawn:
        u = self.uniform(rng, shape, 2)
        return {"number": self.shift * (2 * u[..., 0] - 1), "on": u[..., 1] < self.p}

    def apply(self, x: Tensor, **drawn: Tensor) -> Tensor:
        refuse_other_than_rgb(self, x)
        return on_rows(pixels.hue, x, drawn.get("on"), drawn["number"])


class Grey(Operation):
    """Replaces all three channels by the luma.

    Args:
        p: how often.
        per: what turns grey together.
    """

    def __init__(self, p: float = 0.2, per: Per = "clip") -> None:
        check_arguments(self, 0, 1, p=p)
        self.p = p
        self.per = per

    def draw(self, rng: Rng, shape: Shape, size: Tensor) -> Drawn:
        return {"on": self.uniform(rng, shape) < self.p}

    def apply(self, x: Tensor, **drawn: Tensor) -> Tensor:
        refuse_other_than_rgb(self, x)
        return on_rows(pixels.grey, x, drawn.get("on"))


class Blur(_Drawn):
    """Gaussian blur, as Pillow approximates it by box filters.

    Args:
        low: least standard deviation, in pixels.
        high: greatest standard deviation, in pixels.
        p: how often.
        per: what shares one standard deviation.
    """

    change = staticmethod(blur)

    def __init__(self, low: float = 0.1, high: float = 2.0, p: float = 0.5, per: Per = "clip") -> None:
        super().__init__(low, high, p, per)


class ColourJitter(Operation):
    """Brightness, contrast, saturation and hue one after the other, as torchvision's ColorJitter.

    Factors are uniform in 1 - s .. 1 + s (not below 0), the turn of the hue in -s .. s. A strength of 0 leaves that one
    out.

    Args:
        brightness: strength s.
        contrast: strength s.
        saturation: strength s.
        hue: strength s, 0 to 0.5.
        p: how often all of it is applied.
        order: "random": each draw has an order of its own; "fixed": as they stand here.
        per: what shares one draw.
    """

    def __init__(
        self,
        brightness: float = 0.4,
        contrast: float = 0.4,
        saturation: float = 0.4,
        hue: float = 0.1,
        p: float = 0.8,
        order: Literal["random", "fixed"] = "random",
        per: Per = "clip",
    ) -> None:
        if order not in ("random", "fixed"):
            raise UserError(f"ColourJitter: unknown order {order!r}.{nearest(order, ('random', 'fixed'))}")
        if min(brightness, contrast, saturation, hue) < 0 or hue > 0.5:
            raise UserError("ColourJitter: strengths must be at least 0, and that of the hue at most 0.5")
        check_arguments(self, 0, 1, p=p)
        self.brightness = brightness
        self.contrast = contrast
        self.saturation = saturation
        self.hue = hue
        self.p = p
        self.order = order
        self.per = per

    def draw(self, rng: Rng, shape: Shape, size: Tensor) -> Drawn:
        refuse_mixed_sizes(self, size)
        u = self.uniform(rng, shape, 9)
        strength = torch.tensor([self.brightness, self.contrast, self.saturation, self.hue], dtype=torch.float64)
        low, high = (1 - strength).clamp(min=0), 1 + strength
        low[3], high[3] = -self.hue, self.hue
        order = u[..., 4:8].argsort(-1) if self.order == "random" else torch.arange(4).expand(*u.shape[:3], 4)
        return {"numbers": low + (high - low) * u[..., :4], "order": order, "on": u[..., 8] < self.p}

    def apply(self, x: Tensor, **drawn: Tensor) -> Tensor:
        refuse_other_than_rgb(self, x)
        numbers, order, on = drawn["numbers"], drawn["order"], drawn["on"]
        changes = (pixels.brightness, pixels.contrast, pixels.saturation, pixels.hue)
        strengths = (self.brightness, self.contrast, self.saturation, self.hue)
        for turn in range(len(changes)):
            for kind, change in enumerate(changes):
                if strengths[kind]:
                    x = on_rows(change, x, on & (order[..., turn] == kind), numbers[..., kind])
        return x


class Normalise(Operation):
    """Subtracts a mean and divides by a standard deviation, channel by channel; floats come out.

    Args:
        mean: of each channel, as many as the clips have, for values in [0, 1]. Default: ImageNet's, of RGB.
        std: of each channel, above 0.

    Raises:
        UserError: if these are not as many, or a deviation is not above 0; in `apply`, if the clips have other
            channels.
    """

    def __init__(
        self,
        mean: tuple[float, ...] = (0.485, 0.456, 0.406),
        std: tuple[float, ...] = (0.229, 0.224, 0.225),
    ) -> None:
        if len(mean) != len(std):
            raise UserError(f"Normalise: mean has {len(mean)} numbers and std {len(std)}: give one each a channel")
        if not all(number > 0 for number in std):
            raise UserError(f"Normalise: each std must be above 0, not {list(std)}")
        self.mean = mean
        self.std = std

    def apply(self, x: Tensor, **drawn: Tensor) -> Tensor:
        if x.shape[2] != len(self.mean):
            raise UserError(
                f"Normalise has mean and std for {len(self.mean)} channels, and the clips have {x.shape[2]}: give one "
                "number each a channel"
            )
        x = x if x.is_floating_point() else x.float().div_(255)
        mean, std = (x.new_tensor(v)[:, None, None, None] for v in (self.mean, self.std))
        return (x - mean) / std


def refuse_range(operation: Operation, low: float, high: float, p: float) -> None:
    """Refuses what is no range of factors, or no probability.

    Raises:
        UserError: names the operation.
    """
    if not 0 <= low <= high or not 0 <= p <= 1:
        name = type(operation).__name__
        raise UserError(f"{name}: low {low} and high {high} must be 0 <= low <= high, and p {p} between 0 and 1")
