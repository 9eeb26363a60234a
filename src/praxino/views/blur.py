"""Pillow's Gaussian blur: three box filters of fractional width along each axis.

Gwosdek, Grewenig, Bruhn, Weickert: Theoretical Foundations of Gaussian Convolution by Extended Box Filtering, 2011.
"""

from __future__ import annotations

import torch
from torch import Tensor

PASSES = 3
PRECISION = 24


def blur(x: Tensor, sigma: Tensor) -> Tensor:
    """Blurs rows [r, C, T, h, w], each by its own standard deviation in pixels: `ImageFilter.GaussianBlur(sigma)`.

    Beyond the border the outermost pixel is repeated. On bytes to the bit as Pillow, which rounds after each of the six
    passes; on floats the same filter without rounding.

    Args:
        x: uint8, or floats.
        sigma: [r, 1, 1, 1, 1].
    """
    weights = box_weights(sigma.reshape(-1))
    bytes_in = x.dtype == torch.uint8
    # Bytes less 128, as signed bytes: so no sum of weighted pixels leaves 32 bits.
    y = x ^ 128 if bytes_in else x
    # Whole rows of pixels are added up faster than shifted ones: the first passes work on the transposed picture.
    for _ in range(2):
        y = y.transpose(-1, -2).contiguous()
        y = y.view(torch.int8) if bytes_in else y
        for _ in range(PASSES):
            y = _pass(y, weights)
        y = y.view(torch.uint8) if bytes_in else y
    return y ^ 128 if bytes_in else y


def box_weights(sigma: Tensor) -> Tensor:
    """The weights of one pass, in units of 2**-24: int64 [r, K], K odd, the middle one for the pixel itself.

    A box of fractional width 2 R + 1: whole pixels inside, a fraction of one at each end.
    """
    passes = torch.full_like(sigma, PASSES, dtype=torch.float32)  # by a number itself a GPU does not divide exactly
    variance = (sigma.float() * sigma.float() / passes).double()  # single where Pillow keeps a number, double between
    whole = (((12 * variance + 1).sqrt().float().double() - 1) / 2).floor().float()
    variance = variance.float()
    fraction = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance) / (6 * (variance - (whole + 1) * (whole + 1)))
    radius = whole + fraction
    reach = radius.long()
    inside = (2.0**PRECISION / (2 * radius + 1)).long()
    edge = (2**PRECISION - (2 * reach + 1) * inside) // 2
    offset = torch.arange(-(int(reach.max()) + 1), int(reach.max()) + 2, device=sigma.device).abs()
    weights = torch.where(offset <= reach[:, None], inside[:, None], 0)
    return torch.where(offset == reach[:, None] + 1, edge[:, None], weights)


def _pass(x: Tensor, weights: Tensor) -> Tensor:
    """One box filter along axis -2 of [r, C, T, n, m]."""
    size, reach = x.shape[-2], weights.shape[1] // 2
    before, after = x[..., :1, :].expand(*x.shape[:-2], reach, -1), x[..., -1:, :].expand(*x.shape[:-2], reach, -1)
    padded = torch.cat([before, x, after], -2)
    if x.dtype == torch.int8:
        # The weights of a row add up to 2**24, or to 1 less, which the pixels' offset of 128 brings in again.
        start = 2 ** (PRECISION - 1) - 128 * (2**PRECISION - weights.sum(1))
        padded, total, weights = padded.to(torch.int32), start.to(torch.int32), weights.to(torch.int32)
    else:
        total, weights = x.new_zeros(len(x)), (weights / 2**PRECISION).to(x.dtype)
    first, *others = (tap.view(-1, 1, 1, 1, 1) for tap in weights.unbind(1))
    total = (padded[..., :size, :] * first).add_(total.view(-1, 1, 1, 1, 1))
    for k, tap in enumerate(others, 1):
        total.addcmul_(padded[..., k : k + size, :], tap)
    return total.bitwise_right_shift_(PRECISION).to(torch.int8) if x.dtype == torch.int8 else total
