"""TCLR's changes of colour, some of which exclude each other, and its erasing.

Dave, Gupta, Rizve, Shah: TCLR: Temporal Contrastive Learning for Video Representation, CVIU 2022. Whether a change
happens is decided by gates: uniform numbers in [0, 1), one for each change or for those that exclude each other. The
defaults are those of the pretraining; the whole of it is

    SquareCrop(112, scale=(0.6, 1.0)), GatedJitter(), GreyOrDrop(), Flip(), Erase()

and its linear evaluation has milder numbers. On bytes all is exactly as Pillow does it. With a crop that is not exact
(`exact=False`, three tenths less time) floats come out of it, and the changes are plain formulas without rounding:
pixels then differ by about half a grey level, at most by 4, or by 16 in saturated clips whose hue is turned (Pillow's
hue is a byte).
"""

from __future__ import annotations

import torch
from torch import Tensor

from praxino.errors import UserError, check_arguments
from praxino.rng import Rng
from praxino.views import pixels
from praxino.views.boxes import place, whole
from praxino.views.pipeline import Drawn, Operation, Per, Shape, on_rows, refuse_mixed_sizes, refuse_other_than_rgb
from praxino.views.pixels import ChannelOrder


class GatedJitter(Operation):
    """Contrast, hue, saturation and brightness, each happening by itself; contrast comes first, or last, never twice.

    Factors are uniform in 1 - s .. 1 + s, the turn of the hue in -s .. s.

    TCLR: the defaults in pretraining; brightness, contrast, saturation 0.1, hue 0.05, p 0.15, p_contrast 0.125 in
    linear evaluation.

    Args:
        brightness: strength s, 0 to 1.
        contrast: strength s, 0 to 1.
        saturation: strength s, 0 to 1.
        hue: strength s, 0 to 0.5.
        p: how often hue, saturation and brightness happen, each.
        p_contrast: how often contrast happens, half of it before the others and half after them.
        channel_order: as what luma and hue take the channels. TCLR: "bgr", having read blue for red.
        per: what shares one draw; the mean grey of the contrast is of each single frame all the same.
    """

    def __init__(
        self,
        brightness: float = 0.25,
        contrast: float = 0.25,
        saturation: float = 0.25,
        hue: float = 0.1,
        p: float = 0.3,
        p_contrast: float = 0.25,
        channel_order: ChannelOrder = "rgb",
        per: Per = "clip",
    ) -> None:
        if min(brightness, contrast, saturation, hue) < 0 or max(brightness, contrast, saturation, 2 * hue) > 1:
            raise UserError("GatedJitter: strengths must be between 0 and 1, and that of the hue at most 0.5")
        check_arguments(self, 0, 1, p=p, p_contrast=p_contrast)
        pixels.refuse_order(channel_order)
        self.brightness = brightness
        self.contrast = contrast
        self.saturation = saturation
        self.hue = hue
        self.p = p
        self.p_contrast = p_contrast
        self.channel_order = channel_order
        self.per = per

    def draw(self, rng: Rng, shape: Shape, size: Tensor) -> Drawn:
        """gates and numbers float64 [..., 4]: of contrast, hue, saturation, brightness."""
        refuse_mixed_sizes(self, size)
        u = self.uniform(rng, shape, 8)
        strength = torch.tensor([self.contrast, self.hue, self.saturation, self.brightness], dtype=torch.float64)
        middle = torch.tensor([1, 0, 1, 1])
        return {"gates": u[..., :4], "numbers": middle + strength * (2 * u[..., 4:] - 1)}

    def apply(self, x: Tensor, **drawn: Tensor) -> Tensor:
        refuse_other_than_rgb(self, x)
        gates, numbers = drawn["gates"].unbind(-1), drawn["numbers"].unbind(-1)
        contrast, hue, saturation = (
            pixels.taking(self.channel_order, change) for change in (pixels.contrast, pixels.hue, pixels.saturation)
        )
        half = self.p_contrast / 2
        x = on_rows(contrast, x, gates[0] < half, numbers[0])
        for change, gate, number in zip((hue, saturation, pixels.brightness), gates[1:], numbers[1:], strict=True):
            x = on_rows(change, x, gate < self.p, number)
        return on_rows(contrast, x, (half < gates[0]) & (gates[0] < self.p_contrast), numbers[0])


class GreyOrDrop(Operation):
    """Turns a clip grey, or blackens one of its channels, or neither; a grey clip's tones may be bent (gamma).

    TCLR: the defaults in pretraining; p_grey 0.1, p_drop 0, gamma 0.15 in linear evaluation.

    Args:
        p_grey: how often a clip turns grey.
        p_drop: how often one channel, each as likely, is blackened.
        gamma: strength s, 0 to 1: the exponent is uniform in 1 - s .. 1 + s.
        p_gamma: how often the tones of those that are grey are bent.
        channel_order: as what the luma takes the channels. TCLR: "bgr", having read blue for red.
        per: what shares one draw.
    """

    def __init__(
        self,
        p_grey: float = 0.175,
        p_drop: float = 0.125,
        gamma: float = 0.25,
        p_gamma: float = 0.75,
        channel_order: ChannelOrder = "rgb",
        per: Per = "clip",
    ) -> None:
        check_arguments(self, 0, 1, p_grey=p_grey, p_drop=p_drop, gamma=gamma, p_gamma=p_gamma)
        check_arguments(self, 0, 1, **{"p_grey + p_drop": p_grey + p_drop})
        pixels.refuse_order(channel_order)
        self.p_grey = p_grey
        self.p_drop = p_drop
        self.gamma = gamma
        self.p_gamma = p_gamma
        self.channel_order = channel_order
        self.per = per

    def draw(self, rng: Rng, shape: Shape, size: Tensor) -> Drawn:
        """gates float64 [..., 2]: of grey or drop, and of gamma; gamma float64 and channel int64 [...]."""
        u = self.uniform(rng, shape, 4)
        exponent = 1 + self.gamma * (2 * u[..., 2] - 1)
        return {"gates": u[..., :2], "gamma": exponent, "channel": place(u[..., 3], torch.tensor(2))}

    def apply(self, x: Tensor, **drawn: Tensor) -> Tensor:
        refuse_other_than_rgb(self, x)
        which, tone = drawn["gates"].unbind(-1)
        drop = 1 - self.p_drop
        grey = (drop - self.p_grey < which) & (which < drop)
        x = on_rows(pixels.taking(self.channel_order, pixels.grey), x, grey)
        x = on_rows(pixels.gamma, x, grey & (tone > 1 - self.p_gamma), drawn["gamma"])
        return on_rows(pixels.without_channel, x, which >= drop, drawn["channel"])


class Erase(Operation):
    """Blackens a rectangle, at the same place in all frames of a clip.

    Its upper left corner is anywhere in the frame, and what reaches beyond the border is cut off.

    TCLR: the defaults in pretraining; p 0.25 in linear evaluation.

    Args:
        low: least height and width, in pixels.
        high: greatest height and width, in pixels.
        p: how often.
        per: what shares one rectangle.
    """

    def __init__(self, low: int = 9, high: int = 18, p: float = 0.5, per: Per = "clip") -> None:
        if not 0 < low <= high:
            raise UserError(f"Erase: low {low} and high {high} must be pixels, 1 <= low <= high")
        check_arguments(self, 0, 1, p=p)
        self.low = low
        self.high = high
        self.p = p
        self.per = per

    def draw(self, rng: Rng, shape: Shape, size: Tensor) -> Drawn:
        """box int64 [..., 4] and on bool [...]."""
        refuse_mixed_sizes(self, size)
        u = self.uniform(rng, shape, 5)
        corner = place(u[..., :2], whole(size)[..., 2:] - 1)
        sides = self.low + place(u[..., 2:4], torch.tensor(self.high - self.low))
        return {"box": torch.cat([corner, sides], -1), "on": u[..., 4] < self.p}

    def apply(self, x: Tensor, **drawn: Tensor) -> Tensor:
        top, left, height, width = drawn["box"].unsqueeze(-1).unbind(-2)  # each [B, 1|n, 1|T, 1]
        row, column = (torch.arange(side, device=x.device) for side in x.shape[-2:])
        rows = (top <= row) & (row < top + height) & drawn["on"].unsqueeze(-1)
        columns = (left <= column) & (column < left + width)
        inside = rows.unsqueeze(-1) & columns.unsqueeze(-2)  # [B, 1|n, 1|T, h, w]
        return x.masked_fill(inside.unsqueeze(2), 0)
