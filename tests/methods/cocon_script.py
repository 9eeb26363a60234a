"""Run by one process or by two: some steps of CoCon and DPC on a toy; rank 0 writes what came of it."""

import sys
from functools import partial

import torch

from praxino import ranks
from praxino.backbones import BlockRecurrent
from praxino.clips.samplers import EvenClips, RandomClip
from praxino.encoders.protocol import Protocol
from praxino.methods.cocon import CoCon
from praxino.methods.dpc import DPC
from praxino.streams.base import Canvas
from praxino.training.pretrain import pretrain
from praxino.training.stages import Stage
from praxino.views.pipeline import View
from toys import Noise, ToyBackbone, ToyCatalog, ToyStream

CANVAS = {"rgb": Canvas(exact=(6, 8))}  # on which parts are tried
VIEWS = ("first", "second")


def network(norm=False, dropout=0.0):
    return BlockRecurrent(ToyBackbone(norm=norm), block_frames=2, dropout=dropout)


def cocon(seed=0, norm=False, dropout=0.0, **more):
    torch.manual_seed(seed)
    networks = {name: network(norm, dropout) for name in VIEWS}
    views = {name: View([Noise()]) for name in VIEWS}
    return CoCon(networks, views, **{"predicted": 2, "aligned": False, "temperature": 0.3, **more})


def dpc(seed=0, norm=False, dropout=0.0, **more):
    torch.manual_seed(seed)
    return DPC(network(norm, dropout), View([Noise()]), **{"predicted": 2, **more})


def train(out, method, resume=False, **more):
    names = VIEWS if isinstance(method, CoCon) else VIEWS[:1]
    return pretrain(
        **{
            "catalog": ToyCatalog(24),
            "sampler": RandomClip(8),
            "method": method,
            "stages": [Stage(partial(torch.optim.SGD, lr=0.05, momentum=0.9), steps=10)],
            "protocol": Protocol({name: View([]) for name in names}, EvenClips(2, 8), CANVAS),
            "out": out,
            "streams": {"rgb": ToyStream()},
            "canvas": CANVAS,
            "batch_size": 6,
            "workers": 0,
            "threads": 1,
            "device": "cpu",
            "checkpoint_steps": 1,
            "resume": resume,
            **more,
        }
    )


CASES = {
    "cocon": (cocon, {}),
    "cocon by its own rule": (cocon, {"accumulate": "cocon"}),
    "dpc shared": (dpc, {}),
    "dpc apart": (lambda: dpc(shared=False), {}),
}


def main(folder: str) -> None:
    found = {}
    for name, (make, more) in CASES.items():
        method = make()
        made = train(f"{folder}/{name}", method, **more)
        everyone = ranks.gather_objects({key: value.clone() for key, value in method.state_dict().items()})
        assert all(torch.equal(everyone[0][key], other[key]) for other in everyone for key in other)
        totals = [line["total"] for line in made.metrics() if line["kind"] == "step"]
        found[name] = {"state": everyone[0], "totals": totals}
    if ranks.rank() == 0:
        torch.save(found, f"{folder}/out.pt")
    ranks.leave()


if __name__ == "__main__":
    main(sys.argv[1])
