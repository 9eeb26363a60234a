"""The pictures of `cyclecontrast_step.py`: where they are from, how ours sees them, and how the original does.

The original's way is written from a description, not from its code: a loading process opens a picture for each frame
that it needs, and Pillow changes view after view of it, by numbers that Python draws.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageFilter
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from praxino.batch import ClipBatch
from praxino.catalogs.base import Video
from praxino.catalogs.folder import VideoFolder
from praxino.clips.dataset import ClipDataset
from praxino.clips.related import RelatedFrames
from praxino.rng import Rng
from praxino.streams.frames import FrameFolder
from praxino.streams.video import VideoFile
from praxino.views.colour import Blur, ColourJitter, Grey, Normalise
from praxino.views.geometry import Flip, RandomResizedCrop
from praxino.views.pipeline import Drawn, View

FRAMES = 4  # of a video, as R2V2 has them
RATIO = (3 / 4, 4 / 3)
SCALE = (0.2, 1.0)
MEAN, STD = (torch.tensor(v).view(3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
Paths = tuple[str, ...]


def written(root: str, folder: Path, videos: int) -> None:
    """Four frames each of so many videos, out of files below `root`, as R2V2 lies on the disk."""
    files, stream = VideoFolder(root), VideoFile()
    for number in range(videos):
        reader = stream.open(files[number % len(files)])
        length = len(reader.times)
        first = number // len(files)  # another part of a file that was there before
        numbers = [(first + k * max(1, length // FRAMES)) % length for k in range(FRAMES)]
        name = f"{number:011d}"
        (folder / name[:2]).mkdir(exist_ok=True)
        for place, pixels in enumerate(reader.read(numbers)[0]):
            Image.fromarray(pixels).save(folder / name[:2] / f"{name}_{place:06d}.jpg", quality=90)


def found(folder: Path, most: int) -> list[Paths]:
    """The pictures of each video, of so many at most."""
    videos: dict[str, list[str]] = {}
    for path in sorted(str(p) for p in folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png")):
        videos.setdefault(re.sub(r"_\d{6}\.\w+$", "", path), []).append(path)
    return [tuple(paths) for paths in videos.values()][:most]


def dataset_of(videos: Sequence[Paths]) -> ClipDataset:
    """Ours: a query frame and a candidate of each video, as bytes."""
    named = [Video(str(number), {"rgb": paths}) for number, paths in enumerate(videos)]
    return ClipDataset(named, ("rgb",), RelatedFrames(frames=None), {"rgb": FrameFolder(exif=False)})


def view_of(size: int, exact: bool = True) -> View:
    """Ours: the recipe's."""
    crop = RandomResizedCrop(size, SCALE, RATIO, exact, rounded=True)
    return View([crop, ColourJitter(0.4, 0.4, 0.4, 0.1, p=0.8), Grey(0.2), Blur(0.1, 2.0, p=0.5), Flip(), Normalise()])


class Pictures(Dataset):
    """Of each video (paths of its pictures) a query frame twice and a candidate, each float32 [3, size, size]."""

    def __init__(self, videos: Sequence[Paths], size: int) -> None:
        self.videos = videos
        self.size = size

    def __len__(self) -> int:
        return len(self.videos)

    def __getitem__(self, number: int) -> tuple[list[Tensor], int, int, Tensor]:
        frames = self.videos[number]
        image = opened(random.choice(frames))
        views = [self.seen(image) for _ in range(2)]
        return views, number, number, torch.stack([self.seen(opened(random.choice(frames)))])

    def seen(self, image: Image.Image) -> Tensor:
        """A view of a picture."""
        return augmented(image, self.size, **drawn_numbers(*image.size))

    def loader(self, batch_size: int, workers: int) -> DataLoader:
        return DataLoader(self, batch_size, shuffle=True, num_workers=workers, drop_last=True)


def opened(path: str) -> Image.Image:
    with open(path, "rb") as file:
        return Image.open(file).convert("RGB")


def drawn_numbers(width: int, height: int) -> dict[str, Any]:
    """The arguments of `augmented`, for a picture of this size."""
    jitter = [random.uniform(0.6, 1.4) for _ in range(3)] + [random.uniform(-0.1, 0.1)]
    return {
        "box": drawn_box(width, height),
        "jitter": jitter if random.random() < 0.8 else None,
        "order": random.sample(range(4), 4),
        "grey": random.random() < 0.2,
        "sigma": random.uniform(0.1, 2.0) if random.random() < 0.5 else None,
        "flip": random.random() < 0.5,
    }


def drawn_box(width: int, height: int) -> tuple[int, int, int, int]:
    """Top, left, height and width of a random part."""
    for _ in range(10):
        area = random.uniform(*SCALE) * width * height
        ratio = math.exp(random.uniform(math.log(RATIO[0]), math.log(RATIO[1])))
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if w <= width and h <= height:
            return random.randint(0, height - h), random.randint(0, width - w), h, w
    w, h = min(width, round(height * RATIO[1])), min(height, round(width / RATIO[0]))
    return (height - h) // 2, (width - w) // 2, h, w


def augmented(
    image: Image.Image,
    size: int,
    box: Sequence[int],
    jitter: Sequence[float] | None,
    order: Sequence[int],
    grey: bool,
    sigma: float | None,
    flip: bool,
) -> Tensor:
    """One view by Pillow: float32 [3, size, size].

    Args:
        image: RGB.
        size: side of what comes out.
        box: top, left, height and width.
        jitter: factors of brightness, contrast and saturation, and the turn of the hue; None: not applied.
        order: in which these four come.
        grey, sigma, flip: whether it turns grey, how far it is blurred (None: not), whether it is mirrored.
    """
    top, left, height, width = box
    image = image.crop((left, top, left + width, top + height))
    # Width first, as one call did it in Pillow before 13; that one takes as long.
    image = image.resize((size, height), Image.Resampling.BILINEAR).resize((size, size), Image.Resampling.BILINEAR)
    for kind in order if jitter is not None else ():
        image = CHANGES[kind](image, jitter[kind])
    image = image.convert("L").convert("RGB") if grey else image
    image = image.filter(ImageFilter.GaussianBlur(sigma)) if sigma is not None else image
    image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flip else image
    floats = torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous().float().div(255)
    return floats.sub_(MEAN).div_(STD)


def hue(image: Image.Image, shift: float) -> Image.Image:
    """Turns the hue, which is a byte."""
    turned, saturation, value = image.convert("HSV").split()
    angle = np.array(turned) + np.uint8(int(255 * shift) % 256)
    return Image.merge("HSV", (Image.fromarray(angle), saturation, value)).convert("RGB")


CHANGES = (
    lambda image, factor: ImageEnhance.Brightness(image).enhance(factor),
    lambda image, factor: ImageEnhance.Contrast(image).enhance(factor),
    lambda image, factor: ImageEnhance.Color(image).enhance(factor),
    hue,
)


def compare_views(batch: ClipBatch, size: int) -> None:
    """Stops where a view of ours and Pillow's, of the same draws, differ by a bit; of the first two clips."""
    view, frames = view_of(size), batch.streams["rgb"]
    drawn = view.draw(batch, Rng(0))
    ours = view.apply(batch, drawn)
    for video, clip in ((video, clip) for video in range(len(batch)) for clip in (0, 1)):
        place = int(frames.where[video, clip, 0])
        height, width = frames.size[place].tolist()
        image = Image.fromarray(frames.pixels[place, :height, :width].numpy())
        one = numbers_of([{name: value[video, clip, 0] for name, value in some.items()} for some in drawn])
        assert torch.equal(ours[video, clip, :, 0], augmented(image, size, **one)), "the views differ"


def numbers_of(drawn: list[Drawn]) -> dict[str, Any]:
    """What our operations drew for one picture, as the arguments of `augmented`."""
    crop, jitter, grey, blur, flip, _ = drawn
    return {
        "box": crop["box"].tolist(),
        "jitter": jitter["numbers"].tolist() if jitter["on"] else None,
        "order": jitter["order"].tolist(),
        "grey": bool(grey["on"]),
        "sigma": float(blur["number"]) if blur["on"] else None,
        "flip": bool(flip["on"]),
    }
