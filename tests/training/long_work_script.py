"""Run by two processes: whatever the first does by itself in a run takes longer than processes wait for each other."""

import sys
import time
from datetime import timedelta
from pathlib import Path

import torch.distributed as dist

from praxino import ranks
from praxino.errors import UserError
from praxino.training import convolution_ways, pretrain, session, videos
from toys import ToyCatalog, ToySampler, ToyStream, toy_method, toy_protocol, toy_stages

PATIENCE, WORK = 4.0, 5.5  # seconds


def long(module, name, answer=None):
    """Lets a function take long; with an answer, that is its result."""
    plain = getattr(module, name)

    def slow(*words, **more):
        assert ranks.rank() == 0
        time.sleep(WORK)
        print("did", name, file=sys.stderr)
        return plain(*words, **more) if answer is None else answer

    setattr(module, name, slow)


def refused():
    time.sleep(WORK)
    raise UserError("there is nothing to do")


def main(folder: Path) -> None:
    dist.init_process_group("gloo", timeout=timedelta(seconds=PATIENCE))
    long(session, "choose", ("bf16", "it is said"))
    long(videos, "probe_catalog")
    long(convolution_ways, "_found", {})
    long(pretrain, "give_statistics")
    run = pretrain.pretrain(
        ToyCatalog(8), ToySampler(), toy_method(), toy_stages(steps=2), toy_protocol(), folder / "run",
        streams={"rgb": ToyStream()}, batch_size=4, workers=0, threads=1, precision="auto", device="cpu",
    )  # fmt: skip
    assert run.finished
    said = ""
    try:
        run.by_the_first(refused)
    except UserError as error:
        said = str(error)
    (folder / f"{ranks.rank()}.txt").write_text(said)
    ranks.leave()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
