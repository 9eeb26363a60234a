"""Features that nobody trained: what the number of a learnt representation has to be held against.

Each is a pure function of float RGB clips [b, 3, T, h, w] in [0, 1] and returns [b, d], in the dtype of the clips and
on their device. A video's feature is the mean over its clips, compared like the learnt ones: by cosine, after the
gallery's mean is taken off. Where a square root is taken it is because shares and magnitudes spread with their size;
without it a few busy videos decide every cosine, and the baseline would look weaker than it is.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, adaptive_avg_pool3d

GRID = 8
BINS = 4


def thumbnail(clips: Tensor) -> Tensor:
    """The mean frame as 8x8 colour cells: scene and colour, no motion. [b, 192], in [0, 1]."""
    return adaptive_avg_pool2d(clips.mean(2), GRID).flatten(1)


def one_frame(clips: Tensor) -> Tensor:
    """The middle frame as 8x8 colour cells: what a single picture gives away. [b, 192], in [0, 1]."""
    return adaptive_avg_pool2d(clips[:, :, clips.shape[2] // 2], GRID).flatten(1)


def colour_histogram(clips: Tensor) -> Tensor:
    """Square roots of the shares of the pixels in 4x4x4 bins of red, green and blue. [b, 64], of Euclidean length 1.

    The dot product of two is their Bhattacharyya coefficient.
    """
    level = (clips * BINS).long().clamp(0, BINS - 1)
    pixels = ((level[:, 0] * BINS + level[:, 1]) * BINS + level[:, 2]).flatten(1)
    counts = torch.zeros(len(clips), BINS**3, device=clips.device)
    counts.scatter_add_(1, pixels, torch.ones(pixels.shape, device=clips.device))
    return (counts / pixels.shape[1]).sqrt().to(clips.dtype)


def frame_difference(clips: Tensor) -> Tensor:
    """Square roots of the mean over time of |x[t] - x[t-1]|, in 8x8 colour cells: where it moves. [b, 192].

    Raises:
        ValueError: if the clips have one frame only.
    """
    return adaptive_avg_pool2d(_differences(clips).abs().mean(2), GRID).flatten(1).sqrt()


def temporal_spectrum(clips: Tensor) -> Tensor:
    """How fast it moves, wherever that is: temporal frequencies of the frame differences. [b, 3 * ((T - 1) // 2 + 1)].

    The magnitude of the temporal Fourier transform of the differences of 8x8 cells, meaned over the colours; for every
    frequency its mean, standard deviation and maximum over the cells; then the square root.

    Raises:
        ValueError: if the clips have one frame only.
    """
    cells = adaptive_avg_pool3d(clips, (clips.shape[2], GRID, GRID))
    magnitude = torch.fft.rfft(_differences(cells).float(), dim=2).abs().mean(1).flatten(2)
    over_space = (magnitude.mean(2), magnitude.std(2), magnitude.amax(2))
    return torch.cat(over_space, 1).sqrt().to(clips.dtype)


def _differences(clips: Tensor) -> Tensor:
    if clips.shape[2] < 2:
        raise ValueError("features of motion need clips of at least two frames")
    return clips[:, :, 1:] - clips[:, :, :-1]
