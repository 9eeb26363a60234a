"""Colour arithmetic on rows of clips: on bytes exactly as Pillow does it, on floats the plain formula.

Every function takes rows [r, C, T, h, w], uint8 or floats in [0, 1], and numbers [r, 1, 1, 1, 1]; it returns new rows
of the same kind. Bytes pass through float32, where all the whole numbers in question are exact.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from praxino.errors import UserError, nearest

ChannelOrder = Literal["rgb", "bgr"]
TINY = 1e-30  # keeps 0 / 0 from being anything but 0


def brightness(x: Tensor, factor: Tensor) -> Tensor:
    """Between black (0) and the picture (1), and beyond: `ImageEnhance.Brightness`."""
    return _finished(_floats(x).mul_(factor.float()), x)


def contrast(x: Tensor, factor: Tensor) -> Tensor:
    """Between the mean grey (0) of each single frame and the picture (1), and beyond: `ImageEnhance.Contrast`."""
    y = _floats(x)
    luma = _luma(y, x)
    total, pixels = luma.sum((-2, -1), keepdim=True, dtype=torch.float64), luma.shape[-2] * luma.shape[-1]
    # Whole numbers: a GPU multiplies by 1 / pixels, which may round a half down.
    mean = (2 * total.long() + pixels) // (2 * pixels) if x.dtype == torch.uint8 else total / pixels
    return _blended(y, mean.float(), factor, x)


def saturation(x: Tensor, factor: Tensor) -> Tensor:
    """Between the grey picture (0) and the picture (1), and beyond: `ImageEnhance.Color`."""
    y = _floats(x)
    return _blended(y, _luma(y, x), factor, x)


def grey(x: Tensor) -> Tensor:
    """The luma in all three channels: `convert("L").convert("RGB")`."""
    return _finished(_luma(x.float(), x), x).expand_as(x)


def hue(x: Tensor, shift: Tensor) -> Tensor:
    """Turns the colour circle by `shift` of a whole turn.

    On bytes by way of Pillow's HSV image: the hue is a byte, to which trunc(255 * shift) is added modulo 256 (so
    torchvision does it; a whole turn is then 255/256 of one).
    """
    planes = _three(x).float()
    value = planes.amax(1)
    spread = value - planes.amin(1)
    below = [value - plane for plane in planes.unbind(1)]
    # Choices as products with 0 and 1: selecting by masks is ten times slower on a CPU.
    red = 1 - below[0].sign()
    green = below[1].sign().neg_().add_(1).mul_(1 - red)
    blue = 1 - red - green
    divisor = spread.clamp(min=TINY)
    plus = (red * below[2]).addcmul_(green, below[0]).addcmul_(blue, below[1]).div_(divisor)
    minus = (red * below[1]).addcmul_(green, below[2]).addcmul_(blue, below[0]).div_(divisor)
    sector = green.mul_(2).add_(blue, alpha=4)
    share = spread.div_(value.clamp(min=TINY))
    shift = shift.squeeze(1)
    if x.dtype == torch.uint8:
        # Pillow's mixture of precisions: double in between, single where it keeps a number.
        turn = sector.double().add_(plus).sub_(minus).float().double().div_(6).add_(1).frac_().float()
        byte = turn.double().mul_(255).floor_().add_((255 * shift).trunc().remainder(256))
        most = share.new_tensor(255.0)  # by a number itself a GPU does not divide, but multiplies by 1 / 255
        angle = byte.mul_(1 / 256).frac_().mul_(256).float().mul_(6).div_(most)
        share = share.double().mul_(255).floor_().float().div_(most)
    else:
        angle = sector.add_(plus).sub_(minus).div_(6).add_(1 + shift.remainder(1).float()).frac_().mul_(6)
    return _finished(_from_hsv(angle, share, value, x.dtype == torch.uint8), x)


def gamma(x: Tensor, exponent: Tensor) -> Tensor:
    """Bends the tones, x ** exponent: dark ones lighter below 1, darker above 1; black and white stay.

    On bytes by the table of torchvision's `adjust_gamma`, its fractions cut off: so Pillow took a table of floats up to
    version 8, which TCLR ran with. Later ones round it, to one grey level more at most.
    """
    if x.dtype != torch.uint8:
        return x.clamp(0, 1).pow(exponent.float())
    table = gamma_levels(exponent.reshape(-1)).clamp_(max=255).to(torch.uint8)
    return table.gather(1, x.flatten(1).long()).view(x.shape)


def gamma_levels(exponent: Tensor) -> Tensor:
    """What `gamma` makes of each of the 256 bytes, before whole numbers are made of it: [r] -> float64 [r, 256]."""
    level = torch.arange(256, dtype=torch.float64, device=exponent.device) / 255
    return level.pow(exponent.double()[:, None]).mul_(255.999)


def without_channel(x: Tensor, channel: Tensor) -> Tensor:
    """One channel black; which one, is said for each row."""
    channels = torch.arange(x.shape[1], device=x.device).view(-1, 1, 1, 1)
    return x * (channels != channel)


def taking(order: ChannelOrder, change: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """`change`, with the channels of its rows taken for red, green, blue, or for blue, green, red."""
    return change if order == "rgb" else lambda x, *numbers: change(x.flip(1), *numbers).flip(1)


def refuse_order(order: str) -> None:
    """Refuses what is no order of channels.

    Raises:
        UserError: names those that there are.
    """
    if order not in ("rgb", "bgr"):
        raise UserError(f"unknown order of channels {order!r}: rgb or bgr.{nearest(order, ('rgb', 'bgr'))}")


def _from_hsv(angle: Tensor, share: Tensor, value: Tensor, rounded: bool) -> Tensor:
    """Angle in [0, 6], share (saturation) in [0, 1], value: [r, T, h, w] -> [r, 3, T, h, w]."""
    # What is missing of the value in each channel, as a share of `share`: 0, 1, or a slope between them.
    missing = [
        torch.minimum(angle - 1, 5 - angle),
        torch.maximum(1 - angle, angle - 3),
        torch.maximum(3 - angle, angle - 5),
    ]
    out = torch.stack([slope.clamp_(0, 1).mul_(share).neg_().add_(1).mul_(value) for slope in missing], 1)
    return out.add_(0.5).floor_() if rounded else out


def _three(x: Tensor) -> Tensor:
    if x.shape[1] != 3:
        raise UserError(f"grey, saturation, contrast and hue need three colour channels; this stream has {x.shape[1]}")
    return x


def _luma(y: Tensor, x: Tensor) -> Tensor:
    """[r, 3, T, h, w] floats -> [r, 1, T, h, w]; whole numbers, rounded as Pillow does, if `x` is bytes."""
    red, green, blue = _three(y).split(1, 1)
    if x.dtype != torch.uint8:
        return (red * 0.299).add_(green, alpha=0.587).add_(blue, alpha=0.114)
    # Whole numbers below 2**24: exact in float32.
    return (red * 19595).add_(green, alpha=38470).add_(blue, alpha=7471).add_(32768).mul_(2.0**-16).floor_()


def _blended(y: Tensor, base: Tensor, factor: Tensor, x: Tensor) -> Tensor:
    # Multiplied and added one after the other: a fused product would round otherwise than Pillow does.
    return _finished(y.sub_(base).mul_(factor.float()).add_(base), x)


def _floats(x: Tensor) -> Tensor:
    """A float copy of x, to be overwritten."""
    return x.float() if x.dtype == torch.uint8 else x.clone()


def _finished(y: Tensor, x: Tensor) -> Tensor:
    if x.dtype != torch.uint8:
        return y.clamp_(0, 1)
    # By way of int32: the direct way is three times slower on a CPU.
    return y.clamp_(0, 255).to(torch.int32).to(torch.uint8)
