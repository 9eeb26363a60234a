"""A TCLR training step: ours, plain and lean, against the same maths done the original's way, in fp32.

python benchmarks/tclr_step.py [--batch_size 4] [--width 16] [--size 112] [--frames 16] [--repeats 3] [--device cpu]

A step goes from bytes of 240x320 to new weights: ten views of each video, ten passes of `DilatedR3D18`, the loss, Adam.
The original's way: Pillow changes frame after frame on the CPU; all ten clips' floats are there before the first pass;
the dense instance term is 56 ordered pairs, each with its own table; local-local and global-local go video by video in
a Python loop. It sees blue, green, red, and has its first convolution turned around. All ways have the same draws, and
one process each with one thread; their losses are compared, and the pixels to the bit. Memory is the peak of the
process (on a GPU, of the allocator) less what it holds before the first step. Then the parts alone, in turns:
augmentation of one video, and the loss of 40 with its gradient. A ratio is ours over theirs in the same repeat.

On a GPU `--precision bf16` measures our ways alone. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageEnhance
from torch import Tensor

from iic_step import clock, memory, timed
from praxino.backbones.resnet3d import DilatedR3D18
from praxino.batch import ClipBatch, Frames
from praxino.clips.sparse_dense import SparseDense
from praxino.methods.base import Losses
from praxino.methods.tclr import TCLR, passes
from praxino.rng import Rng
from praxino.training.precision import autocast
from praxino.views.gated import Erase, GatedJitter, GreyOrDrop
from praxino.views.geometry import Flip, SquareCrop
from praxino.views.pipeline import Drawn, View
from views import hue_by_pillow

PUBLISHED = 40  # videos of a batch


class OriginalsWay(TCLR):
    """The same maths, as the original arranges it."""

    def forward(self, batch: ClipBatch, rng: Rng) -> Losses:
        made = {}
        for version, number in passes(batch.numbers.shape[1] - 1):
            drawn = self.view.draw(batch, rng.child("view", version, number), number)
            made[version, number] = frame_by_frame(batch, drawn, number, self.view.operations[0].size)
        return self.contrasted(*self.embeddings({place: lambda clip=clip: clip for place, clip in made.items()}))

    def contrasted(self, sparse: Tensor, positions: Tensor, dense: Tensor) -> Losses:
        videos, _, n, _ = dense.shape
        tau = self.temperature
        sets = dense.flatten(1, 2).unbind(1)
        instance_dense = sum(nt_xent(a, b, tau) for a in sets for b in sets if a is not b) / n
        local = sum(nt_xent(dense[b, 0], dense[b, 1], tau) for b in range(videos))
        right = torch.arange(n, device=dense.device)
        between = torch.zeros((), device=dense.device)
        for version, other in ((v, w) for v in (0, 1) for w in (0, 1)):
            for b in range(videos):
                table = positions[b, version] @ dense[b, other].T / tau
                for side in (table, table.T):
                    between = between + F.cross_entropy(side, right, reduction="sum") / (2 * videos)
        return Losses(nt_xent(sparse[:, 0], sparse[:, 1], tau) + instance_dense + local + between)


def nt_xent(first: Tensor, second: Tensor, tau: float) -> Tensor:
    """NT-Xent with the positive in the first column, and the negatives picked by a mask."""
    z = torch.cat([second, first])
    scores = z @ z.T / tau
    k = len(first)
    positives = torch.cat([scores.diagonal(k), scores.diagonal(-k)]).view(2 * k, 1)
    oneself = torch.eye(2 * k, dtype=torch.bool, device=z.device)
    others = ~(oneself | oneself.roll(k, 0))
    logits = torch.cat([positives, scores[others].view(2 * k, -1)], 1)
    return F.cross_entropy(logits, torch.zeros(2 * k, dtype=torch.int64, device=z.device), reduction="sum") / (2 * k)


def frame_by_frame(batch: ClipBatch, drawn: list[Drawn], number: int, size: int) -> Tensor:
    """Pillow, one frame of blue, green, red after the other: float32 [B, 3, T, size, size]."""
    rgb = batch.streams["rgb"]
    clips = []
    for video, rows in enumerate(rgb.where[:, number].tolist()):
        one = [{name: value[video, 0, 0].cpu() for name, value in operation.items()} for operation in drawn]
        clips.append(torch.stack([by_pillow(rgb.pixels[row].cpu().numpy(), size, *one) for row in rows], 1))
    return torch.stack(clips).to(rgb.pixels.device)


def by_pillow(
    frame: np.ndarray, size: int, crop: Drawn, jitter: Drawn, tones: Drawn, flip: Drawn, erase: Drawn
) -> Tensor:
    """One frame through the original's operations, by what ours drew: float32 [3, h, w]."""
    top, left, height, width = crop["box"].tolist()
    image = Image.fromarray(frame).crop((left, top, left + width, top + height))
    image = image.resize((size, size), Image.Resampling.BILINEAR)
    a, (contrast, hue, saturation, brightness) = jitter["gates"].tolist(), jitter["numbers"].tolist()
    image = ImageEnhance.Contrast(image).enhance(contrast) if a[0] < 0.125 else image
    image = hue_by_pillow(image, hue) if a[1] < 0.3 else image
    image = ImageEnhance.Color(image).enhance(saturation) if a[2] < 0.3 else image
    image = ImageEnhance.Brightness(image).enhance(brightness) if a[3] < 0.3 else image
    image = ImageEnhance.Contrast(image).enhance(contrast) if 0.125 < a[0] < 0.25 else image
    which, tone = tones["gates"].tolist()
    if 0.7 < which < 0.875:
        image = image.convert("L").convert("RGB")
        if tone > 0.25:
            image = image.point([min(255, int(255.999 * (k / 255) ** tones["gamma"].item())) for k in range(256)] * 3)
    elif which >= 0.875:
        array = np.array(image)
        array[..., 2 - int(tones["channel"])] = 0
        image = Image.fromarray(array)
    image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flip["on"] else image
    floats = torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous().float().div(255)
    if erase["on"]:
        top, left, height, width = erase["box"].tolist()
        floats[:, top : top + height, left : left + width] = 0
    return floats


def view_of(size: int, exact: bool = True) -> View:
    """The recipe's."""
    crop = SquareCrop(size, (0.6, 1.0), exact, everywhere=False)
    return View([crop, GatedJitter(channel_order="bgr"), GreyOrDrop(channel_order="bgr"), Flip(), Erase()])


def batch_of(way: str, videos: int, given: argparse.Namespace) -> ClipBatch:
    """Moving soft slopes with noise, one stretch of each video: uint8 240x320, as the way takes its channels."""
    sampler = SparseDense(given.frames, given.frames // 4)  # the backbone leaves a quarter of the frames in time
    rng = np.random.default_rng(0)
    rows, columns = np.meshgrid(np.arange(240), np.arange(320), indexing="ij")
    pixels = torch.empty(videos * sampler.stretch, 240, 320, 3, dtype=torch.uint8)
    noise = rng.normal(0, 12, (240, 320, 3))
    for t in range(len(pixels)):
        slope = 127 + 110 * np.sin((rows + 3 * t) / 30) * np.cos((columns - t) / 25)
        noisy = slope[..., None] + np.roll(noise, t, 0)
        order = slice(None, None, -1 if way == "theirs" else 1)
        pixels[t] = torch.from_numpy(noisy.clip(0, 255).astype(np.uint8)[..., order].copy())
    numbers = torch.from_numpy(sampler.numbers(sampler.stretch, 0)).expand(videos, -1, -1)
    where = numbers + torch.arange(videos).view(-1, 1, 1) * sampler.stretch
    size = torch.tensor([240, 320]).expand(len(pixels), 2)
    rgb = Frames(pixels, size, torch.ones(len(pixels), dtype=torch.bool), where)
    none = torch.full((videos,), -1)
    return ClipBatch({"rgb": rgb}, none, none, numbers, numbers.double()).to(given.device)


def method_of(way: str, given: argparse.Namespace, kept: int = 1) -> TCLR:
    torch.manual_seed(0)
    kind = OriginalsWay if way == "theirs" else TCLR
    method = kind(DilatedR3D18(given.width), view_of(given.size), lean=way == "lean", kept_clips=kept)
    if way == "theirs":
        first = method.backbone.stem.conv.weight
        first.data = first.data.flip(1)
    return method.to(given.device).train()


def one_way(given: argparse.Namespace) -> dict[str, object]:
    """Peak memory and seconds of the steps, in this process."""
    method, batch = method_of(given.way, given), batch_of(given.way, given.batch_size, given)
    # The rate of the recipe's first epoch.
    optimizer = torch.optim.Adam(method.parameter_groups(), 1e-5, weight_decay=1e-9)
    before = memory(given.device)
    losses, seconds = [], []
    for number in range(given.repeats + 1):
        began = clock(given.device)
        with autocast(given.precision, torch.device(given.device)):
            total = method(batch, Rng(number)).total
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        optimizer.step()
        losses.append(float(total.detach()))
        seconds.append(clock(given.device) - began)
    return {"memory": memory(given.device) - before, "seconds": seconds[1:], "losses": losses}


def parts(given: argparse.Namespace) -> list[str]:
    """Rows of the table: what lies outside of the network, in turns."""
    ours, theirs = batch_of("ours", 1, given), batch_of("theirs", 1, given)
    places = passes(ours.numbers.shape[1] - 1)
    exact, fast = view_of(given.size), view_of(given.size, exact=False)
    draws = {(v, number): exact.draw(ours, Rng(v), number) for v, number in places}
    methods = {way: method_of(way, given) for way in ("plain", "theirs")}
    shapes = ((PUBLISHED, 2, 128), (PUBLISHED, 2, given.frames // 4, 128), (PUBLISHED, 2, given.frames // 4, 128))
    made = [F.normalize(torch.randn(shape, device=given.device), dim=-1).requires_grad_() for shape in shapes]

    def seen(view: View) -> Callable[[], object]:
        return lambda: [view.apply(ours, draws[place], place[1]) for place in places]

    def by_frame() -> list[Tensor]:
        return [frame_by_frame(theirs, draws[place], place[1], given.size) for place in places]

    def loss(way: str) -> Callable[[], object]:
        return lambda: torch.autograd.grad(methods[way].contrasted(*made).total, made)

    for place, theirs_made in zip(places, by_frame(), strict=True):
        pixels = exact.apply(ours, draws[place], place[1]).squeeze(1)
        assert torch.equal(pixels.flip(1), theirs_made), "the views differ"
    totals = [float(method.contrasted(*made).total.detach()) for method in methods.values()]
    assert abs(totals[0] / totals[1] - 1) < 1e-5, f"losses of the same embeddings differ: {totals}"

    rows = []
    for name, ways in {
        "ten views of one video": (seen(exact), by_frame),
        "the same, `exact=False`": (seen(fast), by_frame),
        f"the loss of {PUBLISHED}": (loss("plain"), loss("theirs")),
    }.items():
        turns = [[timed(way, given.device) for way in ways] for _ in range(1 + 3 * given.repeats)][1:]
        rows.append(row(name, "s", *zip(*turns, strict=True)))
    return rows


def row(name: str, unit: str, *columns: Sequence[float]) -> str:
    """A line of the table; the last column is theirs."""
    cells = [f"{statistics.median(column):.3g} {unit}" for column in columns]
    for ours in columns[:-1]:
        ratios = [a / b for a, b in zip(ours, columns[-1], strict=True)]
        cells.append(f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    return f"| {' | '.join([name, *cells])} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in {"batch_size": 4, "width": 16, "size": 112, "frames": 16, "repeats": 3}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--way", choices=("plain", "lean", "theirs"), help="this one alone, as JSON")
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.way:
        print(json.dumps(one_way(given)))
        return
    found = {}
    for way in ("plain", "lean", "theirs") if given.precision == "fp32" else ("plain", "lean"):
        words = [sys.executable, *sys.argv, "--way", way]
        printed = subprocess.run(words, check=True, capture_output=True, text=True).stdout
        found[way] = json.loads(printed.splitlines()[-1])
    losses = [one["losses"] for one in found.values()]
    apart = max((max(step) - min(step)) / min(step) for step in zip(*losses, strict=True))
    assert apart < 1e-3, f"the ways do not agree: losses {losses}"
    print(f"Losses of {len(losses[0])} steps agree to {apart:.1e} of their size.\n")
    if given.precision != "fp32":
        print("| | ours | lean | ours / lean |\n|---|---|---|---|")
    else:
        print("| | ours | lean | the original's way | ours / theirs | lean / theirs |\n|---|---|---|---|---|---|")
    print(row("peak memory of a step", "MB", *([one["memory"]] for one in found.values())))
    print(row("a whole step", "s", *(one["seconds"] for one in found.values())))
    print("\n| | ours | the original's way | ours / theirs |\n|---|---|---|---|")
    print("\n".join(parts(given)))


if __name__ == "__main__":
    main()
