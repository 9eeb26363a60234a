"""What comes after an epoch's last batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

from praxino import ranks
from praxino.clips.waiting import Stopped
from praxino.methods.base import Task
from praxino.training.interrupts import Interrupts
from praxino.training.position import Position, Sums
from praxino.training.run import Run
from praxino.training.stages import Stage


def epoch_ended(
    task: Task,
    stage: Stage,
    run: Run,
    at: Position,
    snapshot: Callable[[], dict[str, Any]],
    interrupts: Interrupts,
    after_epoch: Callable[[Task, int], Mapping[str, float]] | None,
    best: tuple[str, Literal["min", "max"]] | None,
    keep_epochs: int | None,
) -> bool:
    """Looks at the epoch, writes its numbers and a checkpoint, and turns to the next one.

    Args:
        task, run, after_epoch, best, keep_epochs: as of `praxino.training.fit.fit`.
        stage: whose schedule observes the numbers.
        at: where the run stands: after the epoch's last batch, then before the next one's first.
        snapshot: gives what a checkpoint holds.
        interrupts: say whether a stop was asked for.

    Returns:
        False where one was asked for before or while the epoch was looked at. It is saved as it stood before: the run
        then goes on with the look.
    """
    numbers: dict[str, Any] = {"kind": "epoch", "epoch": at.epoch, "step": at.step - 1, **at.sums.means()}
    numbers.update(at.sums.gaps)
    if after_epoch is not None:
        # It may take longer than whoever asks for a stop waits.
        stopped = interrupts.agreed()
        try:
            numbers.update({} if stopped else after_epoch(task, at.epoch))
        except Stopped:
            if ranks.world() > 1:
                raise
            stopped = True
        if stopped:
            run.save(snapshot())
            ranks.barrier()
            return False
    stage.schedule.observe(numbers)
    run.add_metrics(numbers)
    at.sums = Sums()
    at.epoch, at.batch = at.epoch + 1, 0
    kept = []
    if best is not None and best[0] in numbers and _better(numbers[best[0]], at.best, best[1]):
        at.best = float(numbers[best[0]])
        kept.append("best.ckpt")
    if keep_epochs is not None and at.epoch % keep_epochs == 0:
        kept.append(f"epoch-{at.epoch:04d}.ckpt")
    run.save(snapshot(), keep_as=kept)
    return True


def _better(value: float, best: float | None, direction: Literal["min", "max"]) -> bool:
    # What is no number is worse than anything: as the first one it would stay the best for ever.
    return not math.isnan(value) and (best is None or (value < best if direction == "min" else value > best))
