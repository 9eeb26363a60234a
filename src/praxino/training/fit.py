"""The training loop, whole. It knows tasks, and no method."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from functools import partial
from typing import Any, Literal

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from praxino import ranks
from praxino.clips.loader import ClipLoader
from praxino.clips.waiting import Stopped
from praxino.errors import UserError
from praxino.methods.base import Losses, Task
from praxino.rng import Rng
from praxino.training.accumulation import Accumulate, Accumulation
from praxino.training.due import Due
from praxino.training.epoch_end import epoch_ended
from praxino.training.gpu_memory import out_of_memory_told
from praxino.training.health import Health
from praxino.training.inputs import inputs_shown
from praxino.training.interrupts import Interrupts
from praxino.training.position import Position
from praxino.training.precision import Precision, Scaler, autocast
from praxino.training.progress import Progress
from praxino.training.restoring import NOT_FINITE, fitting, restore_stage, restored, snapshot_of
from praxino.training.run import Run
from praxino.training.stages import Stage
from praxino.training.step_numbers import gaps_of, kept_of, memory_line, missed_of, terms_of

HEALTH_EVERY = 10


@out_of_memory_told()
def fit(
    task: Task,
    loader: ClipLoader,
    stages: Sequence[Stage],
    run: Run,
    *,
    seed: int = 0,
    device: torch.device | None = None,
    accumulate: Accumulate = 1,
    precision: Precision = "fp32",
    clip_norm: float | None = None,
    checkpoint_steps: int | None = None,
    checkpoint_minutes: float | None = None,
    keep_epochs: int | None = None,
    after_epoch: Callable[[Task, int], Mapping[str, float]] | None = None,
    best: tuple[str, Literal["min", "max"]] | None = None,
) -> bool:
    """Trains a task through its stages; goes on from the run's last checkpoint if there is one.

    Args:
        task: on `device` already.
        loader: batches; its `multiple_of` is `accumulate`, where that is a number.
        stages: one after another.
        run: takes metrics, checkpoints and the log.
        seed: of the run: every random number of batch b of epoch e is a function of (seed, e, b).
        device: where the task is.
        accumulate: which batches make one optimizer step, as of `Accumulation`.
        precision: of the forward.
        clip_norm: largest norm of the gradient.
        checkpoint_steps: a checkpoint every so many steps, besides one at each epoch's end; None: 200, or none where
            `checkpoint_minutes` is given.
        checkpoint_minutes: a checkpoint when so many minutes have passed since the last one.
        keep_epochs: keeps a copy of the checkpoint every so many epochs.
        after_epoch: called with (task, epoch); its numbers join the epoch's before the schedule observes them.
        best: (number of the epoch, "min" or "max"): its best checkpoint is kept as best.ckpt; an epoch without this
            number is not in question.

    Returns:
        True where training came to its end, False where a signal stopped it.

    Raises:
        UserError: where the loss is not finite, or memory does not suffice. The last good checkpoint stays.
    """
    device = device or torch.device("cpu")
    module = _distributed(task, device)
    accumulation = Accumulation(accumulate, len(loader))
    steps_per_epoch = accumulation.steps
    at, health, scaler = Position(), Health(), Scaler(precision, device)
    saved = run.checkpoint(run.log)
    if saved is not None:
        at = restored(saved, run.checkpoint_file, task, health, scaler, len(loader), steps_per_epoch, len(stages))
    run.cut_metrics(saved["metrics_size"] if saved else 0)
    if saved is not None and saved["finished"]:
        return True

    total = sum(stage.length(steps_per_epoch) for stage in stages)
    due = Due(checkpoint_steps, checkpoint_minutes)
    with (
        Interrupts(device) as interrupts,
        Progress(total, at.step, show=run.writes) as progress,
        closing(loader.batches(at.epoch, at.batch)) as batches,
    ):
        while at.stage < len(stages):
            stage = stages[at.stage]
            first_step: AbstractContextManager = nullcontext()
            optimizer = stage.make_optimizer(task)
            parameters = [p for group in optimizer.param_groups for p in group["params"]]
            if saved is not None and saved["position"]["stage_step"]:
                restore_stage(saved, run.checkpoint_file, optimizer, stage.schedule)
                first_step = fitting(run.checkpoint_file, "optimizer")
            saved = None
            length = stage.length(steps_per_epoch)
            snapshot = partial(snapshot_of, task, stage, optimizer, scaler, health, at)
            ended = partial(epoch_ended, task, stage, run, at, snapshot, interrupts, after_epoch, best, keep_epochs)

            if at.batch >= len(loader) and not ended():
                return False
            while at.stage_step < length and not stage.schedule.finished():
                rate = stage.set_rates(optimizer, at.stage_step, steps_per_epoch)
                task.zero_grad(set_to_none=True)  # of all: what this stage does not step has gradients, too
                parts: list[Losses] = []
                waited, clips, missed = 0.0, 0, torch.zeros(2, device=device)
                share = accumulation.at(at.batch)
                for part in range(share.batches + share.unstepped):
                    began = time.perf_counter()
                    try:
                        batch = next(batches).to(device, non_blocking=True)
                    except Stopped:
                        # Between two steps the state is whole. Others may be waiting for this process in a step.
                        if part or ranks.world() > 1:
                            raise
                        run.save(snapshot())
                        return False
                    if not part:
                        task.before_step()
                    waited += time.perf_counter() - began
                    if not at.step and not part and (line := memory_line(batch, loader.in_flight)):
                        run.log(line)
                    clips += batch.numbers.shape[0] * batch.numbers.shape[1] * ranks.world()
                    missed += missed_of(batch, run)
                    rng = Rng(seed, "step", at.epoch, at.batch, rank=ranks.rank(), ranks=ranks.world())
                    _seed_dropout(rng)
                    last = part == share.batches - 1
                    with _synchronised(module, last), _looked_at(task, run, at):
                        with autocast(precision, device), torch.set_grad_enabled(part < share.batches):
                            losses: Losses = module(batch, rng)
                        _refuse_not_finite(losses, at)
                        if part < share.batches:
                            scaler.backward(losses.total / accumulation.divisor)
                    parts.append(losses)
                    at.batch += 1
                    if last:
                        with first_step, out_of_memory_told():
                            stepped, norm = scaler.step(optimizer, parameters, clip_norm)
                        first_step = nullcontext()
                        if stepped:
                            task.after_step(kept_of(parts))
                at.step += 1
                at.stage_step += 1

                terms, gaps = terms_of(parts), gaps_of(missed)
                at.sums.add(terms, gaps)
                health.add({name: ranks.gather_rows(rows) for name, rows in parts[-1].embeddings.items()})
                where = {"epoch": at.epoch, "step": at.step - 1}
                numbers: dict[str, Any] = {"kind": "step", **where, **terms, **gaps, "lr": rate}
                if clip_norm is not None and math.isfinite(norm):  # it is not in steps that fp16 skips
                    numbers["gradient_norm"] = norm
                if health.window and at.step % HEALTH_EVERY == 0:
                    effective = health.ranks()
                    numbers.update(effective)
                    _say(run, health.warning(effective))
                numbers.update(progress.step(at.step, clips, waited, terms["total"]))
                run.add_metrics(numbers)
                _say(run, progress.waiting_warning(at.step, loader.workers))

                if at.batch >= len(loader):
                    if not ended():
                        return False
                    due.saved()
                elif due.at(at.step):
                    run.save(snapshot())
                    due.saved()
                if interrupts.agreed():
                    run.save(snapshot())
                    ranks.barrier()
                    return False
            at.stage, at.stage_step = at.stage + 1, 0
            run.save(snapshot(finished=at.stage == len(stages)))
    ranks.barrier()
    return True


def _distributed(task: Task, device: torch.device) -> nn.Module:
    if ranks.world() == 1 or not any(p.requires_grad for p in task.parameters()):
        return task
    with warnings.catch_warnings():
        # torch 2.13 has a new name for it, which 2.8 lacks.
        warnings.filterwarnings("ignore", "`broadcast_buffers` is deprecated", FutureWarning)
        # Buffers are not broadcast: banks and queues are equal on all ranks by construction.
        devices = [device.index] if device.type == "cuda" else None
        return DistributedDataParallel(task, device_ids=devices, broadcast_buffers=False)


def _synchronised(module: nn.Module, last: bool) -> AbstractContextManager:
    if last or not isinstance(module, DistributedDataParallel):
        return nullcontext()
    return module.no_sync()


def _looked_at(task: Task, run: Run, at: Position) -> AbstractContextManager:
    # At the first batch of epochs 0, 1, 2, 4, 8, ...: pictures of each epoch would fill the disk.
    if at.batch or at.epoch & (at.epoch - 1) or not run.writes or not run.board.is_open(at.step):
        return nullcontext()
    return inputs_shown(task, partial(run.board.add_picture, step=at.step))


def _seed_dropout(rng: Rng) -> None:
    # What draws inside the network (dropout) has only torch's global generator; it gets a counted seed at each step.
    torch.manual_seed(int(rng.child("dropout", rng.rank).shared().integers(2**63 - 1)))


def _refuse_not_finite(losses: Losses, at: Position) -> None:
    if math.isfinite(float(losses.total.detach())):
        return
    named = [name for name, value in losses.terms.items() if not math.isfinite(float(value))]
    raise UserError(
        f"the loss is not finite at step {at.step} of epoch {at.epoch} ({', '.join(named) or 'total'}): {NOT_FINITE}"
    )


def _say(run: Run, line: str | None) -> None:
    if line:
        run.log(line)
