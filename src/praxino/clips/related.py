"""Single frames of one video: a query, and candidates that show the same things some seconds away."""

from __future__ import annotations

import math
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from praxino.clips.samplers import Sampler, refuse_numbers
from praxino.errors import UserError

# Below what a timestamp tells apart.
ROUNDING = 1e-6


class RelatedFrames(Sampler):
    """A query frame first, then candidates, all out of one set of frames: 1 + `candidates` clips of one frame.

    The set is `set_size` frames, `distance` seconds apart by the video's own times. Its first frame is uniform over all
    that leave room for it. In a shorter video the set lies evenly from the first frame to the last. No frame is in a
    set twice: where two places fall on one frame, the later one moves to the next frame.

    The query is uniform over the set. The candidates are drawn from it without replacement, and independently of the
    query, so that one of them is the query itself with probability `candidates / set_size`. Wu, Wang: Contrastive
    Learning of Image Representations with Cross-Video Cycle-Consistency, 2021, whose data are videos of four frames:
    `set_size=None` there.

    Args:
        set_size: frames of the set; None: all frames of the video, however far apart.
        distance: seconds from one frame of the set to the next.
        candidates: how many.
        exclude_query: whether the query is never among the candidates.

    Raises:
        UserError: if a number is too small, or there are more candidates than the set can give.
    """

    def __init__(
        self, set_size: int | None = 4, distance: float = 1.0, candidates: int = 1, exclude_query: bool = False
    ) -> None:
        refuse_numbers(candidates=candidates, **({} if set_size is None else {"set_size": set_size}))
        if not (distance > 0 and math.isfinite(distance)):
            raise UserError(f"RelatedFrames takes a distance above 0 seconds, not {distance}")
        needed = candidates + exclude_query
        if set_size is not None and set_size < needed:
            raise UserError(
                f"RelatedFrames: {candidates} candidates{' beside the query' if exclude_query else ''} need a set of "
                f"{needed} frames, and set_size is {set_size}"
            )
        self.set_size = set_size
        self.distance = distance
        self.candidates = candidates
        self.exclude_query = exclude_query
        self.min_frames = needed if set_size is None else set_size

    def places(self, times: NDArray[np.float64]) -> int:
        """How many first frames of a set a video has: 0, 1, ... places - 1."""
        if self.set_size is None:
            return 1
        last = times[-1] - self._step(times, self.set_size) * (self.set_size - 1)
        fitting = int(np.searchsorted(times, last + ROUNDING, side="right"))
        return min(fitting, len(times) - self.set_size + 1)

    def related(self, times: NDArray[np.float64], start: int) -> NDArray[np.int64]:
        """The set that begins at frame `start`: ascending frame numbers int64 [set_size].

        Args:
            times: float64 [length], seconds of each frame, never falling.
            start: in [0, `places(times)`).
        """
        if self.set_size is None:
            return np.arange(len(times), dtype=np.int64)
        place = np.arange(self.set_size)
        numbers = _nearest(times, times[start] + self._step(times, self.set_size) * place)
        # Two places may fall on one frame where frames are far apart.
        numbers = np.maximum.accumulate(numbers - place) + place
        return cast(NDArray[np.int64], np.minimum(numbers, len(times) - self.set_size + place))

    def numbers(self, times: NDArray[np.float64], start: int, query: int, candidates: ArrayLike) -> NDArray[np.int64]:
        """Frame numbers int64 [1 + candidates, 1].

        Args:
            times, start: as of `related`.
            query: its place in the set.
            candidates: [candidates], their places in the set; with `exclude_query` in the set without the query.
        """
        places = np.asarray(candidates, np.int64)
        if self.exclude_query:
            places = places + (places >= query)
        return self.related(times, start)[np.append(query, places)][:, None]

    def __call__(self, times: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
        frames = self.set_size or len(times)
        start, query = int(rng.integers(self.places(times))), int(rng.integers(frames))
        candidates = rng.choice(frames - self.exclude_query, self.candidates, replace=False)
        return self.numbers(times, start, query, candidates)

    def _step(self, times: NDArray[np.float64], frames: int) -> float:
        """Seconds between the frames of a set in this video."""
        return min(self.distance, float(times[-1] - times[0]) / max(frames - 1, 1))


def _nearest(times: NDArray[np.float64], seconds: NDArray[np.float64]) -> NDArray[np.int64]:
    """The frame that is nearest to each of `seconds`, of two the earlier one; up to a rounding of the times."""
    after = np.clip(np.searchsorted(times, seconds), 1, max(len(times) - 1, 1))
    before = after - 1
    after = np.minimum(after, len(times) - 1)
    return np.where(seconds - times[before] <= times[after] - seconds + ROUNDING, before, after)
