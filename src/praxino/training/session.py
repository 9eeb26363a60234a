"""What every kind of run does around its training: pretraining, fine-tuning, whatever comes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from praxino import ranks
from praxino.backbones.base import compile_backbones
from praxino.catalogs.base import Catalog, Video
from praxino.clips.loader import ClipLoader
from praxino.clips.samplers import Sampler
from praxino.encoders.encoder import Encoder
from praxino.errors import UserError, check_numbers, check_within
from praxino.load import Load
from praxino.methods.base import Task
from praxino.ranks import Device
from praxino.streams.base import Canvas
from praxino.streams.choose import Streams
from praxino.streams.probe import How, Smallest
from praxino.training.accumulation import Accumulate, Accumulation, check_accumulate
from praxino.training.convolution_ways import Seen, rightly_computed
from praxino.training.convolutions import convolutions_seen
from praxino.training.fit import fit
from praxino.training.gpu_memory import out_of_memory_told
from praxino.training.loaders import Loaders
from praxino.training.own_runs import remember
from praxino.training.precision import Asked, Precision, check_precision
from praxino.training.precision_choice import choose
from praxino.training.run import Run
from praxino.training.stages import Stage, all_warmup
from praxino.training.tryout import TRIED, try_out, try_out_encoders, try_validation
from praxino.training.validation import Choice, Validation
from praxino.training.videos import RunVideos, check_test_videos, usable_videos

HELD_OUT = "validation.txt"  # in the run's folder: the ids of the videos that are held out


class Session:
    """The machine, the folder and the loop of one run.

    Args:
        out: the run's folder.
        seed: of everything random.
        batch_size: videos a batch, over all processes.
        workers: loading processes of each training process.
        threads: threads of the CPU; None: the cores, shared by the processes.
        prefetch: batches that each loading process holds ready.
        precision: of the forward; auto: `try_parts` chooses between bf16 and fp32.
        device: auto takes a GPU where there is one.
        accumulate: batches that make one optimizer step, or CoCon's rule: as of `Accumulation`.
        clip_norm: largest norm of the gradient.
        drop_last: leaves out an epoch's last, shorter batch.
        max_left_out: largest share of unusable videos, 0 to 1.
        probe: as of `praxino.streams.probe.probe`.
        checkpoint_steps, checkpoint_minutes: as of `praxino.training.fit.fit`.
        keep_epochs: keeps a copy of the checkpoint every so many epochs.
        compile: compiles the backbones (needs a C++ compiler).
        resume: goes on in `out`, which holds a run.

    Attributes:
        loaders: of its batches.
        settled: what has been chosen on this machine in the place of the recipe's "auto", from `try_parts` on.
        run: the run; None before `begin`, but for a resumed one.

    Raises:
        UserError: if the device or a number will not do, or there is no run to resume.
    """

    def __init__(
        self,
        out: str | Path,
        *,
        seed: int,
        batch_size: int,
        workers: int,
        threads: int | None,
        prefetch: int,
        precision: Asked,
        device: Device,
        accumulate: Accumulate,
        clip_norm: float | None,
        drop_last: bool,
        max_left_out: float,
        probe: How,
        checkpoint_steps: int | None,
        checkpoint_minutes: float | None,
        keep_epochs: int | None,
        compile: bool,
        resume: bool,
    ) -> None:
        self.device = ranks.pick_device(device)
        self._choosing = precision == "auto"
        self.precision: Precision = "bf16" if precision == "auto" else precision
        check_precision(self.precision, self.device)
        check_accumulate(accumulate)
        check_numbers(threads=threads, prefetch=prefetch, checkpoint_steps=checkpoint_steps, keep_epochs=keep_epochs,
                      clip_norm=clip_norm, checkpoint_minutes=checkpoint_minutes)  # fmt: skip
        check_within(0, 1, max_left_out=max_left_out)
        check_within(0, seed=seed, workers=workers)
        ranks.start(self.device)
        self.threads = threads or max(1, ranks.cores() // ranks.local_world())
        torch.set_num_threads(self.threads)
        pin_memory = self.device.type == "cuda"
        self.loaders = Loaders(seed, batch_size, workers, prefetch, accumulate, drop_last, pin_memory)
        self.out, self.seed, self.batch_size, self.workers = out, seed, batch_size, workers
        self.accumulate, self.clip_norm = accumulate, clip_norm
        self.max_left_out, self.probe = max_left_out, probe
        self.checkpoint_steps, self.checkpoint_minutes = checkpoint_steps, checkpoint_minutes
        self.keep_epochs, self.compile = keep_epochs, compile
        self.resumed = resume
        self._convolutions: Seen = {}
        self.settled: dict[str, Any] = {}
        self._to_say: list[str] = []
        self._run = Run.open(out) if resume else None
        self._load = Load()

    @property
    def run(self) -> Run:
        assert self._run is not None, "begin() comes first"
        return self._run

    @property
    def finished(self) -> bool:
        """Whether it goes on with a run that has nothing left to do."""
        return self._run is not None and self._run.finished

    def validation(
        self,
        videos: Sequence[Video],
        needed: Sequence[str],
        sampler: Sampler,
        streams: Streams | None,
        canvas: Mapping[str, Canvas] | None,
        lengths: NDArray[np.int64] | None = None,
        apart: bool = False,
    ) -> Validation:
        """What looks at held-out videos after each epoch.

        Args:
            videos, needed, sampler, streams, canvas, lengths, apart: as of `Loaders.held_out`.

        Raises:
            UserError: if there are fewer videos than processes, or a batch would hold a single one.
        """
        loader = self.loaders.held_out(videos, needed, sampler, streams, canvas, lengths, apart)
        if loader.left_out and not self.resumed:
            self.run.log(
                f"each validation leaves out {loader.left_out} of {len(videos)} held-out videos (whole batches)"
            )
        saved = self.run.checkpoint()
        epoch = saved["position"]["epoch"] if saved else 0
        return Validation(loader, self.seed, epoch, self.precision, self.device, self.run)

    @out_of_memory_told()
    def try_parts(
        self,
        task: Task,
        stages: Sequence[Stage],
        encoders: Mapping[str, Encoder],
        sampler: Sampler,
        streams: Streams | None,
        canvas: Mapping[str, Canvas] | None,
        validated: bool = False,
    ) -> list[str]:
        """Moves the task to the device, and tries it, its optimizers and its encoders before anything is decoded.

        Args:
            task, stages, encoders: what is trained, how, and what is left of it.
            sampler, streams, canvas: of its clips.
            validated: tries its validation, too.

        Returns:
            The names of the numbers that an epoch gives.

        Raises:
            UserError: saying what does not fit.
        """
        task.to(self.device)
        for stage in stages:
            stage.make_optimizer(task)
        rows = self.batch_size // ranks.world()
        how = (sampler, canvas or {}, self.seed, rows, self.precision, self.device, streams)
        with convolutions_seen(task, rows, min(rows, TRIED)) as self._convolutions:
            numbers = try_out(task, *how)
            task.refuse_batch(self.batch_size)
            try_out_encoders(encoders, self.device)
            numbers += try_validation(task, *how) if validated else []
        if self._choosing:
            self._choose_precision()
        return numbers

    def _choose_precision(self) -> None:
        self.precision, why = ranks.by_the_first(lambda: choose(self._convolutions, self.device, self._to_say.append))
        self._convolutions = self._convolutions if self.precision == "bf16" else {}
        self.settled = {"precision": self.precision}
        self._to_say.append(f"precision auto: {self.precision}, since {why}")

    def begin(self, recipe: Mapping[str, Any], found: str | None) -> Run:
        """Makes the run's folder, or takes the one that is gone on with.

        Args:
            recipe: what is written as recipe.yaml; the number of threads joins it, and what has been settled.
            found: what the catalog found on the disk, for the log.
        """
        if self._run is None:
            self._run = Run.create(self.out, {**recipe, "threads": self.threads, **self.settled}, owner=self)
            if self._run.writes:
                remember(self._run.recipe_file)
        else:
            self._run.lock(self)
        for line in [*([found] if found else []), *self._to_say]:
            self._run.log(line)
        return self._run

    @contextmanager
    def withdrawn_on_mistake(self) -> Iterator[None]:
        """Where anything fails before the first step, the folder is free again; an interrupted run is gone on with."""
        try:
            yield
        except Exception as error:
            if not self.resumed:
                # A user's mistake is found by all ranks, anything else perhaps by a single one.
                self.run.withdraw(agreed=isinstance(error, UserError) and not isinstance(error, ranks.Ended))
            raise

    def usable(
        self, catalog: Catalog, streams: Streams, needed: Sequence[str], min_frames: int,
        smallest: Smallest | None = None,
    ) -> tuple[RunVideos, NDArray[np.int64]]:  # fmt: skip
        """The usable videos of the run's frozen list, and how many frames each has: int64 [usable].

        Raises:
            UserError: as of `praxino.training.videos.frozen_list`.
        """
        how = self.max_left_out, self.probe, self.workers
        return usable_videos(self.run, catalog, streams, needed, min_frames, *how, smallest)

    def check_test(self, catalog: Catalog, streams: Streams, needed: Sequence[str], min_frames: int) -> None:
        """Probes the videos that the run is tested on at its end; they are on no list of it.

        Raises:
            UserError: if too many are unusable.
        """
        how = self.max_left_out, self.probe, self.workers
        check_test_videos(self.run, catalog, streams, needed, min_frames, *how)

    def write_held_out(self, held_out: Sequence[Video]) -> None:
        """Lists the videos that are held out."""
        self.run.write(HELD_OUT, "".join(f"{held_out[row].id}\n" for row in range(len(held_out))))

    def fit(
        self,
        task: Task,
        loader: ClipLoader,
        stages: Sequence[Stage],
        after_epoch: Callable[[Task, int], Mapping[str, float]] | None = None,
        best: Choice | None = None,
        what: str = "videos",
    ) -> bool:
        """Trains; what an epoch leaves out is said before, and how to go on where a signal stopped it.

        Args:
            task, loader, stages, after_epoch, best: as of `praxino.training.fit.fit`.
            what: the loader's videos are.

        Returns:
            Whether training came to its end.
        """
        videos = len(loader.dataset.videos)
        if loader.left_out and not self.resumed:
            left_out = f"each epoch leaves out {loader.left_out} of {videos} {what}, other ones each time"
            self.run.log(f"{left_out} (whole batches)")
        if not self.resumed and (line := all_warmup(stages, Accumulation(self.accumulate, len(loader)).steps)):
            self.run.log(line)
        if self.compile:
            compile_backbones(task)
        alone = self.device.type == "cpu" and ranks.world() == 1  # the processes of a run are no other work
        if sys.stderr.isatty() and alone and (line := self._load.line(self.threads)):
            self.run.log(line)
        validating: AbstractContextManager = after_epoch if isinstance(after_epoch, Validation) else nullcontext()
        with validating, rightly_computed(task, self.run, self._convolutions, self.precision, self.device):
            finished = fit(
                task, loader, stages, self.run, seed=self.seed, device=self.device, accumulate=self.accumulate,
                precision=self.precision, clip_norm=self.clip_norm, checkpoint_steps=self.checkpoint_steps,
                checkpoint_minutes=self.checkpoint_minutes, keep_epochs=self.keep_epochs, after_epoch=after_epoch,
                best=best,
            )  # fmt: skip
        if not finished:
            self.run.log(f"stopped and saved: go on with 'praxino resume {self.out}'")
        return finished
