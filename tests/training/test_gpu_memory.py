"""Wherever a GPU's memory does not suffice, one line says what to lower."""

import pytest
import torch

from praxino.batch import ClipBatch
from praxino.errors import UserError
from praxino.methods.base import Task
from praxino.methods.simclr import SimCLR
from praxino.training.pretrain import pretrain
from toys import ToyCatalog, ToySampler, ToyStream, toy_method, toy_protocol, toy_stages


@pytest.mark.parametrize(
    ("owner", "name", "calls"),
    [
        (Task, "to", 0),
        (SimCLR, "forward", 0),  # of the trial
        (SimCLR, "forward", 2),  # a step
        (Task, "validated", 1),
        (ClipBatch, "to", 3),  # the trial's two, and that of a step
        (ClipBatch, "to", 5),  # of a held-out batch
    ],
)
def test_it_is_told(monkeypatch, tmp_path, owner, name, calls):
    """After so many calls of a function that go well."""
    plain, done = getattr(owner, name), []

    def full(*words, **more):
        if len(done) == calls:
            raise torch.OutOfMemoryError("CUDA out of memory")
        done.append(name)
        return plain(*words, **more)

    monkeypatch.setattr(owner, name, full)
    with pytest.raises(UserError, match="the GPU's memory does not suffice: lower --batch_size"):
        pretrain(
            ToyCatalog(12), ToySampler(), toy_method(), toy_stages(epochs=1), toy_protocol(), tmp_path / "run",
            streams={"rgb": ToyStream()}, batch_size=4, workers=0, threads=1, device="cpu", validation=4,
        )  # fmt: skip
