"""The features that nobody trained, against plain loops in numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from praxino.evaluations import handmade

FEATURES = {
    "thumbnail": handmade.thumbnail,
    "one_frame": handmade.one_frame,
    "colour_histogram": handmade.colour_histogram,
    "frame_difference": handmade.frame_difference,
    "temporal_spectrum": handmade.temporal_spectrum,
}
# float32 sums of a few hundred terms of size 1 in another order.
CLOSE = {"rtol": 1e-4, "atol": 1e-6}


def clips(seed: int = 0, frames: int = 6, height: int = 16, width: int = 24) -> torch.Tensor:
    return torch.rand(2, 3, frames, height, width, generator=torch.Generator().manual_seed(seed))


def cells(picture: np.ndarray) -> np.ndarray:
    """[3, h, w] -> [3, 8, 8]; sides divisible by 8."""
    _, h, w = picture.shape
    return picture.reshape(3, 8, h // 8, 8, w // 8).mean((2, 4))


def test_thumbnail_and_one_frame() -> None:
    x = clips()
    for row, clip in enumerate(x.double().numpy()):
        np.testing.assert_allclose(handmade.thumbnail(x)[row], cells(clip.mean(1)).ravel(), **CLOSE)
        np.testing.assert_allclose(handmade.one_frame(x)[row], cells(clip[:, 3]).ravel(), **CLOSE)


def test_colour_histogram_counts_pixels() -> None:
    x = clips(frames=2, height=4, width=5)
    x[0, :, 0, 0, 0] = 1.0
    for row, clip in enumerate(x.numpy()):
        counts = np.zeros(64)
        for red, green, blue in clip.reshape(3, -1).T:
            r, g, b = (min(int(v * 4), 3) for v in (red, green, blue))
            counts[16 * r + 4 * g + b] += 1
        np.testing.assert_allclose(handmade.colour_histogram(x)[row], np.sqrt(counts / 40), **CLOSE)


def test_frame_difference() -> None:
    x = clips()
    for row, clip in enumerate(x.double().numpy()):
        moved = np.mean([np.abs(clip[:, t] - clip[:, t - 1]) for t in range(1, 6)], axis=0)
        np.testing.assert_allclose(handmade.frame_difference(x)[row], np.sqrt(cells(moved)).ravel(), **CLOSE)


def test_temporal_spectrum() -> None:
    x = clips(frames=9)
    for row, clip in enumerate(x.double().numpy()):
        small = np.stack([cells(clip[:, t]) for t in range(9)], 1)
        magnitude = np.abs(np.fft.rfft(np.diff(small, axis=1), axis=1)).mean(0).reshape(5, 64)
        wanted = np.concatenate([magnitude.mean(1), magnitude.std(1, ddof=1), magnitude.max(1)])
        np.testing.assert_allclose(handmade.temporal_spectrum(x)[row], np.sqrt(wanted), **CLOSE)


def test_the_spectrum_knows_the_speed_and_not_the_place() -> None:
    time = torch.arange(17) / 16
    flicker = torch.zeros(3, 3, 17, 32, 32)
    for row, (cycles, corner) in enumerate([(2, 0), (2, 16), (6, 0)]):
        wave = 0.5 + 0.4 * torch.sin(2 * torch.pi * cycles * time)
        flicker[row, :, :, corner : corner + 8, corner : corner + 8] = wave[:, None, None]
    slow, moved, fast = handmade.temporal_spectrum(flicker)
    torch.testing.assert_close(slow, moved)
    assert slow[:9].argmax() == 2
    assert fast[:9].argmax() == 6


def test_motion_features_ignore_what_stands_still() -> None:
    still = clips()[:, :, :1].expand(-1, -1, 6, -1, -1)
    assert not handmade.frame_difference(still).any()
    assert handmade.temporal_spectrum(still).abs().max() < 1e-3


@pytest.mark.parametrize("name", FEATURES)
@pytest.mark.parametrize("shape", [(2, 3, 2, 5, 7), (1, 3, 8, 56, 56), (3, 3, 5, 33, 8)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_any_size_gives_one_finite_row_a_clip(name: str, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    x = torch.rand(shape, dtype=dtype)
    made = FEATURES[name](x)
    assert made.ndim == 2
    assert len(made) == shape[0]
    assert made.dtype == dtype
    assert made.isfinite().all()
    # A clip's feature is its own: the batch around it changes nothing.
    torch.testing.assert_close(FEATURES[name](x[:1]), made[:1])


@pytest.mark.parametrize("name", ["frame_difference", "temporal_spectrum"])
def test_one_frame_has_no_motion(name: str) -> None:
    with pytest.raises(ValueError, match="two frames"):
        FEATURES[name](torch.rand(1, 3, 1, 8, 8))
