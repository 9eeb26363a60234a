"""Run in a process of its own by test_waiting.py: a training or an evaluation whose loading processes fail."""

import signal
import sys
import time
from pathlib import Path

import numpy as np

from praxino.cli.line.terminal import INTERRUPTED, exit_code_of
from praxino.clips import waiting
from praxino.clips.dataset import ClipDataset
from praxino.clips.loader import ClipLoader
from praxino.encoders.encoder import Encoder
from praxino.evaluations.batchnorm import reestimate_batchnorm
from praxino.evaluations.features import extract
from praxino.streams.base import Canvas
from praxino.training.fit import fit
from praxino.training.precision import Precision
from praxino.training.run import Run
from praxino.training.validation import Validation
from toys import ToyBackbone, ToyCatalog, ToyReader, ToySampler, ToyStream, toy_method, toy_protocol, toy_stages

WORKERS = 2
FP32: Precision = "fp32"


class LargeReader(ToyReader):
    def read(self, indices):
        pixels = np.zeros((len(indices), 240, 320, 3), np.uint8)
        return pixels, np.ones(len(indices), bool)


class Sick(ToyStream):
    """From the second epoch on, one video is never read to its end; `deaf` to signals, as in a decoder's own code."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how
        self.opened = 0

    def open(self, video, canvas=Canvas()):  # noqa: B008
        self.opened += 1
        if self.how == "large":
            return LargeReader(video.id, 20)
        if self.how in ("stuck", "deaf") and self.opened > 9:
            if self.how == "deaf":
                signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals) - {signal.SIGKILL})
            time.sleep(10_000)
        if self.how == "slow":
            time.sleep(0.2)
        return ToyReader(video.id, 20)


def loader(how: str, patience: float, workers: int = WORKERS) -> ClipLoader:
    dataset = ClipDataset(ToyCatalog(), ("rgb",), ToySampler(), {"rgb": Sick(how)}, seed=1)
    return ClipLoader(dataset, 4, workers, prefetch=3, patience=patience)


def train(folder: str, how: str, patience: float, validated: str = "") -> int:
    run = Run.open(folder) if Path(folder, "recipe.yaml").exists() else Run.create(folder, {})
    task = toy_method(dropout=0.3, norm=True)
    steps = toy_stages(steps=40 if how == "well" else 4000)
    after = None
    if validated:
        after = Validation(loader(validated, patience), 0, 0, FP32, next(task.parameters()).device)
    finished = fit(task, loader(how, patience, 0 if how == "well" else WORKERS), steps, run, seed=3, after_epoch=after)
    return 0 if finished else INTERRUPTED


def evaluate(how: str) -> int:
    catalog, streams = ToyCatalog(60), {"rgb": Sick(how)}
    encoder = Encoder.of(ToyBackbone(norm=True), toy_protocol())
    reestimate_batchnorm({"a": (encoder, None)}, catalog, streams=streams, workers=WORKERS)
    embed = {"a": lambda batch: encoder.features(batch)}
    extract(catalog, embed, ("rgb",), encoder.sampler, streams, workers=WORKERS)
    return 0


def command() -> int:
    what, how, patience, *folder = sys.argv[1:]
    if what == "train":
        return train(*folder, how, float(patience))
    if what == "validate":
        return train(*folder, "healthy", float(patience), validated=how)
    return evaluate(how)


if __name__ == "__main__":
    waiting.INTERRUPT_SECONDS = 2.0
    sys.exit(exit_code_of(command))
