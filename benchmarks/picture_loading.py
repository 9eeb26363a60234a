"""Frames of R2V2-like folders as CycleContrast needs them: our loader and views against a loader as torchvision has it.

python benchmarks/picture_loading.py --root DIR [--videos 256] [--batch 32] [--workers 2] [--repeats 3]

Out of the clips below DIR a folder is made of videos of four JPEG files of 256x341. Of each video a batch has a query
frame in two views and a candidate in one: two files are decoded, three views of 224x224 made by MoCo v2's chain (crop,
jitter, grey, blur, flip, normalise). The rival does all of it in its loading processes, picture by picture: Pillow
opens the file and converts it, and Pillow changes it, in a dataset for torch's DataLoader. Ours decodes in the loading
processes and makes the views of the whole batch in the training process, where there is a GPU on that. Here it is on
the CPU, with one thread: "loading" is what remains for the processor where there is a GPU.

Each way runs three epochs in processes of its own, in turn; all read the same files with as many loading processes. CPU
time is that of all its processes, their start included; a ratio is the rival's over ours in the same repeat, so above 1
means that ours is faster. A candidate that is the query (one in four) is decoded once by ours and twice by the rival.
Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageFilter, ImageOps
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from praxino.catalogs.folder import VideoFolder
from praxino.catalogs.r2v2 import R2V2
from praxino.clips.dataset import ClipDataset
from praxino.clips.loader import ClipLoader
from praxino.clips.related import RelatedFrames
from praxino.rng import Rng
from praxino.streams.video import VideoFile
from praxino.views.colour import Blur, ColourJitter, Grey, Normalise
from praxino.views.geometry import Flip, RandomResizedCrop
from praxino.views.pipeline import View

HEIGHT, WIDTH = 256, 341
SIDE = 224
EPOCHS = 3
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
RIVAL = "as torchvision, in loading processes"
WAYS = ("ours, loading", "ours, loading and views", "ours, `exact=False`", RIVAL)


def make_folder(root: Path, clips: Path, videos: int) -> None:
    """Four frames of a clip make a video; where there are fewer clips than videos, others of the same clip."""
    catalog, draw = VideoFolder(clips), random.Random(0)
    for number in range(videos):
        id = "".join(draw.choices(LETTERS, k=11))
        (root / id[:2]).mkdir(exist_ok=True)
        with VideoFile().open(catalog[number % len(catalog)]) as reader:
            length = len(reader.times)
            wanted = np.unique(np.linspace(number // len(catalog), length - 1, 4).astype(int))
            pixels = reader.read(wanted)[0]
        for frame, picture in zip(wanted, pixels, strict=True):
            small = Image.fromarray(picture).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
            small.save(root / id[:2] / f"{id}_{frame:06d}.jpg", quality=90)


class Pillow(Dataset):
    """One item a video: query, key and candidate, float32 [3, 3, 224, 224]."""

    def __init__(self, root: Path) -> None:
        self.videos = [video.files["rgb"] for video in R2V2(root)]

    def __len__(self) -> int:
        return len(self.videos)

    def __getitem__(self, index: int) -> Tensor:
        query, candidate = (opened(random.choice(self.videos[index])) for _ in range(2))
        return torch.stack([changed(picture) for picture in (query, query, candidate)])


def opened(path: str) -> Image.Image:
    with open(path, "rb") as file:
        return Image.open(file).convert("RGB")


def changed(picture: Image.Image) -> Tensor:
    """MoCo v2's chain, by Pillow's calls."""
    picture = resized_crop(picture)
    if random.random() < 0.8:
        picture = jittered(picture)
    if random.random() < 0.2:
        picture = picture.convert("L").convert("RGB")
    if random.random() < 0.5:
        picture = picture.filter(ImageFilter.GaussianBlur(random.uniform(0.1, 2.0)))
    if random.random() < 0.5:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1).contiguous().float().div(255)
    return pixels.sub_(MEAN[:, None, None]).div_(STD[:, None, None])


def resized_crop(picture: Image.Image) -> Image.Image:
    width, height = picture.size
    for _ in range(10):
        area = random.uniform(0.2, 1.0) * width * height
        ratio = math.exp(random.uniform(math.log(3 / 4), math.log(4 / 3)))
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if w <= width and h <= height:
            top, left = random.randint(0, height - h), random.randint(0, width - w)
            box = picture.crop((left, top, left + w, top + h))
            return box.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return ImageOps.fit(picture, (SIDE, SIDE), Image.Resampling.BILINEAR)


def jittered(picture: Image.Image) -> Image.Image:
    factors = [random.uniform(0.6, 1.4) for _ in range(3)]
    for kind in random.sample(range(4), 4):
        if kind == 0:
            picture = Image.blend(Image.new("RGB", picture.size), picture, factors[0])
        elif kind == 1:
            grey = picture.convert("L")
            mean = int(np.asarray(grey).mean() + 0.5)
            picture = Image.blend(Image.new("RGB", picture.size, (mean, mean, mean)), picture, factors[1])
        elif kind == 2:
            picture = Image.blend(picture.convert("L").convert("RGB"), picture, factors[2])
        else:
            hue, saturation, value = picture.convert("HSV").split()
            turn = int(255 * random.uniform(-0.1, 0.1))
            turned = Image.fromarray(np.asarray(hue) + np.array(turn % 256, np.uint8))
            picture = Image.merge("HSV", (turned, saturation, value)).convert("RGB")
    return picture


def ours(root: Path, batch_size: int, workers: int, way: str) -> Iterator[list[Tensor]]:
    dataset = ClipDataset(R2V2(root), ["rgb"], RelatedFrames(set_size=None))
    loader = ClipLoader(dataset, batch_size, workers, prefetch=2)
    crop = RandomResizedCrop(SIDE, scale=(0.2, 1.0), exact="exact" not in way)
    view = View([crop, ColourJitter(), Grey(0.2), Blur(), Flip(), Normalise()])
    batches = loader.batches()
    for number, batch in enumerate(islice(batches, EPOCHS * len(loader))):
        rng = Rng("views", number)
        if "loading and" in way or "exact" in way:
            views = [view(batch, rng.child(name), slice(k, k + 1)) for name, k in (("q", 0), ("k", 0), ("c", 1))]
        else:
            views = [batch.streams["rgb"].pixels]
        yield views
    batches.close()


def theirs(root: Path, batch_size: int, workers: int) -> Iterator[list[Tensor]]:
    more = {"prefetch_factor": 2, "multiprocessing_context": "fork", "persistent_workers": True} if workers else {}
    loader = DataLoader(Pillow(root), batch_size, shuffle=True, num_workers=workers, drop_last=True, **more)
    for _ in range(EPOCHS):
        for batch in loader:
            yield [batch]


def one(root: Path, batch_size: int, workers: int, way: str) -> None:
    """The epochs of one way: seconds, CPU seconds of all processes, videos."""
    torch.set_num_threads(1)
    begun, before, videos = time.perf_counter(), used(), 0
    for _ in theirs(root, batch_size, workers) if way == RIVAL else ours(root, batch_size, workers, way):
        videos += batch_size
    print(json.dumps([time.perf_counter() - begun, used() - before, videos]))


def used() -> float:
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path)
    parser.add_argument("--videos", type=int, default=256)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--way", help="of the process that runs it on the folder --root")
    given = parser.parse_args()
    if given.way:
        one(given.root, given.batch, given.workers, given.way)
        return
    with tempfile.TemporaryDirectory() as folder:
        make_folder(Path(folder), given.root, given.videos)
        print(f"{R2V2(folder).found.replace(folder, 'DIR')}; {os.cpu_count()} cores\n")
        own = [sys.executable, __file__, "--root", folder, "--batch", str(given.batch), "--workers", str(given.workers)]
        found: dict[str, list[list[float]]] = {way: [] for way in WAYS}
        for _ in range(given.repeats):
            for way in WAYS:
                done = subprocess.run([*own, "--way", way], check=True, capture_output=True, text=True)
                found[way].append(json.loads(done.stdout))
    print("| way | frames/s | CPU, ms a video | CPU ratio | ratio of frames/s |\n|---|---|---|---|---|")
    for way, runs in found.items():
        rates = statistics.median(2 * videos / wall for wall, _, videos in runs)
        cost = statistics.median(1e3 * cpu / videos for _, cpu, videos in runs)
        pairs = list(zip(runs, found[RIVAL], strict=True))
        ratios = [spread([rival[k] / run[k] for run, rival in pairs]) for k in (1, 0)]
        print(f"| {way} | {rates:.0f} | {cost:.1f} | {' | '.join(ratios)} |")


if __name__ == "__main__":
    main()
