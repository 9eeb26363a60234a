"""How well boxes follow an object, as the field's toolkit counts it (got10k 0.1.3; docs/evaluations/tracking.md).

Boxes are x, y, width and height in pixels. An overlap is the intersection over the union of two boxes, 0 to 1. A centre
is x + (width - 1) / 2, y + (height - 1) / 2, and a centre error a distance in pixels. A success is an overlap **above**
a threshold, a precision a centre error **up to** one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

OVERLAPS = np.linspace(0, 1, 21)
FINE_OVERLAPS = np.linspace(0, 1, 101)  # of GOT-10k's curve
PIXELS = np.arange(51.0)
HALF, NEAR = 10, 20  # where in OVERLAPS 0.5 is, and in PIXELS 20


@dataclass(frozen=True, eq=False)
class OTBScores:
    """What OTB counts, of a sequence or over several.

    Attributes:
        success: float64 [21], the share of frames whose overlap is above 0, 0.05, ..., 1.
        precision: float64 [51], the share of frames whose centre error is 0, 1, ..., 50 pixels or less.
    """

    success: Floats
    precision: Floats

    @property
    def auc(self) -> float:
        """Area under the success curve: its mean. No overlap is above 1, so that 20/21 is the most."""
        return float(self.success.mean())

    @property
    def precision_at_20(self) -> float:
        """Share of frames whose centre error is at most 20 pixels."""
        return float(self.precision[NEAR])

    @property
    def success_rate(self) -> float:
        """Share of frames whose overlap is above 0.5."""
        return float(self.success[HALF])


@dataclass(frozen=True, eq=False)
class GOT10kScores:
    """What GOT-10k counts, of a sequence or over several.

    Attributes:
        overlaps: float64 [frames], of the frames that count.
    """

    overlaps: Floats

    @property
    def average_overlap(self) -> float:
        """AO: the mean overlap."""
        return float(self.overlaps.mean())

    def success_rate(self, threshold: float) -> float:
        """SR: the share of frames whose overlap is above a threshold."""
        return float((self.overlaps > threshold).mean())

    @property
    def success(self) -> Floats:
        """float64 [101], the share of frames whose overlap is above 0, 0.01, ..., 1."""
        return shares(self.overlaps[:, None] > FINE_OVERLAPS)


def otb_scores(predicted: Floats, truth: Floats) -> OTBScores | None:
    """One sequence by OTB. The first frame counts, and counts as found: its predicted box is the true one.

    Args:
        predicted: float64 [frames, 4].
        truth: float64 [frames, 4]; frames with NaN do not count, as in the toolkit's UAV123.

    Returns:
        None if no frame counts.
    """
    told = ~np.isnan(truth).any(axis=1)
    if not told.any():
        return None
    predicted = np.concatenate([truth[:1], predicted[1:]])[told]
    found = overlap(predicted, truth[told])[:, None] > OVERLAPS
    near = centre_error(predicted, truth[told])[:, None] <= PIXELS
    return OTBScores(shares(found), shares(near))


def otb_over_all(scores: Sequence[OTBScores]) -> OTBScores:
    """The mean of the curves over sequences, short and long ones alike."""
    return OTBScores(
        np.mean([one.success for one in scores], axis=0), np.mean([one.precision for one in scores], axis=0)
    )


def got10k_scores(
    predicted: Floats, truth: Floats, cover: NDArray[np.int64] | None, height: int, width: int
) -> GOT10kScores | None:
    """One sequence by GOT-10k. The first frame does not count, nor do those in which nothing of the object is seen.

    Both boxes are cut at the edges of the frame, as the toolkit cuts them: a corner outside is moved to the edge, and
    then what reaches beyond the far edges is cut off.

    Args:
        predicted: float64 [frames, 4], corners counted from 0.
        truth: float64 [frames, 4], corners counted from 0; frames with NaN do not count.
        cover: int64 [frames], from 0, nothing of the object is seen; None: all frames count.
        height, width: of the frames, in pixels.

    Returns:
        None if no frame counts.
    """
    counts = ~np.isnan(truth).any(axis=1) & (np.arange(len(truth)) > 0)
    if cover is not None:
        counts &= cover > 0
    if not counts.any():
        return None
    return GOT10kScores(overlap(*(_within(boxes[counts], height, width) for boxes in (predicted, truth))))


def got10k_over_all(scores: Sequence[GOT10kScores]) -> GOT10kScores:
    """All frames of all sequences alike."""
    return GOT10kScores(np.concatenate([one.overlaps for one in scores]))


def overlap(one: Floats, other: Floats) -> Floats:
    """Intersection over union of boxes, row by row; 0 where a box has no area, or is NaN.

    Args:
        one, other: float64 [..., 4].

    Returns:
        float64 [...], 0 to 1.
    """
    with np.errstate(invalid="ignore"):  # infinite boxes
        first = np.maximum(one[..., :2], other[..., :2])
        last = np.minimum(one[..., :2] + one[..., 2:], other[..., :2] + other[..., 2:])
        shared = np.maximum(last - first, 0).prod(-1)
        union = one[..., 2:].prod(-1) + other[..., 2:].prod(-1) - shared
        share = shared / (union + np.finfo(np.float64).eps)
    return np.clip(np.nan_to_num(share, nan=0.0), 0, 1)


def centre_error(one: Floats, other: Floats) -> Floats:
    """The distance of the centres of boxes in pixels, row by row; infinite where a box is NaN.

    Args:
        one, other: float64 [..., 4].

    Returns:
        float64 [...].
    """
    with np.errstate(invalid="ignore"):
        apart = (one[..., :2] + (one[..., 2:] - 1) / 2) - (other[..., :2] + (other[..., 2:] - 1) / 2)
        # Not by hypot, which rounds once: the toolkit's own way decides at a whole pixel.
        return np.nan_to_num(np.sqrt((apart**2).sum(-1)), nan=np.inf, posinf=np.inf)


def shares(hits: NDArray[np.bool_]) -> Floats:
    """The share of frames that hit, of each threshold: bool [frames, thresholds] to float64 [thresholds]."""
    return hits.mean(axis=0)


def _within(boxes: Floats, height: int, width: int) -> Floats:
    """Boxes cut at a frame's edges. Corners count from 1 in the toolkit, and are held against 0 and the size all the
    same, so that there is a pixel beside the frame.
    """
    limit = np.array([width, height], np.float64)
    corner = np.clip(boxes[:, :2] + 1, 0, limit)
    return np.concatenate([corner, np.clip(boxes[:, 2:], 0, limit - corner)], axis=1)
