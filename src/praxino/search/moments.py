"""Clips put together: to moments of videos, or to one hit a video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

By = Literal["moment", "clip", "video"]


@dataclass
class Moment:
    """A part of a video that was found.

    Attributes:
        video: its line of the manifest.
        start, end: seconds, of the first clip's first frame and the last one's last.
        similarity: of the clip that is most like the query.
        row: of this clip.
    """

    video: int
    start: float
    end: float
    similarity: float
    row: int

    def overlaps(self, start: float, end: float) -> bool:
        """Whether a clip has a time in common with it."""
        return start <= self.end and end >= self.start


def moments(
    rows: NDArray[np.int64],
    similarities: NDArray[np.float32],
    owners: NDArray[np.int64],
    seconds: NDArray[np.float64],
    k: int,
    by: By,
) -> tuple[list[Moment], bool]:
    """The first `k` moments, clips or videos among ranked clips.

    Moments: clips of one video that overlap are one, before `k` is counted. It reaches from the beginning of its first
    clip to the end of its last, and its similarity is that of its best. Of a small index, whose worse half of the clips
    is ranked, too, these make no moment longer: else a video would end up as one.

    Args:
        rows: int64 [n], the best first.
        similarities: [n].
        owners: int64, the video of each row of the index.
        seconds: [.., 2], from when to when each row is.
        k: how many.
        by: what is counted.

    Returns:
        At most `k` of them, in order; and whether a clip beyond these was met, so that looking further finds no other.
    """
    better = max(1, len(owners) // 2)
    found: list[Moment] = []
    ofs: dict[int, list[Moment]] = {}
    whose = np.asarray(owners[rows]).tolist()
    times = np.asarray(seconds[rows]).tolist()
    for place, (row, similarity, video, (start, end)) in enumerate(
        zip(rows.tolist(), similarities.tolist(), whose, times, strict=True)
    ):
        own = ofs.get(video, [])
        near = own if by == "video" else [one for one in own if by == "moment" and one.overlaps(start, end)]
        if near:
            if by == "moment" and place < better:
                _join(found, own, near, start, end)
            continue
        if len(found) == k:
            return found, True
        one = Moment(video, start, end, similarity, row)
        found.append(one)
        ofs.setdefault(video, []).append(one)
        if len(found) == k and by != "moment":  # which nothing makes longer
            break
    return found, len(found) == k and by != "moment"


def _join(found: list[Moment], own: list[Moment], near: Sequence[Moment], start: float, end: float) -> None:
    """Makes a clip, and the moments between which it lies, part of the best of these."""
    best, *others = near
    best.start = min(start, *(one.start for one in near))
    best.end = max(end, *(one.end for one in near))
    for other in others:
        found[:] = [one for one in found if one is not other]
        own[:] = [one for one in own if one is not other]
