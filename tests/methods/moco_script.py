"""Run by one process or by two: ten steps of CycleContrast; rank 0 writes what came of it."""

import sys

import torch

from praxino import ranks
from praxino.backbones import ResNet18
from praxino.clips.related import RelatedFrames
from praxino.encoders.protocol import Protocol
from praxino.methods.cyclecontrast import CycleContrast
from praxino.training.pretrain import pretrain
from praxino.views.pipeline import View
from toys import Noise, ToyBackbone, ToyCatalog, ToySampler, ToyStream, toy_stages

OPTIONS = {"dim": 5, "queue_rows": 22, "cycle_queue_rows": 28, "support": 9, "momentum": 0.9, "temperature": 0.2}


def cycle(seed=0, norm=False, **more):
    torch.manual_seed(seed)
    backbone = ResNet18(width=4) if norm else ToyBackbone()
    return CycleContrast(backbone, View([Noise()]), **{**OPTIONS, **more})


def train(out, method, resume=False, **more):
    return pretrain(
        **{
            "catalog": ToyCatalog(24),
            "sampler": RelatedFrames(set_size=4, distance=0.1, candidates=2),
            "method": method,
            "stages": toy_stages(steps=10),
            "protocol": Protocol({"rgb": View([])}, ToySampler(clips=3, frames=1), streams={"rgb": ToyStream()}),
            "out": out,
            "streams": {"rgb": ToyStream()},
            "batch_size": 6,
            "accumulate": 2,
            "workers": 0,
            "threads": 1,
            "device": "cpu",
            "checkpoint_steps": 1,
            "resume": resume,
            **more,
        }
    )


def main(folder: str) -> None:
    found = {}
    for name, norm in (("plain", False), ("norm", True)):
        method = cycle(norm=norm)
        made = train(f"{folder}/{name}", method)
        everyone = ranks.gather_objects({key: value.clone() for key, value in method.state_dict().items()})
        totals = [line["total"] for line in made.metrics() if line["kind"] == "step"]
        found[name] = {"states": everyone, "totals": totals}
    if ranks.rank() == 0:
        torch.save(found, f"{folder}/out.pt")
    ranks.leave()


if __name__ == "__main__":
    main(sys.argv[1])
