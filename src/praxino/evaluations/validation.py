"""What a classifier's epoch is chosen by: the loss on the videos that are held out; or, as TCLR does it, the test."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Literal, Self

import torch
from torch.nn import functional as F

from praxino import ranks
from praxino.batch import ClipBatch
from praxino.clips.loader import ClipLoader
from praxino.evaluations.features import VideoFeatures
from praxino.evaluations.recognition import scores
from praxino.methods.base import Task
from praxino.methods.classifier import Classifier
from praxino.rng import Rng
from praxino.training.precision import Precision, autocast
from praxino.views.pipeline import View

Best = tuple[str, Literal["min", "max"]]


class Validation:
    """What `fit` calls after each epoch. A video's logits are the mean over its clips.

    All processes validate with rank 0's BatchNorm statistics, the ones that a checkpoint holds: each has seen others in
    training. A context manager: at its end the loading processes end.

    Args:
        loader: this rank's share of the videos that are held out; its loading processes start at once.
        view: what the network sees of them.
        seed: of the run; a random view is drawn anew each epoch.
        epoch: the first one that will be asked for.
        precision, device: of the forward.

    Attributes:
        best: the number that chooses the epoch, and which is the better one: as of `fit`.
    """

    best: Best = ("validation/total", "min")

    def __init__(
        self, loader: ClipLoader, view: View, seed: int, epoch: int, precision: Precision, device: torch.device
    ) -> None:
        self.loader = loader
        self.view = view
        self.seed = seed
        self.precision: Precision = precision
        self.device = device
        self.batches = loader.batches(epoch)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.batches.close()

    @torch.no_grad()
    def __call__(self, task: Task, epoch: int) -> dict[str, float]:
        """`validation/total` and `validation/accuracy`, means over the videos, the same on all ranks."""
        assert isinstance(task, Classifier)
        ranks.broadcast_buffers(task)
        sums = torch.zeros(3, dtype=torch.float64, device=self.device)
        task.eval()
        try:
            for number, batch in enumerate(self._of_an_epoch()):
                rng = Rng(self.seed, "validation", epoch, number, rank=ranks.rank(), ranks=ranks.world())
                sums += self._scored(task, batch, rng)
        finally:
            task.train()
        loss, hits, videos = ranks.mean_over_ranks(sums).tolist()
        return {"validation/total": loss / videos, "validation/accuracy": hits / videos}

    def _of_an_epoch(self) -> Iterator[ClipBatch]:
        for _ in range(len(self.loader)):
            yield next(self.batches).to(self.device, non_blocking=True)

    def _scored(self, task: Classifier, batch: ClipBatch, rng: Rng) -> torch.Tensor:
        clips = self.view(batch, rng.child("view"))
        with autocast(self.precision, self.device):
            logits = task.logits(clips.flatten(0, 1)).float()
        logits = logits.unflatten(0, clips.shape[:2]).mean(1)
        loss = F.cross_entropy(logits, batch.label, reduction="sum")
        hits = (logits.argmax(1) == batch.label).sum()
        return torch.stack([loss.double(), hits.double(), hits.new_tensor(len(batch)).double()])


class TestedAfter:
    """What `fit` calls after each epoch where the test part chooses among some: TCLR's published figures are such.

    A number that was chosen so is too high: it has seen the test.

    Args:
        epochs: after which the test is made, counted from 0.
        test: gives the logits of the test's videos.

    Attributes:
        best: as of `Validation`.
    """

    best: Best = ("test/accuracy", "max")

    def __init__(self, epochs: Collection[int], test: Callable[[], VideoFeatures]) -> None:
        self.epochs = epochs
        self.test = test

    def __call__(self, task: Task, epoch: int) -> dict[str, float]:
        """`test/accuracy`, correct / videos; nothing after the other epochs."""
        if epoch not in self.epochs:
            return {}
        ranks.broadcast_buffers(task)
        try:
            found = self.test()
        finally:
            task.train()
        return {"test/accuracy": scores(found.vectors, found.labels).accuracy}
