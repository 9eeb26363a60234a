"""Held-out videos, after each epoch: what the task says of them, and which epoch is the best by that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, Self

import torch

from praxino import ranks
from praxino.batch import ClipBatch
from praxino.clips.loader import ClipLoader
from praxino.errors import UserError
from praxino.methods.base import Task
from praxino.methods.parts.recompute import buffers_kept
from praxino.rng import Rng
from praxino.training.precision import Precision, autocast
from praxino.training.run import Run
from praxino.training.step_numbers import gaps_of, missed_of

Choice = tuple[str, Literal["min", "max"]]
VALIDATION = "validation/"  # before the names of its numbers
TOTAL = VALIDATION + "total"
ACCURACY = VALIDATION + "accuracy"


def choice_of(number: str) -> Choice:
    """A number of an epoch, and which is the better one: of an accuracy the larger, of all else the smaller."""
    return number, "max" if number.rpartition("/")[2].endswith("accuracy") else "min"


def together(videos: int, batch_size: int) -> int:
    """How many of so many held-out videos go through a task together: as many as in training, where there are.

    Raises:
        UserError: if they are too few to be told from each other.
    """
    size = min(batch_size, videos // ranks.world() * ranks.world())
    if size < 2:
        raise UserError(f"--validation holds out {videos} of the videos, too few to be told apart: hold out more")
    return size


class Validation:
    """What `fit` calls after each epoch: means over the held-out videos of all that the task says of them.

    All processes validate with rank 0's buffers, the ones that a checkpoint holds: BatchNorm has seen others on each.
    A context manager: at its end the loading processes end.

    Args:
        loader: batches of the videos that are held out; its loading processes start at once.
        seed: of the run; clips and random views are drawn anew each epoch, by the epoch's number.
        epoch: the first one that will be asked for.
        precision, device: of the forward.
        run: its log says which videos broke while loading, and by which ones they were replaced.
    """

    def __init__(
        self,
        loader: ClipLoader,
        seed: int,
        epoch: int,
        precision: Precision,
        device: torch.device,
        run: Run | None = None,
    ) -> None:
        self.loader = loader
        self.seed = seed
        self.precision: Precision = precision
        self.device = device
        self.run = run
        self.batches = loader.batches(epoch)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.batches.close()

    def __call__(self, task: Task, epoch: int) -> dict[str, float]:
        """`validation/total` and `validation/...` for each term, the same on all ranks.

        And how many videos were replaced, and how many frames were missing, where there are any.
        """
        ranks.broadcast_buffers(task)
        sums: dict[str, torch.Tensor] = {}
        videos, missed = 0, torch.zeros(2, device=self.device)
        with untouched(task):
            for number, batch in enumerate(self._of_an_epoch()):
                rng = Rng(self.seed, "validation", epoch, number, rank=ranks.rank(), ranks=ranks.world())
                for name, mean in self._said(task, batch, rng).items():
                    # To the precision in which losses are computed: of a mean it gives the very sum it was made of.
                    of_batch = (mean.double() * len(batch)).float().double()
                    sums[name] = sums[name] + of_batch if name in sums else of_batch
                videos += len(batch)
                missed += missed_of(batch, self.run)
        table = torch.stack([*sums.values(), next(iter(sums.values())).new_tensor(videos)])
        *found, counted = ranks.mean_over_ranks(table).tolist()
        means = {VALIDATION + name: value / counted for name, value in zip(sums, found, strict=True)}
        return means | {VALIDATION + name: number for name, number in gaps_of(missed).items()}

    def _of_an_epoch(self) -> Iterator[ClipBatch]:
        for _ in range(len(self.loader)):
            yield next(self.batches).to(self.device, non_blocking=True)

    def _said(self, task: Task, batch: ClipBatch, rng: Rng) -> dict[str, torch.Tensor]:
        torch.manual_seed(int(rng.child("network", rng.rank).shared().integers(2**63 - 1)))
        with torch.no_grad(), autocast(self.precision, self.device):
            losses = task.validated(batch, rng)
        return {"total": losses.total.detach(), **losses.terms}


@contextmanager
def untouched(task: Task) -> Iterator[None]:
    """Evaluation mode inside; afterwards modes, buffers and torch's generators are what they were."""
    modes = [(module, module.training) for module in task.modules()]
    gpus = [torch.cuda.current_device()] if next(task.parameters()).is_cuda else []
    with torch.random.fork_rng(devices=gpus), buffers_kept(task):
        task.eval()
        try:
            yield
        finally:
            for module, training in modes:
                module.training = training
