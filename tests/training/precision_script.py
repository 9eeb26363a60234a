"""Runs in bf16 on a CPU.

Called with a folder it trains, or goes on with, the network that processors compute wrongly (two channels wide, and two
frames long at its end), checked in earnest. With the word "ranks" after it, a toy of which only rank 0 gets an answer.
"""

import sys
from pathlib import Path

import torch

from praxino import ranks
from praxino.backbones.r3d import R3D
from praxino.encoders.protocol import Protocol
from praxino.methods.simclr import SimCLR
from praxino.streams.base import Canvas
from praxino.training import convolution_ways
from praxino.training.convolution_check import Verdict
from praxino.training.pretrain import pretrain
from praxino.views.pipeline import View
from toys import Noise, ToyBackbone, ToyCatalog, ToySampler, ToyStream, toy_stages


class Sixteen(ToySampler):
    min_frames = 16

    def __init__(self, clips: int = 2, frames: int = 16) -> None:
        super().__init__(clips, frames)


def simclr(backbone, **settings):
    torch.manual_seed(0)
    return SimCLR(backbone(**settings), View([Noise()]))


def train(out, resume=False, **more):
    """A run of the toy: 8 and 4 pixels wide, and four frames and two long, where no processor is known to be wrong."""
    arguments = {
        "method": simclr(ToyBackbone, norm=True), "streams": {"rgb": ToyStream()}, "precision": "bf16",
        "sampler": ToySampler(), "protocol": Protocol({"rgb": View([])}, ToySampler(clips=1)),
    }  # fmt: skip
    return pretrain(
        catalog=ToyCatalog(12), stages=toy_stages(steps=6), out=out, canvas={"rgb": Canvas(exact=(6, 8))}, batch_size=4,
        workers=0, threads=1, device="cpu", checkpoint_steps=1, resume=resume, **{**arguments, **more},
    )  # fmt: skip


def made_up(questions, settings):
    """Both layers of the toy are wrong; time padded by hand is right, but where it is strided."""
    if ranks.rank():
        raise AssertionError("rank 0 asks for all")
    strided = {(one, way): dict(one.settings)["stride"] != (1, 1, 1) for one, way in questions}
    return {(one, way): Verdict(way == "padded" and not strided[one, way], "made up") for one, way in questions}


if __name__ == "__main__":
    if sys.argv[2:]:
        convolution_ways.answers = made_up
        train(sys.argv[1])
    else:
        sixteen = {"sampler": Sixteen(), "protocol": Protocol({"rgb": View([])}, Sixteen(clips=1))}
        train(sys.argv[1], Path(sys.argv[1], "recipe.yaml").exists(), method=simclr(R3D, width=2), **sixteen)
    ranks.leave()
