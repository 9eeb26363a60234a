"""The loaders of a run: of what is trained on, and of what is held out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from praxino import ranks
from praxino.catalogs.base import Video
from praxino.clips.dataset import ClipDataset
from praxino.clips.loader import ClipLoader
from praxino.clips.samplers import Sampler
from praxino.streams.base import Canvas
from praxino.streams.choose import Streams
from praxino.training.accumulation import Accumulate
from praxino.training.validation import together
from praxino.training.videos import RunVideos


@dataclass(frozen=True)
class Loaders:
    """How the videos of a run become batches: this process's rows of each.

    Args:
        seed, batch_size, workers, prefetch, accumulate, drop_last: as of `praxino.training.session.Session`.
        pin_memory: for a GPU.
    """

    seed: int
    batch_size: int
    workers: int
    prefetch: int
    accumulate: Accumulate
    drop_last: bool
    pin_memory: bool

    def training(
        self,
        videos: Sequence[Video],
        needed: Sequence[str],
        sampler: Sampler,
        streams: Streams | None,
        canvas: Mapping[str, Canvas] | None,
        lengths: NDArray[np.int64] | None = None,
    ) -> ClipLoader:
        """The batches of a training.

        Args:
            videos, needed, sampler, streams, canvas, lengths: as of `ClipDataset`.

        Raises:
            UserError: as of `ClipLoader`.
        """
        return self.over(ClipDataset(videos, needed, sampler, streams, canvas, self.seed, lengths=lengths))

    def over(self, dataset: ClipDataset) -> ClipLoader:
        """The batches of a training over a data set of another kind.

        Raises:
            UserError: as of `ClipLoader`.
        """
        return ClipLoader(
            dataset, self.batch_size, self.workers, ranks.rank(), ranks.world(), self.drop_last, self.pin_memory,
            self.accumulate if isinstance(self.accumulate, int) else 1, self.prefetch,
        )  # fmt: skip

    def held_out(
        self,
        videos: Sequence[Video],
        needed: Sequence[str],
        sampler: Sampler,
        streams: Streams | None,
        canvas: Mapping[str, Canvas] | None,
        lengths: NDArray[np.int64] | None = None,
        apart: bool = False,
    ) -> ClipLoader:
        """The batches of held-out videos.

        Args:
            videos, needed, sampler, streams, canvas, lengths: as of `ClipDataset`; the videos in the order given.
            apart: each process takes a share of the videos by itself, so that every one counts once; for tasks that say
                something of each video. Else batches are shared among the processes, as in training, and whole ones.

        Raises:
            UserError: if there are fewer videos than processes, or a batch would hold a single one.
        """
        rank, world, size = ranks.rank(), ranks.world(), self.batch_size
        if apart:
            mine = np.arange(rank, len(videos), world)
            videos, lengths = RunVideos(videos, mine), None if lengths is None else lengths[mine]
            rank, world, size = 0, 1, size // world
        else:
            size = together(len(videos), size)
        dataset = ClipDataset(videos, needed, sampler, streams, canvas, self.seed, False, lengths)
        drop_last = not apart
        # It waits for the end of the epoch with what it has ready.
        return ClipLoader(dataset, size, self.workers, rank, world, drop_last, self.pin_memory, prefetch=1)
