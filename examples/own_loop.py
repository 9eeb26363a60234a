"""Praxino's parts in a loop of one's own: SimCLR on any folder of videos, without recipe, run folder or command line.

python examples/own_loop.py DIR
"""

import sys

import torch

from praxino.backbones import R3D, pool
from praxino.catalogs import VideoFolder
from praxino.clips import ClipDataset, ClipLoader, RandomClip
from praxino.losses import nt_xent
from praxino.rng import Rng
from praxino.streams import Canvas
from praxino.views import Brightness, Flip, Residual, SquareCrop, View


def main(folder: str, steps: int = 100, batch_size: int = 8) -> list[float]:
    sampler = RandomClip(frames=8, stride=2, clips=2, short="repeat")
    dataset = ClipDataset(VideoFolder(folder), ("rgb",), sampler, canvas={"rgb": Canvas(short_side=64)})
    batches = ClipLoader(dataset, batch_size, workers=1).batches()
    view = View([SquareCrop(56), Flip(), Brightness(0.6, 1.4), Residual()])
    backbone = R3D(width=8)
    optimizer = torch.optim.AdamW(backbone.parameters(), lr=1e-3)
    curve = []
    for step in range(steps):
        clips = view(next(batches), Rng(0, step))  # [B, 2, C, T, h, w]
        features = pool(backbone(clips.flatten(0, 1)), "mean").unflatten(0, clips.shape[:2])
        loss = nt_xent(*features.unbind(1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        curve.append(loss.item())
        print(f"step {step}: {curve[-1]:.3f}")
    return curve


if __name__ == "__main__":
    main(sys.argv[1])
