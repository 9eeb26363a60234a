"""A CoCon training step of RGB and flow: ours against the same maths done the original's way, in fp32.

python benchmarks/cocon_step.py [--batch_size 4] [--width 16] [--size 128] [--repeats 3] [--device cpu]

A step goes from bytes of 240x320 (flow of two channels beside RGB) to new weights: the views of 40 frames a clip, two
2d3d ResNet-18 with their recurrent cells, all losses, Adam. The original's way: Pillow changes frame after frame, and
flow's squares are measured one by one; each network computes scores and a last state that nobody uses; kinds of pairs
are made as a mask that picks the positives; the loss between views is a hinge over all pairs, once in each direction.
Both have the same draws, and one process each with one thread; pixels are compared to the bit, losses as numbers.
Memory is the peak of the process (on a GPU, of the allocator) less what it holds before the first step. Then the parts
alone, in turns. A ratio is ours over theirs in the same repeat. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageEnhance
from torch import Tensor

from iic_step import clock, memory, timed
from praxino.backbones.block_recurrent import BlockRecurrent
from praxino.backbones.resnet2d3d import ResNet2D3D18
from praxino.batch import ClipBatch, Frames
from praxino.losses.cooperative import block_vectors, cosines, kinds_of_blocks
from praxino.losses.dense import kinds_of_places
from praxino.methods.base import Losses
from praxino.methods.cocon import CoCon
from praxino.rng import Rng
from praxino.views.channels import OneChannel
from praxino.views.colour import ColourJitter, Normalise
from praxino.views.flow_values import FlowValues
from praxino.views.geometry import Flip
from praxino.views.nearest import LiveliestCrop, NearestCrop
from praxino.views.pipeline import Drawn, View
from views import hue_by_pillow

BLOCKS, FRAMES, PREDICTED, TEMPERATURE = 8, 5, 3, 0.07
CROP = 224
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class OriginalsWay(CoCon):
    """The same maths, as the original arranges it."""

    def forward(self, batch: ClipBatch, rng: Rng) -> Losses:
        drawn = {name: view.draw(batch, rng.child("view", name)) for name, view in self.views.items()}
        made = {"rgb": rgb_by_pillow, "flow": flow_by_numpy}
        return self.objective({name: made[name](batch, drawn[name], self.views[name]) for name in self.views})

    def objective(self, views: dict[str, Tensor], **drawn: object) -> Losses:
        features = {name: self.features(name, clips) for name, clips in views.items()}
        predictions = {}
        for name, z in features.items():
            predictions[name], context = self.predict(name, z)
            # Both of no use: a state from the last prediction, and scores of the network's own.
            self.networks[name].cell(predictions[name][:, -1], context)
            six_axes(predictions[name], z[:, -self.predicted :])
        return Losses(self.losses(predictions, features))

    def losses(self, predictions: dict[str, Tensor], features: dict[str, Tensor]) -> Tensor:
        """All of them from predictions [B, P, D, S, S] and maps [B, N, D, S, S]."""
        total = torch.zeros((), device=next(iter(features.values())).device)
        for name, z in features.items():
            total = total + within(predictions[name], z[:, -self.predicted :])
        first, second = (block_vectors(z) for z in features.values())
        first, second = first.flatten(0, 1), second.flatten(0, 1)
        total = total + 10 * (cosines(first, first) - cosines(second, second)).abs().mean()
        clips = len(next(iter(features.values())))
        return total + 10 * (hinge(first, second, clips) + hinge(second, first, clips)) / 2


def six_axes(predictions: Tensor, targets: Tensor) -> Tensor:
    """Scores of all pairs: [B, P, S * S, B, P, S * S]."""
    clips, steps, _, side, _ = predictions.shape
    rows, columns = (x.permute(0, 1, 3, 4, 2).reshape(-1, x.shape[2]) for x in (predictions, targets))
    shape = (clips, steps, side * side)
    return (rows @ columns.T).view(*shape, *shape)


def within(predictions: Tensor, targets: Tensor) -> Tensor:
    """The contrast of one view, its positives picked by a mask."""
    scores = six_axes(predictions / TEMPERATURE, targets / TEMPERATURE)
    clips, steps, places = scores.shape[:3]
    kinds = kinds_of_places(clips, steps, places).to(scores.device)
    right = (kinds == 1).int().argmax(1)
    flat = scores.reshape(len(right), len(right))
    for k in (1, 3):  # the accuracies that it logs
        (flat.topk(k, 1).indices == right[:, None]).any(1).float().mean()
    return F.cross_entropy(flat, right)


def hinge(first: Tensor, second: Tensor, clips: int) -> Tensor:
    """Synchronisation as a hinge embedding loss over all pairs."""
    c = cosines(first, second)
    positive = kinds_of_blocks(clips, len(c) // clips).to(c.device) == 1
    share = float(positive.float().mean())
    weights = torch.where(positive, 0.5 / share, 0.5 / (1 - share))
    signs = torch.where(positive, 1.0, -1.0)
    return F.hinge_embedding_loss(weights * (1 - c), signs, margin=0.5 / (1 - share))


def rgb_by_pillow(batch: ClipBatch, drawn: list[Drawn], view: View) -> Tensor:
    """Pillow, one frame after the other: float32 [B, 3, T, size, size]."""
    rgb, size = batch.streams["rgb"], view.operations[1].size
    flip, crop, grey, jitter, _ = [{name: value.cpu() for name, value in one.items()} for one in drawn]
    clips = []
    for video, rows in enumerate(rgb.where[:, 0].tolist()):
        top, left = crop["corner"][video, 0, 0].tolist()
        frames = []
        for frame, row in enumerate(rows):
            image = Image.fromarray(rgb.pixels[row].cpu().numpy())
            if flip["on"][video, 0, 0]:
                image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            image = image.crop((left, top, left + CROP, top + CROP)).resize((size, size), Image.Resampling.NEAREST)
            if grey["on"][video, 0, frame]:
                image = Image.merge("RGB", [image.split()[int(grey["channel"][video, 0, frame])]] * 3)
            numbers = jitter["numbers"][video, 0, frame].tolist()
            for kind in jitter["order"][video, 0, frame].tolist():
                image = changed(image, kind, numbers[kind])
            levels = torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous().float().div(255)
            frames.append((levels - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None])
        clips.append(torch.stack(frames, 1))
    return torch.stack(clips).to(rgb.pixels.device)


def changed(image: Image.Image, kind: int, number: float) -> Image.Image:
    if kind == 3:
        return hue_by_pillow(image, number)
    return (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color)[kind](image).enhance(number)


def flow_by_numpy(batch: ClipBatch, drawn: list[Drawn], view: View) -> Tensor:
    """The liveliest of three squares, measured one by one, then frame by frame: float32 [B, 2, T, size, size]."""
    flow, size = batch.streams["flow"], view.operations[0].size
    clips = []
    for video, rows in enumerate(flow.where[:, 0].tolist()):
        frames = [flow.pixels[row].cpu().numpy() for row in rows]
        squares = drawn[0]["corners"][video, 0, 0].tolist()
        best = max(squares, key=lambda corner: sum(liveliness(frame, *corner) for frame in frames))
        pictures = [cut(frame, *best) for frame in frames]
        small = [[np.array(Image.fromarray(one[..., k]).resize((size, size), 0)) for k in (0, 1)] for one in pictures]
        x = torch.from_numpy(np.array(small)).float().div(255)
        clips.append((x - 0.5 if x.mean() > 0.3 else x).transpose(0, 1))
    return torch.stack(clips).to(flow.pixels.device)


def cut(frame: np.ndarray, top: int, left: int) -> np.ndarray:
    return frame[top : top + CROP, left : left + CROP].copy()


def liveliness(frame: np.ndarray, top: int, left: int) -> int:
    return int(np.abs(cut(frame, top, left).astype(np.int32) - 127).sum()) if frame.max() >= 10 else 0


def views_of(size: int) -> dict[str, View]:
    """The recipe's."""
    jitter = ColourJitter(0.5, 0.5, 0.5, 0.25, p=1.0, per="frame")
    rgb = View([Flip(), NearestCrop(CROP, size), OneChannel(0.5), jitter, Normalise()])
    return {"rgb": rgb, "flow": View([LiveliestCrop(CROP, size), FlowValues(rule="cocon")], "flow")}


def batch_of(videos: int, device: str) -> ClipBatch:
    """Moving soft slopes with noise, and a flow that goes along: uint8 240x320."""
    rng = np.random.default_rng(0)
    frames = BLOCKS * FRAMES
    rows, columns = np.meshgrid(np.arange(240), np.arange(320), indexing="ij")
    noise = rng.normal(0, 12, (240, 320, 3))
    streams = {}
    for name, channels in (("rgb", 3), ("flow", 2)):
        pixels = torch.empty(videos * frames, 240, 320, channels, dtype=torch.uint8)
        for t in range(len(pixels)):
            slope = 127 + (110 if channels == 3 else 9) * np.sin((rows + 3 * t) / 30) * np.cos((columns - t) / 25)
            pixels[t] = torch.from_numpy((slope[..., None] + np.roll(noise, t, 0)[..., :channels]).clip(0, 255))
        where = torch.arange(len(pixels)).view(videos, 1, frames)
        size = torch.tensor([240, 320]).expand(len(pixels), 2)
        streams[name] = Frames(pixels, size, torch.ones(len(pixels), dtype=torch.bool), where)
    none = torch.full((videos,), -1)
    numbers = torch.arange(frames).expand(videos, 1, -1)
    return ClipBatch(streams, none, none, numbers, numbers.double()).to(device)


def method_of(way: str, given: argparse.Namespace) -> CoCon:
    torch.manual_seed(0)
    networks = {
        name: BlockRecurrent(ResNet2D3D18(width=given.width, in_channels=channels), FRAMES, dropout=0.0)
        for name, channels in (("rgb", 3), ("flow", 2))
    }
    kind = OriginalsWay if way == "theirs" else CoCon
    method = kind(networks, views_of(given.size), PREDICTED, TEMPERATURE, aligned=False)
    return method.to(given.device).train()


def one_way(given: argparse.Namespace) -> dict[str, object]:
    """Peak memory and seconds of the steps, in this process."""
    method, batch = method_of(given.way, given), batch_of(given.batch_size, given.device)
    optimizer = torch.optim.Adam(method.parameter_groups(), 1e-5, weight_decay=1e-5)
    before = memory(given.device)
    losses, seconds = [], []
    for number in range(given.repeats + 1):
        began = clock(given.device)
        total = method(batch, Rng(number)).total
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        optimizer.step()
        losses.append(float(total.detach()))
        seconds.append(clock(given.device) - began)
    return {"memory": memory(given.device) - before, "seconds": seconds[1:], "losses": losses}


def parts(given: argparse.Namespace) -> list[str]:
    """Rows of the table: what lies outside of the networks, in turns; the losses of a batch of 16 as published."""
    batch, views = batch_of(1, given.device), views_of(given.size)
    draws = {name: view.draw(batch, Rng(1, name)) for name, view in views.items()}
    ways = {}
    for name, theirs in (("rgb", rgb_by_pillow), ("flow", flow_by_numpy)):
        view, drawn = views[name], draws[name]
        pixels = view.apply(batch, drawn).squeeze(1)
        apart = (pixels - theirs(batch, drawn, view)).abs().max()
        assert apart < 1e-6, f"the views of {name} differ by {apart}"
        ways[f"{name} of one clip, 40 frames"] = (
            lambda view=view, drawn=drawn: view.apply(batch, drawn),
            lambda theirs=theirs, view=view, drawn=drawn: theirs(batch, drawn, view),
        )
    methods = {way: method_of(way, given) for way in ("ours", "theirs")}
    width, side = methods["ours"].networks["rgb"].dim, -(-given.size // 32)
    made = [torch.randn(16, BLOCKS, width, side, side, device=given.device) for _ in range(2)]
    unit = [F.normalize(x, dim=2).requires_grad_() for x in made]
    totals = [float(loss_of(way, methods[way], unit).detach()) for way in methods]
    assert abs(totals[0] / totals[1] - 1) < 1e-5, f"losses of the same maps differ: {totals}"
    ways["losses of 16 clips, and their gradient"] = tuple(
        lambda way=way: torch.autograd.grad(loss_of(way, methods[way], unit), unit) for way in methods
    )
    rows = []
    for name, (ours, theirs) in ways.items():
        turns = [[timed(ours, given.device), timed(theirs, given.device)] for _ in range(1 + 3 * given.repeats)][1:]
        rows.append(row(name, "s", *zip(*turns, strict=True)))
    return rows


def loss_of(way: str, method: CoCon, maps: Sequence[Tensor]) -> Tensor:
    """The losses alone; what stands for a prediction is the map of the block before."""
    features = dict(zip(("rgb", "flow"), maps, strict=True))
    predictions = {name: z[:, -PREDICTED - 1 : -1] for name, z in features.items()}
    if isinstance(method, OriginalsWay):
        return method.losses(predictions, features)
    method.features = lambda name, clips: features[name]  # type: ignore[method-assign]
    method.predict = lambda name, z: (predictions[name], z)  # type: ignore[method-assign]
    return method.objective(features).total


def row(name: str, unit: str, ours: Sequence[float], theirs: Sequence[float]) -> str:
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    numbers = f"{statistics.median(ours):.3g} {unit} | {statistics.median(theirs):.3g} {unit}"
    return f"| {name} | {numbers} | {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in {"batch_size": 4, "width": 16, "size": 128, "repeats": 3}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--way", choices=("ours", "theirs"), help="this one alone, as JSON")
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.way:
        print(json.dumps(one_way(given)))
        return
    found = []
    for way in ("ours", "theirs"):
        words = [sys.executable, *sys.argv, "--way", way]
        printed = subprocess.run(words, check=True, capture_output=True, text=True).stdout
        found.append(json.loads(printed.splitlines()[-1]))
    losses = [one["losses"] for one in found]
    apart = max(abs(a - b) / b for a, b in zip(*losses, strict=True))
    assert apart < 1e-3, f"the ways do not agree: losses {losses}"
    print(f"Losses of {len(losses[0])} steps agree to {apart:.1e} of their size.\n")
    print("| | ours | the original's way | ours / theirs |\n|---|---|---|---|")
    print(row("peak memory of a step", "MB", *([one["memory"]] for one in found)))
    print(row("a whole step", "s", *(one["seconds"] for one in found)))
    print("\n".join(parts(given)))


if __name__ == "__main__":
    main()
