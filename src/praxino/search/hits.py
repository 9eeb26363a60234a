"""What a search has found."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from praxino.errors import UserError
from praxino.search.manifest import Record
from praxino.search.moments import Moment

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class Hit:
    """A moment that was found: its place, from 1 on; the video's id, seconds, cosine similarity, and its best row."""

    rank: int
    video: str
    start: float
    end: float
    similarity: float
    row: int


@dataclass(frozen=True)
class Hits(Sequence[Hit]):
    """Moments in their order, the most similar first: a sequence of `Hit`, and the same as arrays.

    Attributes:
        video: str [n], ids.
        start, end: float64 [n], seconds.
        similarity: float32 [n], cosines.
        row: int64 [n], of each one's best clip in the index.
    """

    video: NDArray[np.str_]
    start: NDArray[np.float64]
    end: NDArray[np.float64]
    similarity: NDArray[np.float32]
    row: NDArray[np.int64]

    @classmethod
    def of(cls, moments: Sequence[Moment], records: Sequence[Record]) -> Hits:
        """The hits of moments, whose videos are these.

        Raises:
            ValueError: if one is not of its video, or at no time.
        """
        for one, record in zip(moments, records, strict=True):
            if one.row not in range(*record.rows().indices(one.row + 1)):
                raise ValueError(f"clip {one.row} is not of {record.id}")
            if not (math.isfinite(one.start) and math.isfinite(one.end)):
                raise ValueError(f"clip {one.row} of {record.id} is at no time")
        return cls(
            np.array([record.id for record in records], np.str_),
            np.array([one.start for one in moments], np.float64),
            np.array([one.end for one in moments], np.float64),
            np.array([one.similarity for one in moments], np.float32),
            np.array([one.row for one in moments], np.int64),
        )

    def __len__(self) -> int:
        return len(self.row)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        at = range(len(self))[place]
        return Hit(
            at + 1, str(self.video[at]), float(self.start[at]), float(self.end[at]), float(self.similarity[at]),
            int(self.row[at]),
        )  # fmt: skip

    def __iter__(self) -> Iterator[Hit]:
        return (self[at] for at in range(len(self)))

    def frame(self) -> pandas.DataFrame:
        """The same as a table of pandas: rank, video, start, end, similarity.

        Raises:
            UserError: if pandas is not installed.
        """
        try:
            import pandas
        except ImportError:
            raise UserError("a table of hits needs pandas: pip install pandas; arrays need nothing") from None
        ranks = np.arange(1, len(self) + 1)
        columns = {name: getattr(self, name) for name in ("video", "start", "end", "similarity")}
        return pandas.DataFrame({"rank": ranks, **columns})
