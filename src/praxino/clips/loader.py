"""The batches of a run, in an order that workers, prefetching and the number of processes do not change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Sampler

from praxino.batch import ClipBatch
from praxino.clips.dataset import BatchKey, ClipDataset
from praxino.clips.loading_process import Handed
from praxino.clips.patience import PATIENCE_SECONDS
from praxino.clips.waiting import Awaited
from praxino.errors import UserError
from praxino.printable import are, counted


class ClipLoader:
    """Batches of a dataset, epoch after epoch.

    Args:
        dataset: makes the batch of a key.
        batch_size: global, over all ranks; a multiple of `ranks`.
        workers: loading processes of this rank; 0 loads in the training process.
        rank, ranks: this process and how many there are: rank r holds rows [r * n, (r + 1) * n) of a batch.
        drop_last: leaves out an epoch's last, shorter batch; else it is cut to a multiple of `ranks`.
        pin_memory: for a GPU.
        multiple_of: batches that make one optimizer step: an epoch has whole steps only.
        prefetch: batches that each loading process holds ready.
        patience: seconds after which a batch is given up that no loading process works on: as of `Awaited`.

    Raises:
        UserError: if a number is too small, there are fewer videos than a batch takes, or the batch does not divide
            among the ranks.
    """

    def __init__(
        self,
        dataset: ClipDataset,
        batch_size: int,
        workers: int = 0,
        rank: int = 0,
        ranks: int = 1,
        drop_last: bool = True,
        pin_memory: bool = False,
        multiple_of: int = 1,
        prefetch: int = 3,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        videos = len(dataset.videos)
        for name, number, least in (
            ("batch_size", batch_size, 1),
            ("workers", workers, 0),
            ("accumulate", multiple_of, 1),
            ("prefetch", prefetch, 1),
        ):
            if number < least:
                raise UserError(f"--{name} must be at least {least}, not {number}")
        if batch_size % ranks:
            raise UserError(f"--batch_size {batch_size} does not divide among {ranks} processes: take a multiple")
        if videos < ranks:
            raise UserError(f"{counted(videos, 'video')} {are(videos)} fewer than {ranks} processes")
        if videos < batch_size and drop_last:
            fitting = videos // ranks * ranks
            alone = "one video can be told from no other; --cut 60 makes every minute of a long one an item of its own"
            mend = f"pass --batch_size {fitting} or less" if fitting > 1 else alone
            raise UserError(f"{counted(videos, 'video')} {are(videos)} fewer than one batch: {mend}")
        self.dataset = dataset
        self.batch_size = batch_size
        self.workers = workers
        self.rank = rank
        self.ranks = ranks
        self.drop_last = drop_last
        self.pin_memory = pin_memory
        self.multiple_of = multiple_of
        self.prefetch = prefetch
        self.patience = patience
        if not len(self):
            raise UserError(
                f"an epoch of {counted(videos, 'video')} has no {multiple_of} batches of {batch_size} to accumulate"
            )

    def __len__(self) -> int:
        """Batches in an epoch."""
        videos = len(self.dataset.videos)
        rest = 0 if self.drop_last else videos % self.batch_size // self.ranks
        batches = videos // self.batch_size + (rest > 0)
        return batches // self.multiple_of * self.multiple_of

    @property
    def in_flight(self) -> int:
        """Batches that may be held at once: those that wait, and the one that is worked on."""
        return self.workers * self.prefetch + 1

    @property
    def left_out(self) -> int:
        """Videos that an epoch leaves out, because the last batch is dropped or cut."""
        return len(self.dataset.videos) - self.key(0, len(self) - 1).batch_last

    @property
    def least_videos(self) -> int:
        """Videos of an epoch's last batch, the shortest one, in each process."""
        last = self.key(0, len(self) - 1)
        return last.last - last.first

    def key(self, epoch: int, batch: int) -> BatchKey:
        """This rank's key of a batch of an epoch."""
        first = batch * self.batch_size
        rows = min(self.batch_size, (len(self.dataset.videos) - first) // self.ranks * self.ranks)
        mine = rows // self.ranks
        own = first + self.rank * mine
        return BatchKey(epoch, own, own + mine, first, first + rows)

    def batches(self, epoch: int = 0, start: int = 0) -> Awaited[ClipBatch]:
        """All batches from batch `start` of `epoch` on, without end: prefetching does not stop between epochs.

        `close()` ends the loading processes.
        """
        # Forked where possible (no reader is open in this process, see streams): no second import of everything. They
        # start here, and not with the first batch: by then the loop may have threads, which a fork breaks.
        more: dict[str, Any] = {"prefetch_factor": self.prefetch} if self.workers else {}
        return Awaited(
            Handed(self.dataset, _tensors, self.workers * self.prefetch),
            _Endless(self, epoch, start),
            self.workers,
            self.patience,
            pin_memory=self.pin_memory and torch.cuda.is_available(),
            **more,
        )


class _Endless(Sampler[BatchKey]):
    def __init__(self, loader: ClipLoader, epoch: int, start: int) -> None:
        self.loader = loader
        self.first = (epoch, start)

    def __iter__(self) -> Iterator[BatchKey]:
        epoch, start = self.first
        while True:
            yield from (self.loader.key(epoch, batch) for batch in range(start, len(self.loader)))
            epoch, start = epoch + 1, 0


def _tensors(batch: ClipBatch) -> list[Tensor]:
    streams = [t for f in batch.streams.values() for t in (f.pixels, f.size, f.present, f.where)]
    return [*streams, batch.index, batch.label, batch.numbers, batch.times]
